// Failover on names, addresses and certificates, through the whole gateway: what the recorder that is reached in the end hears.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createServer } from 'node:tls'
import type { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { DnsServer, type ZoneEntry } from '../harness/dns-server.ts'
import { assertHears, eventOf, HEARING_SLACK_MS, HEARING_TIMES, openRecorder } from '../harness/hearing-recorder.ts'
import { openTalk, type Talk } from '../harness/talk.ts'
import { tlsIdentity } from '../harness/tls.ts'

const HOST = '127.0.0.1'
/** A port of loopback where nobody listens: the discard service. */
const CLOSED_PORT = 9

async function openNamed(t: TestContext, zone: Readonly<Record<string, ZoneEntry>>): Promise<Talk> {
  const dns = await DnsServer.open(zone)
  t.after(() => dns.close())
  return await openTalk(t, { tls: true, dnsServers: [dns.address], gateway: { recording: HEARING_TIMES } })
}

/** A TLS server whose certificate names somebody else; it counts those who got as far as SIP. */
async function openImpostor(t: TestContext): Promise<{ readonly port: number; readonly heard: () => number }> {
  let heard = 0
  const { cert, key } = tlsIdentity('stranger')
  const server = createServer({ cert, key }, (socket) => socket.on('data', () => heard++).on('error', () => {}))
  server.listen(0, HOST)
  await once(server, 'listening')
  t.after(() => server.close())
  return { port: (server.address() as AddressInfo).port, heard: () => heard }
}

/** What stands first in the list: its URI, and what is known of its name. */
interface First {
  readonly uri: string
  readonly zone: Readonly<Record<string, ZoneEntry>>
  /** Nothing of SIP came to it. */
  readonly assertUnheard?: () => void
}

const firsts: Readonly<Record<string, (t: TestContext) => Promise<First>>> = {
  'has a name that does not exist': async () => ({ uri: 'sip:rec@nowhere.test', zone: {} }),
  'has a name whose server is broken': async () => ({
    uri: 'sip:rec@bad.test',
    zone: { 'bad.test': { broken: true } },
  }),
  'has a name with SRV records of hosts without address': async () => ({
    uri: 'sip:rec@gone.test;transport=tcp',
    zone: {
      '_sip._tcp.gone.test': {
        srv: [
          { priority: 1, weight: 0, port: 5060, target: 'a.gone.test' },
          { priority: 2, weight: 0, port: 5060, target: 'b.gone.test' },
        ],
      },
    },
  }),
  'refuses connections at its address': async () => ({
    uri: `sip:rec@closed.test:${CLOSED_PORT};transport=tcp`,
    zone: { 'closed.test': { a: [HOST] } },
  }),
  'shows the certificate of somebody else': async (t) => {
    const impostor = await openImpostor(t)
    return {
      uri: `sips:rec@imp.test:${impostor.port}`,
      zone: { 'imp.test': { a: [HOST] } },
      assertUnheard: () => assert.equal(impostor.heard(), 0),
    }
  },
}

for (const [what, openFirst] of Object.entries(firsts)) {
  test(`SRC-60, field 12: a recorder that ${what} is followed by the next, which has the audio, and the ledger says when`, async (t) => {
    const [first, second] = [await openFirst(t), await openRecorder(t)]
    const talk = await openNamed(t, first.zone)
    assert.equal((await talk.rest('start', `${first.uri}|${second.uri()}`)).status, 200)
    await assertHears(second)
    first.assertUnheard?.()
    const { from, to, afterMs } = eventOf(talk, 'recorder.failed-over')
    assert.deepEqual([from, to], [first.uri, second.uri()])
    assert.ok(Number(afterMs) < HEARING_SLACK_MS, `after ${afterMs} ms`)
    const [left, taken] = (await talk.view()).recording?.ledger ?? []
    assert.deepEqual(
      [left?.recorder, left?.takenOverBy, left?.packetsSent, taken?.recorder, taken?.tookOverFrom, taken?.outcome],
      [first.uri, second.uri(), 0, second.uri(), first.uri, 'accepted'],
    )
    assert.equal(taken?.tookOverAfterMs, Math.round(Number(afterMs)))
    await talk.assertUndisturbed()
    await talk.end()
    assert.deepEqual(second.violations, [])
  })
}

/** Two targets of one name, the first of which is of no use. */
function twoTargets(dead: number, alive: ForeignRecorder): Readonly<Record<string, ZoneEntry>> {
  return {
    '_sip._tcp.srs.test': {
      srv: [
        { priority: 1, weight: 0, port: dead, target: 'one.srs.test' },
        { priority: 2, weight: 0, port: alive.address.port, target: 'two.srs.test' },
      ],
    },
    'one.srs.test': { a: [HOST] },
    'two.srs.test': { a: [HOST] },
  }
}

const deadTargets: Readonly<
  Record<string, (t: TestContext) => Promise<{ readonly port: number; readonly costMs: number }>>
> = {
  'is closed': async () => ({ port: CLOSED_PORT, costMs: 0 }),
  'takes the connection and says nothing': async (t) => ({
    port: (await openRecorder(t, { answer: 'silent' })).address.port,
    costMs: HEARING_TIMES.firstResponseMs,
  }),
}

for (const [what, openDead] of Object.entries(deadTargets)) {
  test(`SRC-60, SIP-21: of two SRV targets of a recorder the first ${what}: the second has the audio, in one recording session`, async (t) => {
    const [dead, alive] = [await openDead(t), await openRecorder(t)]
    const talk = await openNamed(t, twoTargets(dead.port, alive))
    const uri = 'sip:rec@srs.test;transport=tcp'
    assert.equal((await talk.rest('start', uri)).status, 200)
    await assertHears(alive)
    const ledger = (await talk.view()).recording?.ledger ?? []
    assert.deepEqual(
      ledger.map(({ recorder, invitations, outcome }) => [recorder, invitations, outcome]),
      [[uri, 1, 'accepted']],
    )
    const tookMs = Date.parse(`${ledger[0]?.answeredAt}`) - Date.parse(`${ledger[0]?.askedAt}`)
    assert.ok(tookMs >= dead.costMs && tookMs < dead.costMs + HEARING_SLACK_MS, `answered after ${tookMs} ms`)
    await talk.assertUndisturbed()
    await talk.end()
    assert.deepEqual(alive.violations, [])
  })
}
