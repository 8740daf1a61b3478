// A recording that is being spooled: loopback ports that its forks send to, and the file that takes what comes.

import type { PortPair, PortPool } from '#engine'
import { type Clock, messageOf, type Timer } from '#kernel'
import { newRtpView, parseRtp } from '#rtp'
import { SpoolWriter } from './spool-file.ts'
import type { SpoolFolder } from './spool-folder.ts'

const FLUSH_EVERY_MS = 1_000

/** What an intake works with. */
export interface IntakeSurroundings {
  readonly folder: SpoolFolder
  readonly key: Uint8Array
  readonly pool: PortPool
  readonly clock: Clock
  /** It takes nothing more. */
  readonly onStopped: (reason: string) => void
}

/** Takes the packets of one recording, and nothing but what its forks send. */
export class SpoolIntake {
  readonly #around: IntakeSurroundings
  readonly #writer: SpoolWriter
  readonly #view = newRtpView()
  /** The wall clock of the whole file: packets are delivered as far apart as they came, though the system's is set meanwhile. */
  readonly #originMs: number
  #pairs: readonly PortPair[] = []
  #timer: Timer | undefined
  #isStopped = false

  private constructor(id: string, around: IntakeSurroundings) {
    const { folder, key, clock } = around
    const wallMs = clock.wallMs()
    this.#around = around
    this.#writer = new SpoolWriter(folder.pathOf(id), id, key, wallMs)
    this.#originMs = wallMs - clock.nowMs()
  }

  /** Makes the file and binds a port pair for each port that packets come from; rejects when either cannot be had. */
  static async open(
    id: string,
    sources: readonly number[],
    facts: string,
    around: IntakeSurroundings,
  ): Promise<SpoolIntake> {
    const pairs: PortPair[] = []
    let intake: SpoolIntake | undefined
    try {
      for (const _ of sources) pairs.push(await around.pool.take())
      intake = new SpoolIntake(id, around)
      intake.note(facts)
      intake.#listen(pairs, sources)
      return intake
    } catch (fault) {
      for (const pair of pairs) await around.pool.release(pair)
      if (intake !== undefined) {
        intake.#writer.close()
        around.folder.remove(id)
      }
      throw fault
    }
  }

  /** Where the packets of each source are taken. */
  get ports(): readonly number[] {
    return this.#pairs.map(({ port }) => port)
  }

  note(facts: string): void {
    if (!this.#isStopped) this.#writer.note(facts)
  }

  /** Takes nothing more, and closes; without `facts` those on the disk stay the last. */
  async close(facts?: string): Promise<void> {
    this.#timer?.cancel()
    for (const pair of this.#pairs) await this.#around.pool.release(pair)
    this.#isStopped = true
    try {
      if (facts !== undefined) this.#writer.note(facts)
    } finally {
      this.#writer.close()
    }
  }

  #listen(pairs: readonly PortPair[], sources: readonly number[]): void {
    this.#pairs = pairs
    for (const [stream, { rtp, rtcp }] of pairs.entries()) {
      rtp.on('message', (packet, { port }) => {
        if (port === sources[stream]) this.#take(stream, packet)
      })
      for (const socket of [rtp, rtcp]) socket.on('error', (fault) => this.#stop(messageOf(fault)))
    }
    this.#setTimer()
  }

  #setTimer(): void {
    this.#timer = this.#around.clock.after(FLUSH_EVERY_MS, 'spool flush', () => {
      this.#guard(() => {
        this.#writer.flush()
        const refusal = this.#around.folder.refusal(this.#around.clock.nowMs())
        if (refusal !== undefined) this.#stop(refusal)
      })
      if (!this.#isStopped) this.#setTimer()
    })
  }

  #take(stream: number, packet: Uint8Array): void {
    if (this.#isStopped || !parseRtp(packet, this.#view)) return
    this.#guard(() => this.#writer.append({ stream, atMs: this.#originMs + this.#around.clock.nowMs(), packet }))
  }

  #guard(act: () => void): void {
    try {
      act()
    } catch (fault) {
      this.#stop(messageOf(fault))
    }
  }

  #stop(reason: string): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#around.onStopped(reason)
  }
}
