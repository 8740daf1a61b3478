// The two kinds of run files as samples: G.711 bytes read in place, and packets that are decoded one after another.

import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { type AudioDecoder, audioDecoder, decodePcma, decodePcmu, type OpusLibrary } from '#audio'
import type { RunManifest } from '../manifest.ts'
import { type RawRecord, readRawRun } from '../raw-run-file.ts'
import { g711FormatOf } from '../stream-files.ts'
import { readWavData } from '../wav-run-file.ts'
import type { RunAudio } from './channel-audio.ts'

/** What was read stays at hand for so many samples, for a resampler that looks back. */
const LOOK_BACK = 64

/** The audio of a run; undefined when its encoding cannot be decoded. Throws what the file system throws. */
export function openRunAudio(folder: string, run: RunManifest, opus?: OpusLibrary): RunAudio | undefined {
  if (run.bytes === 0) return undefined
  const path = join(folder, run.file)
  const format = run.decoded ? g711FormatOf(run.encoding) : undefined
  if (format !== undefined) return new G711Run(path, run, format === 'pcmu' ? decodePcmu : decodePcma)
  const decoder = run.decoded ? undefined : audioDecoder(run.encoding, opus)
  return decoder === undefined ? undefined : new PacketRun(readRawRun(path, run), run, decoder)
}

/** Rate at which a run is decoded; undefined when it cannot be. */
export function decodedRateHz(run: RunManifest, opus?: OpusLibrary): number | undefined {
  if (run.bytes === 0) return undefined
  return run.decoded ? run.clockRateHz : audioDecoder(run.encoding, opus)?.sampleRateHz
}

class G711Run implements RunAudio {
  readonly startMs: number
  readonly sampleRateHz: number
  readonly #fd: number
  readonly #decode: (bytes: Uint8Array) => Int16Array

  constructor(path: string, run: RunManifest, decode: (bytes: Uint8Array) => Int16Array) {
    this.startMs = run.startMs
    this.sampleRateHz = run.clockRateHz
    this.#decode = decode
    this.#fd = openSync(path, 'r')
  }

  read(from: number, into: Int16Array): void {
    const bytes = new Uint8Array(into.length)
    const have = readWavData(this.#fd, from, bytes)
    into.set(this.#decode(bytes.subarray(0, have)))
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/** Decodes packets in order; each lies where its record says, whatever its neighbours do. */
class PacketRun implements RunAudio {
  readonly startMs: number
  readonly sampleRateHz: number
  readonly #records: Generator<RawRecord>
  readonly #decoder: AudioDecoder
  readonly #samplesPerTick: number
  /** Decoded packets that later reads may still need, in order. */
  readonly #decoded: { readonly at: number; readonly samples: Int16Array }[] = []
  #isAtEnd = false

  constructor(records: Generator<RawRecord>, run: RunManifest, decoder: AudioDecoder) {
    this.startMs = run.startMs
    this.sampleRateHz = decoder.sampleRateHz
    this.#records = records
    this.#decoder = decoder
    this.#samplesPerTick = decoder.sampleRateHz / run.clockRateHz
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
    this.#records.return(undefined)
  }

  #decodeUpTo(end: number): void {
    while (!this.#isAtEnd && (this.#decoded.at(-1)?.at ?? -1) < end) {
      const next = this.#records.next()
      if (next.done === true) {
        this.#isAtEnd = true
        return
      }
      const { position, payload } = next.value
      this.#decoded.push({ at: Math.round(position * this.#samplesPerTick), samples: this.#decoder.decode(payload) })
    }
  }
}

function endOf({ at, samples }: { readonly at: number; readonly samples: Int16Array }): number {
  return at + samples.length
}
