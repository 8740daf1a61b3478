// A conversation of several parties: each hears the sum of the others as one stream that never stops.

import type { OpusDecoders } from '#audio'
import type { Clock } from '#kernel'
import { Beat } from './beat.ts'
import { Contributor } from './contributor.ts'
import type { MediaPacket, SourceIds } from './media-packet.ts'
import { MixedPackets } from './mixed-packets.ts'
import { Mixer } from './mixer.ts'
import type { RelayLeg } from './relay.ts'

const NO_CSRCS: readonly number[] = []
const ALWAYS = (): boolean => true

interface Member {
  readonly contributor: Contributor
  readonly packets: MixedPackets
}

/** Legs that hear each other. */
export class Conference {
  readonly #members = new Map<RelayLeg, Member>()
  readonly #mixer = new Mixer()
  readonly #beat: Beat

  /** Begins at once. */
  constructor(legs: Iterable<RelayLeg>, clock: Clock, sourceIds: SourceIds, opus?: OpusDecoders) {
    for (const leg of legs) {
      const contributor: Contributor = new Contributor(
        leg.incoming,
        { mayHear: ALWAYS, onEvent: (packet, nowMs) => this.#passEvent(packet, leg, nowMs) },
        opus,
      )
      leg.audience = contributor
      this.#members.set(leg, { contributor, packets: new MixedPackets(sourceIds.next()) })
    }
    this.#beat = new Beat(clock, (dueMs) => this.#onFrame(dueMs))
  }

  /** Takes a leg out; the conversation is over when none is left. */
  leave(leg: RelayLeg): void {
    if (!this.#members.delete(leg)) return
    leg.audience = undefined
    if (this.#members.size === 0) this.#beat.stop()
  }

  #onFrame(dueMs: number): void {
    this.#mixer.pull(
      [...this.#members.values()].map(({ contributor }) => contributor),
      dueMs,
    )
    for (const [leg, { contributor, packets }] of this.#members) {
      packets.advance()
      const { g711 } = leg.codecs
      if (g711 === undefined || leg.isPlaying) continue
      leg.deliver(packets.frame(this.#mixer.mixed(contributor), g711, NO_CSRCS), dueMs)
    }
  }

  /** A key goes to the others as what it is. */
  #passEvent(packet: MediaPacket, from: RelayLeg, nowMs: number): void {
    if (packet.payload.clockRateHz !== 8000) return
    for (const [leg, { packets }] of this.#members) {
      if (leg !== from && !leg.isPlaying) leg.deliver(packets.event(packet, from), nowMs)
    }
  }
}
