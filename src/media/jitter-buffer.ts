// Audio of one contributor on its way into a mix: put in by the source's clock, taken out by ours, 20 to 40 ms later.

import { timestampDistance } from '#rtp'

/** Samples of 20 ms at 8 kHz. */
export const FRAME_SAMPLES = 160
/** What is left after a frame was taken, when all is well: how late the next packet may come. */
const TARGET_SAMPLES = FRAME_SAMPLES
/** A second of frames that always left more than this over means that we are late for nothing. */
const SURPLUS_SAMPLES = TARGET_SAMPLES + 80
const LOOK_FRAMES = 50
/** More in one go is a jump of the source's clock, not jitter. */
const MOST_SAMPLES = 1600
const RING_SAMPLES = 4096

/** Jitter buffer of one source after another; positions count samples since the beginning. */
export class JitterBuffer {
  readonly #ring = new Int16Array(RING_SAMPLES)
  /** The next frame begins here. */
  #read = 0
  /** Audio stands in `[start, end)`. */
  #start = 0
  #end = 0
  #isRunning = false
  /** The packet put in last. */
  #timestamp = 0
  #position = 0
  #least = Number.POSITIVE_INFINITY
  #looks = 0

  /** Puts in the samples of a packet; `isFresh`: its clock is not that of the packet before. */
  put(samples: Int16Array, timestamp: number, isFresh: boolean): void {
    if (samples.length > MOST_SAMPLES) return
    let position = this.#position + timestampDistance(this.#timestamp, timestamp)
    const isJump = Math.abs(position - this.#read) > MOST_SAMPLES
    if (isFresh || !this.#isRunning || isJump) position = this.#restart()
    else if (position < this.#read) return
    this.#timestamp = timestamp
    this.#position = position
    for (let i = 0; i < samples.length; i++) this.#ring[(position + i) % RING_SAMPLES] = samples[i]!
    this.#end = Math.max(this.#end, position + samples.length)
  }

  /** Takes the next frame, with silence where nothing came; false when nothing came at all. */
  take(frame: Int16Array): boolean {
    const begin = this.#read
    const end = begin + FRAME_SAMPLES
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const slot = (begin + i) % RING_SAMPLES
      frame[i] = this.#ring[slot]!
      this.#ring[slot] = 0
    }
    const hasAudio = this.#start < end && this.#end > begin
    this.#read = end
    if (this.#end < end) this.#isRunning = false
    else this.#lookForSurplus()
    return hasAudio
  }

  /** Forgets what was put in. */
  clear(): void {
    this.#ring.fill(0)
    this.#isRunning = false
    this.#start = this.#read
    this.#end = this.#read
  }

  /** Where the first packet of a run is put. */
  #restart(): number {
    this.clear()
    this.#isRunning = true
    this.#start = this.#read + TARGET_SAMPLES
    this.#end = this.#start
    this.#least = Number.POSITIVE_INFINITY
    this.#looks = 0
    return this.#start
  }

  /** After a burst, or when the source's clock is fast, what is too much is skipped. */
  #lookForSurplus(): void {
    this.#least = Math.min(this.#least, this.#end - this.#read)
    if (++this.#looks < LOOK_FRAMES) return
    if (this.#least > SURPLUS_SAMPLES) this.#skip(this.#least - TARGET_SAMPLES)
    this.#looks = 0
    this.#least = Number.POSITIVE_INFINITY
  }

  #skip(count: number): void {
    for (let i = 0; i < count; i++) this.#ring[(this.#read + i) % RING_SAMPLES] = 0
    this.#read += count
  }
}
