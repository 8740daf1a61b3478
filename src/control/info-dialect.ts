// Recording control by SIP INFO in the dialect of jambonz and Cognigy: X-Reason, X-Srs-Url, X-Srs-Recording-ID,
// X-Call-Sid, X-Account-Sid, X-Application-Sid, JSON body. Of our own: X-Recording-Policy, X-Mask-Dtmf, X-Pause-Seconds, X-Pause-Then, X-Recorder.

import type { RecordingCommand } from '#flow'
import { err, ok, type Result } from '#kernel'
import type { ApplicationIds } from '#recording-client'
import type { HeaderList, SipRequest } from '#sip'
import { headersOf } from './asked-headers.ts'
import { unknownActionText } from './record-actions.ts'

/** A recording command by INFO, with headers to add to the INVITE or re-INVITE towards the recorders. */
export interface InfoRecordingCommand extends RecordingCommand {
  readonly headers: HeaderList
  /** Of a start: what the sender's application calls the call. */
  readonly application?: ApplicationIds
}

/** A refusal that needs no recording to be looked at; `text` is the reason phrase and the log line. */
export interface InfoRefusal {
  readonly status: number
  readonly text: string
  /** The action that was asked for, where there is none of that name. */
  readonly unknownAction?: string
}

/** Text of the product page for a start without recorder. */
const MISSING_SERVER_TEXT = 'startCallRecording request is missing X-Srs-Url header'

const PAUSE_LIMIT_TEXT = 'X-Pause-Seconds is a number of seconds, X-Pause-Then is resume or stop'

const ACTIONS: ReadonlyArray<readonly [string, RecordingCommand['activity']]> = [
  ['startCallRecording', 'start'],
  ['stopCallRecording', 'stop'],
  ['pauseCallRecording', 'pause'],
  ['resumeCallRecording', 'resume'],
  ['maskCallRecording', 'mask'],
  ['unmaskCallRecording', 'unmask'],
]
const ACTIVITIES = new Map(ACTIONS.map(([action, activity]) => [action.toLowerCase(), activity]))

/** The activity that an INFO asks for; undefined when it is not a recording command. */
export function recordingActivity(request: SipRequest): RecordingCommand['activity'] | undefined {
  if (request.method !== 'INFO') return undefined
  return ACTIVITIES.get(request.headers.get('X-Reason')?.toLowerCase() ?? '')
}

/** Reads an INFO; undefined when it is not a recording command, nor means to be one. */
export function parseRecordingInfo(request: SipRequest): Result<InfoRecordingCommand, InfoRefusal> | undefined {
  const activity = recordingActivity(request)
  if (activity === undefined) return unknownAction(request)
  // Several header lines, or an array at the sender, are one comma list.
  const server = given(request.headers.all('X-Srs-Url').join(','))
  if (activity === 'start' && server === '') return err({ status: 400, text: MISSING_SERVER_TEXT })
  const headers = extraHeaders(request)
  if (headers === undefined) return err({ status: 400, text: 'recording request body is not a JSON object of headers' })
  const limit = pauseLimit(request)
  if (limit === 'unusable') return err({ status: 400, text: PAUSE_LIMIT_TEXT })
  const policy = given(request.headers.get('X-Recording-Policy') ?? '')
  const recorder = given(request.headers.get('X-Recorder') ?? '')
  const mask = given(request.headers.get('X-Mask-Dtmf') ?? '').toLowerCase()
  return ok({
    activity,
    server,
    recordingId: given(request.headers.get('X-Srs-Recording-ID') ?? ''),
    headers,
    ...applicationOf(request),
    ...(policy === '' ? {} : { policy }),
    ...(recorder === '' ? {} : { recorder }),
    ...(mask === 'true' || mask === 'false' ? { maskDtmf: mask === 'true' } : {}),
    ...(limit === undefined ? {} : { limit }),
  })
}

/** A misspelt action must not look like a recording that has started. */
function unknownAction({ method, headers }: SipRequest): Result<never, InfoRefusal> | undefined {
  const action = headers.get('X-Reason') ?? ''
  if (method !== 'INFO' || !/recording/i.test(action)) return undefined
  const known = ACTIONS.map(([name]) => name)
  return err({ status: 400, text: unknownActionText(action, known), unknownAction: action })
}

const MAX_SID_LENGTH = 256

function applicationOf({ headers }: SipRequest): { readonly application?: ApplicationIds } {
  const named = [
    ['callSid', 'X-Call-Sid'],
    ['accountSid', 'X-Account-Sid'],
    ['applicationSid', 'X-Application-Sid'],
  ] as const
  const sids = named.flatMap(([key, name]) => {
    const sid = given(headers.get(name) ?? '').slice(0, MAX_SID_LENGTH)
    return sid === '' ? [] : [[key, sid] as const]
  })
  return sids.length === 0 ? {} : { application: Object.fromEntries(sids) }
}

/** `X-Pause-Seconds: 60`, and `X-Pause-Then: stop` where it is not to be resumed. */
function pauseLimit({ headers }: SipRequest): RecordingCommand['limit'] | 'unusable' {
  const seconds = given(headers.get('X-Pause-Seconds') ?? '')
  if (seconds === '') return undefined
  const next = given(headers.get('X-Pause-Then') ?? '').toLowerCase() || 'resume'
  const isKnown = next === 'resume' || next === 'stop'
  return /^[1-9]\d{0,4}$/.test(seconds) && isKnown ? { maxSeconds: Number(seconds), next } : 'unusable'
}

/** An unset value arrives as the literal text `undefined`. */
function given(value: string): string {
  const trimmed = value.trim()
  return trimmed === 'undefined' ? '' : trimmed
}

const MAX_BODY_BYTES = 8_192

function extraHeaders(request: SipRequest): HeaderList | undefined {
  const mediaType = (request.headers.get('Content-Type') ?? '').split(';')[0]?.trim().toLowerCase()
  if (request.body.length === 0 || mediaType !== 'application/json') return []
  if (request.body.length > MAX_BODY_BYTES) return undefined
  const object = jsonObject(request.body)
  if (object === undefined) return undefined
  return headersOf(object)
}

function jsonObject(body: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
