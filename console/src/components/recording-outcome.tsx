// What came of a recording command: the answer, each recorder's part of it, and the proof of a pause.

import { signal } from '@preact/signals'
import type { Static } from 'typebox'
import type { recordingCommandBody, recordingResult } from '../../../src/control/contract.ts'
import { clockTime, shortAddress } from '../data/format.ts'
import { ApiError, post } from '../data/http.ts'
import { refreshCalls } from '../data/live-calls.ts'
import { topicOfRefusal } from '../data/refusals.ts'
import { HelpLink, type HelpTopic } from './help-link.tsx'

/** Body of a command as it is sent. */
export type Command = Partial<Static<typeof recordingCommandBody>> &
  Pick<Static<typeof recordingCommandBody>, 'activity'>

type Result = Static<typeof recordingResult>

interface Outcome {
  readonly activity: Command['activity']
  readonly isDone: boolean
  readonly text: string
  readonly result?: Partial<Result>
}

/** Outcomes by call, kept while rows come and go. */
const outcomes = signal<Readonly<Record<string, Outcome>>>({})

const done: Readonly<Record<Command['activity'], string>> = {
  start: 'Recording has started',
  stop: 'Recording has stopped',
  pause: 'Recording is paused',
  resume: 'Recording goes on',
  mask: 'Keys are left out from now on',
  unmask: 'Keys are recorded again',
}

const failed: Readonly<Record<Command['activity'], string>> = {
  start: 'Recording did not start',
  stop: 'Recording did not stop',
  pause: 'Recording is not paused',
  resume: 'Recording did not go on',
  mask: 'Keys are not left out',
  unmask: 'Keys are still left out',
}

/** Sends a command and keeps what came of it; never rejects. */
export async function command(callId: string, body: Command): Promise<boolean> {
  let outcome: Outcome
  try {
    const result = await post<Result>(`/api/calls/${encodeURIComponent(callId)}/recording`, body)
    outcome = { activity: body.activity, isDone: true, text: result.text, result }
  } catch (cause) {
    const text = cause instanceof ApiError ? cause.message : String(cause)
    const result = cause instanceof ApiError ? (cause.details as Partial<Result> | undefined) : undefined
    outcome = { activity: body.activity, isDone: false, text, ...(result === undefined ? {} : { result }) }
  }
  outcomes.value = { ...outcomes.value, [callId]: outcome }
  refreshCalls(callId, 0)
  return outcome.isDone
}

function dismiss(callId: string): void {
  const { [callId]: _gone, ...others } = outcomes.value
  outcomes.value = others
}

/** The latest outcome of a call's commands. */
export function RecordingOutcome({ callId }: { callId: string }) {
  const outcome = outcomes.value[callId]
  return (
    <div role="status" class={outcome === undefined ? undefined : 'outcome'} data-done={outcome?.isDone}>
      {outcome !== undefined && (
        <>
          <p>
            <strong>{(outcome.isDone ? done : failed)[outcome.activity]}.</strong>{' '}
            {outcome.text !== 'OK' && outcome.text} <HelpLink topic={topicOf(outcome)} />
          </p>
          <Parts result={outcome.result} />
          <button type="button" class="quiet" onClick={() => dismiss(callId)}>
            Dismiss
          </button>
        </>
      )}
    </div>
  )
}

/** What the help page says of an outcome that is not as it should be. */
function topicOf({ activity, isDone, text, result }: Outcome): HelpTopic | undefined {
  const parts = Object.values(result?.results ?? {})
  if (isDone) return parts.some((part) => part.startsWith('signalled: false')) ? 'not-signalled' : undefined
  return topicOfRefusal(activity, result?.status, text)
}

function Parts({ result }: { result: Partial<Result> | undefined }) {
  const recorders = Object.entries(result?.results ?? {})
  const receipts = result?.receipts ?? []
  return (
    <>
      {recorders.length > 0 && (
        <ul class="plain">
          {recorders.map(([uri, part]) => (
            <li key={uri}>
              {shortAddress(uri)}: <strong>{part}</strong>
            </li>
          ))}
        </ul>
      )}
      {receipts.length > 0 && <Receipts receipts={receipts} />}
    </>
  )
}

/** The proof of a pause: the last packet that each recorder got of each stream. */
export function Receipts({ receipts }: { receipts: NonNullable<Result['receipts']> }) {
  return (
    <details>
      <summary>Receipts of the pause ({receipts.length})</summary>
      <ul class="plain">
        {receipts.map(({ recorder, ssrc, lastSequence, lastSentAt, packetsSent, packetsHeld }) => (
          <li key={`${recorder} ${ssrc}`}>
            {shortAddress(recorder)}, stream {ssrc.toString(16)}:{' '}
            {lastSequence === undefined
              ? 'nothing was sent'
              : `last packet ${lastSequence}${lastSentAt === undefined ? '' : ` at ${clockTime(lastSentAt)}`}`}
            , {packetsSent} sent, {packetsHeld} held back
          </li>
        ))}
      </ul>
    </details>
  )
}
