// What can be taken away from the player: a link to this moment, the file, a part of it, the vCon.

import { useState } from 'preact/hooks'
import type { RecordingView } from '../../../src/control/recordings/recording-contract.ts'
import { Icon } from '../components/icon.tsx'
import { duration } from '../data/format.ts'
import { linkTo } from '../router.ts'
import { sound } from './sound.ts'

type Props = { readonly recording: RecordingView }

/** Address of what the API says of a recording; `about` is the rest of the path. */
export function addressOf({ recordingId }: Pick<RecordingView, 'recordingId'>, about: string): string {
  return `/api/recordings/${encodeURIComponent(recordingId)}${about}`
}

/** A link to this moment, and files. */
export function Share({ recording }: Props) {
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
      <a class="button" href={addressOf(recording, '/audio')} download={`${recording.recordingId}.wav`}>
        Download
      </a>
      <a class="button" href={addressOf(recording, '/vcon')} download={`${recording.recordingId}.vcon.json`}>
        vCon
      </a>
      <span role="status" class="muted">
        {outcome}
      </span>
    </>
  )
}

/** The part that is looped, which can be saved as a file. */
export function Part({ recording }: Props) {
  const loop = sound.loop.value
  if (loop === undefined) return null
  const [from, to] = loop.map((s) => Math.round(1000 * s)) as [number, number]
  return (
    <span class="part">
      Loop {duration(from)}–{duration(to)}
      <a
        class="button"
        href={addressOf(recording, `/audio?fromMs=${from}&toMs=${to}`)}
        download={`${recording.recordingId}-${from}-${to}.wav`}
      >
        Save part
      </a>
      <button
        type="button"
        aria-label="End the loop"
        onClick={() => {
          sound.loop.value = undefined
        }}
      >
        <Icon name="close" />
      </button>
    </span>
  )
}
