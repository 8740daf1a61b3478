// Our re-INVITEs of one dialog, one at a time: RFC 3261 section 14.1 with its waits after glare.

import { Acknowledgement } from './acknowledgement.ts'
import { cancelInvite } from './cancel-invite.ts'
import { type DialogContext, planWithin } from './dialog-context.ts'
import { glareWaitMs, MAX_OFFER_TRIES } from './glare-wait.ts'
import type { SipResponse } from './message/message.ts'
import type { RequestPlan } from './message-builder.ts'
import type { Located } from './next-hop.ts'
import { unlocated } from './plain-request.ts'
import type { ReinviteOptions, RequestOutcome } from './session.ts'
import { TargetWalk } from './target-walk.ts'
import { TimerSet } from './timer-set.ts'
import type { ClientTransaction } from './transaction/client-transaction.ts'
import { timeoutMs } from './transaction/timer-values.ts'

const TIMED_OUT: RequestOutcome = { status: 408, reason: 'Request Timeout', cause: 'timeout' }

interface Job {
  readonly options: () => ReinviteOptions
  readonly settle: (outcome: RequestOutcome) => void
  tries: number
  retriesGlare: boolean
}

/** What the dialog knows and the queue must ask. */
export interface ReinviteQueueUser {
  /** An INVITE of the peer is under way, or one of ours is not acknowledged yet. */
  isBusy(): boolean
  /** A final response came, with its headers taken as they are. */
  onAccepted(response: SipResponse): void
  /** The last try of a job ended like this; called after the job is settled. */
  onOutcome(outcome: RequestOutcome): void
}

/** Waiting re-INVITEs, and the one under way. */
export class ReinviteQueue {
  readonly #context: DialogContext
  readonly #user: ReinviteQueueUser
  readonly #jobs: Job[] = []
  readonly #timers: TimerSet<'reinvite-retry'>
  #isInFlight = false
  #isResting = false
  /** What is under way is not to be tried again: the last one waits for its end. */
  #isLastWaiting = false
  #closed = false

  constructor(context: DialogContext, user: ReinviteQueueUser) {
    this.#context = context
    this.#user = user
    this.#timers = new TimerSet(context.parts.clock, () => {
      this.#isResting = false
      this.pump()
    })
  }

  /** Whether an INVITE of ours waits for its final response. */
  get isInFlight(): boolean {
    return this.#isInFlight
  }

  add(options: () => ReinviteOptions, settle: (outcome: RequestOutcome) => void): void {
    this.#jobs.push({ options, settle, tries: 0, retriesGlare: true })
    this.pump()
  }

  /** Gives up all that is not under way yet, waits after glare included, for one that is the last. */
  addLast(options: () => ReinviteOptions, settle: (outcome: RequestOutcome) => void): void {
    this.#jobs.length = this.#isInFlight ? 1 : 0
    this.#isLastWaiting = this.#isInFlight
    this.#isResting = false
    this.#timers.clearAll()
    this.add(options, settle)
  }

  /** Starts the next one if nothing stands in the way; to be called whenever that may have changed. */
  pump(): void {
    const job = this.#jobs[0]
    if (job === undefined || this.#closed || this.#isInFlight || this.#isResting || this.#user.isBusy()) return
    this.#isInFlight = true
    job.tries += 1
    const cseqNumber = this.#context.state.nextCSeq()
    const asked = job.options()
    job.retriesGlare = asked.retryGlare !== false
    const { plan, hop } = planWithin(this.#context, 'INVITE', cseqNumber, asked)
    this.#context.hop.resolve(hop, (located) => this.#send(job, plan, located))
  }

  /** The dialog is over: nothing is started any more; what is under way ends by itself. */
  close(): void {
    this.#closed = true
    this.#jobs.length = 0
    this.#timers.clearAll()
  }

  #send(job: Job, plan: RequestPlan, located: Located): void {
    if (this.#closed) return
    if (!located.ok || located.value.length === 0) {
      this.#finish(job, unlocated(located))
      return
    }
    const { parts } = this.#context
    let acknowledgement: Acknowledgement | undefined
    const patience = new TimerSet<'reinvite-timeout'>(parts.clock, () => {
      const transaction = walk.transaction
      walk.stop()
      if (transaction !== undefined) cancelInvite(parts, transaction)
      this.#finish(job, TIMED_OUT)
    })
    const onFinal = (response: SipResponse): void => {
      patience.clearAll()
      walk.stop()
      this.#onFinal(job, response)
    }
    const onAccepted = (response: SipResponse, transaction: ClientTransaction): void => {
      const isFirst = acknowledgement === undefined
      if (isFirst) this.#user.onAccepted(response)
      acknowledgement ??= new Acknowledgement(this.#context, transaction.request, undefined)
      acknowledgement.send()
      if (isFirst) onFinal(response)
    }
    const walk = new TargetWalk(parts, plan, located.value, {
      onResponse: (response, transaction) => {
        this.#context.state.sessionIds.hear(response.headers)
        if (response.status < 200) patience.set('reinvite-timeout', timeoutMs(parts.timers))
        else if (response.status < 300) onAccepted(response, transaction)
        else onFinal(response)
      },
      onExhausted: (outcome) => {
        patience.clearAll()
        this.#finish(job, outcome)
      },
    })
    walk.start()
  }

  #onFinal(job: Job, response: SipResponse): void {
    const { parts, state } = this.#context
    const isWanted = job.tries < MAX_OFFER_TRIES && !this.#isLastWaiting
    const mayTryAgain = isWanted && (response.status !== 491 || job.retriesGlare)
    const waitMs = mayTryAgain ? glareWaitMs(response, state.ownsCallId, parts.options.ids) : undefined
    if (waitMs === undefined || this.#closed) {
      this.#finish(job, { status: response.status, reason: response.reason, cause: 'response', response })
      return
    }
    this.#isInFlight = false
    this.#isResting = true
    this.#timers.set('reinvite-retry', waitMs)
  }

  #finish(job: Job, outcome: RequestOutcome): void {
    this.#isInFlight = false
    this.#isLastWaiting = false
    if (this.#jobs[0] === job) this.#jobs.shift()
    job.settle(outcome)
    if (this.#closed) return
    this.#user.onOutcome(outcome)
    this.pump()
  }
}
