// The network side of one stream in the record worker: sockets, source lock, reception statistics.

import type { PortPair } from '#engine'
import type { Clock, Ids } from '#kernel'
import {
  isRtcp,
  newRtpView,
  parseRtp,
  ReceptionStats,
  redundantBlocks,
  SecureChannel,
  type SenderReport,
  type SrtpIndices,
  wallMsFromNtp,
} from '#rtp'
import type { StreamTotals } from '#store'
import { OtherSources } from './other-sources.ts'
import { PauseWitness } from './pause-evidence.ts'
import type { PauseCause } from './pause-log.ts'
import type { StreamSettings } from './record-messages.ts'
import type { RecordingTime } from './recording-time.ts'
import { SourceLock } from './source-lock.ts'
import { StreamRtcp } from './stream-rtcp.ts'
import type { ReadCodec, Track } from './track.ts'
import { WantedPicture } from './wanted-picture.ts'
import type { StreamSilence, StreamWatch } from './watch/stream-watch.ts'

/** Where a datagram came from, as sockets tell it. */
interface DatagramSource {
  readonly address: string
  readonly port: number
}

const MAX_CANDIDATES = 4
/** No codec of audio sends more often than each 2.5 ms; of video, ten times as often is more than any call needs. */
const MOST_PACKETS_PER_MS = 0.4
const MOST_VIDEO_PACKETS_PER_MS = 4
const PACKETS_PER_ROLLOVER = 0x10000
/** We report every two seconds at most, and once more at the end. */
const RTCP_INDICES_PER_SECOND = 4

/** A stream as the process before left it. */
export interface StreamBefore {
  readonly totals: StreamTotals
  /** Of its keys; absent for plain RTP. */
  readonly indices?: SrtpIndices
  /** For how long nobody can have heard it, in milliseconds. */
  readonly awayMs: number
}

/** What a receiver is made of. */
export interface StreamReceiverOptions {
  readonly ports: PortPair
  readonly track: Track
  /** Begins to keep another source that sends at the same time. */
  readonly openSource: (ssrc: number) => Track
  /** More send than can be kept; told once. */
  readonly onTooManySources: () => void
  readonly clock: Clock
  readonly ids: Ids
  /** CNAME of all our streams of this recording session (RFC 7022). */
  readonly cname: string
  readonly time: RecordingTime
  /** Told of all that comes. */
  readonly watch: StreamWatch
  readonly settings: StreamSettings
  /** Absent unless the stream was there before a restart. */
  readonly before?: StreamBefore
  readonly onFirstPacket: (atMs: number) => void
  /** Video is of use only from a whole picture on, and RTCP may not ask for one. */
  readonly onPictureWanted: () => void
  /** Called once, after the goodbye was handed to the system. */
  readonly onClosed: () => void
  /** A bug of ours in the watch: it goes on without. */
  readonly onWatchFault: (fault: unknown) => void
  /** The disk failed; the receiver has stopped writing. */
  readonly onFault: (fault: unknown) => void
}

/** Receiver of one RTP session. */
export class StreamReceiver {
  readonly rtpPort: number
  /** Sources beside the one that the stream is locked to. */
  readonly others: OtherSources
  readonly #options: StreamReceiverOptions
  readonly #view = newRtpView()
  readonly #lock = new SourceLock()
  readonly #channel = new SecureChannel({ isPatient: true })
  readonly #rtcp: StreamRtcp
  #settings: StreamSettings
  #stats: ReceptionStats | undefined
  /** Packets of an SSRC that is about to take over; a few at most. */
  readonly #candidates: { readonly datagram: Uint8Array; readonly arrivalMs: number }[] = []
  #closed = false
  #hasFailed = false
  #hasHeard = false
  #packets = 0
  #bytes = 0
  #lostBefore = 0
  #duplicates = 0
  #wrongSource = 0
  #refused = 0
  #firstPacketMs: number | undefined
  #lastPacketMs: number | undefined
  #lastSequence: number | undefined
  #heldBySdp = false
  #heldByMetadata = false
  #isPausedHere = false
  #isAsked = false
  /** Since when nothing more is to come; undefined while something is. */
  #endedAtMs: number | undefined
  #isObserved = true
  readonly #picture = new WantedPicture()
  readonly #pauses = new PauseWitness()

  constructor(options: StreamReceiverOptions) {
    this.#options = options
    this.#settings = options.settings
    this.others = new OtherSources({
      open: options.openSource,
      onTooMany: options.onTooManySources,
      view: this.#view,
      onPacket: (datagram, codec) => this.#observe(datagram, codec, this.#view.ssrc),
    })
    this.#setKeys(options.settings, options.before)
    this.rtpPort = options.ports.port
    options.track.addCodecs(options.settings.codecs)
    this.others.addCodecs(options.settings.codecs)
    this.#setPaused(options.settings)
    const before = options.before?.totals
    if (before !== undefined) {
      this.#packets = before.packets
      this.#bytes = before.bytes
      this.#lostBefore = before.lost
      this.#duplicates = before.duplicates
      this.#wrongSource = before.wrongSource
      this.#refused = before.refused
      this.#firstPacketMs = before.firstPacketMs
      this.#lastPacketMs = before.lastPacketMs
    }
    for (const socket of [options.ports.rtp, options.ports.rtcp]) socket.on('error', () => {})
    options.ports.rtp.on('message', (datagram, from) => this.#onDatagram(datagram, from))
    this.#rtcp = new StreamRtcp({
      port: options.ports.rtcp,
      channel: this.#channel,
      clock: options.clock,
      ids: options.ids,
      cname: options.cname,
      elapsedMs: () => this.#elapsedMs(),
      heard: () => [...(this.#stats === undefined ? [] : [this.#stats]), ...this.others.statistics],
      isPeer: (host) => host === this.#lock.host || host === this.#settings.rtcp?.host,
      wanted: () => this.#settings,
      onHeard: () => options.watch.onRtcp(),
      onSenderReport: (report, cname) => this.#noteReport(report, cname),
    })
    options.ports.rtcp.on('message', (datagram, from) => this.#rtcp.take(datagram, from))
  }

  /** Applies a new negotiation; a changed media address lets the source move. */
  configure(settings: StreamSettings): void {
    const before = this.#settings.rtp
    if (settings.rtp && (settings.rtp.host !== before?.host || settings.rtp.port !== before.port))
      this.#lock.expectMove()
    this.#settings = settings
    this.#options.watch.configure(settings)
    this.#channel.rekey(settings.srtp)
    this.#options.track.addCodecs(settings.codecs)
    this.others.addCodecs(settings.codecs)
    this.#setPaused(settings)
  }

  /** The metadata says whether anybody speaks here. */
  setHeld(isHeld: boolean): void {
    this.#heldByMetadata = isHeld
    this.#setHold(this.#elapsedMs())
    this.#expect()
  }

  /** The recorder itself keeps nothing, from now on or no more; `isAsked`: the client knows, and is to send nothing. */
  pauseHere(isPaused: boolean, isAsked = false): void {
    const atMs = this.#elapsedMs()
    // Nobody knows yet whose these are, and by then the pause may be over.
    this.#dropCandidates()
    this.#setCause('paused-here', isPaused, atMs)
    this.#isPausedHere = isPaused
    this.#isAsked = isAsked
    if (isPaused) this.#picture.want()
    this.#witness(atMs)
    this.#expect()
  }

  /** What was sent and heard under its keys, for `before` of another process; undefined for plain RTP. */
  indices(leastAhead: number): SrtpIndices | undefined {
    return this.#closed ? undefined : this.#channel.indices(leastAhead)
  }

  /** Counters so far. */
  totals(): StreamTotals {
    return {
      packets: this.#packets,
      bytes: this.#bytes,
      lost: this.#lostBefore + (this.#stats?.lost ?? 0),
      late: this.#options.track.late,
      duplicates: this.#duplicates,
      wrongSource: this.#wrongSource + this.others.leftOut,
      refused: this.#refused,
      ...(this.#options.track.discarded > 0 && { discarded: this.#options.track.discarded }),
      ...(this.#firstPacketMs !== undefined && { firstPacketMs: this.#firstPacketMs }),
      ...(this.#lastPacketMs !== undefined && { lastPacketMs: this.#lastPacketMs }),
      pauses: this.#pauses.pauses,
      pausesForgotten: this.#pauses.forgotten,
    }
  }

  /** The client takes the stream away: for the rest of the recording it sends nothing. */
  remove(): void {
    this.#setCause('paused-by-client', true, this.#elapsedMs())
    this.close()
  }

  /** Says goodbye and stops; the ports are the owner's to release, and so is the track. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#expect()
    this.#rtcp.close()
    this.#options.onClosed()
  }

  #setKeys({ srtp }: StreamSettings, before: StreamBefore | undefined): void {
    if (srtp === undefined || before?.indices === undefined) {
      this.#channel.rekey(srtp)
      return
    }
    const { indices, awayMs } = before
    // Above what any process of this recording can have used by now, whatever became of what was kept.
    const rtcpIndex = RTCP_INDICES_PER_SECOND * Math.ceil(this.#elapsedMs() / 1000)
    const packetsPerMs = this.#settings.kind === 'video' ? MOST_VIDEO_PACKETS_PER_MS : MOST_PACKETS_PER_MS
    const rollovers = Math.ceil((awayMs * packetsPerMs) / PACKETS_PER_ROLLOVER)
    this.#channel.resume(srtp, { indices, rtcpIndex, rollovers })
  }

  #onDatagram(received: Uint8Array, from: DatagramSource): void {
    if (this.#closed) return
    if (isRtcp(received)) {
      this.#rtcp.take(received, from)
      return
    }
    const view = this.#view
    const { track, clock, watch } = this.#options
    const datagram = this.#channel.openRtp(received)
    if (datagram === undefined || !parseRtp(datagram, view)) {
      this.#refused += 1
      watch.onRefused(datagram === undefined ? 'unauthentic' : 'no-rtp')
      return
    }
    if (track.codecOf(view.payloadType) === undefined) {
      this.#refused += 1
      watch.onRefused('payload-type', view.payloadType)
      return
    }
    this.#pauses.countPacket()
    const { ssrc } = view
    const isPeer = this.#channel.isSecured || this.#lock.isLockedTo(from.address, from.port)
    if (isPeer && this.others.has(ssrc)) {
      this.#write(datagram, this.#elapsedMs())
      return
    }
    const verdict = this.#lock.judge(from.address, from.port, ssrc, clock.nowMs(), this.#channel.isSecured)
    const arrivalMs = this.#elapsedMs()
    if (verdict === 'refused' || (verdict === 'candidate' && this.#candidates.length === MAX_CANDIDATES)) {
      this.#wrongSource += 1
    } else if (verdict === 'candidate') {
      this.#candidates.push({ datagram: Uint8Array.from(datagram), arrivalMs })
    } else {
      if (verdict === 'same') this.#passCandidates()
      else this.#beginSource(ssrc)
      // The view may have shown candidates meanwhile.
      if (view.ssrc !== ssrc || verdict !== 'same') parseRtp(datagram, view)
      this.#accept(datagram, arrivalMs)
    }
  }

  /** A new SSRC goes on where the old one stopped, beginning with the packets that made it a candidate. */
  #beginSource(ssrc: number): void {
    this.#lostBefore += this.#stats?.lost ?? 0
    this.#stats = new ReceptionStats(ssrc)
    this.#picture.want()
    for (const { datagram, arrivalMs } of this.#candidates.splice(0)) {
      if (parseRtp(datagram, this.#view) && this.#view.ssrc === ssrc) this.#accept(datagram, arrivalMs)
      else this.#wrongSource += 1
    }
  }

  /** The locked source goes on: those that came between its packets may be of another one that sends at the same time. */
  #passCandidates(): void {
    if (this.#candidates.length === 0) return
    for (const { datagram, arrivalMs } of this.#candidates.splice(0)) {
      try {
        if (this.#hasFailed || !this.others.probe(datagram, arrivalMs)) this.#wrongSource += 1
      } catch (fault) {
        this.#fail(fault)
      }
    }
  }

  #dropCandidates(): void {
    this.#wrongSource += this.#candidates.splice(0).length
    this.others.dropHeld()
  }

  /** Takes the packet that the view describes. */
  #accept(datagram: Uint8Array, arrivalMs: number): void {
    const { sequence, timestamp, payloadType } = this.#view
    const codec = this.#options.track.codecOf(payloadType)
    if (this.#stats === undefined || codec === undefined) return
    const { kind, extended } = this.#stats.onPacket(sequence, timestamp, arrivalMs, codec.clockRateHz)
    if (kind === 'duplicate') this.#duplicates += 1
    if (kind === 'duplicate' || kind === 'stray') return
    this.#observe(datagram, codec)
    this.#keep(datagram, extended, arrivalMs)
  }

  /** What redundancy brings again is not heard twice; `ssrc` is that of a source beside the one that is locked to. */
  #observe(datagram: Uint8Array, received: ReadCodec, ssrc?: number): void {
    if (!this.#isObserved) return
    const { track, clock, watch } = this.#options
    const { payloadOffset, payloadLength, timestamp } = this.#view
    let codec = received
    // A plain view: those of a Buffer cost several times as much.
    let payload = new Uint8Array(datagram.buffer, datagram.byteOffset + payloadOffset, payloadLength)
    if (codec.kind === 'redundant') {
      const primary = redundantBlocks(payload)?.at(-1)
      if (primary === undefined) return
      codec = track.codecOf(primary.payloadType) ?? codec
      payload = primary.payload
    }
    try {
      watch.onPacket(codec, timestamp, payload, this.#lock.host, clock.nowMs(), ssrc)
    } catch (fault) {
      this.#isObserved = false
      this.#options.onWatchFault(fault)
    }
  }

  #keep(datagram: Uint8Array, extended: number, arrivalMs: number): void {
    this.#firstPacketMs ??= arrivalMs
    if (!this.#hasHeard) this.#options.onFirstPacket(arrivalMs)
    this.#hasHeard = true
    this.#lastPacketMs = arrivalMs
    this.#lastSequence = this.#view.sequence
    this.#packets += 1
    if (this.#packets === 1) this.#expect()
    this.#bytes += this.#view.payloadLength
    this.#write(datagram, arrivalMs, extended)
    if (this.#settings.isPaused || this.#isPausedHere) return
    this.#picture.onKept(this.#settings, this.#view.ssrc, this.#rtcp, this.#options.onPictureWanted)
  }

  /** Writes the packet of the view; `extended` is its sequence number at the locked source, absent for another one. */
  #write(datagram: Uint8Array, arrivalMs: number, extended?: number): void {
    if (this.#hasFailed) return
    const { track, time } = this.#options
    try {
      if (extended === undefined) {
        const endMs = this.others.accept(datagram, arrivalMs)
        if (endMs !== undefined) time.reached(endMs)
      } else if (track.accept(this.#view, datagram, extended, arrivalMs)) time.reached(track.endMs)
    } catch (fault) {
      this.#fail(fault)
    }
  }

  #fail(fault: unknown): void {
    this.#hasFailed = true
    this.#options.onFault(fault)
  }

  #setPaused({ isPaused, isHeld = false, isEnded = false }: StreamSettings): void {
    const atMs = this.#elapsedMs()
    if (isEnded) this.#endedAtMs ??= atMs
    else if (this.#endedAtMs !== undefined) {
      // One call ended, and another goes on in the same session: between them was a pause.
      this.#setCause('paused-by-client', true, this.#endedAtMs)
      this.#endedAtMs = undefined
    }
    if (isPaused) this.#picture.want()
    const isBreak = isPaused && !isEnded
    this.#setCause('paused-by-client', isBreak && !isHeld, atMs)
    this.#heldBySdp = isBreak && isHeld
    this.#setHold(atMs)
    this.#witness(atMs)
    this.#expect()
  }

  #witness(atMs: number): void {
    const { isPaused, isEnded = false } = this.#settings
    this.#pauses.set(isPaused || this.#isPausedHere, atMs, this.#lastSequence, isEnded && !this.#isPausedHere)
  }

  /** Packets are missed only where nobody has announced that there will be none; where none ever came, only the SDP is believed. */
  #expect(): void {
    const { watch, clock } = this.#options
    const isOpen = !(this.#settings.isPaused || this.#heldBySdp || this.#isPausedHere || this.#closed)
    const isHeld = this.#heldByMetadata && this.#packets > 0
    watch.expect(isOpen && !isHeld, clock.nowMs(), isOpen)
    watch.setSilence(isOpen && !isHeld ? 'none' : this.#silence, clock.nowMs())
  }

  /** By whose word nothing is expected. */
  get #silence(): StreamSilence {
    if (this.#closed || this.#endedAtMs !== undefined) return 'over'
    if (this.#isPausedHere) return this.#isAsked ? 'asked' : 'dropped'
    return this.#options.track.isDiscarding ? 'paused' : 'idle'
  }

  #setCause(cause: PauseCause, isOn: boolean, atMs: number): void {
    this.#options.track.setPaused(cause, isOn, atMs)
    this.others.setPaused(cause, isOn, atMs)
  }

  #setHold(atMs: number): void {
    this.#setCause('hold', this.#heldBySdp || this.#heldByMetadata, atMs)
  }

  /** It may come before the first packet of its source. */
  #noteReport(
    { ssrc, ntpSeconds, ntpFraction, rtpTimestamp: timestamp }: SenderReport,
    cname: string | undefined,
  ): void {
    // A sender without a clock says 0 (section 6.4.1).
    if (ntpSeconds === 0) return
    const saidMs = wallMsFromNtp(ntpSeconds, ntpFraction)
    const report = { ssrc, timestamp, saidMs, arrivalMs: this.#elapsedMs(), cname }
    if (!this.others.noteReport(report)) this.#options.track.noteReport(report)
  }

  #elapsedMs(): number {
    return this.#options.time.elapsedMs()
  }
}
