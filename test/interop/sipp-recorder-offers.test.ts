// Recorders of SIPp that offer something themselves: streams more or fewer, or to record a call that they ask for.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { goertzelPower } from '#audio'
import { openTestProgram } from '../harness/open-program.ts'
import { startSipp } from '../harness/sipp.ts'
import { messagesIn } from '../harness/sipp-log.ts'
import {
  openSippRecorder,
  packetsDuring,
  type SippRecorder,
  startSippRecorder,
  untilHeard,
} from '../harness/sipp-recorder.ts'
import { CALLEE_HZ, CALLER_HZ, openTalk, type Talk, untilIdle } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('sipp')

const DEADLINE_MS = 30_000

/** The responses of a status to INVITEs of the peer's own. */
const answersAt = async (recorder: SippRecorder, status: number): Promise<number> =>
  messagesIn(await recorder.messages()).filter(({ isReceived, message }) => isReceived && message.status === status)
    .length

test('SRC-41, SRC-42: a stream that the recorder adds is refused, one that it takes away stops for good, and the other and the call go on', async (t) => {
  const recorder = await openSippRecorder(t, 'recorder-reoffering', {}, 1, 3)
  const talk = await openTalk(t)
  const heard = (): number => talk.caller.heard().length
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  await until('the third stream is refused', async () => (await answersAt(recorder, 200)) === 1, DEADLINE_MS)
  for (const line of [0, 1]) await untilHeard(recorder, 20, line)
  await until('the first stream is removed', async () => (await answersAt(recorder, 200)) === 2, DEADLINE_MS)
  const refusals = (): unknown[] =>
    talk.opened.log.lines.flatMap(({ fields }) =>
      fields['event'] === 'recorder.streams-refused' ? [fields['labels']] : [],
    )
  await until('it is told which stream was taken away', () => refusals().length > 0, DEADLINE_MS)
  assert.deepEqual(refusals(), [['1']])
  // What was under way has come by then.
  await packetsDuring(recorder, heard)
  const [first, second] = [recorder.packets(0), recorder.packets(1)]
  await packetsDuring(recorder, heard)
  assert.equal(recorder.packets(0), first)
  assert.ok(recorder.packets(1) > second, 'the second stream goes on')
  await talk.assertUndisturbed()
  assert.equal((await talk.rest('pause')).status, 200)
  assert.equal(await packetsDuring(recorder, heard), 0)
  assert.equal((await talk.rest('resume')).status, 200)
  await untilHeard(recorder, 20, 1)
  assert.equal(recorder.packets(0), first)
  assert.equal(recorder.packets(2), 0)
  assert.equal((await talk.rest('stop')).status, 200)
  await recorder.succeeded()
  await talk.assertUndisturbed()
  await talk.end()
})

const HOST = '127.0.0.1'
/** Half a second. */
const SAMPLES = 4_000
/** What a recorder says of itself (RFC 7866 section 6.1.1). */
const [FEATURE, OPTION] = [';+sip.srs', 'Require: siprec']

/** Starts a recorder of SIPp that asks for the call of a talk. */
function ask(t: TestContext, talk: Talk, scenario: string): Promise<SippRecorder> {
  const remote = { user: `record-${talk.callId}`, port: talk.opened.port('gateway', 'tcp') }
  return startSippRecorder(t, scenario, { feature: FEATURE, option: OPTION }, remote)
}

const willing = { gateway: { recording: { invitations: [{ sources: [HOST], unrecorded: 'start' }] } } }

test('SRC-43, SRC-05, SRC-17: a recorder that asks for a call is offered its streams, has each voice on its line until the call ends, and is no call', async (t) => {
  const talk = await openTalk(t, willing)
  const recorder = await ask(t, talk, 'recorder-asking')
  for (const [line, own, other] of [
    [0, CALLER_HZ, CALLEE_HZ],
    [1, CALLEE_HZ, CALLER_HZ],
  ] as const) {
    const last = (): Int16Array => recorder.audio(line).subarray(-SAMPLES)
    await until(
      'a voice is heard',
      () => last().length === SAMPLES && goertzelPower(last(), 8000, own) > 0.9,
      DEADLINE_MS,
    )
    assert.ok(goertzelPower(last(), 8000, other) < 0.01)
  }
  assert.equal(talk.opened.program.gateway?.calls.list().length, 1, 'the recording session is no call')
  assert.equal(await talk.state(), 'recording')
  await talk.assertUndisturbed()
  await talk.end()
  await recorder.succeeded()
})

test('SRC-43: an ACK without the answer gets BYE, nothing is recorded, and the call goes on', async (t) => {
  const talk = await openTalk(t, willing)
  const recorder = await ask(t, talk, 'recorder-asking-mute')
  await recorder.succeeded()
  await until('nothing is recorded', async () => ['none', 'stopped', 'failed'].includes(await talk.state()))
  assert.equal(recorder.packets(), 0)
  await talk.assertUndisturbed()
  await talk.end()
})

test('SRC-44, SRC-17: a recorder that nobody allowed to ask is refused 403, and is no call', async (t) => {
  const talk = await openTalk(t)
  const recorder = await ask(t, talk, 'recorder-asking-refused')
  await recorder.succeeded()
  assert.deepEqual(
    talk.opened.program.gateway?.calls.list().map(({ callId }) => callId),
    [talk.callId],
  )
  assert.equal(await talk.state(), 'none')
  await talk.assertUndisturbed()
  await talk.end()
})

for (const [name, keys, scenario] of [
  ['the feature tag alone', { feature: FEATURE, option: 'Allow-Events: dialog' }, 'call-half-recorder'],
  ['the option tag as supported', { feature: '', option: 'Supported: siprec' }, 'call-half-recorder'],
  [
    'the feature tag and the option tag as supported',
    { feature: FEATURE, option: 'Supported: siprec' },
    'call-half-recorder',
  ],
  ['neither', { feature: '', option: 'Allow-Events: dialog' }, 'call-half-recorder'],
  ['the option tag required, without the feature tag', { feature: '', option: OPTION }, 'recorder-asking-refused'],
] as const) {
  const isCall = scenario === 'call-half-recorder'
  test(`SRC-05, SRC-06: an INVITE with ${name} is ${isCall ? 'a call like others' : 'refused'}, and no recording session`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'sipp-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const callee = await startSipp({ scenario: 'call-uas', transport: 'udp', folder })
    t.after(() => callee.stop())
    const routes = [{ match: 'callee', callee: `sip:callee@${HOST}:${callee.port};transport=udp` }]
    const opened = await openTestProgram({ gateway: { ...willing.gateway, routes } })
    t.after(() => opened.close())
    const remote = { user: 'callee', port: opened.port('gateway', 'tcp') }
    const calling = await startSippRecorder(t, scenario, keys, remote)
    await calling.succeeded()
    if (isCall) await callee.succeeded()
    await untilIdle(opened)
    const events = opened.log.lines.map((line) => `${line.fields['event'] ?? ''}`)
    assert.deepEqual(
      events.filter((event) => event.startsWith('recording.')),
      [],
    )
  })
}
