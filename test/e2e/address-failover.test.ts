// The next address of a recorder is tried whatever is wrong with the one before (RFC 3263 section 4.3).

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stringify } from 'yaml'
import { seededIds, silentLogger } from '#kernel'
import { systemClock } from '#net'
import type { RequestOutcome, ServerInvite, SipCoreHandlers } from '#sip'
import { parseConfig } from '../../src/app/config.ts'
import { openSipRole } from '../../src/app/sip-role.ts'
import { DnsServer, type ZoneEntry } from '../harness/dns-server.ts'

const HOST = '127.0.0.1'
/** A port of loopback where nobody listens: the discard service. */
const CLOSED_PORT = 9
const LONGEST_FAILOVER_MS = 2_000
const fixture = (name: string): string => join(import.meta.dirname, '..', '..', '..', 'test', 'fixtures', 'tls', name)

async function roleAs(t: TestContext, name: string, dnsServers: readonly string[], handlers: SipCoreHandlers) {
  const tls = {
    certFile: fixture(`${name}.cert.pem`),
    keyFile: fixture(`${name}.key.pem`),
    caFile: fixture('ca.cert.pem'),
  }
  const written = { recorder: { sip: { listen: [{ transport: 'tls', host: HOST, port: 0 }], tls } } }
  const config = parseConfig(stringify(written), 'test.yaml')
  assert.ok(config.ok && config.value.recorder !== undefined)
  const role = await openSipRole(
    {
      name,
      sip: config.value.recorder.sip,
      contactUser: name,
      supported: [],
      allow: ['INVITE', 'ACK', 'BYE', 'CANCEL'],
      accept: ['application/sdp'],
      admit: () => true,
      handlers,
    },
    { clock: systemClock, ids: seededIds(4), log: silentLogger, dnsServers },
  )
  t.after(() => role.close())
  return { core: role.core, port: role.listeners[0]?.port ?? 0 }
}

test('field 12: a name without address, a refused connection and a wrong certificate each lead to the next recorder', async (t) => {
  const invites: string[] = []
  const taking = (name: string): SipCoreHandlers => ({
    onInvite: (invite: ServerInvite) => {
      invites.push(name)
      invite.reject(486)
    },
  })
  const stranger = await roleAs(t, 'stranger', [], taking('stranger'))
  const good = await roleAs(t, 'gw', [], taking('good'))
  const zone: Record<string, ZoneEntry> = {
    '_sips._tcp.gw.test': {
      srv: [
        { priority: 1, weight: 0, port: good.port, target: 'nowhere.gw.test' },
        { priority: 2, weight: 0, port: CLOSED_PORT, target: 'a.gw.test' },
        { priority: 3, weight: 0, port: stranger.port, target: 'b.gw.test' },
        { priority: 4, weight: 0, port: good.port, target: 'c.gw.test' },
      ],
    },
    'a.gw.test': { a: [HOST] },
    'b.gw.test': { a: [HOST] },
    'c.gw.test': { a: [HOST] },
  }
  const dns = await DnsServer.open(zone)
  t.after(() => dns.close())
  const client = await roleAs(t, 'peer', [dns.address], { onInvite: (invite) => invite.reject(403) })
  const failed: string[] = []
  const startMs = systemClock.nowMs()
  const outcome = await new Promise<RequestOutcome>((resolve) => {
    client.core.invite(
      {
        uri: 'sips:srs@gw.test',
        from: '<sips:src@peer.test>',
        onTargetFailed: (target, { status, reason }) => failed.push(`${target} ${status} ${reason}`),
      },
      { onAccepted: assert.fail, onFailed: resolve },
    )
  })
  assert.deepEqual([outcome.status, outcome.cause], [486, 'response'])
  assert.ok(systemClock.nowMs() - startMs < LONGEST_FAILOVER_MS, 'failing addresses cost the recording its start')
  assert.deepEqual(invites, ['good'])
  assert.equal(failed[0], `tls:${HOST}:${CLOSED_PORT} 503 ECONNREFUSED`)
  assert.match(failed[1] ?? '', new RegExp(`^tls:${HOST}:${stranger.port} 503 UNABLE_TO_`))
  assert.equal(failed.length, 2)
})
