// How loud the speakers of the calls in sight are and what is lost of them: one request at a time, the calls in turn.

import { type Signal, signal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import type { MediaSample } from '../../../src/control/trace-contract.ts'
import { get } from './http.ts'

/** One speaker at this moment. */
export interface Voice {
  readonly leg: string
  /** Whether there was time to hear it. */
  readonly isMeasured: boolean
  /** dB below full scale; undefined while nothing is heard. */
  readonly rmsDbfs?: number
  readonly peakDbfs?: number
  /** Percent that was lost of late; undefined while nothing comes. */
  readonly lostPercent?: number
}

interface PartyLevel {
  readonly leg: string
  readonly level?: { readonly rmsDbfs: number; readonly peakDbfs: number }
}

interface Watched {
  users: number
  readonly beganAtMs: number
  readonly voices: Signal<readonly Voice[]>
  media: MediaSample | undefined
  mediaAtMs: number
  lost: ReadonlyMap<string, number>
}

/** Eight requests a second at most, however many calls are in sight. */
const TURN_MS = 125
/** The program measures from the first question on; who was not heard after so long is not heard. */
const MEASURED_AFTER_MS = 1_500
const MEDIA_EVERY_MS = 2_500

const watched = new Map<string, Watched>()
let timer: number | undefined

/** The speakers of a call, as long as the component that asks is there. */
export function useVoices(callId: string): readonly Voice[] {
  const [voices] = useState(() => watched.get(callId)?.voices ?? signal<readonly Voice[]>([]))
  useEffect(() => {
    const call = watched.get(callId) ?? {
      users: 0,
      beganAtMs: Date.now(),
      voices,
      media: undefined,
      mediaAtMs: 0,
      lost: new Map(),
    }
    call.users += 1
    watched.set(callId, call)
    if (timer === undefined) timer = window.setTimeout(() => void turn(), TURN_MS)
    return () => {
      call.users -= 1
      if (call.users === 0) watched.delete(callId)
    }
  }, [callId, voices])
  return voices.value
}

async function turn(): Promise<void> {
  const [next] = watched
  if (next !== undefined && document.visibilityState === 'visible') {
    const [callId, call] = next
    watched.delete(callId)
    watched.set(callId, call)
    // What cannot be had now, the next turn may have: the page says elsewhere when the program is gone.
    await read(callId, call).catch(() => {})
  }
  timer = watched.size === 0 ? undefined : window.setTimeout(() => void turn(), TURN_MS)
}

async function read(callId: string, call: Watched): Promise<void> {
  const path = `/api/calls/${encodeURIComponent(callId)}`
  if (Date.now() - call.mediaAtMs > MEDIA_EVERY_MS) {
    call.mediaAtMs = Date.now()
    const media = await get<MediaSample>(`${path}/media`).catch(() => undefined)
    if (media !== undefined) {
      call.lost = lossBetween(call.media, media)
      call.media = media
    }
  }
  const { items } = await get<{ items: PartyLevel[] }>(`${path}/levels`)
  call.voices.value = items.map(({ leg, level }) => {
    const lostPercent = call.lost.get(leg)
    const isMeasured = level !== undefined || Date.now() - call.beganAtMs > MEASURED_AFTER_MS
    return { leg, isMeasured, ...level, ...(lostPercent === undefined ? {} : { lostPercent }) }
  })
}

function lossBetween(before: MediaSample | undefined, after: MediaSample): ReadonlyMap<string, number> {
  const loss = new Map<string, number>()
  for (const { leg, packets, lost } of after.speakers) {
    const earlier = before?.speakers.find((speaker) => speaker.leg === leg)
    const gone = Math.max(0, lost - (earlier?.lost ?? 0))
    const all = packets - (earlier?.packets ?? 0) + gone
    if (all > 0) loss.set(leg, (100 * gone) / all)
  }
  return loss
}
