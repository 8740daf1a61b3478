// Recorders of SIPp that are awkward during a call: they refuse a pause, ask for a session timer, command, and leave.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSippRecorder, packetsDuring, untilHeard } from '../harness/sipp-recorder.ts'
import { openTalk } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('sipp')

/** The pauses that a log of SIPp holds. */
const pausesIn = (messages: string): number =>
  messages.split(/^-{10,}/m).filter((one) => /received/.test(one) && /INVITE sip:/.test(one) && /a=inactive/.test(one))
    .length

for (const [name, statusLine] of [
  ['SRC-67, SRC-58: a pause answered 491', 'SIP/2.0 491 Request Pending'],
  ['SRC-62: a pause answered 500', 'SIP/2.0 500 Server Internal Error'],
] as const) {
  test(`${name} cuts the media and is signalled again`, async (t) => {
    const recorder = await openSippRecorder(t, 'recorder-refused-pause', { status_line: statusLine })
    const talk = await openTalk(t)
    const heard = (): number => talk.caller.heard().length
    assert.equal((await talk.rest('start', recorder.uri)).status, 200)
    await untilHeard(recorder)
    assert.equal((await talk.rest('pause')).status, 200)
    assert.equal(await packetsDuring(recorder, heard), 0)
    await until('the pause is signalled again', async () => pausesIn(await recorder.messages()) === 2)
    assert.equal(await packetsDuring(recorder, heard), 0)
    assert.equal((await talk.rest('resume')).status, 200)
    await untilHeard(recorder)
    assert.equal((await talk.rest('stop')).status, 200)
    await recorder.succeeded()
    await talk.assertUndisturbed()
    await talk.end()
  })
}

test('SIP-21: each re-INVITE refreshes the session timer that a recorder asked for', async (t) => {
  const recorder = await openSippRecorder(t, 'recorder-timer')
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri)).status, 200)
  await untilHeard(recorder)
  assert.equal((await talk.rest('pause')).status, 200)
  assert.equal((await talk.rest('resume')).status, 200)
  await untilHeard(recorder)
  assert.equal((await talk.rest('stop')).status, 200)
  await recorder.succeeded()
  await talk.end()
})

test('SRC-02, SRC-40, SRC-55, SRC-56, SRC-63: a recorder pauses, resumes, asks for a snapshot and leaves', async (t) => {
  const [recorder, next] = [
    await openSippRecorder(t, 'recorder-commanding'),
    await openSippRecorder(t, 'recorder-plain'),
  ]
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', `${recorder.uri}|${next.uri}`)).status, 200)
  await untilHeard(recorder)
  const acked = async (count: number): Promise<boolean> =>
    (await recorder.messages()).split(/^ACK sip:/m).length > count
  await until('the recorder has paused', () => acked(2))
  assert.equal(await packetsDuring(recorder, () => talk.caller.heard().length), 0)
  await until('the recorder has resumed', () => acked(3))
  await untilHeard(recorder)
  await recorder.succeeded()
  await untilHeard(next)
  assert.equal((await talk.rest('stop')).status, 200)
  await next.succeeded()
  await talk.assertUndisturbed()
  await talk.end()
})
