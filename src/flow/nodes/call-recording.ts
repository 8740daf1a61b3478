// The Call Recording node: starts, stops, pauses or resumes recording of the call, and leaves keys out of it.

import { Type } from 'typebox'

import { messageOf } from '#kernel'
import type { RecordingCommand, RecordingResult } from '../call-control.ts'
import { type FlowRun, nodeType } from '../node-type.ts'
import { store, textField } from './fields.ts'

const RESULT_PATH = 'context.recording.last'

/**
 * `callRecording {activity, callRecordingServer, callRecordingId, wait}`; the outcome `{status, text, results}` is put in
 * `context.recording.last` when it comes. The flow goes on at once unless `wait` is true. Beyond the page: `policy` and `maskDtmf` of
 * a start; `recorder` of a pause, resume or stop at one recorder alone; `maxSeconds` of a pause, after which it is `afterPause`.
 */
export const callRecording = nodeType(
  'callRecording',
  {
    activity: Type.Union([
      Type.Literal('start'),
      Type.Literal('stop'),
      Type.Literal('pause'),
      Type.Literal('resume'),
      Type.Literal('mask'),
      Type.Literal('unmask'),
    ]),
    callRecordingServer: textField({ default: '' }),
    callRecordingId: textField({ default: '' }),
    wait: Type.Boolean({ default: false }),
    policy: textField({ default: '' }),
    maskDtmf: Type.Optional(Type.Boolean()),
    recorder: textField({ default: '' }),
    maxSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
    afterPause: Type.Union([Type.Literal('resume'), Type.Literal('stop')], { default: 'resume' }),
  },
  (
    { activity, callRecordingServer, callRecordingId, wait, policy, maskDtmf, recorder, maxSeconds, afterPause },
    loader,
  ) => {
    const server = loader.text('callRecordingServer', callRecordingServer)
    const recordingId = loader.text('callRecordingId', callRecordingId)
    const wanted = loader.text('policy', policy)
    const only = loader.text('recorder', recorder)
    return async (run) => {
      const [success, one] = [await wanted(run), await only(run)]
      const command: RecordingCommand = {
        activity,
        server: await server(run),
        recordingId: await recordingId(run),
        ...(success === '' ? {} : { policy: success }),
        ...(one === '' ? {} : { recorder: one }),
        ...(maskDtmf === undefined ? {} : { maskDtmf }),
        ...(maxSeconds === undefined ? {} : { limit: { maxSeconds, next: afterPause } }),
      }
      const done = run.call.record(command).then((result) => keepRecordingResult(run, loader.label, activity, result))
      if (wait) await done
      else
        done.catch((fault) => run.log.error('flow recording failed', { node: loader.label, fault: messageOf(fault) }))
      return 'next'
    }
  },
)

/** Puts the outcome of a command into `context.recording.last` and the log. */
export function keepRecordingResult(run: FlowRun, node: string, activity: string, result: RecordingResult): void {
  store(run, node, RESULT_PATH, result)
  const fields = { node, activity, status: result.status, text: result.text, results: result.results }
  // The product page tells operators to search for the text of a refusal, so that text is the message.
  if (result.status >= 400 && result.text !== '') run.log.warn(result.text, fields)
  else run.log.info('flow recording done', fields)
}
