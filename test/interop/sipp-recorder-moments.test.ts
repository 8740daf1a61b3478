// Recorders of SIPp whose messages come at an awkward moment: late, across ours, or for good. A relay holds back what they say, so that no
// clock decides what comes first.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tone } from '#audio'
import { parseXml } from '../foreign/xml-tree.ts'
import { SipRelay } from '../harness/sip-relay.ts'
import { bodiesIn, messagesIn } from '../harness/sipp-log.ts'
import {
  openAnsweringRecorder,
  openSippRecorder,
  packetsDuring,
  type SippRecorder,
  untilHeard,
} from '../harness/sipp-recorder.ts'
import { CALLEE_HZ, CALLER_HZ, openPhone, openTalk, openTestGateway } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('sipp')

const HOST = '127.0.0.1'
const DEADLINE_MS = 30_000
/** Nobody gives up a recorder while a test holds back what it says. */
const PATIENT = { answerDeadlineMs: 20_000, lateAnswerMs: 60_000, firstResponseMs: 20_000 }

/** The methods of the requests that came to a recorder. */
const requestsTo = async (recorder: SippRecorder): Promise<string[]> =>
  messagesIn(await recorder.messages().catch(() => '')).flatMap(({ isReceived, message }) =>
    isReceived && message.method !== '' ? [message.method] : [],
  )

test('SRC-13: a call is answered and heard while its recorder has not answered; it has the voices once it does', async (t) => {
  const relay = await SipRelay.open(t, 'tcp')
  const recorder = await openAnsweringRecorder(t, undefined, { relay })
  const [alice, bob] = [await openPhone(t, 'alice', 'tcp'), await openPhone(t, 'bob', 'udp')]
  const start = { type: 'callRecording', activity: 'start', callRecordingServer: recorder.uri, wait: false }
  const dial = { type: 'dial', target: bob.uri }
  const flow = JSON.stringify({ name: 'late', nodes: [start, { type: 'answer' }, dial, { type: 'hangup' }] })
  const callee = new Promise<{ heard(): Int16Array }>((resolve) => {
    bob.onIncoming = (call) => {
      call.say(tone(CALLEE_HZ, 60_000))
      call.accept()
      resolve(call)
    }
  })
  const opened = await openTestGateway(t, { flow, gateway: { recording: PATIENT } })
  relay.hold()
  const caller = await alice.call(`sip:flow@${HOST}:${opened.port('gateway', 'tcp')};transport=tcp`, {
    audio: tone(CALLER_HZ, 60_000),
  })
  assert.equal(await caller.answered, true)
  const called = await callee
  await until('the recorder has answered', () => relay.isHolding, DEADLINE_MS)
  const from = [caller.heard().length, called.heard().length]
  await until('both hear', () => [caller, called].every((side, at) => side.heard().length > from[at]! + 4000))
  assert.deepEqual([await requestsTo(recorder), recorder.packets()], [['INVITE'], 0])
  relay.release()
  for (const line of [0, 1]) await untilHeard(recorder, 20, line)
  await caller.hangup()
  await recorder.succeeded()
})

for (const [what, scenario] of [
  ['a recorder that rings is cancelled', 'recorder-ringing'],
  ['a 200 that crosses the CANCEL is acknowledged and ended by BYE', 'recorder-crossing'],
] as const) {
  test(`SRC-15: when the call ends before its recorder has answered, ${what}, and nothing is sent`, async (t) => {
    const recorder = await openAnsweringRecorder(t, undefined, { scenario })
    const talk = await openTalk(t, { gateway: { recording: PATIENT } })
    const started = talk.rest('start', recorder.uri)
    await until('the recorder rings', async () => / 180 Ringing/.test(await recorder.messages().catch(() => '')))
    await talk.assertUndisturbed()
    await talk.end()
    await recorder.succeeded()
    assert.notEqual((await started).status, 200)
    assert.equal(recorder.packets(), 0)
  })
}

/** How many streams somebody hears, by a document. */
const heardIn = (xml: string | undefined): number =>
  parseXml(xml ?? '<none/>')
    .children.filter(({ name }) => name === 'participantstreamassoc')
    .flatMap(({ children }) => children.filter(({ name }) => name === 'recv')).length

test('SRC-51: ten changes while a recorder has not answered the first make one more document, which has the last of them', async (t) => {
  const relay = await SipRelay.open(t, 'tcp')
  const recorder = await openAnsweringRecorder(t, undefined, { relay })
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  await untilHeard(recorder)
  const documents = async () =>
    bodiesIn(await recorder.messages()).flatMap(({ xml }) => (xml === undefined ? [] : [xml]))
  const before = (await documents()).length
  relay.hold()
  assert.equal(await talk.caller.hold(true), true)
  await until('the recorder has answered the first', () => relay.isHolding, DEADLINE_MS)
  for (let change = 2; change <= 10; change++) assert.equal(await talk.caller.hold(change % 2 === 1), true)
  assert.equal((await documents()).length, before + 1)
  relay.release()
  await until('the rest is told', async () => (await documents()).length > before + 1, DEADLINE_MS)
  await packetsDuring(recorder, () => talk.callee.heard().length)
  const told = (await documents()).slice(before)
  assert.deepEqual(told.map(heardIn), [1, 2])
  await talk.end()
  await recorder.succeeded()
})

test('SIP-10: an INVITE and an UPDATE of the recorder that cross our offer get 491, and what was offered holds', async (t) => {
  const recorder = await openSippRecorder(t, 'recorder-glaring')
  const talk = await openTalk(t)
  const heard = (): number => talk.caller.heard().length
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  await untilHeard(recorder)
  assert.equal((await talk.rest('pause')).status, 200)
  assert.equal(await packetsDuring(recorder, heard), 0)
  assert.equal((await talk.rest('resume')).status, 200)
  for (const line of [0, 1]) await untilHeard(recorder, 20, line)
  await talk.assertUndisturbed()
  await talk.end()
  await recorder.succeeded()
})

test('SRC-64: a recorder that wants no more of a call is final: nobody else is asked, and the call goes on', async (t) => {
  const final = await openAnsweringRecorder(t, undefined, { scenario: 'recorder-final' })
  const other = await openSippRecorder(t, 'recorder-plain')
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', `${final.uri}|${other.uri}`)).status, 200, await final.messages())
  await untilHeard(final)
  await final.succeeded()
  await until('the recording is over', async () => ['none', 'stopped', 'failed'].includes(await talk.state()))
  await talk.assertUndisturbed()
  assert.deepEqual(await requestsTo(other), [])
  // Another start is another recording.
  assert.equal((await talk.rest('start', other.uri)).status, 200)
  for (const line of [0, 1]) await untilHeard(other, 20, line)
  await talk.end()
  await other.succeeded()
})
