// Recorders of SIPp that refuse or leave, and what a policy makes of it for the call.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { goertzelPower } from '#audio'
import { openSippRecorder, type SippRecorder, untilHeard } from '../harness/sipp-recorder.ts'
import { CALLEE_HZ, openPhone, openTalk, openTestGateway, type Talk } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('sipp')

const HOST = '127.0.0.1'
const DEADLINE_MS = 30_000
/** A tenth of a second. */
const WINDOW = 800

function openRefusing(t: TestContext, scenario = 'recorder-refusing'): Promise<SippRecorder> {
  return openSippRecorder(t, scenario, { status_line: 'SIP/2.0 486 Busy Here', header: 'Server: busy' })
}

function openPolicyTalk(t: TestContext, policy: string): Promise<Talk> {
  return openTalk(t, { gateway: { recording: { policy, unmetPrompt: 'prompts/notice.wav' } } })
}

const typesOf = (talk: Talk): string[] => talk.opened.log.lines.map(({ fields }) => `${fields['event'] ?? ''}`)

/** Waits until both parties are hung up. */
async function untilOver({ caller, callee }: Talk): Promise<void> {
  let left = 2
  for (const { ended } of [caller, callee]) void ended.then(() => left--)
  await until('both parties are hung up', () => left === 0, DEADLINE_MS)
}

test('SRC-61: all else continue: one of two refuses, the other records, and the call goes on', async (t) => {
  const [refusing, taking] = [await openRefusing(t), await openSippRecorder(t, 'recorder-plain')]
  const talk = await openPolicyTalk(t, 'all else continue')
  assert.equal((await talk.rest('start', `${refusing.uri},${taking.uri}`)).status, 200)
  await untilHeard(taking)
  await refusing.succeeded()
  assert.equal((await talk.view()).recording?.policy, 'unmet')
  await talk.assertUndisturbed()
  assert.equal((await talk.rest('stop')).status, 200)
  await taking.succeeded()
  await talk.end()
})

test('SRC-61: quorum:1 else end: one of two refuses, which is enough', async (t) => {
  const [refusing, taking] = [await openRefusing(t), await openSippRecorder(t, 'recorder-plain')]
  const talk = await openPolicyTalk(t, 'quorum:1 else end')
  assert.equal((await talk.rest('start', `${refusing.uri},${taking.uri}`)).status, 200)
  await untilHeard(taking)
  await refusing.succeeded()
  assert.equal((await talk.view()).recording?.policy, 'met')
  await talk.assertUndisturbed()
  await talk.end()
  await taking.succeeded()
})

test('SRC-61: any else end: nobody takes the recording, and both parties get BYE', async (t) => {
  const refusing = await openRefusing(t)
  const talk = await openPolicyTalk(t, 'any else end')
  assert.equal((await talk.rest('start', refusing.uri)).status, 503)
  await untilOver(talk)
  await refusing.succeeded()
})

test('SRC-61: mandatory else end: who is mandatory refuses, and the session that another took ends with the call', async (t) => {
  const [refusing, taking] = [
    await openRefusing(t, 'recorder-refusing-late'),
    await openSippRecorder(t, 'recorder-plain'),
  ]
  // By then the other has taken the session: an INVITE under way would be cancelled.
  const talk = await openPolicyTalk(t, `mandatory:${refusing.uri} else end`)
  assert.equal((await talk.rest('start', `${refusing.uri},${taking.uri}`)).status, 503)
  await untilOver(talk)
  await Promise.all([refusing.succeeded(), taking.succeeded()])
})

test('SRC-61: all else end: the recorder leaves in the middle and cannot be had again, and both parties get BYE', async (t) => {
  const leaving = await openSippRecorder(t, 'recorder-leaving')
  const talk = await openPolicyTalk(t, 'all else end')
  assert.equal((await talk.rest('start', leaving.uri)).status, 200, await leaving.messages())
  await untilHeard(leaving)
  await leaving.succeeded()
  await untilOver(talk)
})

test('SRC-61: any else continue: the recorder leaves in the middle, and the call goes on', async (t) => {
  const leaving = await openSippRecorder(t, 'recorder-leaving')
  const talk = await openPolicyTalk(t, 'any else continue')
  assert.equal((await talk.rest('start', leaving.uri)).status, 200, await leaving.messages())
  await leaving.succeeded()
  await until('the loss is told', () => typesOf(talk).includes('recording.policy-unmet'), DEADLINE_MS)
  await talk.assertUndisturbed()
  await talk.end()
})

test('SRC-61: any else announce: the caller is told, hears the callee again, and the call goes on', async (t) => {
  const refusing = await openRefusing(t)
  const talk = await openPolicyTalk(t, 'any else announce')
  const from = talk.caller.heard().length
  assert.equal((await talk.rest('start', refusing.uri)).status, 503)
  const windows = (): Int16Array[] => {
    const heard = talk.caller.heard().subarray(from)
    return Array.from({ length: Math.floor(heard.length / WINDOW) }, (_, at) =>
      heard.subarray(at * WINDOW, (at + 1) * WINDOW),
    )
  }
  const isCallee = (window: Int16Array): boolean => goertzelPower(window, 8000, CALLEE_HZ) > 0.5
  await until('something else is heard', () => windows().filter((window) => !isCallee(window)).length >= 5, DEADLINE_MS)
  await until('the callee is heard again', () => isCallee(windows().at(-1)!), DEADLINE_MS)
  await refusing.succeeded()
  await talk.assertUndisturbed()
  await talk.end()
})

test('SRC-61: any else retry: who refused at first is asked again, and records', async (t) => {
  const recorder = await openSippRecorder(t, 'recorder-second-time', {}, 2)
  const talk = await openPolicyTalk(t, 'any else retry')
  // 200 when the second INVITE is accepted within the deadline of the start.
  await talk.rest('start', recorder.uri)
  await until('it records', async () => (await talk.state()) === 'recording', DEADLINE_MS)
  await untilHeard(recorder)
  await talk.assertUndisturbed()
  assert.equal((await talk.rest('stop')).status, 200)
  await recorder.succeeded()
  await talk.end()
})

test('SRC-61: any else refuse: a call whose recording nobody takes is refused before it is answered', async (t) => {
  const refusing = await openRefusing(t)
  const alice = await openPhone(t, 'alice', 'tcp')
  const start = { type: 'callRecording', activity: 'start', callRecordingServer: refusing.uri, wait: true }
  const flow = JSON.stringify({ name: 'refusing', nodes: [start, { type: 'answer' }, { type: 'hangup' }] })
  const opened = await openTestGateway(t, { flow, gateway: { recording: { policy: 'any else refuse' } } })
  const call = await alice.call(`sip:flow@${HOST}:${opened.port('gateway', 'tcp')};transport=tcp`)
  assert.deepEqual([await call.answered, call.failedStatus], [false, 503])
  await refusing.succeeded()
})

for (const [policy, isEnded] of [
  ['all else end', true],
  ['any else continue', false],
] as const) {
  test(`SRC-42, SRC-61: ${policy}: the recorder takes every stream away, its session ends, and the call ${isEnded ? 'as well' : 'goes on'}`, async (t) => {
    const declining = await openSippRecorder(t, 'recorder-declining')
    const talk = await openPolicyTalk(t, policy)
    assert.equal((await talk.rest('start', declining.uri)).status, 200, await declining.messages())
    await untilHeard(declining)
    await declining.succeeded()
    await until('the loss is told', () => typesOf(talk).includes('recording.lost') || isEnded, DEADLINE_MS)
    const lost = talk.opened.log.lines.find(({ fields }) => fields['event'] === 'recorder.lost')
    assert.equal(lost?.fields['reason'], 'no stream is left')
    if (isEnded) {
      await untilOver(talk)
      return
    }
    await talk.assertUndisturbed()
    await talk.end()
  })
}
