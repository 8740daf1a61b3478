// Which recording the player holds; the player itself is loaded when the first one is wanted.

import { signal } from '@preact/signals'

/** A recording to play. */
export interface Playing {
  readonly recordingId: string
  /** Where to begin, in seconds. */
  readonly atS: number
  /** Whether it starts by itself. */
  readonly isWanted: boolean
}

/** What the player holds. */
export const playing = signal<Playing>()

/** Plays a recording, from `atS` seconds on. */
export function play(recordingId: string, atS = 0): void {
  playing.value = { recordingId, atS, isWanted: true }
}

/** Puts a recording into the player, which waits at `atS` seconds. */
export function cue(recordingId: string, atS: number): void {
  playing.value = { recordingId, atS, isWanted: false }
}
