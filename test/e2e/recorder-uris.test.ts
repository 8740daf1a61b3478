// The product page's tables: every supported and unsupported form of Call Recording Server, and the troubleshooting rows.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createServer } from 'node:tls'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { headerOf } from '../foreign/sip-text.ts'
import { DnsServer, type ZoneEntry } from '../harness/dns-server.ts'
import type { TestProgram } from '../harness/open-program.ts'
import { type Answered, openPhone, openTalk, openTestGateway, type Talk, type TalkOptions } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const HOST = '127.0.0.1'
const DEADLINE_MS = 10_000
const tlsFolder = 'test/fixtures/tls'
const INVALID_TEXT = 'no valid SIP URI in Call Recording Server'
const MISSING_TEXT = 'startCallRecording request is missing X-Srs-Url header'
const DUPLICATE_TEXT = 'discarding duplicate startCallRecording request for a call'
const DUPLICATE_FLOW_TEXT = 'Cannot start recording when recording is already started'

/** A recorder on an address and port of the test's choice. */
async function openRecorder(t: TestContext, host?: string): Promise<ForeignRecorder> {
  const recorder = await ForeignRecorder.open({}, host === undefined ? undefined : { host, port: 5060 })
  t.after(() => recorder.close())
  return recorder
}

async function openNames(t: TestContext, zone: Readonly<Record<string, ZoneEntry>>): Promise<TalkOptions> {
  const dns = await DnsServer.open(zone)
  t.after(() => dns.close())
  return { dnsServers: [dns.address] }
}

function serviceAt(recorder: ForeignRecorder, name: string): Record<string, ZoneEntry> {
  const srv = { priority: 1, weight: 1, port: recorder.address.port, target: `host.${name}` }
  return {
    [`_sip._tcp.${name}`]: { srv: [srv] },
    [`_sip._udp.${name}`]: { srv: [srv] },
    [`host.${name}`]: { a: [recorder.address.host] },
  }
}

async function assertRecorded(talk: Talk, recorder: ForeignRecorder): Promise<void> {
  await recorder.waitFor(() => recorder.rtp(0).length > 10 && recorder.rtp(1).length > 10, DEADLINE_MS, 'RTP')
  await talk.assertUndisturbed()
  await talk.end()
  assert.deepEqual(recorder.violations, [])
}

/** A loopback address of its own, so that the standard port is free there. */
function ownAddress(): string {
  return `127.${1 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}.${1 + Math.floor(Math.random() * 250)}`
}

for (const control of ['rest', 'info'] as const) {
  test(`page, valid forms, by ${control}: a single recorder by hostname, found by SRV`, async (t) => {
    const recorder = await openRecorder(t)
    const talk = await openTalk(t, await openNames(t, serviceAt(recorder, 'siprec.example.com')))
    assert.equal((await talk[control]('start', 'sip:siprec.example.com')).status, 200)
    await assertRecorded(talk, recorder)
  })

  test(`page, valid forms, by ${control}: a single recorder by hostname with port`, async (t) => {
    const recorder = await openRecorder(t, ownAddress())
    const names = await openNames(t, { 'siprec.example.com': { a: [recorder.address.host] } })
    const talk = await openTalk(t, names)
    assert.equal((await talk[control]('start', 'sip:siprec.example.com:5060')).status, 200)
    await assertRecorded(talk, recorder)
  })

  test(`page, valid forms, by ${control}: a single recorder by IP address`, async (t) => {
    const recorder = await openRecorder(t, ownAddress())
    const talk = await openTalk(t)
    assert.equal((await talk[control]('start', `sip:${recorder.address.host}`)).status, 200)
    await assertRecorded(talk, recorder)
  })

  test(`page, valid forms, by ${control}: parallel recorders in a comma-separated list`, async (t) => {
    const [one, two] = [await openRecorder(t), await openRecorder(t)]
    const zone = { ...serviceAt(one, 'srs1.example.com'), ...serviceAt(two, 'srs2.example.com') }
    const talk = await openTalk(t, await openNames(t, zone))
    assert.equal((await talk[control]('start', 'sip:srs1.example.com,sip:srs2.example.com')).status, 200)
    await two.waitFor(() => two.rtp(0).length > 10, DEADLINE_MS, 'RTP at the second')
    await assertRecorded(talk, one)
  })

  test(`page, invalid forms and rows 1 to 4 of its troubleshooting table, by ${control}`, async (t) => {
    const recorder = await openRecorder(t)
    const talk = await openTalk(t)
    const invalid = ['wss://siprec.example.com/record', 'ws://siprec.example.com', 'https://siprec.example.com']
    for (const server of [...invalid, 'http://10.0.0.5', 'siprec.example.com', '10.0.0.5']) {
      assert.deepEqual(await talk[control]('start', server), { status: 503, text: INVALID_TEXT }, server)
    }
    for (const server of ['', ' ', 'undefined']) {
      assert.deepEqual(await talk[control]('start', server), { status: 400, text: MISSING_TEXT }, `"${server}"`)
    }
    assert.equal((await talk[control]('start', recorder.uri())).status, 200)
    const again: Answered = { status: 400, text: DUPLICATE_TEXT }
    assert.deepEqual(await talk[control]('start', recorder.uri()), again)
    await assertRecorded(talk, recorder)
    assert.equal(recorder.invites().length, 1)
    if (control === 'info') {
      const messages = talk.opened.log.messages()
      for (const text of ['503 response to startCallRecording INFO', MISSING_TEXT, DUPLICATE_TEXT]) {
        assert.ok(messages.includes(text), `the log says: ${text}`)
      }
    }
  })
}

test('FS-20: the callee may command by INFO too', async (t) => {
  const recorder = await openRecorder(t)
  const talk = await openTalk(t)
  assert.equal((await talk.infoFrom(talk.callee, 'start', recorder.uri())).status, 200)
  assert.equal((await talk.infoFrom(talk.callee, 'pause')).status, 200)
  assert.equal(await talk.state(), 'paused')
  assert.equal((await talk.infoFrom(talk.callee, 'resume')).status, 200)
  await assertRecorded(talk, recorder)
})

test('INFO from a peer that is not trusted is refused with 403 and does nothing', async (t) => {
  const recorder = await openRecorder(t)
  const talk = await openTalk(t, { gateway: { info: { trustedPeers: [] } } })
  assert.equal((await talk.info('start', recorder.uri())).status, 403)
  assert.deepEqual([await talk.state(), recorder.arrivals.length], ['none', 0])
  await talk.end()
})

test('a recorder that is not among the destinations is refused and not reached', async (t) => {
  const recorder = await openRecorder(t)
  const talk = await openTalk(t, { gateway: { destinations: { dial: [HOST], record: [] } } })
  const refused = { status: 503, text: 'no recorder of Call Recording Server is allowed here' }
  assert.deepEqual(await talk.info('start', recorder.uri()), refused)
  assert.equal(recorder.arrivals.length, 0)
  await talk.end()
})

for (const [activity, text] of [
  ['stop', 'discarding stopCallRecording request because we are not recording'],
  ['pause', 'discarding invalid pauseCallRecording request'],
  ['resume', 'discarding invalid resumeCallRecording request'],
] as const) {
  test(`a ${activity} without a recording is refused with 400, by INFO and by REST`, async (t) => {
    const talk = await openTalk(t)
    assert.deepEqual(await talk.info(activity), { status: 400, text })
    assert.deepEqual(await talk.rest(activity), { status: 400, text })
    await talk.end()
  })
}

test('an INFO without X-Srs-Url is refused with the text of the page', async (t) => {
  const talk = await openTalk(t)
  assert.deepEqual(await talk.info('start'), { status: 400, text: MISSING_TEXT })
  await talk.end()
})

test('a list with one usable URI starts, the others are reported invalid', async (t) => {
  const recorder = await openRecorder(t)
  const talk = await openTalk(t)
  const response = await fetch(`${talk.opened.httpUrl}/api/calls/${talk.callId}/recording`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ activity: 'start', callRecordingServer: `wss://a.example.com, ${recorder.uri()}` }),
  })
  const { results } = (await response.json()) as { results: Record<string, string> }
  assert.deepEqual(results, { 'wss://a.example.com': 'failed(503)', [recorder.uri()]: 'accepted' })
  await assertRecorded(talk, recorder)
})

const flowOf = (servers: readonly string[]): string =>
  JSON.stringify({
    name: 'page',
    nodes: [
      { type: 'answer' },
      ...servers.map((server) => ({
        type: 'callRecording',
        activity: 'start',
        callRecordingServer: server,
        callRecordingId: 'page-{{ input.callId }}',
        wait: true,
      })),
      { type: 'wait', ms: 60_000 },
    ],
  })

async function callFlow(t: TestContext, flow: string, dnsServers: readonly string[] = []): Promise<TestProgram> {
  const alice = await openPhone(t, 'alice', 'udp')
  const opened = await openTestGateway(t, { flow, dnsServers })
  const call = await alice.call(`sip:flow@${HOST}:${opened.port('gateway', 'udp')}`)
  assert.equal(await call.answered, true)
  return opened
}

test('page, valid forms, by flow node: hostname by SRV, IP address, and a list', async (t) => {
  const [one, two] = [await openRecorder(t), await openRecorder(t, ownAddress())]
  const zone = serviceAt(one, 'siprec.example.com')
  const dns = await DnsServer.open(zone)
  t.after(() => dns.close())
  const list = `sip:siprec.example.com,sip:${two.address.host}`
  await callFlow(t, flowOf([list]), [dns.address])
  for (const recorder of [one, two]) {
    await recorder.waitFor(() => recorder.rtp(0).length > 5, DEADLINE_MS, 'RTP')
    assert.match(recorder.documents()[0] ?? '', /page-/)
    assert.deepEqual(recorder.violations, [])
  }
})

test('page, invalid forms and troubleshooting rows, by flow node: the log says the texts of the page', async (t) => {
  const recorder = await openRecorder(t)
  const invalid = ['wss://siprec.example.com', 'https://siprec.example.com', 'siprec.example.com', '10.0.0.5']
  const missing = ['', '{{ context.nothing }}']
  const opened = await callFlow(t, flowOf([...invalid, ...missing, recorder.uri(), recorder.uri()]))
  const outcomes = (): (readonly [unknown, string])[] =>
    opened.log.lines
      .filter((line) => line.fields['activity'] === 'start' && line.fields['node'] !== undefined)
      .map((line) => [line.fields['status'], line.message])
  await until('all nodes have run', () => outcomes().length === 8)
  assert.deepEqual(outcomes(), [
    ...invalid.map(() => [503, INVALID_TEXT]),
    ...missing.map(() => [400, MISSING_TEXT]),
    [200, 'flow recording done'],
    [400, DUPLICATE_FLOW_TEXT],
  ])
  assert.equal(recorder.invites().length, 1)
})

/** A TLS server with the certificate of `name` in front of a recorder's TCP port. */
async function tlsFront(t: TestContext, recorder: ForeignRecorder, name: string): Promise<number> {
  const pem = (file: string): string => readFileSync(`${tlsFolder}/${file}.pem`, 'utf8')
  const server = createServer({ cert: pem(`${name}.cert`), key: pem(`${name}.key`) }, (socket) => {
    const inner = connect(recorder.address.port, recorder.address.host)
    for (const one of [socket, inner]) one.on('error', () => one.destroy())
    socket.pipe(inner).pipe(socket)
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
  t.after(() => void server.close())
  return (server.address() as { port: number }).port
}

async function tlsNames(t: TestContext, port: number): Promise<TalkOptions> {
  const srv = { priority: 1, weight: 1, port, target: 'peer.test' }
  const tls = {
    certFile: `${tlsFolder}/gw.cert.pem`,
    keyFile: `${tlsFolder}/gw.key.pem`,
    caFile: `${tlsFolder}/ca.cert.pem`,
  }
  const listen = (['udp', 'tcp', 'tls'] as const).map((transport) => ({ transport, port: 0 }))
  const names = await openNames(t, { '_sips._tcp.peer.test': { srv: [srv] }, 'peer.test': { a: [HOST] } })
  return { ...names, gateway: { sip: { listen, tls } } }
}

for (const scheme of ['sips', 'sip']) {
  test(`SEC-05: page, valid forms: all of a session with a recorder over TLS is TLS, with a ${scheme} Contact`, async (t) => {
    const recorder = await openRecorder(t)
    const port = await tlsFront(t, recorder, 'peer')
    recorder.script = { contactUri: `${scheme}:recorder@${HOST}:${port}` }
    const talk = await openTalk(t, await tlsNames(t, port))
    assert.deepEqual(await talk.rest('start', 'sips:peer.test'), { status: 200, text: 'OK' })
    await recorder.waitFor(() => recorder.rtp(0).length > 10 && recorder.rtp(1).length > 10, DEADLINE_MS, 'RTP')
    assert.equal((await talk.rest('pause')).status, 200)
    assert.equal((await talk.rest('resume')).status, 200)
    await talk.end()
    await recorder.waitFor(() => recorder.requests('BYE').length === 1, DEADLINE_MS, 'BYE')
    const requests = recorder.arrivals.map((one) => one.message).filter((message) => message.method !== '')
    assert.ok(requests.length >= 7)
    for (const { uri, raw } of requests) {
      assert.match(uri, /^sips:/)
      assert.match(raw.toString(), /\r\nVia: SIP\/2\.0\/TLS /)
      assert.doesNotMatch(raw.toString(), /\r\nContact: <sip:/)
    }
    // The recorder stands behind the TLS front and sees TCP.
    assert.deepEqual(new Set(recorder.violations), new Set(['RFC 3261 18.1.1: Via says SIP/2.0/TLS']))
  })
}

test('SEC-05: nothing follows in the clear when a recorder over TLS names a plain port in its Contact', async (t) => {
  const recorder = await openRecorder(t)
  const talk = await openTalk(t, await tlsNames(t, await tlsFront(t, recorder, 'peer')))
  await talk.rest('start', 'sips:peer.test')
  await talk.assertUndisturbed()
  await talk.end()
  const vias = recorder.arrivals.map((one) => headerOf(one.message, 'Via'))
  assert.ok(vias.length > 0)
  for (const via of vias) assert.match(via ?? '', /^SIP\/2\.0\/TLS /)
})

test('SEC-05: a recorder over TLS whose certificate is not trusted is refused, and never reached without TLS', async (t) => {
  const recorder = await openRecorder(t)
  const talk = await openTalk(t, await tlsNames(t, await tlsFront(t, recorder, 'stranger')))
  assert.equal((await talk.rest('start', 'sips:peer.test')).status, 503)
  await talk.assertUndisturbed()
  assert.equal(recorder.arrivals.length, 0)
  await talk.end()
})

test('SEC-05: sips to a recorder that speaks only TCP fails without a second try as sip', async (t) => {
  const recorder = await openRecorder(t)
  const talk = await openTalk(t, await tlsNames(t, recorder.address.port))
  assert.equal((await talk.rest('start', `sips:peer.test:${recorder.address.port}`)).status, 503)
  assert.deepEqual(recorder.invites(), [])
  await talk.end()
})
