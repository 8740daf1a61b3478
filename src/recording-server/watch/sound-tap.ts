// What is heard of the streams of one recording, put aside for who listens; nothing is kept for long.

import type { StreamWatch } from './stream-watch.ts'

/** More than this is not put aside of one stream. */
const MOST_SAMPLES = 48_000

/** Sound of one channel. */
export interface SoundFrame {
  readonly channel: number
  readonly sampleRateHz: number
  readonly samples: Int16Array
}

interface Heard {
  sampleRateHz: number
  count: number
  readonly parts: Int16Array[]
}

/** A tap on decoded audio. */
export class SoundTap {
  isOn = false
  readonly #heard = new Map<number, Heard>()

  /** Listens to these streams, or to none. */
  follow(streams: readonly StreamWatch[]): void {
    if (!this.isOn) this.#heard.clear()
    for (const { channel, sound } of streams) {
      sound.listener = this.isOn ? (samples, sampleRateHz) => this.#keep(channel, samples, sampleRateHz) : undefined
    }
  }

  take(): SoundFrame[] {
    const frames = [...this.#heard].map(([channel, { sampleRateHz, count, parts }]) => {
      const samples = new Int16Array(count)
      let at = 0
      for (const part of parts) {
        samples.set(part, at)
        at += part.length
      }
      return { channel, sampleRateHz, samples }
    })
    this.#heard.clear()
    return frames
  }

  #keep(channel: number, samples: Int16Array, sampleRateHz: number): void {
    const known = this.#heard.get(channel)
    const heard = known?.sampleRateHz === sampleRateHz ? known : { sampleRateHz, count: 0, parts: [] }
    if (heard.count + samples.length > MOST_SAMPLES) return
    heard.count += samples.length
    heard.parts.push(samples.slice())
    this.#heard.set(channel, heard)
  }
}
