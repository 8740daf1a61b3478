// One call in detail, under way or over: who, how it is recorded, every message, quality, ledger and evidence.

import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import type { CallRecordView } from '../../../src/control/call-records/call-record-contract.ts'
import type { CallView } from '../../../src/control/contract.ts'
import type { TraceView } from '../../../src/control/trace-contract.ts'
import { CallVoices } from '../components/call-voices.tsx'
import { RecordingCommands } from '../components/recording-commands.tsx'
import { Nothing, Trouble } from '../components/trouble.tsx'
import { offers } from '../data/abilities.ts'
import { alarmsOf } from '../data/alarms.ts'
import { listenToEvents } from '../data/event-link.ts'
import { clockTime, duration, shortAddress } from '../data/format.ts'
import { type Resource, useResource } from '../data/resource.ts'
import { linkTo } from '../router.ts'
import { Ladder } from './call/ladder.tsx'
import { Ledger } from './call/ledger.tsx'
import { PastCalls } from './call/past-calls.tsx'
import { Quality } from './call/quality.tsx'
import { Commands, endWords, Recordings, verdicts } from './call/record.tsx'
import {
  AlarmBox,
  CallFlow,
  PauseEnd,
  peopleOf,
  plainResults,
  sessionWords,
  stateWords,
  Ticking,
} from './live/call-card.tsx'
import type { ViewProps } from './registry.ts'
import '../style/call.css'
import 'uplot/dist/uPlot.min.css'

const REFRESH_MS = 5_000
const GATHER_MS = 300

const roles: Readonly<Record<string, string>> = { caller: 'Caller', callee: 'Callee', automaton: 'Flow' }

interface Capture {
  readonly id: string
  readonly beganAt: string
  readonly callId: string
  readonly recorder: string
  readonly failure: string
}

/** The page of one call; without an id, of those that are kept. */
export function CallDetailView({ path: [callId] }: ViewProps) {
  return callId === undefined ? <PastCalls /> : <OneCall key={callId} callId={callId} />
}

/** Reads `path` again as soon as an event of the call comes. */
function useOfCall<T>(path: string, callId: string): Resource<T> {
  const resource = useResource<T>(path, REFRESH_MS)
  const { reload } = resource
  useEffect(() => {
    let timer: number | undefined
    const stop = listenToEvents((event) => {
      if (event !== 'resync' && event.callId !== callId) return
      window.clearTimeout(timer)
      timer = window.setTimeout(reload, GATHER_MS)
    })
    return () => {
      stop()
      window.clearTimeout(timer)
    }
  }, [callId])
  return resource
}

function OneCall({ callId }: { callId: string }) {
  const id = encodeURIComponent(callId)
  const live = useOfCall<CallView>(`/api/calls/${id}`, callId)
  const trace = useOfCall<TraceView>(`/api/calls/${id}/trace`, callId)
  const isOver = live.error?.status === 404 || live.value?.state === 'ended'
  const recordPath = isOver && offers('/api/call-records') ? `/api/call-records/${id}` : undefined
  const record = useResource<CallRecordView>(recordPath, REFRESH_MS).value
  const call = live.value ?? trace.value?.call
  if (call === undefined) {
    if (isOver && trace.error !== undefined) return <Gone />
    return live.error === undefined || isOver ? (
      <p class="muted">Reading the call…</p>
    ) : (
      <Trouble error={live.error} onRetry={live.reload} />
    )
  }
  const [state, words] = stateWords(call)
  const endedAt = trace.value?.endedAt ?? record?.endedAt
  return (
    <div class="call-detail">
      <header class="section-head">
        <h1>{peopleOf(call)}</h1>
        <span class="state" data-state={isOver ? 'over' : state}>
          {isOver ? 'the call is over' : words}
        </span>
        {record !== undefined && (
          <span class="state" data-state={verdicts[record.verdict][1]}>
            {verdicts[record.verdict][0]}
          </span>
        )}
        {!isOver && <PauseEnd call={call} />}
      </header>
      {!isOver && <Trouble error={live.error} onRetry={live.reload} />}
      <Facts call={call} endedAt={endedAt} end={record?.end} />
      {!isOver && alarmsOf(call).map((alarm) => <AlarmBox key={alarm.key} alarm={alarm} />)}
      {!isOver && <CallFlow call={call} />}
      {!isOver && <CallVoices call={call} />}
      {!isOver && <RecordingCommands callId={callId} state={state} />}
      {record === undefined
        ? call.recording !== undefined && <Ledger recording={call.recording} />
        : record.recordings.length > 0 && <Recordings record={record} />}
      {record !== undefined && <Commands record={record} />}
      {trace.value === undefined ? (
        <NoTrace trace={trace} />
      ) : (
        <>
          <Quality media={trace.value.media} call={call} />
          <Ladder trace={trace.value} />
        </>
      )}
      <Evidence callId={callId} hasTrace={trace.value !== undefined} keptUntil={trace.value?.keptUntil} />
    </div>
  )
}

function Facts({ call, endedAt, end }: { call: CallView; endedAt: string | undefined; end: string | undefined }) {
  const { callId, direction, startedAt, parties, recording } = call
  return (
    <dl class="facts">
      <Fact name="Call">
        <code>{callId}</code>
      </Fact>
      <Fact name="Began">
        {clockTime(startedAt)}, {direction}
      </Fact>
      <Fact name={endedAt === undefined ? 'Lasts' : 'Lasted'}>
        {endedAt === undefined ? <Ticking since={startedAt} /> : duration(Date.parse(endedAt) - Date.parse(startedAt))}
      </Fact>
      {end !== undefined && <Fact name="Ended">{endWords(end)}</Fact>}
      {parties.map(({ leg, role, aors, joinedAt, leftAt, hold }) => (
        <Fact key={`${leg} ${role} ${joinedAt}`} name={roles[role] ?? role}>
          {shortAddress(aors[0] ?? 'unknown')}, {clockTime(joinedAt)}
          {leftAt !== undefined && ` to ${clockTime(leftAt)}`}
          {hold !== 'none' && `, on hold (${hold})`}
        </Fact>
      ))}
      {recording?.recordingId !== undefined && <Fact name="Recording ID">{recording.recordingId}</Fact>}
      {recording?.sessions.map(({ uri, state, result }) => (
        <Fact key={uri} name="Recorder">
          {shortAddress(uri)} {sessionWords[state] ?? state}
          {!plainResults.has(result) && `, ${result}`}
        </Fact>
      ))}
    </dl>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function NoTrace({ trace }: { trace: Resource<TraceView> }) {
  if (trace.error?.status === 404) {
    return (
      <p class="muted">The messages of this call are not kept, or not any more: see http.trace of the configuration.</p>
    )
  }
  if (trace.error?.status === 403) return <p class="muted">You may not see the messages of calls.</p>
  return trace.error === undefined ? (
    <p class="muted">Reading the messages…</p>
  ) : (
    <Trouble error={trace.error} onRetry={trace.reload} />
  )
}

function Evidence({
  callId,
  hasTrace,
  keptUntil,
}: {
  callId: string
  hasTrace: boolean
  keptUntil: string | undefined
}) {
  const captures = useResource<{ items: Capture[] }>('/api/captures', REFRESH_MS)
  const own = captures.value?.items.filter((capture) => capture.callId === callId) ?? []
  return (
    <section aria-labelledby="evidence-title">
      <h2 id="evidence-title">To take along</h2>
      <ul class="plain">
        {hasTrace && (
          <li>
            <a href={`/api/calls/${encodeURIComponent(callId)}/trace`} download={`trace-${callId}.json`}>
              Trace of the call
            </a>
            {keptUntil !== undefined && <span class="muted">, kept until {clockTime(keptUntil)}</span>}
          </li>
        )}
        {own.map(({ id, beganAt, recorder, failure }) => (
          <li key={id}>
            <a href={`/api/captures/${id}`} download={`capture-${id}.json`}>
              Capture bundle
            </a>{' '}
            of {shortAddress(recorder)}, {clockTime(beganAt)}: {failure}
          </li>
        ))}
      </ul>
      {!hasTrace && own.length === 0 && <p class="muted">There is nothing of this call.</p>}
    </section>
  )
}

function Gone() {
  return (
    <Nothing title="This call is over, and nothing of it is kept any more" isPage>
      <p>
        <a href={linkTo(['calls'])}>Calls that are kept</a> or <a href={linkTo(['recordings'])}>recordings</a>
      </p>
    </Nothing>
  )
}
