// An ear on what one party says: its loudness, and its sound for who listens. Only calls that somebody watches have any.

import { LevelMeter, type OpusDecoders, type SoundWindow } from '#audio'
import type { MediaPacket, PacketTaker } from './media-packet.ts'
import { NarrowbandReader } from './narrowband-reader.ts'

const RATE_HZ = 8000
/** A level is told for so long after it was measured. */
const FRESH_MS = 600
/** More than a second is not put aside. */
const MOST_SAMPLES = RATE_HZ

/** What one ear heard since it was asked last. */
interface Heard {
  /** Absent while nothing is heard, or nothing that can be read. */
  readonly level?: Pick<SoundWindow, 'rmsDbfs' | 'peakDbfs'>
  /** 8 kHz; absent unless sound is kept. */
  readonly samples?: Int16Array
}

/** An ear on one leg. */
export class ListeningTap implements PacketTaker {
  /** Sound is put aside for `take`. */
  keepsSound = false
  readonly #reader: NarrowbandReader
  readonly #meter = new LevelMeter(RATE_HZ, ({ rmsDbfs, peakDbfs }) => {
    this.#level = { rmsDbfs, peakDbfs, atMs: this.#nowMs }
  })
  #nowMs = 0
  #level: { readonly rmsDbfs: number; readonly peakDbfs: number; readonly atMs: number } | undefined
  #parts: Int16Array[] = []
  #kept = 0

  /** `opus`: absent when it cannot be read. */
  constructor(opus?: OpusDecoders) {
    this.#reader = new NarrowbandReader(opus)
  }

  copy(packet: MediaPacket, nowMs: number): void {
    if (packet.payload.isEvent || !this.#reader.read(packet)) return
    const { samples } = this.#reader
    this.#nowMs = nowMs
    this.#meter.add(samples)
    if (!this.keepsSound || this.#kept + samples.length > MOST_SAMPLES) return
    this.#kept += samples.length
    // Decoders may use their memory again.
    this.#parts.push(samples.slice())
  }

  take(nowMs: number): Heard {
    const level = this.#level
    const parts = this.#parts
    const samples = new Int16Array(this.#kept)
    let at = 0
    for (const part of parts) {
      samples.set(part, at)
      at += part.length
    }
    this.#parts = []
    this.#kept = 0
    return {
      ...(level !== undefined &&
        nowMs - level.atMs <= FRESH_MS && { level: { rmsDbfs: level.rmsDbfs, peakDbfs: level.peakDbfs } }),
      ...(at > 0 && { samples }),
    }
  }
}
