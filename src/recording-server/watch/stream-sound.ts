// What a stream sounds like: decoded as far as it has to be, and measured.

import { type AudioDecoder, LevelMeter, type SoundWindow } from '#audio'
import { ComparedSound } from './compared-sound.ts'
import type { SoundDecoders } from './sound-decoders.ts'

/** Windows that clipping is judged by: two seconds. */
const CLIP_WINDOWS = 10
/** A level is told for so long after it was measured, longer where only a part is decoded. */
const FRESH_MS = 600
const FRESH_SAMPLED_MS = 1600
/** Encodings that are costly to decode: after the first seconds so many packets of 50, unless somebody listens. */
const COSTLY = /^(?:OPUS|G722)\//
const THOROUGH_MS = 3500
const SAMPLED_OF_50 = 12

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
  #encoding = ''
  #isCostly = false
  #decoder: AudioDecoder | undefined
  #meter: LevelMeter | undefined
  #nowMs = 0
  #beganMs: number | undefined
  #packets = 0
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
    this.#beganMs = undefined
    this.#heardMs = 0
    this.#loudestRmsDbfs = Number.NEGATIVE_INFINITY
    this.#loudestPeakDbfs = Number.NEGATIVE_INFINITY
    this.#clipped.length = 0
    this.compared.clear()
  }

  /** Takes the payload of one packet, in the order of arrival. */
  hear(encoding: string, payload: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs
    this.#beganMs ??= nowMs
    if (encoding !== this.#encoding || this.#decoder === undefined) this.#begin(encoding)
    const isSampled = this.#packets++ % 50 < SAMPLED_OF_50
    const isThorough = !this.#isCostly || this.listener !== undefined || nowMs - this.#beganMs < THOROUGH_MS
    const decoder = isThorough || isSampled ? this.#decoder : undefined
    if (decoder === undefined) {
      this.compared.clear()
      return
    }
    const { sampleRateHz } = decoder
    const samples = decoder.decode(payload)
    this.#heardMs += (samples.length * 1000) / sampleRateHz
    this.#meter?.add(samples)
    this.compared.add(samples, sampleRateHz)
    this.listener?.(samples, sampleRateHz)
  }

  #begin(encoding: string): void {
    this.#encoding = encoding
    this.#isCostly = COSTLY.test(encoding)
    this.#decoder = this.#decoders.decoderOf(encoding)
    this.#meter = this.#decoder && new LevelMeter(this.#decoder.sampleRateHz, (window) => this.#onWindow(window))
    this.#latest = undefined
    this.compared.clear()
  }

  #onWindow({ rmsDbfs, peakDbfs, clippedShare }: SoundWindow): void {
    this.#latest = { rmsDbfs, peakDbfs, atMs: this.#nowMs }
    this.#loudestRmsDbfs = Math.max(this.#loudestRmsDbfs, rmsDbfs)
    this.#loudestPeakDbfs = Math.max(this.#loudestPeakDbfs, peakDbfs)
    this.#clipped.push(clippedShare)
    if (this.#clipped.length > CLIP_WINDOWS) this.#clipped.shift()
  }
}
