// The two kinds of run files as samples: G.711 bytes read in place, and packets that are decoded one after another.

import { join } from 'node:path'
import { type AudioDecoder, audioDecoder, decodePcma, decodePcmu, type OpusLibrary } from '#audio'
import type { RunManifest } from '../manifest.ts'
import { type RawRecord, readRawRun } from '../raw-run-file.ts'
import { RunTime } from '../run-time.ts'
import { g711FormatOf } from '../stream-files.ts'
import type { RunAudio } from './channel-audio.ts'
import { type ExternalDecoder, externalCodec } from './external-decoder.ts'
import type { FileOpener } from './opened-files.ts'
import { PlacedRun } from './placed-run.ts'

/** What was read stays at hand for so many samples, for a resampler that looks back. */
const LOOK_BACK = 64

/** Samples that a packet may be away from the one before it without a gap between them. */
const CLOCK_HOLE = 2

/** What decodes beside our own decoders, where it is there. */
export interface Decoders {
  readonly opus?: OpusLibrary | undefined
  readonly external?: ExternalDecoder | undefined
}

/** A packet as samples, and its place in ticks of the run's RTP clock. */
interface DecodedPacket {
  readonly position: number
  readonly samples: Int16Array
}

/** The audio of a run; undefined when its encoding cannot be decoded. Throws what the file system throws. */
export function openRunAudio(
  folder: string,
  run: RunManifest,
  decoders: Decoders,
  files: FileOpener,
): RunAudio | undefined {
  const sampleRateHz = decodedRateHz(run, decoders)
  if (sampleRateHz === undefined) return undefined
  const path = join(folder, run.file)
  const format = run.decoded ? g711FormatOf(run.encoding) : undefined
  if (format !== undefined) return new G711Run(path, run, format, files)
  const decoder = audioDecoder(run.encoding, decoders.opus)
  const records = readRawRun(path, run, files)
  const packets = decoder === undefined ? decodedOutside(records, run, decoders.external) : decoded(records, decoder)
  return new PacketRun(packets, run, sampleRateHz)
}

/** Rate at which a run is decoded; undefined when it cannot be. */
export function decodedRateHz(run: RunManifest, { opus, external }: Decoders): number | undefined {
  if (run.bytes === 0) return undefined
  if (run.decoded) return run.clockRateHz
  const outside = external === undefined ? undefined : externalCodec(run.encoding)
  return (audioDecoder(run.encoding, opus) ?? outside)?.sampleRateHz
}

function* decoded(records: Generator<RawRecord>, decoder: AudioDecoder): Generator<DecodedPacket> {
  for (const { position, payload } of records) yield { position, samples: decoder.decode(payload) }
}

/** The other program is given the whole run, and its samples are cut where the packets were. */
function* decodedOutside(
  records: Generator<RawRecord>,
  run: RunManifest,
  external: ExternalDecoder | undefined,
): Generator<DecodedPacket> {
  const codec = externalCodec(run.encoding)
  if (codec === undefined || external === undefined) return
  const parts: Uint8Array[] = [codec.head]
  const places: { readonly position: number; readonly count: number }[] = []
  for (const { position, payload } of records) {
    const { bytes, samples } = codec.frames(payload)
    parts.push(bytes)
    places.push({ position, count: samples })
  }
  const samples = external(codec.format, Buffer.concat(parts))
  let from = 0
  for (const { position, count } of places) {
    if (samples !== undefined) yield { position, samples: samples.subarray(from, from + count) }
    from += count
  }
}

class G711Run implements RunAudio {
  readonly startMs: number
  readonly sampleRateHz: number
  readonly #placed: PlacedRun
  readonly #decode: (bytes: Uint8Array) => Int16Array

  constructor(path: string, run: RunManifest, format: 'pcmu' | 'pcma', files: FileOpener) {
    this.startMs = run.startMs
    this.sampleRateHz = run.clockRateHz
    this.#decode = format === 'pcmu' ? decodePcmu : decodePcma
    this.#placed = new PlacedRun(path, run, format, files)
  }

  read(from: number, into: Int16Array): void {
    const count = Math.min(into.length, this.#placed.frames - from)
    if (count <= 0) return
    const bytes = new Uint8Array(count)
    const have = this.#placed.read(from, bytes)
    into.set(this.#decode(bytes.subarray(0, have)))
  }

  close(): void {
    this.#placed.close()
  }
}

/** Packets in order; each lies where its record says, whatever its neighbours do. */
class PacketRun implements RunAudio {
  readonly startMs: number
  readonly sampleRateHz: number
  readonly #packets: Generator<DecodedPacket>
  readonly #time: RunTime
  /** Packets that later reads may still need, in order. */
  readonly #decoded: { readonly at: number; readonly samples: Int16Array }[] = []
  #isAtEnd = false

  constructor(packets: Generator<DecodedPacket>, run: RunManifest, sampleRateHz: number) {
    this.startMs = run.startMs
    this.sampleRateHz = sampleRateHz
    this.#packets = packets
    this.#time = new RunTime(run)
  }

  read(from: number, into: Int16Array): void {
    const to = from + into.length
    this.#decodeUpTo(to)
    while (this.#decoded[0] !== undefined && endOf(this.#decoded[0]) <= from - LOOK_BACK) this.#decoded.shift()
    for (const { at, samples } of this.#decoded) {
      const first = Math.max(from, at)
      const last = Math.min(to, at + samples.length)
      if (last > first) into.set(samples.subarray(first - at, last - at), first - from)
    }
  }

  close(): void {
    this.#packets.return(undefined)
  }

  #decodeUpTo(end: number): void {
    while (!this.#isAtEnd && (this.#decoded.at(-1)?.at ?? -1) < end) {
      const next = this.#packets.next()
      if (next.done === true) {
        this.#isAtEnd = true
        return
      }
      const { position, samples } = next.value
      const at = Math.round(((this.#time.msOf(position) - this.startMs) * this.sampleRateHz) / 1000)
      this.#close(at)
      this.#decoded.push({ at, samples })
    }
  }

  /** Fills a hole of a sample or two in front of a packet, which is there because clocks differ, by what was last heard. */
  #close(at: number): void {
    const last = this.#decoded.at(-1)
    const hole = last === undefined ? 0 : at - endOf(last)
    if (last === undefined || hole < 1 || hole > CLOCK_HOLE) return
    this.#decoded.push({ at: endOf(last), samples: new Int16Array(hole).fill(last.samples.at(-1) ?? 0) })
  }
}

function endOf({ at, samples }: { readonly at: number; readonly samples: Int16Array }): number {
  return at + samples.length
}
