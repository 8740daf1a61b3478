// What a stream sounds like: its sources decoded as far as they have to be, mixed, and measured.

import { LevelMeter, type SoundWindow } from '#audio'
import { ComparedSound } from './compared-sound.ts'
import { LiveMix } from './live-mix.ts'
import type { SoundDecoders } from './sound-decoders.ts'
import { type Decoded, SourceDecoding } from './source-decoding.ts'

/** Windows that clipping is judged by: two seconds. */
const CLIP_WINDOWS = 10
/** A level is told for so long after it was measured, longer where only a part is decoded. */
const FRESH_MS = 600
const FRESH_SAMPLED_MS = 1600
/** Stands for the source that the stream is locked to, whose SSRC may change; no SSRC is negative. */
const OWN = -1
/** Loudness of a stream over 200 ms, in dB below full scale; -100: digital silence. */
export interface StreamLevel {
  readonly rmsDbfs: number
  readonly peakDbfs: number
}

/** Hears decoded audio; the samples are valid during the call. */
export type SoundListener = (samples: Int16Array, sampleRateHz: number) => void

/** Sound of one stream. */
export class StreamSound {
  readonly compared = new ComparedSound()
  /** Hears all that comes while it is set. */
  listener: SoundListener | undefined
  readonly #decoders: SoundDecoders
  readonly #sources = new Map<number, SourceDecoding>()
  readonly #mix = new LiveMix()
  #isCostly = false
  #meter: { readonly level: LevelMeter; readonly sampleRateHz: number } | undefined
  #nowMs = 0
  #heardMs = 0
  #loudestRmsDbfs = Number.NEGATIVE_INFINITY
  #loudestPeakDbfs = Number.NEGATIVE_INFINITY
  #latest: (StreamLevel & { readonly atMs: number }) | undefined
  readonly #clipped: number[] = []

  constructor(decoders: SoundDecoders) {
    this.#decoders = decoders
  }

  /** Decoded since `reset`, in milliseconds. */
  get heardMs(): number {
    return this.#heardMs
  }

  /** The loudest window since `reset`; -Infinity: there was none. */
  get loudestRmsDbfs(): number {
    return this.#loudestRmsDbfs
  }

  /** The loudest sample since `reset`. */
  get loudestPeakDbfs(): number {
    return this.#loudestPeakDbfs
  }

  /** Share of the samples of the last two seconds that are at the limit of the scale. */
  get clippedShare(): number {
    return this.#clipped.reduce((sum, share) => sum + share, 0) / CLIP_WINDOWS
  }

  /** Undefined while nothing comes that can be decoded. */
  levelAt(nowMs: number): StreamLevel | undefined {
    const freshMs = this.#isCostly ? FRESH_SAMPLED_MS : FRESH_MS
    if (this.#latest === undefined || nowMs - this.#latest.atMs > freshMs) return undefined
    const { rmsDbfs, peakDbfs } = this.#latest
    return { rmsDbfs, peakDbfs }
  }

  /** What is judged begins anew. */
  reset(): void {
    for (const source of this.#sources.values()) source.reset()
    this.#mix.reset()
    this.#heardMs = 0
    this.#loudestRmsDbfs = Number.NEGATIVE_INFINITY
    this.#loudestPeakDbfs = Number.NEGATIVE_INFINITY
    this.#clipped.length = 0
    this.compared.clear()
  }

  /** Takes the payload of one packet, in the order of arrival; `ssrc` is that of a source beside the one that the stream is locked to. */
  hear(encoding: string, payload: Uint8Array, nowMs: number, ssrc = OWN): void {
    this.#nowMs = nowMs
    const source = this.#sourceOf(ssrc)
    const decoded = source.take(encoding, payload, nowMs, this.listener !== undefined)
    this.#isCostly = source.isCostly
    if (decoded === undefined) {
      this.compared.clear()
      return
    }
    const heard = this.#mix.add(ssrc, decoded, nowMs)
    if (heard === undefined) return
    const { samples, sampleRateHz } = heard
    this.#heardMs += (samples.length * 1000) / sampleRateHz
    this.#measure(heard)
    this.compared.add(samples, sampleRateHz)
    this.listener?.(samples, sampleRateHz)
  }

  #sourceOf(ssrc: number): SourceDecoding {
    const known = this.#sources.get(ssrc)
    if (known !== undefined) return known
    const source = new SourceDecoding(this.#decoders)
    this.#sources.set(ssrc, source)
    return source
  }

  #measure({ samples, sampleRateHz }: Decoded): void {
    if (this.#meter?.sampleRateHz !== sampleRateHz) {
      const level = new LevelMeter(sampleRateHz, (window) => this.#onWindow(window))
      this.#meter = { level, sampleRateHz }
      this.#latest = undefined
      this.compared.clear()
    }
    this.#meter.level.add(samples)
  }

  #onWindow({ rmsDbfs, peakDbfs, clippedShare }: SoundWindow): void {
    this.#latest = { rmsDbfs, peakDbfs, atMs: this.#nowMs }
    this.#loudestRmsDbfs = Math.max(this.#loudestRmsDbfs, rmsDbfs)
    this.#loudestPeakDbfs = Math.max(this.#loudestPeakDbfs, peakDbfs)
    this.#clipped.push(clippedShare)
    if (this.#clipped.length > CLIP_WINDOWS) this.#clipped.shift()
  }
}
