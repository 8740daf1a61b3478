// The dial of a call: a callee is called for the caller, joined at its answer, and forgotten when it has left.

import { type Logger, messageOf } from '#kernel'
import type { HeaderList } from '#sip'
import type { Conversation } from './conversation.ts'
import type { Answer, Attempt, Dialler, Failure } from './dialler.ts'
import { type DialResult, dialResultOf } from './failure-status.ts'
import type { Leg } from './leg.ts'
import { type EndReason, reasonOf } from './reason.ts'

/** Whom to call, and how. */
export interface DialOptions {
  /** SIP URI. */
  readonly target: string
  /** How long it may ring. */
  readonly timeoutMs: number
  /** `answer`: the call ends with the callee. `end`: the dial does, and the flow goes on. */
  readonly until: 'answer' | 'end'
}

/** What a dial asks of its call. */
export interface DiallingCall {
  readonly conversation: Conversation
  readonly dialler: Dialler
  readonly log: Logger
  readonly ended: boolean
  /** What a callee may be offered. */
  readonly carries: readonly string[]
  nextLegName(): string
  /** The callee rings; with `encodings` it sends early media in them. */
  progress(status: number, encodings: readonly string[] | undefined): Promise<void>
  /** The callee answered in these encodings; false if the call ended instead. */
  answer(encodings: readonly string[]): Promise<boolean>
  /** Why the callee refused. */
  refused(reason: EndReason): void
  /** The media of the call cannot be set. */
  fail(): void
  /** A bug: the call cannot go on. */
  readonly onFault: (fault: unknown) => void
}

interface Dial {
  readonly attempt: Attempt
  readonly until: DialOptions['until']
  /** The callee has left, or the call is over. */
  readonly onLeft: () => void
  /** The callee's leg, or that of the party it was transferred to. */
  leg: Leg
}

const ABANDONED: DialResult = { result: 'failed', sipStatus: 487 }
const BUSY_DIALLING: DialResult = { result: 'failed', sipStatus: 491 }

/** No ports are left for a callee: our own doing. */
export const NO_PORTS: DialResult = { result: 'failed', sipStatus: 503 }

/** One dial at a time, from its INVITE until the callee has left. */
export class CalleeDial {
  readonly #call: DiallingCall
  #dial: Dial | undefined
  #isDialling = false

  constructor(call: DiallingCall) {
    this.#call = call
  }

  /** Calls a callee; never rejects. */
  async dial(options: DialOptions): Promise<DialResult> {
    const { dialler, log } = this.#call
    const refusal = this.#refusalOf(options.target)
    if (refusal !== undefined) return refusal
    this.#isDialling = true
    try {
      const leg = await dialler.open(this.#call.nextLegName())
      return this.#call.ended ? ABANDONED : await this.#callOut(leg, options)
    } catch (thrown) {
      log.warn('no media for a callee', { error: messageOf(thrown) })
      return NO_PORTS
    } finally {
      this.#isDialling = false
    }
  }

  /** The dialog of a leg is over; true if only the dial ends with it. */
  takesEndOf(leg: Leg): boolean {
    if (this.#dial?.leg !== leg || this.#dial.until === 'answer') return false
    this.#drop(leg)
    return true
  }

  /** A callee was transferred: the dial goes on with the party in its place. */
  follow(old: Leg, by: Leg): void {
    if (this.#dial?.leg === old) this.#dial.leg = by
  }

  /** The call is over: gives up an INVITE under way. */
  close(headers: HeaderList): void {
    this.#dial?.attempt.cancel(headers)
    this.#end()
  }

  #refusalOf(target: string): DialResult | undefined {
    if (this.#call.ended) return ABANDONED
    if (this.#isDialling || this.#dial !== undefined) return BUSY_DIALLING
    return this.#call.dialler.refuses(target)
  }

  async #callOut(leg: Leg, options: DialOptions): Promise<DialResult> {
    const { conversation, dialler, carries, onFault } = this.#call
    const { bridge } = conversation
    const video = await conversation.videoFor(leg)
    if (this.#call.ended) return ABANDONED
    bridge.seat(leg)
    const attempt = dialler.call(leg, {
      ...options,
      encodings: carries,
      direction: bridge.firstDirectionFor(leg),
      ...(video !== undefined && { video }),
      onProgress: ({ status }, hasMedia) => void this.#onProgress(leg, status, hasMedia).catch(onFault),
    })
    const whenLeft = new Promise<void>((resolve) => {
      this.#dial = { attempt, leg, until: options.until, onLeft: resolve }
    })
    const outcome = await attempt.outcome
    if (outcome.isAnswered) {
      const hasJoined = await this.#onAnswered(leg, options.target, outcome)
      if (options.until === 'end') await whenLeft
      return hasJoined || !this.#call.ended ? { result: 'answered' } : ABANDONED
    }
    if (this.#call.ended) return ABANDONED
    this.#onFailed(leg, outcome)
    return { result: dialResultOf(outcome.status), sipStatus: outcome.status }
  }

  async #onProgress(leg: Leg, status: number, hasMedia: boolean): Promise<void> {
    if (hasMedia) {
      const isSet = await leg.applyMedia()
      if (isSet && !leg.ended) await this.#call.conversation.couple(leg)
      if (leg.ended || this.#call.ended) return
    }
    await this.#call.progress(status, hasMedia ? leg.sdp.encodings : undefined)
  }

  /** Whether the callee joined. */
  async #onAnswered(leg: Leg, target: string, answer: Answer): Promise<boolean> {
    const { conversation, fail, onFault } = this.#call
    try {
      const isSet = (await leg.applyMedia()) && !leg.ended && (await conversation.couple(leg))
      if (leg.ended) return false
      if (!isSet) {
        fail()
        return false
      }
      conversation.joinCallee(leg, this.#call.dialler.joiningOf(target, answer))
      if (await this.#call.answer(leg.sdp.encodings)) conversation.bridge.sync()
      return true
    } catch (thrown) {
      onFault(thrown)
      return false
    }
  }

  #onFailed(leg: Leg, { status, response }: Failure): void {
    this.#call.log.info('dial failed', { status })
    const reason = reasonOf(response)
    if (reason !== undefined) this.#call.refused(reason)
    this.#drop(leg)
  }

  /** Forgets a callee whose leg is over; the caller stays. */
  #drop(leg: Leg): void {
    if (!leg.ended) leg.lifecycle.enter('ended')
    this.#call.conversation.leave(leg)
    this.#end()
  }

  #end(): void {
    this.#dial?.onLeft()
    this.#dial = undefined
  }
}
