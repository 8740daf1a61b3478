// Asks the caller whether the call may be recorded, and records only then.

import { Type } from 'typebox'

import type { RecordingCommand } from '../call-control.ts'
import { type FlowRun, nodeType } from '../node-type.ts'
import { keepRecordingResult } from './call-recording.ts'
import { millisecondsField, store, textField } from './fields.ts'
import { voiceField } from './say.ts'

const CONSENT_PATH = 'context.consent'
/** By which recorders learn of the consent. */
const CONSENT_HEADER = 'X-Recording-Consent'

const keys = (standard: string) =>
  Type.String({ pattern: '^[0-9A-D*#]{1,16}$', default: standard, description: 'a text of the keys 0-9, A-D, * and #' })

interface Consent {
  readonly given: boolean
  /** `digit`: a key was pressed; `announcement`: the announcement was heard to its end; `silence`, `hangup`, `unheard`: no consent. */
  readonly by: 'digit' | 'announcement' | 'silence' | 'hangup' | 'unheard'
  readonly digit?: string
}

/**
 * `consent {by, file or text, accept, refuse, attempts, timeoutMs, callRecordingServer, callRecordingId}`; `context.consent` gets
 * `{given, by, digit}`. `by: digit` wants a key of `accept`; `by: announcement` is content when all of it was heard. The recording
 * starts only after consent, and only where a server is given.
 */
export const consent = nodeType(
  'consent',
  {
    by: Type.Union([Type.Literal('digit'), Type.Literal('announcement')], { default: 'digit' }),
    file: textField({ default: '' }),
    text: textField({ default: '' }),
    language: voiceField(),
    voice: voiceField(),
    accept: keys('1'),
    refuse: keys('2'),
    attempts: Type.Integer({ minimum: 1, maximum: 5, default: 2 }),
    timeoutMs: millisecondsField({ minimum: 1, default: 8_000 }),
    callRecordingServer: textField({ default: '' }),
    callRecordingId: textField({ default: '' }),
  },
  (fields, loader) => {
    const file = loader.text('file', fields.file)
    const text = loader.text('text', fields.text)
    const server = loader.text('callRecordingServer', fields.callRecordingServer)
    const recordingId = loader.text('callRecordingId', fields.callRecordingId)
    const { language, voice, accept, refuse, attempts, timeoutMs } = fields

    const announce = async (run: FlowRun): Promise<boolean> => {
      const path = await file(run)
      const end =
        path === '' ? await run.call.say({ text: await text(run), language, voice }) : await run.call.play(path)
      if (end === 'failed') run.log.warn('flow could not ask for consent', { node: loader.label })
      return end === 'finished'
    }

    const ask = async (run: FlowRun): Promise<Consent> => {
      for (let attempt = 0; attempt < attempts; attempt++) {
        // Nobody consents to a question that was not put, nor by a key that was pressed before it.
        run.call.forgetKeys()
        if (!(await announce(run))) return { given: false, by: run.call.ended ? 'hangup' : 'unheard' }
        if (fields.by === 'announcement') return { given: true, by: 'announcement' }
        const digits = { maxDigits: 1, timeoutMs, interDigitTimeoutMs: timeoutMs, terminators: '' }
        const { digits: digit, reason } = await run.call.collect(digits)
        if (reason === 'hangup') return { given: false, by: 'hangup' }
        if (digit !== '' && accept.includes(digit)) return { given: true, by: 'digit', digit }
        if (digit !== '' && refuse.includes(digit)) return { given: false, by: 'digit', digit }
      }
      return { given: false, by: 'silence' }
    }

    return async (run) => {
      const found = await ask(run)
      store(run, loader.label, CONSENT_PATH, found)
      run.log.info('flow consent done', { node: loader.label, given: found.given, by: found.by })
      if (!found.given || fields.callRecordingServer === '') return 'next'
      const command: RecordingCommand = {
        activity: 'start',
        server: await server(run),
        recordingId: await recordingId(run),
        headers: [[CONSENT_HEADER, `given;by=${found.by}`]],
      }
      keepRecordingResult(run, loader.label, 'start', await run.call.record(command))
      return 'next'
    }
  },
)
