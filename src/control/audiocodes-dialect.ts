// Recording control by SIP INFO as AudioCodes session border controllers take it:
// X-AC-Action: start-siprec;recording-ip-group=NAME, where a configured name stands for recorders.

import type { RecordingCommand } from '#flow'
import { err, ok, type Result } from '#kernel'
import type { SipRequest } from '#sip'
import type { InfoRecordingCommand, InfoRefusal } from './info-dialect.ts'
import { unknownActionText } from './record-actions.ts'

const ACTIONS: ReadonlyMap<string, RecordingCommand['activity']> = new Map([
  ['start-siprec', 'start'],
  ['stop-siprec', 'stop'],
  ['pause-siprec', 'pause'],
  ['resume-siprec', 'resume'],
])

const MISSING_GROUP_TEXT = 'start-siprec request is missing recording-ip-group'
const UNKNOWN_GROUP_TEXT = 'recording-ip-group is not one of gateway.info.recorderGroups'

/** The activity that an INFO asks for; undefined when it is not a recording command of this dialect. */
export function audiocodesActivity(request: SipRequest): RecordingCommand['activity'] | undefined {
  if (request.method !== 'INFO') return undefined
  return ACTIONS.get(wordsOf(request)[0]?.toLowerCase() ?? '')
}

/** Reads an INFO; `groups` are lists of recorders by name. Undefined when it is not a recording command of this dialect, nor means to be one. */
export function parseAudiocodesInfo(
  request: SipRequest,
  groups: ReadonlyMap<string, string>,
): Result<InfoRecordingCommand, InfoRefusal> | undefined {
  const activity = audiocodesActivity(request)
  if (activity === undefined) return unknownAction(request)
  const command = { activity, server: '', recordingId: '', headers: [] }
  if (activity !== 'start') return ok(command)
  // Both sides of the call are recorded whichever side is named: recorded-side changes nothing.
  const names = wordsOf(request).slice(1).flatMap(groupNames)
  if (names.length === 0) return err({ status: 400, text: MISSING_GROUP_TEXT })
  const lists = names.map((name) => groups.get(name))
  if (lists.includes(undefined)) return err({ status: 400, text: UNKNOWN_GROUP_TEXT })
  return ok({ ...command, server: lists.join(',') })
}

function unknownAction(request: SipRequest): Result<never, InfoRefusal> | undefined {
  const [action = ''] = wordsOf(request)
  if (request.method !== 'INFO' || !/siprec|recording/i.test(action)) return undefined
  return err({ status: 400, text: unknownActionText(action, [...ACTIONS.keys()]), unknownAction: action })
}

function wordsOf({ headers }: SipRequest): string[] {
  return (headers.get('X-AC-Action') ?? '').split(';').map((word) => word.trim())
}

/** Names of `recording-ip-group=a,b` or `recording-ip-group-set=x`, in quotes or not; none of any other parameter. */
function groupNames(parameter: string): string[] {
  const [, value = ''] = /^recording-ip-group(?:-set)?\s*=\s*"?([^"]*)"?$/i.exec(parameter) ?? []
  const names = value.split(',').map((name) => name.trim())
  return names.filter((name) => name !== '')
}
