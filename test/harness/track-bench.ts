// The recorder's writer without its sockets: packets are given with the times at which they arrive, hours take seconds.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newRtpView, parseRtp, RTP_HEADER_BYTES, writeRtpHeader } from '#rtp'
import { type Deriver, type Manifest, NO_TOTALS, RecordingFolder } from '#store'
import { SenderClocks } from '../../src/recording-server/sender-clocks.ts'
import type { SenderReported, SenderTime } from '../../src/recording-server/sender-time.ts'
import { Track, type TrackCodec } from '../../src/recording-server/track.ts'
import { testDisk } from './test-disk.ts'

const STARTED_MS = Date.UTC(2026, 0, 5)
const FLUSH_MS = 500

/** Whoever runs a bench: told what is to be done after it. */
export interface Cleanup {
  after(work: () => void): void
}

/** How a bench differs from that of a live recording. */
export interface BenchOptions {
  /** What was kept is delivered. */
  readonly sender?: SenderTime | undefined
  /** A process before kept the streams up to then. */
  readonly accountedMs?: number
  /** From one flush to the next, in milliseconds of arrival. */
  readonly flushMs?: number
}

/** A packet on its way to a track; `sequence` is extended. */
export interface BenchPacket {
  readonly sequence: number
  readonly timestamp: number
  readonly arrivalMs: number
  readonly payload: Uint8Array
  readonly ssrc?: number
  readonly payloadType?: number
}

/** Several tracks of one recording, in a folder of their own. */
export class TrackBench {
  readonly tracks: Track[] = []
  readonly #folder: RecordingFolder
  readonly #view = newRtpView()
  readonly #flushMs: number
  #flushedMs = 0

  constructor(t: Cleanup, codecs: readonly (readonly TrackCodec[])[], options: BenchOptions = {}) {
    const { sender, accountedMs = 0, flushMs = FLUSH_MS } = options
    this.#flushMs = flushMs
    const root = mkdtempSync(join(tmpdir(), 'track-'))
    t.after(() => rmSync(root, { recursive: true }))
    const sip = { callId: 'c', fromUri: 'a', toUri: 'b', requestUri: 'b', source: 'x', transport: 'udp' }
    this.#folder = new RecordingFolder(testDisk(), root, 'r1', STARTED_MS, {
      sip,
      participants: [],
      sessionIds: [],
      groupIds: [],
      metadataInvalid: false,
      speakers: [],
      speakersInferred: false,
      warnings: [],
    })
    const clocks = new SenderClocks()
    for (const list of codecs) {
      const track = new Track(this.#folder.addStream(undefined), { keepDigits: false, accountedMs, sender, clocks })
      track.addCodecs(list)
      this.tracks.push(track)
    }
  }

  /** Gives a packet to a channel; everything is flushed on the way, as the recorder does it. */
  accept(channel: number, packet: BenchPacket): void {
    const { sequence, timestamp, arrivalMs, payload, ssrc = 1, payloadType = 0 } = packet
    if (arrivalMs - this.#flushedMs >= this.#flushMs) {
      this.#flushedMs = arrivalMs
      for (const track of this.tracks) track.flush()
    }
    const bytes = new Uint8Array(RTP_HEADER_BYTES + payload.length)
    const header = { payloadType, marker: false, sequence: sequence & 0xffff, timestamp: timestamp >>> 0, ssrc }
    writeRtpHeader(bytes, 0, header)
    bytes.set(payload, RTP_HEADER_BYTES)
    parseRtp(bytes, this.#view)
    this.tracks[channel]!.accept(this.#view, bytes, sequence, arrivalMs)
  }

  /** Gives a sender report to a channel. */
  report(channel: number, report: SenderReported): void {
    this.tracks[channel]!.noteReport(report)
  }

  /** Settles where all that came lies; how long that is, in milliseconds. */
  settle(): number {
    for (const track of this.tracks) track.flush()
    for (const track of this.tracks) track.settle()
    return Math.max(0, ...this.tracks.map(({ endMs }) => endMs))
  }

  /** Ends and publishes the recording. */
  async publish(durationMs: number, derive?: Deriver): Promise<{ manifest: Manifest; folder: string }> {
    for (const track of this.tracks) track.finish(durationMs)
    const totals = this.tracks.map(() => NO_TOTALS)
    const closing = { endedAtMs: STARTED_MS + durationMs, durationMs, totals, noAudioCause: 'no-rtp' } as const
    return await this.#folder.publish(closing, derive)
  }
}
