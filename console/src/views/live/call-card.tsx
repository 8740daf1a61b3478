// One call of the live page: who, since when, how it is recorded, what is wrong, and what can be done.

import type { CallView } from '../../../../src/control/contract.ts'
import { CallVoices } from '../../components/call-voices.tsx'
import { HelpLink } from '../../components/help-link.tsx'
import { RecordingCommands } from '../../components/recording-commands.tsx'
import { type Alarm, alarmsOf } from '../../data/alarms.ts'
import { clockTime, duration, nameOf, shortAddress } from '../../data/format.ts'
import { now } from '../../data/now.ts'
import { linkTo } from '../../router.ts'

/** States of a recording session as people say them. */
export const sessionWords: Readonly<Record<string, string>> = {
  preparing: 'being prepared',
  inviting: 'is being asked',
  active: 'gets the audio',
  gated: 'gets nothing: paused',
  closing: 'is being left',
  closed: 'has ended',
  failed: 'did not take it',
  lost: 'was lost',
}

/** Results that the state of a session says already. */
export const plainResults: ReadonlySet<string> = new Set(['accepted', 'paused', 'pending'])

/** Time since `iso`, ticking. */
export function Ticking({ since }: { since: string }) {
  return <>{duration(now.value - Date.parse(since))}</>
}

/** The people of a call who have not left, by name. */
export function peopleOf({ parties }: CallView): string {
  const names = parties
    .filter(({ leftAt, role }) => leftAt === undefined && role !== 'automaton')
    .map(({ displayName, aors, role }) => displayName ?? (aors[0] === undefined ? role : nameOf(aors[0])))
  if (names.length === 0) return 'Nobody any more'
  return names.length === 1 ? `${names[0]}, with the flow` : names.join(' and ')
}

/** The state of a call's recording in words. */
export function stateWords(call: CallView): readonly [state: string, words: string] {
  const state = call.recording?.state ?? 'none'
  return [state, state === 'none' ? 'not recorded' : state]
}

/** When the pause of a call's recording ends by itself, and how. */
export function PauseEnd({ call: { recording } }: { call: CallView }) {
  const { pausedUntil, next } = recording ?? {}
  if (pausedUntil === undefined) return null
  return (
    <span class="muted">
      {next === 'stop' ? 'ends at' : 'resumes at'} <time dateTime={pausedUntil}>{clockTime(pausedUntil)}</time>
    </span>
  )
}

/** The card. */
export function CallCard({ call }: { call: CallView }) {
  const { callId, startedAt, recording } = call
  const [state, words] = stateWords(call)
  const alarms = alarmsOf(call)
  return (
    <article class="card call" data-alarm={alarms[0]?.severity} aria-label={peopleOf(call)}>
      <header>
        <h2>
          <a href={linkTo(['calls', callId])}>{peopleOf(call)}</a>
        </h2>
        <span class="state" data-state={state}>
          {words}
        </span>
        <PauseEnd call={call} />
        <span class="muted since">
          {call.state === 'ringing' ? 'ringing' : call.direction} since{' '}
          <time dateTime={startedAt}>{clockTime(startedAt)}</time>
        </span>
        <span class="lasts">
          <Ticking since={startedAt} />
        </span>
      </header>
      <CallFlow call={call} />
      <div class="body">
        <CallVoices call={call} />
        {recording !== undefined && recording.sessions.length > 0 && (
          <ul class="recorders" aria-label="Recorders">
            {recording.sessions.map(({ uri, state: session, result }) => (
              <li key={uri}>
                <span class="dot" data-session={session} aria-hidden="true" />
                <code>{shortAddress(uri)}</code>
                <span>
                  {sessionWords[session] ?? session}
                  {!plainResults.has(result) && <span class="muted">, {result}</span>}
                </span>
              </li>
            ))}
          </ul>
        )}
      </div>
      {alarms.map((alarm) => (
        <AlarmBox key={alarm.key} alarm={alarm} />
      ))}
      <RecordingCommands callId={callId} state={state} />
    </article>
  )
}

/** The node of its flow at which a call is. */
export function CallFlow({ call: { flow } }: { call: CallView }) {
  if (flow === undefined) return null
  const { title, name, node, type, since } = flow
  return (
    <p class="flow-place">
      <span class="muted">Flow</span>{' '}
      {name === undefined ? title : <a href={linkTo(['flows', name], { node })}>{title}</a>}{' '}
      <span class="muted">is at</span> <strong>{type}</strong> <code>{node}</code>{' '}
      <span class="muted">
        since <Ticking since={since} />
      </span>
    </p>
  )
}

/** An alarm in words. */
export function AlarmBox({ alarm: { severity, what, cause, fix, topic } }: { alarm: Alarm }) {
  return (
    <div class="alarm" data-severity={severity}>
      <strong>{what}</strong>
      {cause !== undefined && <p>Cause: {cause.replace(/\.$/, '')}.</p>}
      <p>
        What to do: {fix} <HelpLink topic={topic} />
      </p>
    </div>
  )
}
