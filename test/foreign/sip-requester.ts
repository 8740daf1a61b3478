// Client transactions (RFC 3261 section 17.1): retransmission, matching by branch, and the ACK that a repeated final gets.

import type { WrittenRequest } from './dialog-side.ts'
import type { Flow } from './sip-flow.ts'
import { branchOf, cseqOf, type SipText } from './sip-text.ts'

const T1_MS = 500
const T2_MS = 4000

type Exchange = {
  readonly method: string
  readonly flow: Flow
  readonly provisional: SipText[]
  readonly onFinal: (response: SipText) => void
  readonly onProvisional: (response: SipText) => void
  isFinal: boolean
  ack: Buffer | undefined
  timer: NodeJS.Timeout | undefined
  deadline: NodeJS.Timeout | undefined
}

/** The requests of one peer that await their responses. */
export class SipRequester {
  readonly #exchanges = new Map<string, Exchange>()

  /** Sends a request and resolves with its final response; rejects after `deadlineMs`. */
  send(
    request: WrittenRequest,
    method: string,
    flow: Flow,
    deadlineMs: number,
    onProvisional: (response: SipText) => void = () => {},
  ): Promise<SipText> {
    return new Promise((resolve, reject) => {
      const exchange: Exchange = {
        method,
        flow,
        provisional: [],
        onFinal: resolve,
        onProvisional,
        isFinal: false,
        ack: undefined,
        timer: undefined,
        deadline: undefined,
      }
      exchange.deadline = setTimeout(() => {
        clearTimeout(exchange.timer)
        reject(new Error(`${method} had no final response within ${deadlineMs} ms`))
      }, deadlineMs)
      this.#exchanges.set(`${request.branch} ${method}`, exchange)
      flow.send(request.raw)
      if (flow.kind === 'udp') this.#repeat(exchange, request.raw, T1_MS)
    })
  }

  #repeat(exchange: Exchange, raw: Buffer, afterMs: number): void {
    exchange.timer = setTimeout(() => {
      exchange.flow.send(raw)
      this.#repeat(exchange, raw, exchange.method === 'INVITE' ? afterMs * 2 : Math.min(afterMs * 2, T2_MS))
    }, afterMs)
  }

  /** Takes a response; false when it answers nothing that was asked. */
  accept(response: SipText): boolean {
    const exchange = this.#exchanges.get(`${branchOf(response)} ${cseqOf(response).method}`)
    if (exchange === undefined) return false
    if (response.status < 200) {
      if (exchange.method === 'INVITE') clearTimeout(exchange.timer)
      exchange.provisional.push(response)
      exchange.onProvisional(response)
    } else if (exchange.isFinal) {
      if (exchange.ack) exchange.flow.send(exchange.ack)
    } else {
      exchange.isFinal = true
      clearTimeout(exchange.timer)
      clearTimeout(exchange.deadline)
      exchange.onFinal(response)
    }
    return true
  }

  /** Sends the ACK of an INVITE, and again for each repeated final response. */
  acknowledge(invite: WrittenRequest, ack: Buffer): void {
    const exchange = this.#exchanges.get(`${invite.branch} INVITE`)
    if (exchange === undefined) return
    exchange.ack = ack
    exchange.flow.send(ack)
  }

  /** Forgets everything; no timer stays behind. */
  close(): void {
    for (const exchange of this.#exchanges.values()) {
      clearTimeout(exchange.timer)
      clearTimeout(exchange.deadline)
    }
    this.#exchanges.clear()
  }
}

/** The responses of one peer: a repeated request gets the same answer, an INVITE's 2xx comes again until its ACK. */
export class SipResponder {
  readonly #sent = new Map<string, { request: Buffer; response: Buffer | undefined; timer?: NodeJS.Timeout }>()

  /** Notes a request; false when it repeats one, which is answered from memory. */
  isNew(request: SipText, flow: Flow): boolean {
    const key = `${branchOf(request)} ${request.method}`
    const before = this.#sent.get(key)
    if (before === undefined) {
      this.#sent.set(key, { request: request.raw, response: undefined })
      return true
    }
    if (before.response) flow.send(before.response)
    return false
  }

  /** Whether a request repeats one byte by byte. */
  isSameAsBefore(request: SipText): boolean {
    return this.#sent.get(`${branchOf(request)} ${request.method}`)?.request.equals(request.raw) ?? false
  }

  /** Sends a response, again and again until `acknowledged` when it is a final one to an INVITE. */
  send(request: SipText, response: Buffer, flow: Flow, untilAck = false): void {
    const entry = this.#sent.get(`${branchOf(request)} ${request.method}`)
    if (entry) entry.response = response
    flow.send(response)
    if (untilAck && entry) this.#repeat(entry, flow, T1_MS)
  }

  #repeat(entry: { response: Buffer | undefined; timer?: NodeJS.Timeout }, flow: Flow, afterMs: number): void {
    entry.timer = setTimeout(() => {
      if (entry.response) flow.send(entry.response)
      if (afterMs < 64 * T1_MS) this.#repeat(entry, flow, Math.min(afterMs * 2, T2_MS))
    }, afterMs)
  }

  /** Ends the repetition of the answer to one INVITE. */
  acknowledged(invite: SipText): void {
    clearTimeout(this.#sent.get(`${branchOf(invite)} INVITE`)?.timer)
  }

  close(): void {
    for (const entry of this.#sent.values()) clearTimeout(entry.timer)
  }
}
