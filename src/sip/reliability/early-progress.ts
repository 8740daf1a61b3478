// What an outgoing INVITE hears before its final answer, by early dialog: RFC 3262 section 4.

import { answer } from '../answer.ts'
import type { Arrived, CoreParts, DialogHolder } from '../core-parts.ts'
import type { DialogState } from '../dialog/dialog-state.ts'
import { type DialogContext, sendWithin } from '../dialog-context.ts'
import { EarlyDialogSession } from '../early-dialog.ts'
import { cseqNumberOf, type SipRequest, type SipResponse } from '../message/message.ts'
import type { ClientInvite, SipBody } from '../session.ts'
import { rseqOf } from './rseq.ts'

/** A forking proxy that makes more is not believed. */
const MAX_EARLY_DIALOGS = 16

interface Branch extends DialogHolder {
  readonly early: EarlyDialogSession
  /** RSeq of the last reliable response taken. */
  rseq: number | undefined
}

/** What the progress needs of its INVITE. */
export interface EarlyProgressUser {
  readonly invite: ClientInvite
  readonly hasOffer: boolean
  contextOf(response: SipResponse, invite: SipRequest): DialogContext
  /** The answer to an offer in a reliable response, for the PRACK. */
  answerTo(response: SipResponse): SipBody | undefined | Promise<SipBody | undefined>
}

/** The early dialogs of one INVITE; acknowledges what is reliable. */
export class EarlyProgress {
  readonly #parts: CoreParts
  readonly #user: EarlyProgressUser
  readonly #branches = new Map<string, Branch>()

  constructor(parts: CoreParts, user: EarlyProgressUser) {
    this.#parts = parts
    this.#user = user
  }

  /** Takes a provisional response; false when it is a repetition, or came before one that is missing. */
  take(response: SipResponse, invite: SipRequest): boolean {
    const branch = this.#branchOf(response, invite)
    branch?.early.context.state.sessionIds.hear(response.headers)
    const rseq = this.#parts.options.supported.includes('100rel') ? rseqOf(response) : undefined
    if (branch === undefined || rseq === undefined) return true
    if (branch.rseq !== undefined && rseq !== branch.rseq + 1) return false
    branch.rseq = rseq
    this.#acknowledge(branch.early, response, invite, rseq)
    return true
  }

  /** The early dialog that a response belongs to. */
  of(response: SipResponse): EarlyDialogSession | undefined {
    return this.#branches.get(response.headers.tag('To') ?? '')?.early
  }

  /** The state of a dialog that was early, with the sequence numbers used in it. */
  stateOf(response: SipResponse): DialogState | undefined {
    return this.of(response)?.context.state
  }

  /** The INVITE has its final answer. */
  close(): void {
    for (const branch of this.#branches.values()) {
      branch.early.close()
      this.#parts.dialogs.remove(branch.early.context.state.key, branch)
    }
  }

  #branchOf(response: SipResponse, invite: SipRequest): Branch | undefined {
    const tag = response.headers.tag('To') ?? ''
    const known = this.#branches.get(tag)
    if (known !== undefined || tag === '' || this.#branches.size >= MAX_EARLY_DIALOGS) return known
    const early = new EarlyDialogSession(this.#user.contextOf(response, invite))
    const branch: Branch = {
      early,
      rseq: undefined,
      replaceable: { kind: 'early', invite: this.#user.invite },
      onRequest: (arrived: Arrived) => {
        if (!early.take(arrived)) answer(this.#parts, arrived, 481)
      },
      onAck: () => {},
    }
    this.#branches.set(tag, branch)
    this.#parts.dialogs.add(early.context.state.key, branch)
    return branch
  }

  #acknowledge(early: EarlyDialogSession, response: SipResponse, invite: SipRequest, rseq: number): void {
    const headers = [['RAck', `${rseq} ${cseqNumberOf(invite)} INVITE`]] as const
    const send = (body?: SipBody): void =>
      sendWithin(early.context, 'PRACK', body === undefined ? { headers } : { headers, body }, () => {})
    const hasSession = response.body.length > 0
    const isOffer = hasSession && !this.#user.hasOffer && !early.isAgreed
    if (hasSession) early.isAgreed = true
    const body = isOffer ? this.#user.answerTo(response) : undefined
    if (body instanceof Promise) body.then(send, () => send())
    else send(body)
  }
}
