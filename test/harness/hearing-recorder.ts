// Recorders that must hear a talk, whatever went wrong before them.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { goertzelPower } from '#audio'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import type { RecorderScript } from '../foreign/recorder-session.ts'
import { CALLEE_HZ, CALLER_HZ, type Talk } from './talk.ts'

/** Longest that a test waits for what must come. */
export const HEARING_DEADLINE_MS = 20_000
/** Times of the recording client in these tests. */
export const HEARING_TIMES = { answerDeadlineMs: 3_000, lateAnswerMs: 5_000, firstResponseMs: 500 }
/** What a failover or a re-homing over loopback may take beyond the waiting that it is made of, on a busy machine. */
export const HEARING_SLACK_MS = 2_500
/** A second of speech. */
const SAMPLES = 8_000

/** Opens a recorder; it closes after the test. */
export async function openRecorder(
  t: TestContext,
  script: RecorderScript = {},
  at?: { readonly host: string; readonly port: number },
): Promise<ForeignRecorder> {
  const recorder = await ForeignRecorder.open(script, at)
  t.after(() => recorder.close())
  return recorder
}

/** Waits until both voices are heard at the recorder, each on its own stream. */
export async function assertHears(recorder: ForeignRecorder, session = 0): Promise<void> {
  const streams = [
    [0, CALLER_HZ, CALLEE_HZ],
    [1, CALLEE_HZ, CALLER_HZ],
  ] as const
  const isHeard = (): boolean => streams.every(([at]) => recorder.audio(at, session).length >= SAMPLES)
  await recorder.waitFor(isHeard, HEARING_DEADLINE_MS, 'a second of audio on both streams')
  for (const [at, wanted, other] of streams) {
    const heard = recorder.audio(at, session).subarray(-SAMPLES / 2)
    assert.ok(goertzelPower(heard, 8000, wanted) > 0.9, `stream ${at} has ${wanted} Hz`)
    assert.ok(goertzelPower(heard, 8000, other) < 0.01, `stream ${at} has not ${other} Hz`)
  }
}

/** The fields of the first event of a type. */
export function eventOf(talk: Talk, type: string): Readonly<Record<string, unknown>> {
  const line = talk.opened.log.lines.find(({ fields }) => fields['event'] === type)
  assert.ok(line, `${type} was told`)
  return line.fields
}
