// A recorder that does not take every voice by itself is offered one stream of them all instead, once in a session, if its profile says
// so (row SRC-39). The stream that it takes becomes that: its label, SSRC and clock go on, and until the offer is taken so does its voice.

import type { Timer } from '#kernel'
import type { AnsweredStream } from './answer.ts'
import { texts } from './command.ts'
import type { SessionForks } from './session-forks.ts'
import { audibleEncodings } from './session-offers.ts'
import type { SessionPlan, SessionSurroundings } from './session-port.ts'

/** What a recorder makes of the mix. */
export type MixVerdict = 'taken' | 'refused'

/** Gates wait so long for the verdict where what was said before can be sent afterwards. */
const waitMs = 2_000
/** After these a re-offer is repeated as it is, or the dialog is over. */
const undecided: ReadonlySet<number> = new Set([408, 480, 481, 491])

/** The mix of one recording session. */
export class MixFallback {
  readonly #plan: SessionPlan
  readonly #around: SessionSurroundings
  readonly #forks: SessionForks
  readonly #onDecided: () => void
  #state: 'untried' | 'offered' | MixVerdict = 'untried'
  #isAnswerBroken = false
  #wait: Timer | undefined

  /** `onDecided`: gates that have waited may open. */
  constructor(plan: SessionPlan, around: SessionSurroundings, forks: SessionForks, onDecided: () => void) {
    this.#plan = plan
    this.#around = around
    this.#forks = forks
    this.#onDecided = onDecided
  }

  /** Whether the recorder has the mix in place of separate streams. */
  get isTaken(): boolean {
    return this.#state === 'taken'
  }

  /** Whether what the recorder takes is only part of an answer, and another recorder can take its place (SRC-38). */
  get isHopeless(): boolean {
    return this.#state === 'refused' && this.#isAnswerBroken && this.#plan.hasStandIn === true
  }

  /** Whether the INVITE, refused with `status`, is to be sent again with the mix. */
  insteadOfRefused(status: number): boolean {
    if (status !== 488 && status !== 606) return false
    const stream = this.#forks.slots.find(({ kind, isRemoved }) => kind === 'audio' && !isRemoved)
    if (stream === undefined || !this.#isPossible) return false
    this.#forks.offerMix(stream)
    this.#forks.beginAnew()
    this.#state = 'taken'
    return true
  }

  /** Whether only some of the voices were taken by an answer, the first one or a later one, and the next offer is to have the mix. */
  insteadOfSome(answered: readonly AnsweredStream[], isFirst: boolean): boolean {
    const voices = this.#forks.slots.filter(({ kind }) => kind === 'audio')
    const said = answered.filter(
      (each) => each.isWithdrawn !== true && voices.some(({ label }) => label === each.label),
    )
    const taken = voices.find(({ label }) => said.some((each) => each.label === label && !each.isRefused))
    if (taken === undefined || !said.some(({ isRefused }) => isRefused) || !this.#isPossible) return false
    this.#state = 'offered'
    this.#isAnswerBroken = said.some(({ isGone }) => isGone === true)
    this.#forks.offerMix(taken)
    if (isFirst && this.#plan.replayFromMs !== undefined) this.#hold()
    return true
  }

  /** Reads the answer to an offer of ours, before the forks are aimed by it; undefined: it says nothing of the mix. */
  answered(answered: readonly AnsweredStream[]): MixVerdict | undefined {
    if (this.#state !== 'offered') return undefined
    const said = answered.find(({ label }) => label === this.#forks.mixLabel)
    return this.#decide(said?.isRefused === false ? 'taken' : 'refused')
  }

  /** An offer of ours was refused, and the mix with it. */
  offerRefused(status: number): MixVerdict | undefined {
    const isFinal = (status >= 400 && status < 500 && !undecided.has(status)) || status >= 600
    return this.#state === 'offered' && isFinal ? this.#decide('refused') : undefined
  }

  /** Nothing is awaited any more. */
  close(): void {
    this.#wait?.cancel()
  }

  #decide(verdict: MixVerdict): MixVerdict {
    this.#state = verdict
    if (verdict === 'taken') this.#forks.adoptMix()
    else this.#forks.withdrawMix()
    this.#letGo()
    return verdict
  }

  /** What was said before is sent of the mix then, and not of the one voice that was taken first. */
  #hold(): void {
    this.#forks.hold(true)
    this.#wait = this.#around.clock.after(waitMs, 'recording session mix', () => {
      this.#letGo()
      this.#onDecided()
    })
  }

  #letGo(): void {
    this.#wait?.cancel()
    this.#forks.hold(false)
  }

  /** What was spooled is delivered stream by stream; a single voice is its own mix; some encodings cannot be decoded. */
  get #isPossible(): boolean {
    const { profile, spooled, streams, call, id } = this.#plan
    const { streams: style, mixFallback } = profile.media
    if (!mixFallback || style === 'mixed' || this.#state !== 'untried' || spooled !== undefined) return false
    const voices = streams.now(call.snapshot(), profile.media).filter(({ kind }) => kind === 'audio')
    if (voices.length < 2) return false
    const isAudible = audibleEncodings(this.#plan, this.#around, { ...profile.media, streams: 'mixed' }).length > 0
    if (!isAudible) this.#around.log.warn(texts.unreadable, { session: id })
    return isAudible
  }
}
