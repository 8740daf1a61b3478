// The way in and out of the core: the transport port plus the trace of every message.

import { type Clock, type Endpoint, endpointText, type SipTrace, sipTrace, withoutKeys } from '#kernel'
import type { SipFlow, SipTarget, SipTransportPort, TransportName } from './transport-port.ts'

/** Where the responses to a request go (RFC 3261 section 18.2.2, RFC 3581 section 4). */
export interface ReplyPath {
  readonly flow: SipFlow
  /** For a connection that is gone. */
  readonly fallback?: SipTarget
}

/** Sends and receives, publishing each message on `sipTrace` when somebody listens. */
export class Wire {
  readonly #transport: SipTransportPort
  readonly #clock: Clock
  readonly #core: string
  #open = true

  /** `core` is the name that traces bear. */
  constructor(transport: SipTransportPort, clock: Clock, core: string) {
    this.#transport = transport
    this.#clock = clock
    this.#core = core
  }

  supports(transport: TransportName): boolean {
    return this.#transport.supports(transport)
  }

  localAddress(transport: TransportName): Endpoint {
    return this.#transport.localAddress(transport)
  }

  send(target: SipTarget, bytes: Uint8Array, onFailed: (reason: string) => void): void {
    if (!this.#open) return
    if (sipTrace.hasSubscribers)
      this.#trace('out', target.transport, this.localAddress(target.transport), target, bytes)
    this.#transport.sendTo(target, bytes, onFailed)
  }

  reply(path: ReplyPath, bytes: Uint8Array, onFailed: (reason: string) => void): void {
    if (!this.#open) return
    const { flow, fallback } = path
    if (sipTrace.hasSubscribers) this.#trace('out', flow.transport, flow.local, flow.remote, bytes)
    this.#transport.sendBack(flow, bytes, onFailed, fallback)
  }

  /** Notes a message that came in. */
  received(bytes: Uint8Array, flow: SipFlow): void {
    if (sipTrace.hasSubscribers) this.#trace('in', flow.transport, flow.local, flow.remote, bytes)
  }

  /** Sends nothing from now on. */
  close(): void {
    this.#open = false
  }

  #trace(direction: 'in' | 'out', transport: string, local: Endpoint, remote: Endpoint, bytes: Uint8Array): void {
    const trace: SipTrace = {
      core: this.#core,
      direction,
      transport,
      local: endpointText(local),
      remote: endpointText(remote),
      wallMs: this.#clock.wallMs(),
      bytes: withoutKeys(bytes),
    }
    sipTrace.publish(trace)
  }
}
