// The SIP core of one role: what comes in finds its transaction, then its dialog, then its user (RFC 3261 section 8.2).

import { messageOf, ok } from '#kernel'
import { answer, answerProbe } from './answer.ts'
import { DigestGuard } from './auth/digest-guard.ts'
import type { SipCoreOptions } from './core-options.ts'
import type { Arrived, CoreParts, DialogHolder } from './core-parts.ts'
import { DialogState, dialogKey } from './dialog/dialog-state.ts'
import { DialogTable } from './dialog/dialog-table.ts'
import { findReplaced } from './dialog/replaces.ts'
import { type Essentials, readEssentials, replyPathOf, stampVia } from './essentials.ts'
import { IncomingChecks, WITHIN_DIALOG } from './incoming-checks.ts'
import { IncomingInvite } from './incoming-invite.ts'
import { initialPlan, termsOf } from './initial-plan.ts'
import { InviteDialogSession } from './invite-dialog.ts'
import type { SipRequest, SipResponse } from './message/message.ts'
import type { SipParseError } from './message/parse-error.ts'
import { parseMessage } from './message/parser.ts'
import { type ContactShape, MessageBuilder } from './message-builder.ts'
import { locate, NextHop } from './next-hop.ts'
import { OutgoingInvite } from './outgoing-invite.ts'
import { OwnedClock } from './owned-clock.ts'
import { PendingRequest } from './pending-request.ts'
import { sendPlain } from './plain-request.ts'
import type {
  ClientInvite,
  ClientInviteHandlers,
  DialogHandlers,
  DialogSnapshot,
  HeaderList,
  InviteDialog,
  InviteOptions,
  RequestOutcome,
  SipCore,
  SipCoreHandlers,
} from './session.ts'
import { StreamMemory } from './stream-memory.ts'
import { DEFAULT_TIMERS } from './transaction/timer-values.ts'
import { TransactionLayer } from './transaction/transaction-layer.ts'
import type { SipFlow } from './transport-port.ts'
import { Wire } from './wire.ts'

const DEFAULT_MAX_TRANSACTIONS = 100_000
const OVERLOAD_RETRY_AFTER: HeaderList = [['Retry-After', '5']]

/** Makes the SIP core of one role; bytes go in by `receive`, users are told through `handlers`. */
export function createSipCore(options: SipCoreOptions, handlers: SipCoreHandlers): SipCore {
  return new Core(options, handlers)
}

class Core implements SipCore {
  readonly #handlers: SipCoreHandlers
  readonly #parts: CoreParts
  readonly #clock: OwnedClock
  readonly #checks: IncomingChecks
  readonly #guardian: DigestGuard | undefined
  readonly #contact: ContactShape
  #closed = false

  constructor(options: SipCoreOptions, handlers: SipCoreHandlers) {
    const log = options.log.child({ core: options.name })
    const timers = { ...DEFAULT_TIMERS, ...options.timers }
    const clock = new OwnedClock(options.clock, (fault) => log.error('fault in a timer', { fault: messageOf(fault) }))
    const wire = new Wire(options.transport, clock, options.name)
    this.#handlers = handlers
    this.#clock = clock
    this.#checks = new IncomingChecks(options)
    this.#guardian = options.authenticate && new DigestGuard(options.authenticate, options.clock, options.ids)
    this.#contact = { user: options.contactUser, params: options.contactParams }
    this.#parts = {
      options,
      clock,
      timers,
      log,
      wire,
      builder: new MessageBuilder(options, wire),
      transactions: new TransactionLayer({ clock, timers, wire }, options.maxTransactions ?? DEFAULT_MAX_TRANSACTIONS),
      streams: new StreamMemory(clock, wire, log),
      dialogs: new DialogTable(clock),
    }
  }

  invite(options: InviteOptions, handlers: ClientInviteHandlers): ClientInvite {
    const invite = new OutgoingInvite(this.#parts, options, handlers)
    invite.start()
    return invite
  }

  request(method: string, options: InviteOptions): Promise<RequestOutcome> {
    const { plan, hop } = initialPlan(this.#parts, method, options)
    return new Promise((resolve) => {
      locate(this.#parts, hop, options, (located) => sendPlain(this.#parts, plan, located, resolve, options))
    })
  }

  restore(snapshot: DialogSnapshot, handlers: DialogHandlers): InviteDialog {
    const parts = this.#parts
    const { transport, local, remote, timer, ...kept } = snapshot
    const state = DialogState.ofSnapshot(kept)
    // The connection is gone: what we send goes to the remote target, until the peer is heard anew.
    const hop = new NextHop(parts, {}, { transport, local, remote })
    const terms = termsOf(parts, parts.options.sessionTimer)
    const dialog = new InviteDialogSession({ parts, state, contact: this.#contact, hop, digest: undefined, terms })
    dialog.handlers = handlers
    dialog.register()
    if (timer !== undefined) dialog.timer?.resume({ ...timer, expiresInMs: timer.expiresAtMs - parts.clock.wallMs() })
    return dialog
  }

  receive(bytes: Uint8Array, flow: SipFlow): void {
    if (this.#closed) return
    this.#parts.wire.received(bytes, flow)
    const { isTolerant = false } = this.#parts.options
    const parsed = parseMessage(bytes, { transport: flow.transport === 'udp' ? 'datagram' : 'stream', isTolerant })
    if (!parsed.ok) this.#onMalformed(parsed.error, flow)
    else if (parsed.value.kind === 'response') this.#onResponse(parsed.value)
    else this.#onRequest(parsed.value, flow)
  }

  census(): { readonly dialogs: number; readonly transactions: number; readonly timers: number } {
    const { dialogs, transactions } = this.#parts
    return { dialogs: dialogs.size, transactions: transactions.size, timers: this.#clock.running }
  }

  close(): void {
    this.#closed = true
    this.#clock.close()
    this.#parts.wire.close()
    this.#parts.transactions.close()
    this.#parts.dialogs.clear()
  }

  #onMalformed(error: SipParseError, flow: SipFlow): void {
    this.#parts.log.debug('malformed message', { code: error.code, reason: error.message, status: error.status })
    if (error.status === 0 || error.partial === undefined) return
    if (this.#isAdmitted(flow)) this.#refuse(error.partial, flow, error.status)
    else this.#turnAway(error.partial, flow)
  }

  #onResponse(response: SipResponse): void {
    const facts = readEssentials(response.headers)
    // Section 8.1.3.3: a second Via means that the response was not for us.
    if (!facts.ok || response.headers.list('via').length !== 1) {
      this.#parts.log.debug('response dropped', { status: response.status })
      return
    }
    this.#guard(() => {
      if (this.#parts.transactions.receiveResponse(response, facts.value)) return
      this.#parts.log.debug('response without transaction', { callId: facts.value.callId, status: response.status })
    })
  }

  #onRequest(request: SipRequest, flow: SipFlow): void {
    if (!this.#isAdmitted(flow)) {
      if (request.method !== 'ACK') this.#turnAway(request, flow)
      return
    }
    const facts = readEssentials(request.headers)
    if (!facts.ok) return
    stampVia(request.headers, facts.value.via, flow)
    this.#guard(() => this.#take(request, facts.value, flow))
  }

  #take(request: SipRequest, facts: Essentials, flow: SipFlow): void {
    const arrival = this.#parts.transactions.receiveRequest(request, facts, flow)
    switch (arrival.kind) {
      case 'absorbed':
        return
      case 'unmatched-ack':
        this.#holderOf(facts)?.onAck(request, facts.cseqNumber)
        return
      case 'overload':
        this.#refuse(request, flow, 503, OVERLOAD_RETRY_AFTER)
        return
      default: {
        const arrived = { transaction: arrival.transaction, request, facts, flow }
        if (arrival.kind === 'merged') answer(this.#parts, arrived, 482)
        else this.#guard(() => this.#dispatch(arrived), arrived)
      }
    }
  }

  #dispatch(arrived: Arrived): void {
    const { request, facts } = arrived
    if (request.method === 'CANCEL') {
      this.#onCancel(arrived)
      return
    }
    const holder = this.#holderOf(facts)
    // Section 8.2: who sends it comes before everything that could be wrong with it.
    if (this.#challenges(arrived, holder)) return
    const refusal = this.#checks.refuse(request)
    if (refusal !== undefined) answer(this.#parts, arrived, refusal.status, refusal.options)
    else if (holder !== undefined) holder.onRequest(arrived)
    else if (facts.toTag !== '' || WITHIN_DIALOG.has(request.method)) answer(this.#parts, arrived, 481)
    else this.#onStandAlone(arrived)
  }

  /** Whether the request was challenged, or refused as its address guesses. */
  #challenges(arrived: Arrived, holder: DialogHolder | undefined): boolean {
    const { request, facts, flow } = arrived
    const isAsked = this.#guardian?.asks(request.method, flow, facts.toTag !== '', holder?.peerHost) ?? false
    const challenge = isAsked ? this.#guardian?.challenge(request, flow) : undefined
    if (challenge === undefined) return false
    this.#parts.options.onRefused?.(facts.callId, challenge.reason, flow)
    answer(this.#parts, arrived, challenge.status, { headers: challenge.headers })
    return true
  }

  #onStandAlone(arrived: Arrived): void {
    const { method } = arrived.request
    if (method === 'INVITE') this.#onInvite(arrived)
    else if (method === 'OPTIONS') answerProbe(this.#parts, arrived)
    else if (this.#handlers.onRequest === undefined) answer(this.#parts, arrived, 405)
    else this.#handlers.onRequest(new PendingRequest(this.#parts, arrived))
  }

  #onInvite(arrived: Arrived): void {
    const { options, dialogs } = this.#parts
    const replaced = options.supported.includes('replaces') ? findReplaced(arrived.request, dialogs) : ok(undefined)
    const terms = termsOf(this.#parts, options.sessionTimer)
    const tooShort = terms?.refusalOf(arrived.request.headers)
    if (!replaced.ok) answer(this.#parts, arrived, replaced.error)
    else if (tooShort !== undefined) answer(this.#parts, arrived, 422, { headers: tooShort })
    else {
      const traits = { contact: this.#contact, replaced: replaced.value, terms }
      this.#handlers.onInvite(new IncomingInvite(this.#parts, arrived, traits))
    }
  }

  /** Section 9.2: 200 to the CANCEL, with the To tag of the INVITE's responses, then the INVITE ends. */
  #onCancel(arrived: Arrived): void {
    const invite = this.#parts.transactions.findCancelled(arrived.request, arrived.facts)
    if (invite === undefined) {
      answer(this.#parts, arrived, 481)
      return
    }
    const toTag = invite.user.toTag ?? this.#parts.builder.newTag()
    const plan = { toTag, transport: arrived.flow.transport }
    arrived.transaction.respond(200, this.#parts.builder.response(arrived.request, 200, plan))
    invite.user.onCancel?.(arrived.request)
  }

  #holderOf(facts: Essentials): DialogHolder | undefined {
    return facts.toTag === ''
      ? undefined
      : this.#parts.dialogs.find(dialogKey(facts.callId, facts.toTag, facts.fromTag))
  }

  #isAdmitted(flow: SipFlow): boolean {
    return this.#parts.options.admit?.(flow) ?? true
  }

  #turnAway(request: SipRequest, flow: SipFlow): void {
    this.#parts.options.onRefused?.(request.headers.get('call-id') ?? '', 'not-listed', flow)
    this.#refuse(request, flow, 403)
  }

  /** Answers without a transaction. */
  #refuse(request: SipRequest, flow: SipFlow, status: number, headers: HeaderList = []): void {
    const facts = readEssentials(request.headers)
    if (facts.ok) stampVia(request.headers, facts.value.via, flow)
    const toTag = this.#parts.builder.newTag()
    const bytes = this.#parts.builder.response(request, status, {
      toTag,
      transport: flow.transport,
      options: { headers },
    })
    this.#parts.wire.reply(facts.ok ? replyPathOf(facts.value.via, flow) : { flow }, bytes, () => {})
  }

  /** A fault of ours, or of a handler, ends the request at hand, not the process. */
  #guard(action: () => void, arrived?: Arrived): void {
    try {
      action()
    } catch (fault) {
      this.#parts.log.error('fault while a message was handled', { fault: messageOf(fault) })
      if (arrived !== undefined) answer(this.#parts, arrived, 500)
    }
  }
}
