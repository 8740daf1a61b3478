// Large requests go by TCP (RFC 3261 section 18.1.1), except to hosts that lately refused it.

import type { Clock, Logger } from '#kernel'
import type { SipTarget } from './transport-port.ts'
import type { Wire } from './wire.ts'

const LARGEST_DATAGRAM_BYTES = 1300
const CONNECT_TIMEOUT_MS = 1000
const REMEMBER_MS = 600_000
const MAX_HOSTS = 4096

/** Decides between TCP and UDP for requests over 1300 bytes, and remembers what failed for ten minutes. */
export class StreamMemory {
  readonly #clock: Clock
  readonly #wire: Wire
  readonly #log: Logger
  readonly #refusedUntilMs = new Map<string, number>()
  #fallbacks = 0

  constructor(clock: Clock, wire: Wire, log: Logger) {
    this.#clock = clock
    this.#wire = wire
    this.#log = log
  }

  /** The TCP target to use instead of a UDP one, or undefined. */
  insteadOf(target: SipTarget, sizeBytes: number): SipTarget | undefined {
    if (target.transport !== 'udp' || sizeBytes <= LARGEST_DATAGRAM_BYTES || !this.#wire.supports('tcp'))
      return undefined
    const untilMs = this.#refusedUntilMs.get(target.host)
    if (untilMs !== undefined && untilMs > this.#clock.nowMs()) return undefined
    return { ...target, transport: 'tcp', connectTimeoutMs: CONNECT_TIMEOUT_MS }
  }

  /** TCP to this host failed: use UDP for a while. */
  remember(host: string, reason: string): void {
    this.#fallbacks += 1
    if (this.#refusedUntilMs.size >= MAX_HOSTS) this.#refusedUntilMs.clear()
    this.#refusedUntilMs.set(host, this.#clock.nowMs() + REMEMBER_MS)
    this.#log.warn('large request falls back from TCP to UDP', { host, reason, fallbacks: this.#fallbacks })
  }
}
