// What can be taken away from the player: a link to this moment, the file.

import { useState } from 'preact/hooks'
import type { RecordingView } from '../../../src/control/recordings/recording-contract.ts'
import { linkTo } from '../router.ts'
import { sound } from './sound.ts'

/** A link to this moment, and the file. */
export function Share({ recording }: { recording: RecordingView }) {
  const [outcome, setOutcome] = useState<string>()
  const copy = async (): Promise<void> => {
    const place = linkTo(['recordings', recording.recordingId], { at: sound.atS.value.toFixed(1) })
    const link = `${location.origin}${location.pathname}${place}`
    // Browsers lend the clipboard to secure pages alone.
    await (navigator.clipboard?.writeText(link) ?? Promise.reject(new Error())).then(
      () => setOutcome('Link copied'),
      () => {
        location.hash = place
        setOutcome('The address of this page is the link')
      },
    )
  }
  return (
    <>
      <button type="button" onClick={() => void copy()}>
        Link to this moment
      </button>
      <a class="button" href={audioOf(recording)} download={`${recording.recordingId}.wav`}>
        Download
      </a>
      <span role="status" class="muted">
        {outcome}
      </span>
    </>
  )
}

/** Address of the audio. */
export function audioOf({ recordingId }: Pick<RecordingView, 'recordingId'>): string {
  return `/api/recordings/${encodeURIComponent(recordingId)}/audio`
}
