import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ok, silentLogger } from '#kernel'
import { uriText } from './message/uri.ts'
import { type Located, NextHop } from './next-hop.ts'
import type { HopChoice } from './session.ts'
import type { SipTarget } from './transport-port.ts'

const TARGETS: readonly SipTarget[] = [
  { transport: 'tls', host: '192.0.2.1', port: 5061, serverName: 'srs.example' },
  { transport: 'tcp', host: '192.0.2.1', port: 5060 },
]

async function hop(uri: string, choice: HopChoice) {
  const asked: string[] = []
  const locator = {
    locate: async (located: Parameters<typeof uriText>[0]) => {
      asked.push(uriText(located))
      return ok(TARGETS)
    },
  }
  const next = new NextHop({ options: { locator }, log: silentLogger }, choice)
  const located = await new Promise<Located>((resolve) => next.resolve(uri, resolve))
  assert.ok(located.ok)
  return { asked, targets: located.value }
}

test('the transport chosen for a peer is that of a sip: URI which names none', async () => {
  const choice = { transport: 'tcp' } as const
  assert.deepEqual((await hop('sip:srs.example;lr', choice)).asked, ['sip:srs.example;lr;transport=tcp'])
  assert.deepEqual((await hop('sip:srs.example;transport=udp', choice)).asked, ['sip:srs.example;transport=udp'])
  assert.deepEqual((await hop('sips:srs.example', choice)).asked, ['sips:srs.example'])
  assert.deepEqual((await hop('sip:srs.example', {})).asked, ['sip:srs.example'])
})

test('SEC-03: the certificates chosen for a peer go with its TLS targets', async () => {
  const { targets } = await hop('sip:srs.example', { tlsIdentity: 'bank' })
  assert.deepEqual(targets, [{ ...TARGETS[0], tlsIdentity: 'bank' }, TARGETS[1]])
  assert.deepEqual((await hop('sip:srs.example', {})).targets, TARGETS)
})
