// The recorders that we send to, and the clients that send to our own.

import type { RecorderView } from '../../../src/control/contract.ts'
import { Nothing, Trouble } from '../components/trouble.tsx'
import { may, offers } from '../data/abilities.ts'
import { useResource } from '../data/resource.ts'
import { RecorderClients } from './recorders/recorder-clients.tsx'
import { RecorderHealth } from './recorders/recorder-health.tsx'
import { RecorderTester } from './recorders/recorder-test.tsx'
import { Spooled } from './recorders/spooled.tsx'

const EVERY_MS = 3_000

/** The page; `?test=URI` begins with a test of that recorder. */
export function RecordersView({ query }: { query: URLSearchParams }) {
  const isClient = offers('/api/recorders')
  const { value, error, reload } = useResource<{ items: RecorderView[] }>(
    isClient ? '/api/recorders' : undefined,
    EVERY_MS,
  )
  return (
    <>
      <h1>Recorders</h1>
      <Trouble error={error} onRetry={reload} />
      {value?.items.length === 0 && (
        <Nothing title="No recorder is configured">
          <p>
            Name one under <code>gateway.recording.recorders</code>, or start a recording at one: it shows here then.
          </p>
        </Nothing>
      )}
      {isClient && (
        <ul class="cards wide" aria-label="Recorders">
          {value?.items.map((recorder) => (
            <li key={recorder.uri}>
              <RecorderHealth recorder={recorder} />
            </li>
          ))}
        </ul>
      )}
      {offers('/api/recorders/test') && may('recorders:test') && (
        <RecorderTester key={query.get('test')} query={query} />
      )}
      {offers('/api/spool') && <Spooled />}
      {offers('/api/refusals') && may('recordings:read') && <RecorderClients />}
    </>
  )
}
