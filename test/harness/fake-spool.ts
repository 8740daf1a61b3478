// In-memory twin of the recording client's spool port: keeps what it is told, plays no audio.

import type { ForkCounters, ForkMedia, GateReceipt, MediaLocal, MediaRemote } from '#engine'
import { err, Listeners, ok, type Result } from '#kernel'
import type { SpoolEvent, SpooledFile, SpoolPort } from '#recording-client'

interface Kept {
  facts: string
  isOpen: boolean
  isExpired: boolean
}

/** The spool twin; tests say when a delivery has sent everything. */
export class FakeSpool implements SpoolPort {
  readonly deliverySpeed = 8
  readonly kept = new Map<string, Kept>()
  /** Why nothing is taken, if so. */
  refusal: string | undefined
  /** Forks of deliveries whose gates are open, by spooled recording. */
  readonly flowing = new Map<string, Set<string>>()
  readonly #events = new Listeners<SpoolEvent>()
  #nextPort = 50_000

  async take(
    id: string,
    sources: readonly MediaLocal[],
    facts: string,
  ): Promise<Result<readonly MediaRemote[], string>> {
    if (this.refusal !== undefined) return err(this.refusal)
    this.kept.set(id, { facts, isOpen: true, isExpired: false })
    return ok(sources.map(() => this.#remote()))
  }

  async note(id: string, facts: string): Promise<void> {
    const kept = this.kept.get(id)
    if (kept?.isOpen === true) kept.facts = facts
  }

  async finish(id: string, facts: string): Promise<void> {
    await this.note(id, facts)
    const kept = this.kept.get(id)
    if (kept !== undefined) kept.isOpen = false
  }

  async list(): Promise<readonly SpooledFile[]> {
    return [...this.kept]
      .filter(([, { isOpen }]) => !isOpen)
      .map(([id, { facts, isExpired }]) => ({ id, facts, bytes: facts.length, writtenAtMs: 0, isExpired }))
  }

  async remove(id: string): Promise<void> {
    this.kept.delete(id)
  }

  delivery(id: string): ForkMedia {
    const flowing = new Set<string>()
    const receipts = (forks: readonly string[]): GateReceipt[] =>
      forks.map((fork) => ({ fork, ssrc: 1, packetsSent: 0, packetsHeld: 0, drained: true }))
    return {
      addFork: async () => {
        this.flowing.set(id, flowing)
        const { rtp } = this.#remote()
        return { host: '192.0.2.10', rtpPort: rtp.port, rtcpPort: rtp.port + 1, ssrc: 1 }
      },
      connectFork: async () => {},
      moveFork: async () => {},
      shutGates: async (forks) => {
        for (const fork of forks) flowing.delete(fork)
        return receipts(forks)
      },
      openGates: async (forks) => {
        for (const fork of forks) flowing.add(fork)
      },
      removeFork: async (fork): Promise<ForkCounters> => {
        flowing.delete(fork)
        if (flowing.size === 0) this.flowing.delete(id)
        return { fork, ssrc: 1, packets: 50, bytes: 8_000, held: 0, sendErrors: 0, receiverReports: 0 }
      },
    }
  }

  onEvent(listener: (event: SpoolEvent) => void): () => void {
    return this.#events.add(listener)
  }

  /** Lets the spool report something. */
  emit(event: SpoolEvent): void {
    this.#events.emit(event)
  }

  #remote(): MediaRemote {
    const port = this.#nextPort
    this.#nextPort += 2
    return { rtp: { host: '127.0.0.1', port }, rtcp: { host: '127.0.0.1', port: port + 1 } }
  }
}
