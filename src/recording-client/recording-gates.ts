// The gates of a whole recording: shut at once, proved, and then told to the recorders.

import type { ForkMedia } from '#engine'
import { type CutProof, cutMedia } from './cut.ts'
import type { Carrier, RecordingSurroundings } from './session-port.ts'
import { Waiting } from './waiting.ts'

/** The gates of all that carries a recording. */
export class RecordingGates {
  readonly #live: () => readonly Carrier[]
  readonly #media: ForkMedia
  readonly #around: RecordingSurroundings
  /** Open while a pause waits for the recorders, after its cut is proved. */
  readonly #signalling = new Waiting<void>()
  #cutsUnderWay = 0

  /** `live`: what carries it now. */
  constructor(live: () => readonly Carrier[], media: ForkMedia, around: RecordingSurroundings) {
    this.#live = live
    this.#media = media
    this.#around = around
  }

  /** Whether a cut waits for its proof. */
  get isShutting(): boolean {
    return this.#cutsUnderWay > 0
  }

  /** Shuts every gate before it returns; brings the proof. */
  async shut(): Promise<CutProof> {
    const { clock, times } = this.#around
    this.#cutsUnderWay += 1
    const proof = await cutMedia(this.#live(), this.#media, clock, times.signalWaitMs)
    this.#cutsUnderWay -= 1
    return proof
  }

  /** Waits until every dialog has answered the pause, or another command takes over; bounded. */
  async signalled(): Promise<void> {
    if (!this.#isSignalling()) return
    const { clock, times } = this.#around
    const settled = this.#signalling.open()
    this.#signalling.limit(clock.after(times.signalWaitMs, 'recording pause', () => this.#signalling.settle()))
    await settled
  }

  /** Another command takes over. */
  hurry(): void {
    this.#signalling.settle()
  }

  /** Some recorder did something. */
  look(): void {
    if (!this.#isSignalling()) this.#signalling.settle()
  }

  #isSignalling(): boolean {
    return this.#live().some((session) => session.state === 'gated' && session.isSignalling)
  }
}
