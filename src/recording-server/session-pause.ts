// A pause of one recording session that the recorder makes itself: nothing is kept, and the client is asked to send nothing.

import { type Clock, type Logger, messageOf, type Timer } from '#kernel'
import type { RequestOutcome } from '#sip'
import type { RecordMedia } from './record-media.ts'
import type { RecordingServerEvent } from './server-events.ts'

/** A pause as it stands; times in ms since 1970. */
export interface HerePause {
  readonly sinceMs: number
  /** When it ends by itself. */
  readonly untilMs?: number
  /** The client was asked to send nothing, and will be asked to send again. */
  readonly isSignalled: boolean
}

/** What is asked of a pause. */
export interface PauseOrder {
  /** It ends by itself after so long. */
  readonly maxMs?: number
  /** False: the client is not told; what it sends is discarded. */
  readonly signal: boolean
}

/** What came of a command. */
export interface PauseResult {
  /** Undefined: not paused any more. */
  readonly pause: HerePause | undefined
  /** What the client said to our offer: a SIP status; absent where it was not asked, or says nothing yet. */
  readonly clientStatus?: number
}

/** What a session pause works with. */
export interface SessionPauseOptions {
  readonly recordingId: string
  readonly media: RecordMedia
  readonly clock: Clock
  readonly log: Logger
  readonly emit: (event: RecordingServerEvent) => void
  /** Whether the client may be asked by a re-INVITE of ours. */
  readonly canSignal: () => boolean
  /** Offers the streams anew, all inactive or as they are wanted (RFC 7866 section 7.2). */
  readonly reoffer: (isInactive: boolean) => Promise<RequestOutcome | undefined>
}

/** Nobody waits longer for what a client says to our offer. */
const ANSWER_MS = 2000

/** The pause of one session; commands follow one another. */
export class SessionPause {
  readonly #options: SessionPauseOptions
  #now: HerePause | undefined
  #timer: Timer | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: SessionPauseOptions) {
    this.#options = options
  }

  /** The pause that stands. */
  get now(): HerePause | undefined {
    return this.#now
  }

  /** Goes on with the pause of the process before. */
  resume(pause: HerePause | undefined): void {
    this.#now = pause
    this.#schedule()
  }

  /** Keeps nothing from now on: done when the worker has confirmed it. A pause that stands gets the new deadline. */
  begin({ maxMs, signal }: PauseOrder): Promise<PauseResult> {
    return this.#inTurn(async () => {
      const { media, recordingId, clock, canSignal } = this.#options
      const before = this.#now
      const isSignalled = before?.isSignalled === true || (signal && canSignal())
      const sinceMs = before?.sinceMs ?? clock.wallMs()
      const pause = { sinceMs, ...(maxMs !== undefined && { untilMs: clock.wallMs() + maxMs }), isSignalled }
      // With all that the next process has to know: what says so later may come too late.
      await media.ask({ type: 'pause', recordingId, pause })
      this.#set(pause)
      if (before === undefined) this.#options.emit({ type: 'paused-here', recordingId, ...this.#deadline() })
      return await this.#told(isSignalled && before?.isSignalled !== true)
    })
  }

  /** Keeps again what comes; without a pause nothing happens. */
  end(by: 'command' | 'deadline'): Promise<PauseResult> {
    return this.#inTurn(async () => {
      const { media, recordingId } = this.#options
      const before = this.#now
      if (before === undefined) return { pause: undefined }
      // First here: what the client sends at once is kept.
      await media.ask({ type: 'resume', recordingId })
      this.#set(undefined)
      this.#options.emit({ type: 'resumed-here', recordingId, by })
      return await this.#told(before.isSignalled)
    })
  }

  /** The session is over. */
  close(): void {
    this.#timer?.cancel()
  }

  #set(pause: HerePause | undefined): void {
    this.#now = pause
    this.#schedule()
  }

  #schedule(): void {
    const { clock, log } = this.#options
    this.#timer?.cancel()
    this.#timer = undefined
    const untilMs = this.#now?.untilMs
    if (untilMs === undefined) return
    this.#timer = clock.after(Math.max(0, untilMs - clock.wallMs()), 'pause-here', () => {
      this.end('deadline').catch((thrown: unknown) => log.error('pause not ended', { reason: messageOf(thrown) }))
    })
  }

  #deadline(): { readonly untilMs?: number } {
    return this.#now?.untilMs === undefined ? {} : { untilMs: this.#now.untilMs }
  }

  /** Tells the client, if it is to be told; its answer is waited for only so long. */
  async #told(isTold: boolean): Promise<PauseResult> {
    const { clock, reoffer, log } = this.#options
    const pause = this.#now
    if (!isTold) return { pause }
    const silence = new Promise<undefined>((resolve) =>
      clock.after(ANSWER_MS, 'pause-answer', () => resolve(undefined)),
    )
    const outcome = await Promise.race([reoffer(pause !== undefined), silence])
    if (outcome !== undefined && outcome.status >= 300) {
      log.warn('client does not take our offer; what it sends is discarded all the same', { status: outcome.status })
    }
    return { pause, ...(outcome !== undefined && { clientStatus: outcome.status }) }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    return turn
  }
}
