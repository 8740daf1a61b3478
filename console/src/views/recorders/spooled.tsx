// Recordings that no recorder took yet, kept here until one does.

import type { SpooledRecording } from '../../../../src/control/contract.ts'
import { Trouble } from '../../components/trouble.tsx'
import { clockTime } from '../../data/format.ts'
import { useResource } from '../../data/resource.ts'

const EVERY_MS = 5_000
const KB = 1_000

const words: Readonly<Record<string, string>> = {
  waiting: 'waits for a recorder',
  delivering: 'is being delivered',
  unreadable: 'cannot be read',
}

/** What waits; nothing where nothing does. */
export function Spooled() {
  const { value, error } = useResource<{ items: SpooledRecording[] }>('/api/spool', EVERY_MS)
  if (error !== undefined) return <Trouble error={error} />
  if (value === undefined || value.items.length === 0) return null
  return (
    <section aria-labelledby="spooled-title">
      <h2 id="spooled-title">Waiting for a recorder</h2>
      <ol class="log">
        {value.items.map(({ id, state, recording, since, bytes, attempts, lastError, nextTryAt }) => (
          <li key={id}>
            <time dateTime={since}>{clockTime(since)}</time>
            <span class="who">{recording ?? id}</span>
            <span class="action">{Math.ceil(bytes / KB)} kB</span>
            <span class="what">
              {attempts > 0 && <span>{attempts} attempts</span>}
              {lastError !== undefined && <span>latest: {lastError}</span>}
              {nextTryAt !== undefined && <span>next at {clockTime(nextTryAt)}</span>}
            </span>
            <span class="state" data-spooled={state}>
              {words[state] ?? state}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}
