// Records of calls that are over, in the HTTP API and on disk. Times are ISO 8601, UTC.

import { type Static, Type } from 'typebox'
import { callRecordingView } from '../call-recording-contract.ts'
import { callView, recordingCommandReport } from '../contract.ts'
import { recordVerdicts } from './record-verdicts.ts'

const closed = { additionalProperties: false }

const verdict = Type.Enum([...recordVerdicts], {
  description:
    '`recorded`: of each recording some recorder was sent everything but pauses; `incomplete`: some of it; `failed`: nothing, though it was asked for; `unrecorded`: nobody asked, or the call was not answered',
})

const seq = Type.Integer({ description: 'rises by one with each record' })
const end = Type.String({ description: 'why the call ended; `cut off`: the program was ended in the middle of it' })
const endedAt = Type.String({ description: 'of a call that was cut off: when it was noted last' })

/** A recording of the call; a call may have had several, one after another. */
const recordedRecording = Type.Object(
  { id: Type.String(), startedAt: Type.String(), recording: callRecordingView },
  closed,
)

const keptCapture = Type.Object(
  { id: Type.String(), beganAt: Type.String(), recorder: Type.String(), failure: Type.String() },
  closed,
)

/** All that is known of a call that is over. */
export const callRecord = Type.Object(
  {
    seq,
    endedAt,
    end,
    verdict,
    to: Type.String({ description: 'URI that was dialled' }),
    call: callView,
    recordings: Type.Array(recordedRecording, { description: 'oldest first' }),
    commands: Type.Array(recordingCommandReport, {
      description: 'over the recording, oldest first; the first hundred',
    }),
    captures: Type.Array(keptCapture, { description: 'bundles of recording sessions that failed' }),
  },
  closed,
)

const callRecordSummary = Type.Object(
  {
    seq,
    callId: Type.String(),
    startedAt: Type.String(),
    endedAt,
    from: Type.Optional(Type.String()),
    to: Type.String(),
    end,
    verdict,
    recordings: Type.Integer(),
  },
  closed,
)

/** Records, the newest first. */
export const callRecordList = Type.Object({ items: Type.Array(callRecordSummary) }, closed)

/** See `callRecord`. */
export type CallRecordView = Static<typeof callRecord>
/** A record on disk; captures come after it, and are kept elsewhere. */
export type CallRecord = Omit<CallRecordView, 'captures'>
/** A record before it has its place. */
export type CallRecordNews = Omit<CallRecord, 'seq'>
/** See `callRecordList`. */
export type CallRecordSummary = Static<typeof callRecordSummary>
/** See `recordVerdicts`. */
export type RecordVerdict = CallRecord['verdict']
