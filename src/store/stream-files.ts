// The files of one stream while it is received: codec runs and their index.

import { join } from 'node:path'
import { PCMA_SILENCE, PCMU_SILENCE } from '#audio'
import { GapLedger } from './gap-ledger.ts'
import type { Gap, RunManifest, StreamEvent, StreamManifest, StreamTotals } from './manifest.ts'
import { MAX_LISTED, NO_TOTALS } from './manifest.ts'
import { RawRunFile } from './raw-run-file.ts'
import { type IndexAnchor, IndexWriter, indexFileName } from './stream-index.ts'
import { WavRunFile } from './wav-run-file.ts'

/** A codec as far as files care. */
export interface RunCodec {
  /** As in SDP, upper case, e.g. `PCMU/8000`. */
  readonly encoding: string
  readonly clockRateHz: number
}

/** The G.711 format of an encoding at any clock rate; undefined for all else. */
export function g711FormatOf(encoding: string): 'pcmu' | 'pcma' | undefined {
  const [name, , channels] = encoding.split('/')
  if (channels !== undefined) return undefined
  return name === 'PCMU' ? 'pcmu' : name === 'PCMA' ? 'pcma' : undefined
}

/** The byte that is silence in a G.711 format. */
export function silenceOf(format: 'pcmu' | 'pcma'): number {
  return format === 'pcmu' ? PCMU_SILENCE : PCMA_SILENCE
}

/** Writer of one stream. Every method throws what the file system throws. */
export class StreamFiles {
  readonly channel: number
  readonly #folder: string
  readonly #label: string | undefined
  readonly #index: IndexWriter
  readonly #runs: (Omit<RunManifest, 'bytes'> & { file: string })[] = []
  readonly #runBytes: number[] = []
  readonly #gaps = new GapLedger()
  readonly #events: StreamEvent[] = []
  #open: WavRunFile | RawRunFile | undefined
  #totals: StreamTotals = NO_TOTALS
  #audioMs = 0

  constructor(folder: string, channel: number, label: string | undefined) {
    this.channel = channel
    this.#folder = folder
    this.#label = label
    this.#index = new IndexWriter(join(folder, indexFileName(channel)))
    this.#index.add({ type: 'stream', channel, ...(label !== undefined && { label }) })
    this.#index.flush()
  }

  /** Number of runs begun. */
  get runCount(): number {
    return this.#runs.length
  }

  /** Ends the current run and begins a G.711 one at `startMs` of the recording. */
  startWavRun(codec: RunCodec, format: 'pcmu' | 'pcma', startMs: number): WavRunFile {
    const path = this.#beginRun(codec, startMs, true, `${format}.wav`)
    const file = new WavRunFile(path, { format, sampleRateHz: codec.clockRateHz, silence: silenceOf(format) })
    this.#open = file
    return file
  }

  /** Ends the current run and begins one whose payload is not decoded. */
  startRawRun(codec: RunCodec, startMs: number): RawRunFile {
    const name = codec.encoding
      .split('/')[0]!
      .toLowerCase()
      .replace(/[^a-z0-9-]/g, '_')
    const file = new RawRunFile(this.#beginRun(codec, startMs, false, `${name.slice(0, 32)}.rtp`))
    this.#open = file
    return file
  }

  addGap(gap: Gap): void {
    this.#gaps.add(gap)
    this.#index.add({ type: 'gap', ...gap })
  }

  /** Notes how much audio there is so far. */
  setAudio(audioMs: number): void {
    this.#audioMs = audioMs
  }

  addEvent(event: StreamEvent): void {
    if (this.#events.length < MAX_LISTED) this.#events.push(event)
    this.#index.add({ type: 'event', ...event })
  }

  /** Notes a meeting of clocks and the counters so far. */
  addAnchor(anchor: IndexAnchor | undefined, totals: StreamTotals): void {
    this.#totals = totals
    if (anchor !== undefined) this.#index.add({ type: 'anchor', ...anchor })
    this.#index.add({ type: 'totals', ...totals })
  }

  /** Hands everything to the operating system. */
  flush(): void {
    this.#open?.flush()
    this.#index.flush()
  }

  /** Closes all files and returns the stream's part of the manifest. */
  close(totals: StreamTotals): StreamManifest {
    this.addAnchor(undefined, totals)
    try {
      this.#endRun()
    } finally {
      this.#index.close()
    }
    return this.manifest([])
  }

  /** Closes what is open, whatever the file system says. */
  abandon(): void {
    for (const file of [this.#open, this.#index]) {
      try {
        file?.close()
      } catch {
        // The file is closed already, or its last bytes are lost: recovery takes what is there.
      }
    }
    this.#open = undefined
  }

  /** The stream's part of the manifest as of now. */
  manifest(participants: readonly string[]): StreamManifest {
    const runs = this.#runs.map((run, index) => ({ ...run, bytes: this.#runBytes[index] ?? this.#open?.bytes ?? 0 }))
    return {
      channel: this.channel,
      ...(this.#label !== undefined && { label: this.#label }),
      participants,
      runs,
      gaps: this.#gaps.gaps,
      events: this.#events,
      account: { audioMs: this.#audioMs, missingMs: this.#gaps.missingMs },
      totals: this.#totals,
    }
  }

  #beginRun(codec: RunCodec, startMs: number, decoded: boolean, ending: string): string {
    this.#endRun()
    const file = `stream-${this.channel + 1}.run-${this.#runs.length + 1}.${ending}`
    const run = { file, encoding: codec.encoding, clockRateHz: codec.clockRateHz, startMs, decoded }
    this.#runs.push(run)
    this.#index.add({ type: 'run', ...run })
    return join(this.#folder, file)
  }

  #endRun(): void {
    if (this.#open === undefined) return
    const file = this.#open
    this.#open = undefined
    this.#runBytes.push(file.bytes)
    file.close()
  }
}
