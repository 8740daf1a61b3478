// Follows each call to its end, and has what became of its recording written down.

import type { Call, CallService } from '#call'
import type { CallRecordLog, CallRecordNews, CallView } from '#control'
import type { Clock, Timer } from '#kernel'
import type { RecordingClient, RecordingEvent, RecordingView } from '#recording-client'
import { callRecordingOf } from './call-recording-view.ts'
import type { CommandReport, CommandReports } from './command-reports.ts'
import { verdictOf } from './record-verdict.ts'

/** What the records are made of. */
export interface CallRecordsOptions {
  readonly records: Pick<CallRecordLog, 'note' | 'add'>
  readonly clock: Clock
  readonly onCall: CallService['onCall']
  readonly client: Pick<RecordingClient, 'events' | 'recordingsOf'>
  /** Recording commands, once they are answered. */
  readonly commands: CommandReports['told']
  readonly viewOf: (call: Call) => CallView
}

interface Followed {
  readonly call: Call
  readonly commands: CommandReport[]
  /** As they were seen last: the recording client forgets them with the call. */
  recordings: readonly RecordingView[]
  readonly open: Set<string>
  /** Running once the call has ended. */
  patience: Timer | undefined
}

const mostCommands = 100
/** A BYE that nobody answers is given up after 32 s (RFC 3261 section 17.1.2.2). */
const patienceMs = 40_000
const cutOff = 'cut off'

/** Keeps the records of a gateway's calls; the returned function ends that. */
export function keepCallRecords(options: CallRecordsOptions): () => void {
  const { records, clock, client } = options
  const calls = new Map<string, Followed>()

  const look = (callId: string): Followed | undefined => {
    const followed = calls.get(callId)
    if (followed === undefined) return undefined
    const recordings = client.recordingsOf(callId)
    if (recordings.length > 0) followed.recordings = recordings
    return followed
  }

  const finish = (followed: Followed): void => {
    followed.patience?.cancel()
    calls.delete(followed.call.callId)
    records.add(recordOf(followed, options, endOf(followed.call)))
  }

  const onEnded = (callId: string): void => {
    const followed = look(callId)
    if (followed === undefined) return
    if (followed.open.size === 0) finish(followed)
    else followed.patience = clock.after(patienceMs, 'call record', () => finish(followed))
  }

  const onRecording = ({ callId, recording, type }: RecordingEvent): void => {
    const followed = look(callId)
    if (followed === undefined) return
    if (type === 'recording.closed') followed.open.delete(recording)
    else followed.open.add(recording)
    if (followed.patience === undefined) records.note(recordOf(followed, options, cutOff))
    else if (followed.open.size === 0) finish(followed)
  }

  const onCommand = (report: CommandReport): void => {
    const followed = look(report.callId)
    if (followed === undefined) return
    if (followed.commands.length < mostCommands) followed.commands.push(report)
    if (followed.patience === undefined) records.note(recordOf(followed, options, cutOff))
  }

  const ends = [
    options.onCall(({ type, call }) => {
      if (type !== 'call-started') {
        onEnded(call.callId)
        return
      }
      const followed: Followed = { call, commands: [], recordings: [], open: new Set(), patience: undefined }
      calls.set(call.callId, followed)
      records.note(recordOf(followed, options, cutOff))
      call.onEvent((event) => {
        if (event.type === 'answered') records.note(recordOf(followed, options, cutOff))
      })
    }),
    client.events.add(onRecording),
    options.commands.add(onCommand),
  ]
  return () => {
    for (const end of ends) end()
    for (const followed of calls.values()) {
      if (followed.patience !== undefined) finish(followed)
    }
  }
}

function recordOf(
  { call, commands, recordings }: Followed,
  { clock, viewOf }: CallRecordsOptions,
  end: string,
): CallRecordNews {
  const { endedAtMs = clock.wallMs(), answeredAtMs } = call.snapshot()
  const { recording: _now, flow: _place, ...view } = viewOf(call)
  return {
    endedAt: iso(endedAtMs),
    end,
    verdict: verdictOf({ recordings, commands, isAnswered: answeredAtMs !== undefined, isCutOff: end === cutOff }),
    to: call.dialledUri,
    call: { ...view, state: 'ended' },
    recordings: recordings.map((recording) => ({
      id: recording.id,
      startedAt: iso(recording.startedAtMs),
      recording: callRecordingOf(recording, () => undefined),
    })),
    commands: commands.map(({ callId: _, atMs, ...report }) => ({ at: iso(atMs), ...report })),
  }
}

function endOf(call: Call): string {
  return call.snapshot().endReason?.text ?? 'hung up'
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
