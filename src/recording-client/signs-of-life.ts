// Whether recorders get what they are sent: signs of life on their forks, the likely cause when there is none, and when that means
// that a recorder is lost.

import type { MediaEvent } from '#engine'
import { type Clock, endpointText } from '#kernel'
import type { RecordingSession } from './recording-session.ts'

/** Who is told what the forks show. */
export interface SignsListener {
  /** Nothing says that the recorder gets audio; `cause` is what to look at first. */
  onUnconfirmed(session: RecordingSession, cause: string): void
  /** The recorder gives signs of life after all. */
  onConfirmed(session: RecordingSession): void
  onDead(session: RecordingSession, reason: string): void
}

/** The engine tells of silence each so often; without a word the recorder was heard since. */
const toldEveryMs = 5_000
/** A recorder of which nothing was ever heard may need a while; one that was heard before is told of after 15 s anyway. */
const askAfterMs = 10_000
/** From one question to the next. */
const askEveryMs = 15_000
/** OPTIONS is sent five times by UDP in that time (RFC 3261 section 17.1.2.1). */
const answerWithinMs = 12_000
/** ICMP errors in a row, seconds apart, after which nobody is taken to listen. */
const maxRefusals = 3

interface Signs {
  /** Silence of each fork that is not heard, in milliseconds. */
  readonly unheardMs: Map<string, number>
  readonly heard: Set<string>
  /** Monotonic: the system's clock may be set meanwhile. */
  unheardSinceMs: number | undefined
  refusals: number
  cause: string | undefined
  /** It sent RTCP once, or answered a question: its silence says something. */
  hasSpoken: boolean
  /** Monotonic. */
  askedAtMs: number | undefined
  isAsking: boolean
}

/** Signs of life of the recorders of one recording. */
export class SignsOfLife {
  readonly #clock: Clock
  readonly #listener: SignsListener
  readonly #signs = new WeakMap<RecordingSession, Signs>()

  constructor(clock: Clock, listener: SignsListener) {
    this.#clock = clock
    this.#listener = listener
  }

  /** The likely cause why no audio arrives, as long as none is confirmed. */
  causeOf(session: RecordingSession): string | undefined {
    return this.#signs.get(session)?.cause
  }

  /** When a recorder is known to have listened last; on the early side. */
  lastGoodAtMs(session: RecordingSession): number {
    return this.silentSinceMs(session) ?? this.#clock.wallMs() - toldEveryMs
  }

  /** Since when nothing was heard of a recorder; undefined: it was heard lately. */
  silentSinceMs(session: RecordingSession): number | undefined {
    const sinceMs = this.#signs.get(session)?.unheardSinceMs
    return sinceMs === undefined ? undefined : this.#clock.wallMs() - (this.#clock.nowMs() - sinceMs)
  }

  /** Takes what the engine tells of a fork of the session. */
  onMedia(session: RecordingSession, event: MediaEvent): void {
    if (event.type === 'fork-heard') this.#onHeard(session, event.fork)
    else if (event.type === 'fork-unheard') this.#onUnheard(session, event.fork, event.forMs)
    else if (event.type === 'fork-refused') this.#onRefused(session, event.fork, event.reason)
  }

  #onHeard(session: RecordingSession, fork: string): void {
    const signs = this.#of(session)
    signs.unheardMs.delete(fork)
    signs.heard.add(fork)
    signs.hasSpoken = true
    signs.refusals = 0
    if (signs.unheardMs.size > 0) return
    signs.unheardSinceMs = undefined
    if (signs.cause === undefined) return
    signs.cause = undefined
    this.#listener.onConfirmed(session)
  }

  #onUnheard(session: RecordingSession, fork: string, forMs: number): void {
    const signs = this.#of(session)
    signs.heard.delete(fork)
    signs.unheardMs.set(fork, forMs)
    const sinceMs = this.#clock.nowMs() - forMs
    signs.unheardSinceMs = Math.min(signs.unheardSinceMs ?? sinceMs, sinceMs)
    this.#tell(session, signs, fork)
    if (signs.heard.size > 0) return
    const { lostAfterSilenceMs: limitMs, lostWhenUnanswered } = session.plan.profile
    const leastMs = Math.min(...signs.unheardMs.values())
    if (limitMs !== undefined && leastMs >= limitMs) {
      this.#listener.onDead(session, `no sign of life for ${Math.round(forMs / 1000)} s`)
    } else if (lostWhenUnanswered && leastMs >= askAfterMs) void this.#ask(session, signs)
  }

  /** Media alone proves nothing of a recorder that sends no RTCP, nor SIP of one that answers no OPTIONS: one sign before is wanted. */
  async #ask(session: RecordingSession, signs: Signs): Promise<void> {
    const nowMs = this.#clock.nowMs()
    const isSoon = signs.askedAtMs !== undefined && nowMs - signs.askedAtMs < askEveryMs
    // Who was asked and has never spoken does not answer such questions.
    const isMute = signs.askedAtMs !== undefined && !signs.hasSpoken
    if (signs.isAsking || isSoon || isMute) return
    signs.askedAtMs = nowMs
    signs.isAsking = true
    const isAnswered = await session.ask(answerWithinMs)
    signs.isAsking = false
    if (isAnswered === true) signs.hasSpoken = true
    if (isAnswered !== false || !signs.hasSpoken || signs.heard.size > 0) return
    this.#listener.onDead(session, `no RTCP, and no answer to OPTIONS for ${answerWithinMs / 1000} s`)
  }

  #onRefused(session: RecordingSession, fork: string, reason: string): void {
    const signs = this.#of(session)
    signs.refusals += 1
    signs.unheardSinceMs ??= this.#clock.nowMs() - toldEveryMs
    this.#tell(session, signs, fork)
    if (signs.refusals >= maxRefusals) this.#listener.onDead(session, `RTP is refused (${reason})`)
  }

  #tell(session: RecordingSession, signs: Signs, fork: string): void {
    if (signs.cause !== undefined) return
    const path = session.pathOf(fork)
    if (path === undefined) return
    signs.cause = `no sign of audio at the recorder: allow RTP from ${endpointText(path.from)} to ${endpointText(path.to)}`
    this.#listener.onUnconfirmed(session, signs.cause)
  }

  #of(session: RecordingSession): Signs {
    const known = this.#signs.get(session)
    if (known !== undefined) return known
    const signs = {
      unheardMs: new Map(),
      heard: new Set<string>(),
      unheardSinceMs: undefined,
      refusals: 0,
      cause: undefined,
      hasSpoken: false,
      askedAtMs: undefined,
      isAsking: false,
    }
    this.#signs.set(session, signs)
    return signs
  }
}
