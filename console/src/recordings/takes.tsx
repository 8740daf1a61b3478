// The other recordings of the same call: parallel copies, and what was recorded before and after a failure.

import type { LogicalRecordingView } from '../../../src/control/recordings/logical-recording-contract.ts'
import { clockTime, duration } from '../data/format.ts'
import { useResource } from '../data/resource.ts'
import { linkTo } from '../router.ts'
import { Badge } from './list.tsx'
import { gapWords, type Standing } from './words.ts'

type Take = LogicalRecordingView['takes'][number]

/** Sessions of one recording that are looked up; a session that stays up between calls may have hundreds. */
const MOST_SESSIONS = 3
const REFRESH_MS = 5000

/** A panel for each communication session of which there is more than this recording. */
export function Takes({ recordingId, sessionIds, isUnderWay }: TakesOf & { sessionIds: readonly string[] }) {
  const shown = sessionIds.slice(0, MOST_SESSIONS)
  return (
    <>
      {shown.map((sessionId) => (
        <SessionTakes key={sessionId} sessionId={sessionId} recordingId={recordingId} isUnderWay={isUnderWay} />
      ))}
    </>
  )
}

interface TakesOf {
  readonly recordingId: string
  readonly isUnderWay: boolean
}

function SessionTakes({ sessionId, recordingId, isUnderWay }: TakesOf & { sessionId: string }) {
  const path = `/api/communication-sessions/${encodeURIComponent(sessionId)}`
  const { value: session } = useResource<LogicalRecordingView>(path, isUnderWay ? REFRESH_MS : undefined)
  const own = session?.takes.find((take) => take.recordingId === recordingId)
  if (session === undefined || own === undefined || session.takes.length < 2) return null
  const { takes, gaps, overlaps, durationMs, coveredMs, isWhole } = session
  const stores = new Set(takes.map(({ store }) => store))
  const title = `takes-${own.number}-of-${sessionId}`
  return (
    <section class="card takes" aria-labelledby={title}>
      <h2 id={title}>
        Part {own.number} of {takes.length} of this call
      </h2>
      <p>
        {coveredMs >= durationMs
          ? `All of its ${lasting(durationMs)} are recorded.`
          : `${lasting(coveredMs)} of its ${lasting(durationMs)} are recorded.`}
        {!isWhole && ' It has more parts; only the newest are shown.'}
      </p>
      <Line session={session} own={own} />
      <ol>
        {takes.map((take) => (
          <li key={take.recordingId}>
            <Part take={take} isOwn={take === own} hasStore={stores.size > 1} />
            {overlaps
              .filter((overlap) => overlap.takes.includes(take.number))
              .map((overlap) => (
                <small key={overlap.takes.join()}>
                  at the same time as part {overlap.takes.find((number) => number !== take.number)} for{' '}
                  {lasting(overlap.toMs - overlap.fromMs)}
                </small>
              ))}
            {gaps
              .filter(({ after }) => after === take.number)
              .map((gap) => (
                <p class="take-gap" key={gap.fromMs}>
                  {lasting(gap.toMs - gap.fromMs)} not recorded: {gapWords(gap.cause)}
                </p>
              ))}
          </li>
        ))}
      </ol>
    </section>
  )
}

function Part({ take, isOwn, hasStore }: { take: Take; isOwn: boolean; hasStore: boolean }) {
  const { number, recordingId, startedAt, fromMs, toMs, store } = take
  return (
    <>
      {isOwn ? (
        <strong aria-current="true">Part {number}, this one</strong>
      ) : (
        <a href={linkTo(['recordings', recordingId])}>Part {number}</a>
      )}{' '}
      {clockTime(startedAt)}, {lasting(toMs - fromMs)} {hasStore && `at ${store ?? 'an unnamed recorder'} `}
      <Badge is={standingOf(take)} />
    </>
  )
}

/** The parts over time, for the eye; the list below says the same. */
function Line({ session: { takes, gaps, durationMs }, own }: { session: LogicalRecordingView; own: Take }) {
  const lanes = Math.max(...takes.map(({ lane }) => lane)) + 1
  const place = ({ fromMs, toMs }: { fromMs: number; toMs: number }) => {
    const whole = Math.max(durationMs, 1)
    return { left: `${(100 * fromMs) / whole}%`, width: `${(100 * (toMs - fromMs)) / whole}%` }
  }
  return (
    <div class="takes-line" aria-hidden="true" style={{ '--lanes': lanes }}>
      {gaps.map((gap) => (
        <span key={gap.fromMs} data-is="gap" style={place(gap)} />
      ))}
      {takes.map((take) => (
        <span
          key={take.recordingId}
          data-is={take === own ? 'own' : take.isDeleted || take.state === 'no-audio' ? 'silent' : 'take'}
          style={{ ...place(take), '--lane': take.lane }}
        >
          {take.number}
        </span>
      ))}
    </div>
  )
}

/** Short ones to the tenth. */
function lasting(ms: number): string {
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : duration(ms)
}

function standingOf({ isDeleted, state, hasAudio }: Take): Standing {
  if (isDeleted) return { icon: 'deleted', text: 'deleted', tone: 'plain' }
  if (state === 'receiving') return { icon: 'receiving', text: 'recording now', tone: 'good' }
  return hasAudio
    ? { icon: 'recorded', text: 'recorded', tone: 'good' }
    : { icon: 'no-audio', text: 'no audio', tone: 'bad' }
}
