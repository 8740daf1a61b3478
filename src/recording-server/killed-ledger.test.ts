// The ledger of recordings whose recorder was killed, at every byte that a file can have got to: by the files' own code, on an injected clock.

import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { newRtpView, parseRtp, RTP_HEADER_BYTES, writeRtpHeader } from '#rtp'
import {
  type Catalogue,
  type Deriver,
  type LeftOpen,
  leftFolders,
  type Manifest,
  NO_TOTALS,
  RecordingFolder,
  RecordingStore,
  type RunManifest,
  RunTime,
  readRawRun,
  recoverRecordings,
  type StreamManifest,
  streamsLeft,
} from '#store'
import { testDisk } from '../../test/harness/test-disk.ts'
import { Track, type TrackCodec } from './track.ts'

const PCMU = { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }
const OPUS = { payloadType: 96, encoding: 'OPUS/48000/2', clockRateHz: 48_000 }
const STARTED_MS = Date.UTC(2026, 0, 5)
const ID = 'r1'
const PACKET_MS = 20
const FLUSH_MS = 100
const VOICE = 1
const SILENCE = 0xff
/** First byte of an Opus packet of one CELT frame of 20 ms. */
const CELT_20_MS = 0xf8
/** Nobody listens. */
const NO_AUDIO: Deriver = () => Promise.resolve({})
/** What rounding in the manifest leaves. */
const ROUNDED_MS = 0.051

/** What a process hears before it is killed; steps are packets unless something is wrong with them. */
interface Life {
  readonly steps: readonly { readonly kind: 'sent' | 'lost' | 'silence' | 'ssrc' | 'stall'; readonly packets: number }[]
  /** By how much packets are late at its beginning; becomes less by `easing` ms a packet. */
  readonly lateMs: number
  readonly easing: number
  /** Millionths by which the sender is slower. */
  readonly ppm: number
  /** Which of its flushes is its last, and how much of it reached the disk: first of the index, then of the audio. */
  readonly killedAt: number
  readonly parts: readonly [index: number, audio: number]
  readonly downMs: number
}

const part = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }))
const life: fc.Arbitrary<Life> = fc.record({
  steps: fc.array(
    fc.record({
      kind: fc.oneof(
        { weight: 6, arbitrary: fc.constant('sent' as const) },
        fc.constantFrom('lost' as const, 'silence' as const, 'ssrc' as const, 'stall' as const),
      ),
      packets: fc.integer({ min: 1, max: 60 }),
    }),
    { minLength: 2, maxLength: 20 },
  ),
  lateMs: fc.constantFrom(0, 0, 90, 180, 600),
  easing: fc.constantFrom(1, 4, 20),
  ppm: fc.constantFrom(0, 80, -400),
  killedAt: fc.double({ min: 0, max: 1, noNaN: true }),
  parts: fc.tuple(part, part),
  downMs: fc.integer({ min: 0, max: 3000 }),
})

/** A recording in a folder, and the processes that write it one after another. */
class Mortal {
  readonly #codec: TrackCodec
  readonly #view = newRtpView()
  #root: string
  readonly #roots: string[] = []
  #nowMs = 0
  #arrivedMs = 0
  #sequence = 100
  #timestamp = 0xffff_0000
  #ssrc = 1

  constructor(codec: TrackCodec) {
    this.#codec = codec
    this.#root = this.#newRoot()
  }

  get root(): string {
    return this.#root
  }

  /** A process begins or goes on, and is killed; `isOrdered`: the index is on disk before the audio it tells of. */
  live(one: Life, isOrdered: boolean): void {
    const { folder, track } = this.#begin()
    const sizes = [this.#sizes()]
    let flushedMs = this.#nowMs
    let sent = 0
    const flush = (): void => {
      track.writeAnchor(NO_TOTALS)
      track.flush()
      folder.flush()
      sizes.push(this.#sizes())
    }
    for (const { kind, packets } of one.steps) {
      if (kind === 'ssrc') {
        this.#ssrc += 1
        this.#timestamp = (this.#timestamp + 0x1234_5678) >>> 0
        sent = 0
      }
      for (let n = 0; n < packets; n++) {
        this.#nowMs += PACKET_MS * (1 + one.ppm / 1e6)
        if (kind !== 'silence') this.#sequence += 1
        this.#timestamp = (this.#timestamp + (PACKET_MS * this.#codec.clockRateHz) / 1000) >>> 0
        const heldMs = kind === 'stall' ? (packets - n) * 10 : 0
        sent += 1
        if (kind !== 'lost' && kind !== 'silence') {
          this.#accept(track, this.#nowMs + heldMs + Math.max(0, one.lateMs - sent * one.easing))
        }
        if (this.#nowMs - flushedMs < FLUSH_MS) continue
        flushedMs = this.#nowMs
        flush()
      }
    }
    flush()
    folder.abandon()
    this.#kill(one, sizes, isOrdered)
    this.#nowMs = Math.max(this.#nowMs, this.#arrivedMs) + one.downMs
  }

  /** What the next process publishes, without anything more to come. */
  async recovered(): Promise<{ manifest: Manifest; folder: string }> {
    const store = new RecordingStore({ root: this.#root })
    const catalogue = { put: () => Promise.resolve() } as unknown as Catalogue
    const { recovered, failures } = await recoverRecordings(store, catalogue, NO_AUDIO)
    assert.deepEqual(failures, [])
    const [manifest] = recovered
    assert.ok(manifest !== undefined)
    return { manifest, folder: join(this.#root, '2026', '01', '05', ID) }
  }

  /** What a last process publishes, which goes on with the recording until its client says goodbye. */
  async ended(): Promise<{ manifest: Manifest; folder: string }> {
    const { folder, track } = this.#begin()
    for (let n = 0; n < 10; n++) {
      this.#nowMs += PACKET_MS
      this.#sequence += 1
      this.#timestamp = (this.#timestamp + (PACKET_MS * this.#codec.clockRateHz) / 1000) >>> 0
      this.#accept(track, this.#nowMs)
    }
    track.settle()
    const durationMs = Math.max(this.#nowMs + 500, track.endMs)
    track.finish(durationMs)
    track.writeAnchor(NO_TOTALS)
    const end = { endedAtMs: STARTED_MS + durationMs, durationMs, totals: [NO_TOTALS], noAudioCause: 'no-rtp' } as const
    return await folder.publish(end, NO_AUDIO)
  }

  remove(): void {
    for (const root of this.#roots) rmSync(root, { recursive: true })
  }

  #begin(): { folder: RecordingFolder; track: Track } {
    const [found] = leftFolders(this.#root)
    const left: LeftOpen | undefined = found && {
      folder: found.folder,
      metadata: [],
      streams: streamsLeft(found.folder, found.manifest!),
    }
    const sip = { callId: 'c', fromUri: 'a', toUri: 'b', requestUri: 'b', source: 'x', transport: 'udp' }
    const facts = { participants: [], sessionIds: [], groupIds: [], metadataInvalid: false, speakers: [] }
    const folder = new RecordingFolder(
      testDisk(),
      this.#root,
      ID,
      STARTED_MS,
      { sip, ...facts, speakersInferred: false, warnings: [] },
      left,
    )
    const files = folder.streams[0] ?? folder.addStream(undefined)
    const track = new Track(files, { keepDigits: false, accountedMs: files.leftMs })
    track.addCodecs([this.#codec])
    return { folder, track }
  }

  #accept(track: Track, arrivalMs: number): void {
    this.#arrivedMs = arrivalMs
    const ticks = (PACKET_MS * this.#codec.clockRateHz) / 1000
    const payload = this.#codec === PCMU ? new Uint8Array(ticks).fill(VOICE) : Uint8Array.of(CELT_20_MS, VOICE)
    const bytes = new Uint8Array(RTP_HEADER_BYTES + payload.length)
    const { payloadType } = this.#codec
    const sequence = this.#sequence & 0xffff
    writeRtpHeader(bytes, 0, { payloadType, marker: false, sequence, timestamp: this.#timestamp, ssrc: this.#ssrc })
    bytes.set(payload, RTP_HEADER_BYTES)
    parseRtp(bytes, this.#view)
    track.accept(this.#view, bytes, this.#sequence, arrivalMs)
  }

  /** Leaves a folder as it was in the middle of a flush. */
  #kill({ killedAt, parts }: Life, sizes: readonly ReadonlyMap<string, number>[], isOrdered: boolean): void {
    const last = Math.min(sizes.length - 1, 1 + Math.floor(killedAt * (sizes.length - 1)))
    const [before, after] = [sizes[last - 1]!, sizes[last]!]
    const root = this.#newRoot()
    cpSync(this.#root, root, { recursive: true })
    for (const path of growing(root)) {
      const name = basename(path)
      const isIndex = name.endsWith('.jsonl')
      const from = before.get(name) ?? 0
      const to = after.get(name) ?? 0
      const share = isIndex ? parts[0] : isOrdered && parts[0] < 1 ? 0 : parts[1]
      const size = from + Math.floor(share * (to - from))
      // The first line, or the head, is there as soon as the file is.
      if (size === 0) rmSync(path)
      else truncateSync(path, size)
    }
    this.#root = root
  }

  #sizes(): ReadonlyMap<string, number> {
    return new Map(growing(this.#root).map((path) => [basename(path), statSync(path).size]))
  }

  #newRoot(): string {
    const root = mkdtempSync(join(tmpdir(), 'killed-'))
    this.#roots.push(root)
    return root
  }
}

function growing(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => basename(name).startsWith('stream-'))
    .map((name) => join(root, name))
}

/** Gaps neither overlap nor leave the recording, and with the audio they make its duration. */
function assertWhole({ gaps, account }: StreamManifest, durationMs: number): void {
  let atMs = 0
  for (const { fromMs, toMs, cause } of gaps) {
    assert.ok(
      fromMs >= atMs && toMs > fromMs && toMs <= durationMs,
      `${cause} from ${fromMs} to ${toMs}, behind ${atMs}`,
    )
    atMs = toMs
  }
  const missingMs = Object.values(account!.missingMs).reduce((sum, ms) => sum + ms, 0)
  const listedMs = gaps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
  const rounding = ROUNDED_MS * (2 * gaps.length + 8) + 0.5
  assert.ok(Math.abs(account!.audioMs + missingMs - durationMs) <= rounding, `${account!.audioMs} + ${missingMs}`)
  assert.ok(Math.abs(listedMs - missingMs) <= rounding, `${listedMs} listed of ${missingMs}`)
}

/** Where the files of a stream hold a voice, in milliseconds of the recording. */
function voiced(folder: string, runs: readonly RunManifest[]): [fromMs: number, toMs: number][] {
  return runs.flatMap((run) => {
    const time = new RunTime(run)
    const path = join(folder, run.file)
    if (!run.decoded) {
      return [...readRawRun(path, run)].map(({ position }): [number, number] => [
        time.msOf(position),
        time.msOf(position + 960),
      ])
    }
    const bytes = readFileSync(path).subarray(-run.bytes || Number.POSITIVE_INFINITY)
    const parts: [number, number][] = []
    let from = -1
    for (let at = 0; at <= bytes.length; at++) {
      const isVoice = at < bytes.length && bytes[at] !== SILENCE
      if (isVoice && from < 0) from = at
      if (isVoice || from < 0) continue
      parts.push([time.msOf(from), time.msOf(at)])
      from = -1
    }
    return parts
  })
}

/** What is no gap is a voice, and the other way round. */
function assertTrue({ gaps, runs, account }: StreamManifest, folder: string, durationMs: number): void {
  let voiceMs = 0
  for (const [fromMs, toMs] of voiced(folder, runs)) {
    const end = Math.min(toMs, durationMs)
    voiceMs += end - fromMs
    const over = gaps.find((gap) => gap.fromMs < end - 2 * ROUNDED_MS && gap.toMs > fromMs + 2 * ROUNDED_MS)
    assert.equal(over, undefined, `a voice from ${fromMs} to ${end}`)
  }
  assert.ok(Math.abs(voiceMs - account!.audioMs) < 1 + ROUNDED_MS * gaps.length, `${voiceMs} of ${account!.audioMs}`)
}

async function check(codec: TrackCodec, lives: readonly Life[], isOrdered: boolean, isEnded: boolean): Promise<void> {
  const mortal = new Mortal(codec)
  try {
    for (const one of lives) mortal.live(one, isOrdered)
    const { manifest, folder } = isEnded ? await mortal.ended() : await mortal.recovered()
    for (const stream of manifest.streams) {
      assertWhole(stream, manifest.durationMs)
      if (isOrdered) assertTrue(stream, folder, manifest.durationMs)
    }
  } finally {
    mortal.remove()
  }
}

for (const codec of [PCMU, OPUS]) {
  for (const [order, isOrdered] of [
    ['as the recorder writes', true],
    ['in any order', false],
  ] as const) {
    test(`SRS-54: killed three times, files written ${order}: gaps and audio of ${codec.encoding} are the duration, and none overlap`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 3 }), fc.boolean(), (lives, isEnded) =>
          check(codec, lives, isOrdered, isEnded),
        ),
        { numRuns: 25, includeErrorInReport: true },
      )
    })
  }
}
