// A recording as the client keeps it: made from a start command, shown to operators for as long as its call lasts.

import type { RecordableCall } from '#call'
import { uuidText } from '#kernel'
import type { RecorderReceipt, StartCommand } from './command.ts'
import type { RecorderEntry } from './recorder-list.ts'
import { Recording } from './recording.ts'
import type { RecordingView } from './recording-event.ts'
import { RecordingMask } from './recording-mask.ts'
import type { RecordingNews } from './recording-news.ts'
import type { RecordingSession } from './recording-session.ts'
import type { ReplayMemory } from './replay-memory.ts'
import type { RecordingPlan, SessionSurroundings } from './session-port.ts'
import type { CallStreams } from './streams.ts'
import type { SuccessPolicy } from './success-policy.ts'

/** What a recording is made from. */
export interface RecordingOrder {
  readonly call: RecordableCall
  readonly streams: CallStreams
  readonly command: StartCommand
  readonly entries: readonly RecorderEntry[]
  readonly policy: SuccessPolicy
  /** What was kept before the start. */
  readonly early: ReplayMemory | undefined
  /** Keys are left out, unless the command says otherwise. */
  readonly isMasked: boolean
}

/** A recording, under way or over. */
export class KeptRecording {
  readonly id: string
  readonly recording: Recording
  readonly #plan: RecordingPlan
  readonly #startedAtMs: number
  /** Proof of the latest pause. */
  receipts: readonly RecorderReceipt[] = []
  /** It is over, and the last of its sessions is gone. */
  isClosed = false
  #lastView: RecordingView | undefined

  constructor(order: RecordingOrder, around: SessionSurroundings, onNews: (news: RecordingNews) => void) {
    const { call, streams, command, entries, policy, early, isMasked } = order
    const { recordingId, headers = [], application, maskDtmf, invitation } = command
    this.id = uuidText(around.ids.uuid())
    this.#startedAtMs = around.clock.wallMs()
    this.#plan = {
      call,
      streams,
      recordingId: recordingId.trim(),
      headers,
      ...(application !== undefined && { application }),
      signal: { headers: [] },
      mask: new RecordingMask(call.media, maskDtmf ?? (isMasked ? true : undefined)),
      ...(early !== undefined && { early }),
    }
    this.recording = new Recording(this.id, entries, this.#plan, policy, around, onNews, invitation)
  }

  /** Whether one of its sessions has this SIP Call-ID and, if one is given, sends a stream with the label. */
  carries(sipCallId: string, label: string | undefined): boolean {
    return this.recording.sessions.some(
      (session) => session.sipCallId === sipCallId && (label === undefined || session.labels.includes(label)),
    )
  }

  /** As operators see it. What is closed looks the same for ever, and a call may have had many recordings. */
  get view(): RecordingView {
    if (!this.isClosed) return this.#viewNow()
    this.#lastView ??= this.#viewNow()
    return this.#lastView
  }

  #viewNow(): RecordingView {
    const { recording } = this
    const maskDtmf = this.#plan.mask.confirmed
    const { pauseEnd, resumeFailure } = recording
    return {
      id: this.id,
      recordingId: this.#plan.recordingId,
      state: recording.reported,
      startedAtMs: this.#startedAtMs,
      policy: recording.policy,
      ...(pauseEnd === undefined ? {} : { pauseEnd }),
      ...(resumeFailure === undefined ? {} : { resumeFailure }),
      ...(maskDtmf === undefined ? {} : { maskDtmf }),
      ledger: recording.evidence.rows,
      receipts: this.receipts,
      sessions: recording.sessions.map((session) => viewOf(session, recording)),
    }
  }
}

function viewOf(session: RecordingSession, { results, evidence }: Recording): RecordingView['sessions'][number] {
  const { plan, state, sipCallId, forkIds, labels, missing } = session
  const noAudio = evidence.causeOf(session)
  return {
    id: plan.id,
    uri: plan.uri,
    state,
    ...(sipCallId === undefined ? {} : { sipCallId }),
    result: results[plan.uri] ?? 'pending',
    ...(noAudio === undefined ? {} : { noAudio }),
    ...(missing === undefined ? {} : { missing }),
    forks: forkIds,
    labels,
  }
}
