// Wave forms by lane, drawn from peaks that the server made, with gaps, pauses and the part that is looped.

import { effect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import WaveSurfer from 'wavesurfer.js'
import RegionsPlugin, { type Region } from 'wavesurfer.js/plugins/regions'
import TimelinePlugin from 'wavesurfer.js/plugins/timeline'
import type { PeaksView, RecordingView } from '../../../src/control/recordings/recording-contract.ts'
import { duration } from '../data/format.ts'
import { theme } from '../data/theme.ts'
import { gapWords, isPause } from '../recordings/words.ts'
import { lanesOf, type Mark } from './happenings.tsx'
import { sound } from './sound.ts'

/** Height of a lane, in CSS pixels. */
export const LANE_PX = 44
type Regions = ReturnType<typeof RegionsPlugin.create>

const VOICES = 4
const AXIS_PX = 18
/** Peaks are 0 to 128; noise is not blown up to voices. */
const QUIETEST_SCALE = 16
const HEADROOM = 0.9
/** Whoever points at a gap or a mark reads what it is; while a part is chosen, it may begin there. */
const REGION_EVENTS = 'var(--region-events, auto)'
const HATCHED = 'repeating-linear-gradient(135deg, var(--hatch) 0 3px, transparent 3px 8px)'

/** What is drawn. */
export interface WavesProps {
  readonly recording: RecordingView
  readonly marks: readonly Mark[]
  readonly peaks: PeaksView
  /** Whether dragging chooses a part instead of moving the position. */
  readonly isChoosing: boolean
  /** Pixels for a second; 0: all of it fits. */
  readonly zoom: number
}

/** CSS colour of a lane's speaker. */
export function voiceColor(lane: number): string {
  return `var(--voice-${(lane % VOICES) + 1})`
}

/** The wave forms. */
export function Waves({ recording, marks, peaks, isChoosing, zoom }: WavesProps) {
  const place = useRef<HTMLDivElement>(null)
  const wave = useRef<WaveSurfer | undefined>(undefined)
  const regions = useRef<Regions | undefined>(undefined)
  useEffect(() => {
    if (place.current === null) return
    const plugin = RegionsPlugin.create()
    const made = WaveSurfer.create({
      container: place.current,
      media: sound.element,
      peaks: loudness(peaks),
      duration: recording.durationMs / 1000,
      splitChannels: peaks.values.map((_, lane) => laneColors(place.current, lane)),
      height: LANE_PX,
      cursorWidth: 2,
      cursorColor: colorOf(place.current, '--text'),
      dragToSeek: true,
      cspNonce: document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content ?? '',
      plugins: [plugin, timeAxis()],
    })
    wave.current = made
    regions.current = plugin
    made.once('redrawcomplete', () => {
      addGaps(plugin, recording)
      for (const mark of marks) addMark(plugin, mark)
    })
    const endLoop = followLoop(plugin)
    const recolor = (): void =>
      made.setOptions({
        splitChannels: peaks.values.map((_, lane) => laneColors(place.current, lane)),
        cursorColor: colorOf(place.current, '--text'),
      })
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', recolor)
    let isFirst = true
    const endTheme = effect(() => {
      void theme.value
      if (!isFirst) requestAnimationFrame(recolor)
      isFirst = false
    })
    return () => {
      endLoop()
      endTheme()
      dark.removeEventListener('change', recolor)
      made.destroy()
    }
  }, [recording, peaks, marks])
  useEffect(() => {
    wave.current?.setOptions({ dragToSeek: !isChoosing })
    if (!isChoosing) return
    return regions.current?.enableDragSelection({ id: 'loop', color: 'var(--loop)' })
  }, [isChoosing, recording, peaks, marks])
  useEffect(() => {
    wave.current?.setOptions({ minPxPerSec: zoom })
  }, [zoom, recording, peaks, marks])
  return <div class="waves" data-choosing={isChoosing} ref={place} aria-hidden="true" />
}

/** Times below the lanes, as the clock of the player writes them. */
function timeAxis(): ReturnType<typeof TimelinePlugin.create> {
  return TimelinePlugin.create({
    height: AXIS_PX,
    // Beside the lanes and not among them: regions of a lane are measured by the height of all lanes.
    style: { position: 'absolute', top: '100%', width: '100%', color: 'var(--muted)', fontSize: '11px' },
    secondaryLabelOpacity: 1,
    formatTimeCallback: (seconds) => duration(1000 * seconds),
  })
}

/** Peaks come as least and greatest sample of each bucket; all lanes are drawn on one scale, on which the loudest fits. */
function loudness({ values }: PeaksView): number[][] {
  const lanes = values.map((extremes) =>
    Array.from({ length: extremes.length / 2 }, (_, at) =>
      Math.max(Math.abs(extremes[2 * at] ?? 0), Math.abs(extremes[2 * at + 1] ?? 0)),
    ),
  )
  const loudest = lanes.flat().reduce((most, one) => Math.max(most, one), QUIETEST_SCALE)
  return lanes.map((lane) => lane.map((one) => (HEADROOM * one) / loudest))
}

function colorOf(element: HTMLElement | null, name: string): string {
  return element === null ? '' : getComputedStyle(element).getPropertyValue(name).trim()
}

function laneColors(element: HTMLElement | null, lane: number) {
  const color = colorOf(element, `--voice-${(lane % VOICES) + 1}`)
  return { waveColor: `color-mix(in srgb, ${color} 55%, transparent)`, progressColor: color, height: LANE_PX }
}

function addGaps(plugin: Regions, recording: RecordingView): void {
  for (const [lane, { gaps }] of lanesOf(recording).entries()) {
    for (const { fromMs, toMs, cause } of gaps) {
      const region = plugin.addRegion({
        start: fromMs / 1000,
        end: toMs / 1000,
        channelIdx: lane,
        drag: false,
        resize: false,
        color: isPause(cause) ? 'transparent' : 'var(--gap)',
      })
      const { element } = region
      if (element === null) continue
      element.title = gapWords(cause)
      element.dataset['cause'] = cause
      if (isPause(cause)) element.style.backgroundImage = HATCHED
      element.style.pointerEvents = REGION_EVENTS
      element.style.borderInline = '1px dotted var(--muted)'
    }
  }
}

function addMark(plugin: Regions, { atMs, text }: Mark): void {
  const { element } = plugin.addRegion({ start: atMs / 1000, drag: false, resize: false, color: 'var(--mark)' })
  if (element === null) return
  element.title = text
  element.dataset['mark'] = text
  element.style.pointerEvents = REGION_EVENTS
  element.style.borderInline = '1px dashed var(--mark)'
}

/** Keeps the looped part and its region the same, whoever changes it. */
function followLoop(plugin: Regions): () => void {
  let shown: Region | undefined
  plugin.on('region-created', (region) => {
    if (region.id !== 'loop') return
    if (shown !== undefined && shown !== region) shown.remove()
    shown = region
    sound.loop.value = [region.start, region.end]
  })
  plugin.on('region-updated', (region) => {
    if (region === shown) sound.loop.value = [region.start, region.end]
  })
  return effect(() => {
    const loop = sound.loop.value
    if (loop === undefined) {
      shown?.remove()
      shown = undefined
    } else if (shown === undefined) {
      plugin.addRegion({ id: 'loop', start: loop[0], end: loop[1], color: 'var(--loop)' })
    } else if (shown.start !== loop[0] || shown.end !== loop[1]) {
      shown.setOptions({ start: loop[0], end: loop[1] })
    }
  })
}
