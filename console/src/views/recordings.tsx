// The recordings of the recorder, newest first.

import type { RecordingSummary } from '../../../src/control/recordings/recording-contract.ts'
import { Nothing, Trouble } from '../components/trouble.tsx'
import { clockTime, duration } from '../data/format.ts'
import { useResource } from '../data/resource.ts'

const REFRESH_MS = 5000

/** The page of recordings. */
export function RecordingsView() {
  const page = useResource<{ total: number; items: RecordingSummary[] }>('/api/recordings', REFRESH_MS)
  return (
    <>
      <h1>Recordings</h1>
      <Trouble error={page.error} onRetry={page.reload} />
      {page.value?.total === 0 && <Nothing title="Nothing has been recorded yet" />}
      <ul class="cards">
        {page.value?.items.map((recording) => (
          <Row key={recording.recordingId} recording={recording} />
        ))}
      </ul>
    </>
  )
}

function Row({ recording }: { recording: RecordingSummary }) {
  const { recordingId, startedAt, durationMs, hasAudio, cause, participants, state } = recording
  const names = participants.map(({ name, aor }) => name ?? aor ?? 'unknown')
  return (
    <li class="card">
      <h2>{names.length === 0 ? 'Unknown parties' : names.join(' and ')}</h2>
      <p>
        <time dateTime={startedAt}>{clockTime(startedAt)}</time>, {duration(durationMs)}
      </p>
      <p class="state" data-state={state}>
        {hasAudio ? state : (cause ?? state)}
      </p>
      {hasAudio && (
        // biome-ignore lint/a11y/useMediaCaption: what was said is not written down anywhere
        <audio controls preload="none" src={`/api/recordings/${encodeURIComponent(recordingId)}/audio`} />
      )}
    </li>
  )
}
