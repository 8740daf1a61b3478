// The player at the foot of the page: it stays while the reader goes on through the lists.

import { useEffect, useState } from 'preact/hooks'
import type { PeaksView, RecordingView } from '../../../src/control/recordings/recording-contract.ts'
import { Icon } from '../components/icon.tsx'
import { Trouble } from '../components/trouble.tsx'
import { duration } from '../data/format.ts'
import { useResource } from '../data/resource.ts'
import { explainSilence, partiesOf } from '../recordings/words.ts'
import { linkTo } from '../router.ts'
import { Controls } from './controls.tsx'
import { lanesOf } from './happenings.tsx'
import { Lanes } from './lanes.tsx'
import { type Playing, playing } from './playing.ts'
import { sound } from './sound.ts'
import '../style/player.css'

const BUCKETS = 4000
const GROWING_MS = 3000

/** The player with the recording that it was given. */
export default function Dock({ wanted }: { wanted: Playing }) {
  const url = `/api/recordings/${encodeURIComponent(wanted.recordingId)}`
  const [isOver, setOver] = useState(false)
  const found = useResource<RecordingView>(url, isOver ? undefined : GROWING_MS)
  const recording = found.value
  const hasAudio = recording?.hasAudio === true
  useEffect(() => setOver(recording !== undefined && recording.state !== 'receiving'), [recording])
  const peaks = useResource<PeaksView>(hasAudio ? `${url}/peaks?buckets=${BUCKETS}` : undefined)
  const silence = recording && explainSilence(recording)
  useEffect(() => {
    if (!hasAudio || recording === undefined) return sound.close()
    sound.open(`${url}/audio`, lanesOf(recording).length, wanted.atS, recording.durationMs / 1000)
    if (wanted.isWanted) void sound.start()
    // A recording in the player does not change any more; what was wanted of it may.
  }, [wanted, hasAudio])
  useEffect(() => () => sound.close(), [])
  return (
    <section class="dock" aria-label="Player">
      <div class="dock-title">
        <strong>
          {recording === undefined ? (
            'Reading …'
          ) : (
            <a href={linkTo(['recordings', wanted.recordingId])}>{partiesOf(recording)}</a>
          )}
        </strong>
        {recording && <span class="muted">{new Date(recording.startedAt).toLocaleString()}</span>}
        <button type="button" class="quiet" aria-label="Close the player" onClick={() => (playing.value = undefined)}>
          <Icon name="close" />
        </button>
      </div>
      <Trouble error={found.error ?? peaks.error} onRetry={found.error ? found.reload : peaks.reload} />
      {silence && (
        <div class="silence" role="status">
          <p>
            <strong>Nothing to hear.</strong> {silence.what}
          </p>
          <p>{silence.todo}</p>
        </div>
      )}
      {sound.failure.value !== undefined && hasAudio && <Failure url={`${url}/audio`} />}
      {recording && hasAudio && (
        <>
          <Controls recording={recording} />
          {peaks.value && <Lanes recording={recording} peaks={peaks.value} />}
        </>
      )}
    </section>
  )
}

/** What the program says of audio that cannot be read; a media element tells no more than that it failed. */
async function causeOf(url: string): Promise<string | undefined> {
  const answer = await fetch(url, { headers: { range: 'bytes=0-0' } }).catch(() => undefined)
  if (answer === undefined) return 'The program does not answer.'
  if (answer.ok) return undefined
  const { message } = (await answer.json().catch(() => ({}))) as { message?: string }
  return message === undefined ? `The program answered ${answer.status}.` : `The program says: ${message}.`
}

function Failure({ url }: { url: string }) {
  const [cause, setCause] = useState<string>()
  useEffect(() => void causeOf(url).then(setCause), [url])
  const again = (): void => {
    const atS = sound.atS.value
    sound.open(url, sound.lanes, atS, sound.durationS.value)
    void sound.start()
  }
  return (
    <div class="trouble" role="alert">
      <p>
        {sound.failure.value} {cause} It stopped at {duration(sound.atS.value * 1000)}.
      </p>
      <button type="button" onClick={again}>
        Try again
      </button>
    </div>
  )
}
