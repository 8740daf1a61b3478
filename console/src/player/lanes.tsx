// A lane for each speaker: name, mute, solo and meter beside the wave form; what is missing below, in words.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { HistoryView } from '../../../src/control/recordings/document-contract.ts'
import type { PeaksView, RecordingView } from '../../../src/control/recordings/recording-contract.ts'
import { useResource } from '../data/resource.ts'
import { VerifyButton } from '../recordings/proof.tsx'
import { Happenings, lanesOf, marksOf, streamName } from './happenings.tsx'
import { addressOf, Share } from './share.tsx'
import { sound } from './sound.ts'
import { LANE_PX, voiceColor, Waves } from './waves.tsx'

const ZOOMS = [0, 20, 60, 200] as const

type Props = { readonly recording: RecordingView; readonly peaks: PeaksView }

/** The lanes. */
export function Lanes({ recording, peaks }: Props) {
  const [isChoosing, setChoosing] = useState(false)
  const [zoom, setZoom] = useState(0)
  const history = useResource<HistoryView>(addressOf(recording, '/metadata/history'))
  const marks = useMemo(() => marksOf(history.value, recording), [history.value, recording])
  const zoomBy = (steps: number): void => setZoom(Math.min(ZOOMS.length - 1, Math.max(0, zoom + steps)))
  return (
    <>
      <div class="lanes">
        <ul class="lane-heads">
          {lanesOf(recording).map((stream, lane) => (
            <LaneHead key={stream.channel} name={streamName(stream)} lane={lane} />
          ))}
        </ul>
        <Waves recording={recording} peaks={peaks} marks={marks} isChoosing={isChoosing} zoom={ZOOMS[zoom] ?? 0} />
      </div>
      <div class="lane-tools">
        <button type="button" aria-pressed={isChoosing} onClick={() => setChoosing(!isChoosing)}>
          Choose a part
        </button>
        <button type="button" aria-label="Zoom out" disabled={zoom === 0} onClick={() => zoomBy(-1)}>
          −
        </button>
        <button type="button" aria-label="Zoom in" disabled={zoom === ZOOMS.length - 1} onClick={() => zoomBy(1)}>
          +
        </button>
        <Share recording={recording} />
        <VerifyButton recording={recording} />
        <Happenings recording={recording} marks={marks} />
      </div>
    </>
  )
}

function LaneHead({ name, lane }: { name: string; lane: number }) {
  const isMuted = sound.muted.value.has(lane)
  const isSolo = sound.solo.value === lane
  return (
    <li class="lane-head" style={{ height: `${LANE_PX}px` }} data-heard={sound.isHeard(lane)}>
      <Meter lane={lane} />
      <span class="lane-name" style={{ color: voiceColor(lane) }} title={name}>
        {name}
      </span>
      <button type="button" aria-pressed={isMuted} aria-label={`Mute ${name}`} onClick={() => sound.toggleMute(lane)}>
        M
      </button>
      <button type="button" aria-pressed={isSolo} aria-label={`Solo ${name}`} onClick={() => sound.toggleSolo(lane)}>
        S
      </button>
    </li>
  )
}

function Meter({ lane }: { lane: number }) {
  const bar = useRef<HTMLSpanElement>(null)
  const isPlaying = sound.isPlaying.value
  useEffect(() => {
    let frame = 0
    const draw = (): void => {
      const level = isPlaying ? sound.level(lane) : 0
      if (bar.current !== null) {
        bar.current.style.transform = `scaleY(${Math.sqrt(level)})`
        bar.current.dataset['level'] = level.toFixed(3)
      }
      if (isPlaying) frame = requestAnimationFrame(draw)
    }
    draw()
    return () => cancelAnimationFrame(frame)
  }, [lane, isPlaying])
  return (
    <span class="meter" aria-hidden="true">
      <span ref={bar} style={{ background: voiceColor(lane) }} />
    </span>
  )
}
