// Recorders that answer and offer in their own way, for tests of offers and answers.

import assert from 'node:assert/strict'
import type { RequestOutcome } from '#sip'
import type { RecordingBench } from './recording-bench.ts'
import { type RecordingMessage, readRecordingMessage } from './recording-message.ts'
import { type AnswerRule, type TestRecorder, takeAll } from './test-recorder.ts'

/** A recording whose recorder answers by `rule`. */
export async function recordingWith(bench: RecordingBench, rule: AnswerRule): Promise<TestRecorder> {
  const recorder = bench.recorder()
  recorder.answer = rule
  bench.start(recorder.uri)
  await bench.pass()
  return recorder
}

/** Changes the m-line at `index` of what a recorder would say. */
export function but(index: number, change: Partial<ReturnType<typeof takeAll>>): AnswerRule {
  return (at, offered) => ({ ...takeAll(at, offered)!, ...(at === index ? change : {}) })
}

/** An offer of the recorder by `rule`; returns our answer. */
export async function offered(
  bench: RecordingBench,
  recorder: TestRecorder,
  rule: AnswerRule,
  how: 'reinvite' | 'UPDATE' = 'reinvite',
): Promise<RecordingMessage> {
  const { dialog, first } = recorder.session()
  assert.ok(dialog)
  recorder.answer = rule
  const body = recorder.answerBody(first.sdp)
  const sent =
    how === 'reinvite'
      ? dialog.reinvite({ headers: [['Require', 'siprec']], body })
      : dialog.request('UPDATE', { body })
  let outcome: RequestOutcome | undefined
  void sent.then((done) => {
    outcome = done
  })
  await bench.pass()
  recorder.answer = takeAll
  assert.ok(outcome?.response, `an answer to ${how}`)
  return readRecordingMessage(outcome.response)
}

/** Labels of the streams whose gates are open. */
export function openForks(bench: RecordingBench): string[] {
  return [...bench.call.media.forks.values()].filter(({ open }) => open).map(({ id }) => id.slice(-1))
}
