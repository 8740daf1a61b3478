// Recorders of SIPp and the INVITE that begins a recording session: whom it names, where it goes, when, and what comes of several answers.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { headerOf, parseNameAddr } from '../foreign/sip-text.ts'
import { DnsServer } from '../harness/dns-server.ts'
import { recordSippCall } from '../harness/sipp-call.ts'
import { messagesIn } from '../harness/sipp-log.ts'
import { openSippRecorder, packetsDuring, recordAt, type SippRecorder, untilHeard } from '../harness/sipp-recorder.ts'
import { openTalk, type Talk, type TalkOptions } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('sipp')

const HOST = '127.0.0.1'
const DEADLINE_MS = 30_000
/** The number of a caller who does not want to be known, as `call-anonymous` has it. */
const HIDDEN = /4930555123|ines|callers\.example/i

test('SRC-04: the INVITE for an anonymous call is from the gateway to the recorder, and no header tells who calls', async (t) => {
  const recorder = await openSippRecorder(t, 'recorder-plain')
  const log = await recordSippCall(t, recorder, {
    caller: { scenario: 'call-anonymous', args: ['-d', '3000'] },
    callee: { scenario: 'call-uas', args: ['-rtp_echo'] },
    gateway: { trustedIdentities: [HOST] },
  })
  const requests = messagesIn(log).filter(({ isReceived, message }) => isReceived && message.method !== '')
  assert.ok(requests.length > 2)
  for (const { message } of requests) {
    const [from = '', to = '', contact = ''] = ['From', 'To', 'Contact'].map((name) => headerOf(message, name))
    assert.equal(parseNameAddr(to).uri, recorder.uri)
    for (const value of [from, contact]) assert.doesNotMatch(value, /callee|anonymous/)
    for (const [name, value] of message.headers) assert.doesNotMatch(value, HIDDEN, name)
  }
})

test('SRC-09: a recorder is found by NAPTR, SRV and address, in the order of priority', async (t) => {
  const [first, second] = [await openSippRecorder(t, 'recorder-plain'), await openSippRecorder(t, 'recorder-plain')]
  const talk = await openNamed(t, [second, first])
  await recordAt(talk, 'sip:recorder@srs.test', first)
  assert.equal(await second.messages().catch(() => ''), '')
})

test('SRC-09: of the SRV targets of a recorder the next is asked when the first answers 503', async (t) => {
  const keys = { status_line: 'SIP/2.0 503 Service Unavailable', header: 'Server: busy' }
  const [first, second] = [
    await openSippRecorder(t, 'recorder-refusing', keys),
    await openSippRecorder(t, 'recorder-plain'),
  ]
  const talk = await openNamed(t, [second, first])
  await recordAt(talk, 'sip:recorder@srs.test', second)
  await first.succeeded()
})

/** A talk whose name server knows recorders as `srs.test`, the last of them with the best priority. */
async function openNamed(t: TestContext, recorders: readonly SippRecorder[]): Promise<Talk> {
  const dns = await DnsServer.open({
    'srs.test': {
      naptr: [
        { order: 10, preference: 10, flags: 's', services: 'SIP+D2T', regexp: '', replacement: '_sip._tcp.srs.test' },
      ],
    },
    '_sip._tcp.srs.test': {
      srv: recorders.map(({ port }, index) => ({
        priority: 20 - index,
        weight: 0,
        port,
        target: `r${index}.srs.test`,
      })),
    },
    ...Object.fromEntries(recorders.map((_, index) => [`r${index}.srs.test`, { a: [HOST] }])),
  })
  t.after(() => dns.close())
  return await openTalk(t, { dnsServers: [dns.address] })
}

test('SRC-14: while a notice has not been heard the offer is inactive and nothing comes; after it it is sendonly', async (t) => {
  const recorder = await openSippRecorder(t, 'recorder-early')
  const talk = await openTalk(t, {
    isCallerAware: true,
    gateway: { awareness: { exempt: 'test', notice: 'prompts/notice.wav' } },
  })
  assert.equal((await talk.rest('start', recorder.uri)).status, 200)
  const invites = async () =>
    messagesIn(await recorder.messages()).filter(({ message }) => message.method === 'INVITE').length
  await until('the recorder is invited', async () => (await invites()) > 0, DEADLINE_MS)
  if ((await invites()) === 1) assert.equal(recorder.packets(), 0)
  await untilHeard(recorder)
  assert.equal((await talk.rest('stop')).status, 200)
  await recorder.succeeded()
  await talk.end()
})

test('SRC-16: of two answers to one INVITE both are acknowledged, the first is kept and the other gets BYE', async (t) => {
  const recorder = await openSippRecorder(t, 'recorder-forked', {}, 1, 4)
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  for (const line of [0, 1]) await untilHeard(recorder, 20, line)
  await until('the second dialog is over', async () => /^BYE /m.test(await recorder.messages()), DEADLINE_MS)
  for (const line of [0, 1]) await untilHeard(recorder, 20, line)
  const over = [recorder.packets(2), recorder.packets(3)]
  await packetsDuring(recorder, () => talk.caller.heard().length)
  assert.deepEqual([recorder.packets(2), recorder.packets(3)], over)
  assert.equal((await talk.rest('stop')).status, 200)
  await recorder.succeeded()
  await talk.assertUndisturbed()
  await talk.end()
})

test('SRC-54: PRACK, ACK and BYE carry no document', async (t) => {
  const recorder = await openSippRecorder(t, 'recorder-reliable')
  await recordAt(await openTalk(t), recorder.uri, recorder)
})

const partial: TalkOptions = {
  gateway: { recording: { profiles: [{ name: 'partial', metadata: { updates: 'partial' } }] } },
}

test('SRC-53: the recorder that follows one of 503 gets the whole, where changes are told in parts', async (t) => {
  const keys = { status_line: 'SIP/2.0 503 Service Unavailable', header: 'Server: busy' }
  const [first, second] = [
    await openSippRecorder(t, 'recorder-refusing', keys),
    await openSippRecorder(t, 'recorder-plain'),
  ]
  await recordAt(await openTalk(t, partial), `${first.uri}|${second.uri}`, second)
  await first.succeeded()
  const documents = messagesIn(await second.messages()).filter(({ message }) => message.body.includes('<datamode>'))
  assert.match(`${documents[0]?.message.body}`, /<datamode>complete</)
})

test('SRC-53: after a snapshot that the recorder answered with 500 the next document is complete', async (t) => {
  const recorder = await openSippRecorder(t, 'recorder-failing-snapshot')
  const talk = await openTalk(t, partial)
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  await untilHeard(recorder)
  assert.equal(await talk.caller.hold(true), true)
  await until('the snapshot has failed', async () => (await recorder.messages()).includes('SIP/2.0 500'), DEADLINE_MS)
  assert.equal(await talk.caller.hold(false), true)
  const documents = async () =>
    messagesIn(await recorder.messages()).filter(
      ({ isReceived, message }) => isReceived && message.body.includes('<datamode>'),
    )
  await until('there is another document', async () => (await documents()).length >= 4, DEADLINE_MS)
  assert.match(`${(await documents())[3]?.message.body}`, /<datamode>complete</)
  await untilHeard(recorder)
  assert.equal((await talk.rest('stop')).status, 200)
  await recorder.succeeded()
  await talk.assertUndisturbed()
  await talk.end()
})
