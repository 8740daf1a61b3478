// One request that the chaos recorder received, until it is answered or left without an answer on purpose.

import type { SipFlow, SipRequest, SipTransportPort } from '#sip'
import { type ChaosBody, type HeaderPairs, responseBytes } from './chaos-messages.ts'
import type { Refusal } from './chaos-script.ts'

/** A request and what was said to it; a repetition of the request gets the last response again. */
export class ChaosRequest {
  readonly request: SipRequest
  readonly flow: SipFlow
  /** A final response was given, or shall never be. */
  isSettled = false
  readonly #transport: SipTransportPort
  #last: Uint8Array | undefined

  constructor(request: SipRequest, flow: SipFlow, transport: SipTransportPort) {
    this.request = request
    this.flow = flow
    this.#transport = transport
  }

  /** Sends a response; after a final one only `again` sends more. */
  respond(status: number, tag: string, headers: HeaderPairs = [], body?: ChaosBody): void {
    if (this.isSettled) return
    this.isSettled = status >= 200
    this.again(status, tag, headers, body)
  }

  /** Sends a response whatever was sent before. */
  again(status: number, tag: string, headers: HeaderPairs, body?: ChaosBody): void {
    this.#last = responseBytes(this.request, status, tag, headers, body)
    this.#send(this.#last)
  }

  refuse({ status, retryAfterSeconds, reason, contact, accept }: Refusal, tag: string): void {
    const given: [string, string | undefined][] = [
      ['Retry-After', retryAfterSeconds === undefined ? undefined : `${retryAfterSeconds}`],
      ['Reason', reason],
      ['Contact', contact],
      ['Accept', accept],
    ]
    this.respond(
      status,
      tag,
      given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
    )
  }

  /** The request came again. */
  repeat(): void {
    if (this.#last !== undefined) this.#send(this.#last)
  }

  #send(bytes: Uint8Array): void {
    this.#transport.sendBack(this.flow, bytes, () => {})
  }
}
