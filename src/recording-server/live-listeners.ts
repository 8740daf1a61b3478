// Who listens to which recordings while they are received.

import type { LiveSession } from './server-events.ts'
import type { SoundFrame } from './watch/sound-tap.ts'

/** What is heard on a channel. */
export interface LiveChannel {
  readonly channel: number
  readonly label?: string
  readonly speakers: readonly string[]
}

/** Somebody who listens. */
export interface LiveListener {
  /** Comes first, and again when there are others. */
  onStreams(streams: readonly LiveChannel[]): void
  onSound(frames: readonly SoundFrame[]): void
  /** Nothing is heard while the session is paused. */
  onPause(isPaused: boolean): void
  onEnd(): void
}

/** Listeners of one recorder. */
export class LiveListeners {
  readonly #listeners = new Map<string, Set<LiveListener>>()
  readonly #paused = new Set<string>()
  readonly #setListened: (recordingId: string, isOn: boolean) => void

  /** `setListened` is told when a recording has its first listener, and when it has lost its last one. */
  constructor(setListened: (recordingId: string, isOn: boolean) => void) {
    this.#setListened = setListened
  }

  /** The returned function ends it. */
  add(recordingId: string, listener: LiveListener): () => void {
    const listeners = this.#listeners.get(recordingId) ?? new Set()
    this.#listeners.set(recordingId, listeners)
    listeners.add(listener)
    if (listeners.size === 1) this.#setListened(recordingId, true)
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return
      this.#listeners.delete(recordingId)
      this.#setListened(recordingId, false)
    }
  }

  /** In a pause nothing is passed on, not even what was on its way when it began. */
  sound(recordingId: string, frames: readonly SoundFrame[]): void {
    if (this.#paused.has(recordingId)) return
    for (const listener of this.#listeners.get(recordingId) ?? []) listener.onSound(frames)
  }

  streams(recordingId: string, streams: readonly LiveChannel[]): void {
    for (const listener of this.#listeners.get(recordingId) ?? []) listener.onStreams(streams)
  }

  paused(recordingId: string, isPaused: boolean): void {
    if (isPaused) this.#paused.add(recordingId)
    else this.#paused.delete(recordingId)
    for (const listener of this.#listeners.get(recordingId) ?? []) listener.onPause(isPaused)
  }

  /** The recording is over. */
  ended(recordingId: string): void {
    const listeners = this.#listeners.get(recordingId) ?? []
    this.#listeners.delete(recordingId)
    this.#paused.delete(recordingId)
    for (const listener of listeners) listener.onEnd()
  }
}

/** The channels of a session: its streams of audio. */
export function channelsOf({ streams, facts }: LiveSession): LiveChannel[] {
  const heard = streams.filter(({ kind }) => kind === 'audio')
  return heard.map(({ channel, label }) => ({
    channel,
    ...(label === undefined ? {} : { label }),
    speakers: facts.speakers[channel] ?? [],
  }))
}
