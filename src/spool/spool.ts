// The spool: encrypted files of recordings for which no recorder could be had, and their way to a recorder later.

import type { ForkCounters, ForkOptions, ForkRemote, GateReceipt, MediaCodec, MediaLocal, MediaRemote } from '#engine'
import { err, ok, type Result } from '#kernel'
import type { SpooledFile } from './spool-folder.ts'
import { type LinkSurroundings, SpoolLink } from './spool-link.ts'
import type { SpoolEvent, SpoolOptions } from './spool-messages.ts'

/** A spool with a worker thread of its own; rejections are AppError with code `spool.*`. */
export class Spool {
  readonly deliverySpeed: number
  readonly #link: SpoolLink

  private constructor(link: SpoolLink, deliverySpeed: number) {
    this.#link = link
    this.deliverySpeed = deliverySpeed
  }

  /** Opens it; rejects with `spool.unusable` when its key or its folder cannot be had. */
  static async open(options: SpoolOptions, around: LinkSurroundings): Promise<Spool> {
    return new Spool(await SpoolLink.start(options, around), options.deliverySpeed)
  }

  /** Begins to take a recording in, a stream for each source; the error says why it is refused. */
  async take(
    id: string,
    sources: readonly MediaLocal[],
    facts: string,
  ): Promise<Result<readonly MediaRemote[], string>> {
    const ports = sources.map(({ rtpPort }) => rtpPort)
    const opened = await this.#link.ask({ type: 'open', id, sources: ports, facts })
    if ('refused' in opened) return err(opened.refused)
    const { host, ports: taken } = opened
    return ok(taken.map((port) => ({ rtp: { host, port }, rtcp: { host, port: port + 1 } })))
  }

  /** Notes the facts of a recording anew; the last ones count. */
  async note(id: string, facts: string): Promise<void> {
    await this.#link.ask({ type: 'note', id, facts })
  }

  /** A recording is complete. */
  async finish(id: string, facts: string): Promise<void> {
    await this.#link.ask({ type: 'close', id, facts })
  }

  /** What waits for a recorder, oldest first. */
  list(): Promise<readonly SpooledFile[]> {
    return this.#link.ask({ type: 'list' })
  }

  async remove(id: string): Promise<void> {
    await this.#link.ask({ type: 'remove', id })
  }

  /** The media of a recording that is delivered; the leg of a fork's tap is the number of the kept stream. `codecs`: what the payload types of the kept packets mean. */
  delivery(id: string, codecs: readonly MediaCodec[]): SpooledMedia {
    return new SpooledMedia(this.#link, id, codecs)
  }

  /** Events until close; the returned function ends it. */
  onEvent(listener: (event: SpoolEvent) => void): () => void {
    return this.#link.events.add(listener)
  }

  close(): Promise<void> {
    return this.#link.close()
  }
}

/** Forks out of a spooled recording. */
export class SpooledMedia {
  readonly #link: SpoolLink
  readonly #id: string
  readonly #codecs: readonly MediaCodec[]

  constructor(link: SpoolLink, id: string, codecs: readonly MediaCodec[]) {
    this.#link = link
    this.#id = id
    this.#codecs = codecs
  }

  addFork({ id: fork, tap }: ForkOptions): Promise<MediaLocal & { readonly ssrc: number }> {
    return this.#link.ask({ type: 'bind', id: this.#id, fork, stream: 'leg' in tap ? Number(tap.leg) : 0 })
  }

  async connectFork(fork: string, remote: ForkRemote): Promise<void> {
    const accepted = new Map(remote.codecs.map((codec) => [codec.encoding, codec.sendPayloadType]))
    const codecs = new Map(
      this.#codecs.flatMap(({ encoding, sendPayloadType: kept }) => {
        const payloadType = accepted.get(encoding)
        const clockRateHz = Number(encoding.split('/')[1])
        return payloadType === undefined ? [] : [[kept, { payloadType, clockRateHz }] as const]
      }),
    )
    await this.#link.ask({ type: 'connect', id: this.#id, fork, remote, codecs })
  }

  /** What is kept does not change its source. */
  async moveFork(): Promise<void> {}

  shutGates(forks: readonly string[]): Promise<readonly GateReceipt[]> {
    return this.#link.ask({ type: 'gates', id: this.#id, forks, isOpen: false })
  }

  async openGates(forks: readonly string[]): Promise<void> {
    await this.#link.ask({ type: 'gates', id: this.#id, forks, isOpen: true })
  }

  removeFork(fork: string): Promise<ForkCounters> {
    return this.#link.ask({ type: 'unbind', id: this.#id, fork })
  }
}
