// Feeds a fork with the sum of several taps: one stream of G.711 that never stops, contributors in the CSRC list (RFC 7866 sections 8.1.4, 8.3.2; RTP-13, RTP-14).

import type { OpusDecoders } from '#audio'
import type { Clock } from '#kernel'
import type { SourceName } from '#rtp'
import { Beat } from './beat.ts'
import { type ContributingSource, Contributor } from './contributor.ts'
import type { Fork } from './fork.ts'
import type { PacketTaker, SourceIds } from './media-packet.ts'
import { MixReplay, type TappedPacket } from './mix-replay.ts'
import { MixedPackets, MOST_CSRCS } from './mixed-packets.ts'
import { Mixer } from './mixer.ts'

/** A contributor and the names that the recorder knows it by. */
interface Member {
  readonly contributor: Contributor
  /** Where its packets come in. */
  readonly taker: PacketTaker
  /** The SSRC heard, and what stands for it in the CSRC list. */
  ssrc: number | undefined
  csrc: number | undefined
}

/** The mix of one fork. */
export class ForkMixer {
  readonly #fork: Fork
  readonly #clock: Clock
  readonly #onGone: (csrcs: readonly number[]) => void
  readonly #opus: OpusDecoders | undefined
  readonly #members = new Map<string, Member>()
  readonly #mixer = new Mixer()
  readonly #packets: MixedPackets
  readonly #beat: Beat
  #replay: MixReplay | undefined
  #isMasking = false
  /** Of those who have left. */
  #maskedBefore = 0

  /** Begins to beat at once; `onGone` is told of sources that will not be heard any more. */
  constructor(
    fork: Fork,
    clock: Clock,
    sourceIds: SourceIds,
    onGone: (csrcs: readonly number[]) => void,
    opus?: OpusDecoders,
  ) {
    this.#fork = fork
    this.#clock = clock
    this.#opus = opus
    this.#onGone = onGone
    this.#packets = new MixedPackets(sourceIds.next())
    this.#beat = new Beat(clock, (dueMs) => this.#onBeat(dueMs))
  }

  /** Packets that the masks of the contributors left out or blanked. */
  get masked(): number {
    return [...this.#members.values()].reduce((sum, { contributor }) => sum + contributor.masked, this.#maskedBefore)
  }

  /** Who can be heard, for the source description (RFC 3550 section 7.3). */
  get names(): SourceName[] {
    return [...this.#members.values()].flatMap(({ csrc, contributor }) =>
      csrc === undefined ? [] : [{ ssrc: csrc, cname: contributor.source.cname }],
    )
  }

  /** Mixes these sources from now on; who was there before goes on undisturbed. */
  setSources(sources: ReadonlyMap<string, ContributingSource>): void {
    const gone = [...this.#members].filter(([key, { contributor }]) => sources.get(key) !== contributor.source)
    for (const [key, { contributor }] of gone) {
      this.#members.delete(key)
      this.#maskedBefore += contributor.masked
    }
    for (const [key, source] of sources) if (!this.#members.has(key)) this.#members.set(key, this.#join(key, source))
    const csrcs = gone.flatMap(([, { csrc }]) => (csrc === undefined ? [] : [csrc]))
    if (csrcs.length > 0) this.#onGone(csrcs)
  }

  /** Who takes the packets of a source. */
  takerOf(key: string): PacketTaker | undefined {
    return this.#members.get(key)?.taker
  }

  maskDtmf(isMasking: boolean): void {
    this.#isMasking = isMasking
    for (const { contributor } of this.#members.values()) contributor.maskDtmf(isMasking)
  }

  /** Mixes what was remembered first, as long as the gate stays open and `isAllowed`; `packets`: oldest first. */
  replay(packets: readonly TappedPacket[], isAllowed: () => boolean): void {
    this.endReplay()
    if (packets.length === 0) return
    for (const { contributor } of this.#members.values()) contributor.forget()
    const beat = this.#beat
    this.#replay = new MixReplay(packets, this.#clock, () => this.#fork.gate.isOpen && isAllowed(), {
      get dueMs() {
        return beat.dueMs
      },
      onPacket: ({ key, packet }) => this.#members.get(key)?.contributor.copy(packet, packet.atMs),
      onFrame: (dueMs) => {
        this.#fork.replayed++
        this.#onFrame(dueMs)
      },
      onEnd: (replay, isComplete) => this.#onReplayEnd(replay, isComplete),
    })
    this.#replay.start()
  }

  /** Ends a replay under way; what was remembered is not mixed any more, and what is said now is at once. */
  endReplay(): void {
    this.#replay?.stop()
  }

  stop(): void {
    this.endReplay()
    this.#beat.stop()
  }

  #onBeat(dueMs: number): void {
    if (this.#replay === undefined) this.#onFrame(dueMs)
    else this.#replay.onBeat()
  }

  #onReplayEnd(replay: MixReplay, isComplete: boolean): void {
    this.#replay = undefined
    if (!isComplete) for (const { contributor } of this.#members.values()) contributor.forget()
    this.#fork.noteReplay(replay.fromMs, replay.toMs, replay.frames)
  }

  #join(key: string, source: ContributingSource): Member {
    const contributor = new Contributor(
      source,
      {
        mayHear: () => this.#fork.gate.isOpen,
        onEvent: (packet, nowMs) => {
          if (packet.payload.clockRateHz === 8000) this.#fork.copy(this.#packets.event(packet, contributor), nowMs)
        },
      },
      this.#opus,
    )
    contributor.maskDtmf(this.#isMasking)
    const taker: PacketTaker = {
      copy: (packet, nowMs) => {
        if (this.#replay === undefined) contributor.copy(packet, nowMs)
        else this.#replay.wait(key, packet, nowMs)
      },
    }
    return { contributor, taker, ssrc: undefined, csrc: undefined }
  }

  #onFrame(dueMs: number): void {
    const members = [...this.#members.values()]
    for (const member of members) this.#follow(member)
    this.#mixer.pull(
      members.map(({ contributor }) => contributor),
      dueMs,
    )
    this.#packets.advance()
    const { g711 } = this.#fork
    if (g711 === undefined) return
    const speaking = members.filter(({ contributor }) => contributor.isSpeaking)
    const csrcs = speaking.flatMap(({ csrc }) => (csrc === undefined ? [] : [csrc])).slice(0, MOST_CSRCS)
    this.#fork.copy(this.#packets.frame(this.#mixer.mixed(), g711, csrcs), dueMs)
  }

  /** A source is named by its own SSRC, unless that is taken; it is forgotten when it says BYE. */
  #follow(member: Member): void {
    const { ssrc, hasLeft } = member.contributor.source
    if (hasLeft === true && member.csrc !== undefined) {
      this.#onGone([member.csrc])
      member.csrc = undefined
    }
    if (hasLeft === true || ssrc === undefined || (ssrc === member.ssrc && member.csrc !== undefined)) return
    member.ssrc = ssrc
    member.csrc = this.#freeFrom(ssrc, member)
  }

  #freeFrom(ssrc: number, self: Member): number {
    const taken = new Set([this.#fork.stream.ssrc])
    for (const member of this.#members.values())
      if (member !== self && member.csrc !== undefined) taken.add(member.csrc)
    let csrc = ssrc
    while (taken.has(csrc)) csrc = (csrc + 1) >>> 0
    return csrc
  }
}
