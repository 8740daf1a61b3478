// Transfers of a call (RFC 3515, 5589): a party's REFER is carried out here, carried on to the other party, or declined.

import { type Clock, messageOf } from '#kernel'
import type { HeaderList, IncomingRequest, Replaces } from '#sip'
import { type Consultation, type ReceivingCall, takeOver } from './attended-transfer.ts'
import { playable, RELAYED } from './codecs.ts'
import type { Attempt, Dialler } from './dialler.ts'
import { aorOf, fromAs } from './identity.ts'
import type { Leg } from './leg.ts'
import { parseRefer, type Refer } from './refer.ts'
import { ReferRelay } from './refer-relay.ts'
import { ReferSubscription } from './refer-subscription.ts'
import { type ReferOptions, type ReferResult, Referral } from './referral.ts'

/** What to do with transfers. */
export interface TransferPolicy {
  /** `execute`: call the target in the referrer's place. `pass`: let the other party do so. `refuse`: 603. */
  readonly mode: 'execute' | 'pass' | 'refuse'
  /** Whether the call is the same communication session afterwards, or a new one in its group. */
  readonly session: 'same' | 'new'
}

const RING_TIMEOUT_MS = 60_000

/** What a transfer asks of its call. */
export interface TransferringCall extends ReceivingCall {
  readonly clock: Clock
  readonly dialler: Dialler
  readonly domain: string
  readonly policy: TransferPolicy
  /** The call through us that a dialog is of, if it is. */
  consultation(dialog: Replaces): Consultation | undefined
  /** The party that was to be transferred has nobody to talk to. */
  abandon(status: number): void
}

interface Transfer {
  readonly referrer: Leg
  attempt: Attempt | undefined
}

/** The transfers of one call, one at a time. */
export class Transfers {
  readonly #call: TransferringCall
  readonly #relay = new ReferRelay()
  readonly #referral: Referral
  #current: Transfer | undefined

  constructor(call: TransferringCall) {
    this.#call = call
    this.#referral = new Referral(call.clock)
  }

  /** Answers a REFER of a party. */
  onRefer(referrer: Leg, incoming: IncomingRequest): void {
    const { conversation, policy, dialler } = this.#call
    const refer = parseRefer(incoming.request)
    if (!refer.ok) {
      incoming.respond(refer.error)
      return
    }
    const others = conversation.others(referrer)
    if (policy.mode === 'refuse' || others.length === 0) {
      incoming.respond(603)
      return
    }
    if (this.#current !== undefined) {
      incoming.respond(491)
      return
    }
    if (policy.mode === 'pass' && others[0] !== undefined) {
      void this.#relay.refer(referrer, others[0], incoming)
      return
    }
    const { target, replaces } = refer.value
    const consultation = replaces === undefined ? undefined : this.#call.consultation(replaces.dialog)
    const refusal = consultation === undefined ? dialler.refuses(target) : undefined
    if (refusal === undefined) this.#accept(referrer, refer.value, consultation, incoming)
    else incoming.respond(refusal.sipStatus ?? 403)
  }

  /** Asks the near side to call somebody else. Never rejects. */
  async refer(options: ReferOptions): Promise<ReferResult> {
    const { conversation, dialler } = this.#call
    const refusal = dialler.refuses(options.target)
    if (refusal !== undefined) return { ...refusal, result: 'forbidden' }
    return conversation.near === undefined
      ? { result: 'failed' }
      : await this.#referral.refer(conversation.near, options)
  }

  /** Answers a NOTIFY: it is about a REFER of ours, one that was carried on, or about nothing. */
  onNotify(from: Leg, incoming: IncomingRequest): void {
    if (!this.#referral.takes(from, incoming)) void this.#relay.notify(from, incoming)
  }

  /** Whether a leg's seat is kept for the target of its transfer although its party has hung up. */
  keepsSeatOf(leg: Leg): boolean {
    return this.#current?.referrer === leg
  }

  /** The call is over: a target that rings is let go. */
  close(headers: HeaderList): void {
    this.#referral.close()
    this.#current?.attempt?.cancel(headers)
  }

  #accept(referrer: Leg, refer: Refer, consultation: Consultation | undefined, incoming: IncomingRequest): void {
    incoming.respond(202, refer.isSilent ? { headers: [['Refer-Sub', 'false']] } : {})
    const { dialog } = referrer
    const subscription =
      refer.isSilent || dialog === undefined ? undefined : new ReferSubscription(dialog, incoming.request)
    subscription?.progress(100)
    const transfer: Transfer = { referrer, attempt: undefined }
    this.#current = transfer
    const executed =
      consultation === undefined
        ? this.#execute(transfer, refer, (status) => subscription?.progress(status))
        : takeOver(this.#call, referrer, consultation)
    void executed
      .catch((thrown: unknown) => {
        this.#call.log.error('fault in a transfer', { error: messageOf(thrown) })
        return 500
      })
      .then((status) => this.#finish(transfer, status, subscription))
  }

  /** Calls the target and seats it; resolves with the status to report. */
  async #execute(transfer: Transfer, refer: Refer, onProgress: (status: number) => void): Promise<number> {
    const { conversation, dialler, log } = this.#call
    let leg: Leg
    try {
      leg = await dialler.open(this.#call.nextLegName())
    } catch (thrown) {
      log.warn('no media for a transfer target', { error: messageOf(thrown) })
      return 503
    }
    const [other, ...more] = conversation.others(transfer.referrer)
    if (other === undefined) return 487
    leg.meets = [other, ...more]
    const attempt = dialler.call(leg, {
      target: refer.target,
      timeoutMs: RING_TIMEOUT_MS,
      encodings: more.length === 0 ? other.sdp.encodings : playable(RELAYED),
      direction: conversation.bridge.firstDirectionFor(leg, more.length === 0 ? other : undefined),
      onProgress: ({ status }) => onProgress(status),
      headers: this.#headersFor(transfer.referrer, refer),
      ...(other.isOutgoing && { from: fromAs(other.dialog?.remoteUri ?? '', this.#call.domain) }),
    })
    transfer.attempt = attempt
    const outcome = await attempt.outcome
    const isSeated =
      outcome.isAnswered &&
      (await leg.applyMedia()) &&
      !leg.ended &&
      (await this.#call.replace(transfer.referrer, leg, dialler.joiningOf(refer.target, outcome)))
    if (isSeated) return 200
    await conversation.discard(leg)
    return outcome.isAnswered ? 480 : outcome.status
  }

  #headersFor(referrer: Leg, refer: Refer): HeaderList {
    const referredBy = refer.referredBy ?? `<${aorOf(referrer.dialog?.remoteUri ?? '')}>`
    const { replaces } = refer
    return [
      ['Referred-By', referredBy],
      ...(replaces === undefined
        ? []
        : ([
            ['Replaces', replaces.text],
            ['Require', 'replaces'],
          ] as const)),
    ]
  }

  async #finish(transfer: Transfer, status: number, subscription: ReferSubscription | undefined): Promise<void> {
    const { referrer } = transfer
    this.#current = undefined
    this.#call.log.info('transfer over', { leg: referrer.name, status })
    if (status !== 200 && referrer.ended) {
      this.#call.abandon(status)
      return
    }
    await subscription?.end(status)
    // The referrer's phone may have hung up by itself on hearing of the success.
    if (status === 200) void referrer.dialog?.bye()
  }
}
