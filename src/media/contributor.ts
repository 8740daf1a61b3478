// One of those who speak into a mix: decodes what a tap carries and gives it out in frames.

import type { OpusDecoders } from '#audio'
import { DtmfMask } from './dtmf-mask.ts'
import { FRAME_SAMPLES, JitterBuffer } from './jitter-buffer.ts'
import type { MediaPacket, PacketTaker } from './media-packet.ts'
import { NarrowbandReader } from './narrowband-reader.ts'

/** The smallest step of A-law: what is not louder is digital silence. */
const SILENT_PEAK = 8
const ALWAYS = (): boolean => true

/** The RTP source that a contributor hears. */
export interface ContributingSource {
  /** Absent until a packet came. */
  readonly ssrc: number | undefined
  readonly cname: string
  /** It has said BYE. */
  readonly hasLeft?: boolean
}

/** What a contributor asks and tells. */
interface ContributorListener {
  /** Nothing is taken in, and nothing kept, while this says no. */
  mayHear(): boolean
  /** A packet of a telephone-event. */
  onEvent(packet: MediaPacket, nowMs: number): void
}

/** Takes the packets of one tap. */
export class Contributor implements PacketTaker {
  readonly source: ContributingSource
  /** The frame pulled last. */
  readonly frame = new Int16Array(FRAME_SAMPLES)
  /** There is sound in that frame. */
  isSpeaking = false
  readonly #listener: ContributorListener
  readonly #buffer = new JitterBuffer()
  readonly #reader: NarrowbandReader
  readonly #mask: DtmfMask
  #isMasking = false

  constructor(source: ContributingSource, listener: ContributorListener, opus?: OpusDecoders) {
    this.source = source
    this.#listener = listener
    this.#reader = new NarrowbandReader(opus)
    this.#mask = new DtmfMask(({ packet }) => this.#accept(packet, packet.atMs), opus)
  }

  /** Packets left out or blanked by the mask. */
  get masked(): number {
    return this.#mask.masked
  }

  /** Leaves the keys that a party presses out, or not. */
  maskDtmf(isMasking: boolean): void {
    this.#isMasking = isMasking
    if (!isMasking) this.#mask.flush()
  }

  copy(packet: MediaPacket, nowMs: number): void {
    if (!this.#listener.mayHear()) this.forget()
    else if (this.#isMasking) this.#mask.take(packet, nowMs, ALWAYS)
    else this.#accept(packet, nowMs)
  }

  /** Brings the next frame. */
  pull(nowMs: number): void {
    if (this.#listener.mayHear()) this.#mask.sweep(nowMs)
    else this.forget()
    this.isSpeaking = this.#buffer.take(this.frame) && this.frame.some(isSound)
  }

  #accept(packet: MediaPacket, nowMs: number): void {
    if (packet.payload.isEvent) {
      this.#listener.onEvent(packet, nowMs)
      return
    }
    const reader = this.#reader
    if (reader.read(packet)) this.#buffer.put(reader.samples, reader.timestamp, reader.isFresh)
  }

  /** Throws away what is held and what is still to be heard. */
  forget(): void {
    this.#mask.drop()
    this.#buffer.clear()
  }
}

function isSound(sample: number): boolean {
  return sample > SILENT_PEAK || sample < -SILENT_PEAK
}
