// Calls and their recordings beside each other: each recording has the voices of its own call, and no call a word of SIPREC.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tone } from '#audio'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { shareOfTone } from '../foreign/g711-tones.ts'
import { CallDesk, openPhone, openTalk, openTestGateway, untilIdle } from '../harness/talk.ts'

const CALLS = 4
const DEADLINE_MS = 20_000
const TALK_MS = 60_000
/** Half a second. */
const SAMPLES = 4_000

/** No tone is another's, nor its overtone. */
const voices = Array.from({ length: CALLS }, (_, at) => [500 + 110 * at, 1_600 + 130 * at] as const)

test('field 20: each of four calls recorded at once goes on to its own recording, with its own two voices', async (t) => {
  const [alice, bob] = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')]
  const opened = await openTestGateway(t, { gateway: { routes: [{ match: 'bob', callee: bob.uri }] } })
  const recorder = await ForeignRecorder.open()
  t.after(() => recorder.close())
  const callers = []
  for (const [callerHz, calleeHz] of voices) {
    const known = new Set(opened.program.gateway?.calls.list().map(({ callId }) => callId))
    bob.onIncoming = (callee) => {
      callee.say(tone(calleeHz, TALK_MS))
      callee.accept()
    }
    const uri = `sip:bob@127.0.0.1:${opened.port('gateway', 'udp')}`
    const caller = await alice.call(uri, { audio: tone(callerHz, TALK_MS) })
    assert.equal(await caller.answered, true)
    const callId = opened.program.gateway?.calls.list().find((call) => !known.has(call.callId))?.callId ?? ''
    const sessions = recorder.sessions.length
    assert.equal((await new CallDesk(opened, callId).rest('start', recorder.uri())).status, 200)
    assert.equal(recorder.sessions.length, sessions + 1)
    callers.push(caller)
  }

  const heard = (session: number, line: number): Int16Array => recorder.audio(line, session)
  const lines = voices.flatMap((pair, session) => pair.map((hz, line) => ({ session, line, hz })))
  const from = lines.map(({ session, line }) => heard(session, line).length)
  await recorder.waitFor(
    () => lines.every(({ session, line }, at) => heard(session, line).length >= from[at]! + SAMPLES),
    DEADLINE_MS,
    'audio of every call after the last start',
  )
  for (const { session, line, hz } of lines) {
    const audio = heard(session, line).subarray(-SAMPLES)
    assert.ok(shareOfTone(audio, hz) > 0.9, `recording ${session}, stream ${line} has ${hz} Hz`)
    for (const other of voices.flat().filter((each) => each !== hz)) {
      assert.ok(shareOfTone(audio, other) < 0.01, `recording ${session}, stream ${line} has no ${other} Hz`)
    }
  }
  await Promise.all(callers.map((caller) => caller.hangup()))
  await untilIdle(opened)
  assert.deepEqual(recorder.violations, [])
})

test('field 28: the INVITE to a callee has no word of siprec', async (t) => {
  const talk = await openTalk(t)
  const invite = talk.callee.invite?.request
  assert.ok(invite)
  assert.ok(invite.headers.list('supported').includes('record-aware'))
  for (const [name, value] of invite.headers.entries()) assert.doesNotMatch(value, /siprec\b(?!-)|\+sip\.src/, name)
  await talk.end()
})
