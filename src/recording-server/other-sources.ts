// Sources that send on a stream at the same time as the one that it is locked to: several SSRCs on one m-line (RFC 3550
// section 5.2). Each is kept by itself, once it has shown that it is one.

import { parseRtp, ReceptionStats, type RtpView } from '#rtp'
import type { StreamTotals } from '#store'
import type { PauseCause } from './pause-log.ts'
import type { SenderReported } from './sender-time.ts'
import type { ReadCodec, Track, TrackCodec } from './track.ts'

/** So many packets in a row, each one number behind the one before, make a source. */
const ADMITTED_AFTER = 5
const MOST_CANDIDATES = 4
/** Kept beside the one that the stream is locked to. */
export const MOST_SOURCES = 3

interface Candidate {
  readonly held: { readonly datagram: Uint8Array; readonly arrivalMs: number }[]
  nextSequence: number
}

/** A source that is kept. */
interface Source {
  readonly track: Track
  readonly stats: ReceptionStats
  packets: number
  bytes: number
  duplicates: number
  firstPacketMs: number | undefined
  lastPacketMs: number | undefined
}

/** What other sources work with. */
export interface OtherSourcesOptions {
  /** Begins to keep a source. */
  readonly open: (ssrc: number) => Track
  /** There is one more than may be kept; told once. */
  readonly onTooMany: () => void
  /** Shared with the receiver, which reads its packets by it. */
  readonly view: RtpView
  /** Told of each packet that is kept, while the view describes it. */
  readonly onPacket: (datagram: Uint8Array, codec: ReadCodec) => void
}

/** Other sources of one stream; methods that keep throw what the file system throws. */
export class OtherSources {
  readonly #options: OtherSourcesOptions
  readonly #sources = new Map<number, Source>()
  readonly #candidates = new Map<number, Candidate>()
  readonly #paused = new Map<PauseCause, number>()
  /** By payload type; those of earlier negotiations stay. */
  readonly #codecs = new Map<number, TrackCodec>()
  #dropped = 0
  #hasTooMany = false

  constructor(options: OtherSourcesOptions) {
    this.#options = options
  }

  get tracks(): Track[] {
    return [...this.#sources.values()].map(({ track }) => track)
  }

  /** Statistics of each, for reports. */
  get statistics(): readonly ReceptionStats[] {
    return [...this.#sources.values()].map(({ stats }) => stats)
  }

  /** Packets that are of no source, or of which nobody knows yet. */
  get leftOut(): number {
    return [...this.#candidates.values()].reduce((sum, { held }) => sum + held.length, this.#dropped)
  }

  has(ssrc: number): boolean {
    return this.#sources.has(ssrc)
  }

  addCodecs(codecs: readonly TrackCodec[]): void {
    for (const codec of codecs) this.#codecs.set(codec.payloadType, codec)
    for (const { track } of this.#sources.values()) track.addCodecs(codecs)
  }

  /** Notes that a cause for silence begins or ends. */
  setPaused(cause: PauseCause, isOn: boolean, atMs: number): void {
    if (isOn) this.#paused.set(cause, this.#paused.get(cause) ?? atMs)
    else this.#paused.delete(cause)
    for (const { track } of this.#sources.values()) track.setPaused(cause, isOn, atMs)
  }

  /** Forgets what is kept aside. */
  dropHeld(): void {
    this.#dropped = this.leftOut
    this.#candidates.clear()
  }

  /** A packet of an SSRC that is not locked to, beside those of one that is: kept aside, or kept; false: neither. */
  probe(datagram: Uint8Array, arrivalMs: number): boolean {
    const { view } = this.#options
    if (!parseRtp(datagram, view)) return false
    const { ssrc, sequence } = view
    const known = this.#candidates.get(ssrc)
    const isNext = known?.nextSequence === sequence
    if (known === undefined) this.#makeRoom()
    if (known !== undefined && !isNext) this.#dropped += known.held.length
    const candidate = known !== undefined && isNext ? known : { held: [], nextSequence: 0 }
    candidate.held.push({ datagram, arrivalMs })
    candidate.nextSequence = (sequence + 1) & 0xffff
    this.#candidates.set(ssrc, candidate)
    if (candidate.held.length < ADMITTED_AFTER) return true
    this.#candidates.delete(ssrc)
    if (this.#sources.size < MOST_SOURCES) this.#admit(ssrc, candidate)
    else this.#leaveOut(candidate)
    return true
  }

  #leaveOut({ held }: Candidate): void {
    this.#dropped += held.length
    if (!this.#hasTooMany) this.#options.onTooMany()
    this.#hasTooMany = true
  }

  /** One that sent a packet and no more must not stand in the way of one that goes on: the first that came gives way. */
  #makeRoom(): void {
    const [oldest] = this.#candidates
    if (oldest === undefined || this.#candidates.size < MOST_CANDIDATES) return
    const [ssrc, { held }] = oldest
    this.#dropped += held.length
    this.#candidates.delete(ssrc)
  }

  /** Keeps the packet of a known source that the view describes; how far its track has got. */
  accept(datagram: Uint8Array, arrivalMs: number): number | undefined {
    const { view } = this.#options
    const source = this.#sources.get(view.ssrc)
    const codec = source?.track.codecOf(view.payloadType)
    if (source === undefined || codec === undefined) return undefined
    const { kind, extended } = source.stats.onPacket(view.sequence, view.timestamp, arrivalMs, codec.clockRateHz)
    if (kind === 'duplicate') source.duplicates += 1
    if (kind === 'duplicate' || kind === 'stray') return undefined
    this.#options.onPacket(datagram, codec)
    source.firstPacketMs ??= arrivalMs
    source.lastPacketMs = arrivalMs
    source.packets += 1
    source.bytes += view.payloadLength
    return source.track.accept(view, datagram, extended, arrivalMs) ? source.track.endMs : undefined
  }

  /** Notes what a known source says of its time; false if it is none. */
  noteReport(report: SenderReported): boolean {
    const source = this.#sources.get(report.ssrc)
    source?.track.noteReport(report)
    return source !== undefined
  }

  /** Writes clocks and counters of each to its index. */
  writeAnchors(): void {
    for (const source of this.#sources.values()) source.track.writeAnchor(totalsOf(source))
  }

  #admit(ssrc: number, { held }: Candidate): void {
    const track = this.#options.open(ssrc)
    track.addCodecs([...this.#codecs.values()])
    for (const [cause, atMs] of this.#paused) track.setPaused(cause, true, atMs)
    const counted = { packets: 0, bytes: 0, duplicates: 0, firstPacketMs: undefined, lastPacketMs: undefined }
    this.#sources.set(ssrc, { track, stats: new ReceptionStats(ssrc), ...counted })
    for (const { datagram, arrivalMs } of held) {
      if (parseRtp(datagram, this.#options.view)) this.accept(datagram, arrivalMs)
    }
  }
}

function totalsOf({ track, stats, firstPacketMs, lastPacketMs, packets, bytes, duplicates }: Source): StreamTotals {
  return {
    packets,
    bytes,
    lost: stats.lost,
    late: track.late,
    duplicates,
    wrongSource: 0,
    refused: 0,
    ...(track.discarded > 0 && { discarded: track.discarded }),
    ...(firstPacketMs !== undefined && { firstPacketMs }),
    ...(lastPacketMs !== undefined && { lastPacketMs }),
    pauses: [],
    pausesForgotten: 0,
  }
}
