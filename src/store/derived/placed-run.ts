// A G.711 run as it lies in the recording: its bytes by recording time, a byte left out or repeated where clocks differ.

import { decodePcma, decodePcmu } from '#audio'
import type { RunManifest } from '../manifest.ts'
import { RunTime } from '../run-time.ts'
import type { OpenFile } from '../sealing/sealed-file.ts'
import { readWavData } from '../wav-run-file.ts'
import type { FileOpener } from './opened-files.ts'

/** How far a byte that is left out or repeated may be from where the clocks say, to be where it is not heard. */
const SEARCH_MS = 10

/** Reader of one run; frames count from the run's start in the recording, at the run's own rate. */
export class PlacedRun {
  /** How many there are. */
  readonly frames: number
  readonly #run: RunManifest
  readonly #decode: (bytes: Uint8Array) => Int16Array
  readonly #file: OpenFile
  readonly #time: RunTime

  /** Opens the file; throws what the file system throws. */
  constructor(path: string, run: RunManifest, format: 'pcmu' | 'pcma', files: FileOpener) {
    this.#run = run
    this.#decode = format === 'pcmu' ? decodePcmu : decodePcma
    this.#time = new RunTime(run)
    const lengthMs = this.#time.msOf(run.bytes) - run.startMs
    this.frames = this.#time.isStraight ? run.bytes : Math.round((lengthMs * run.clockRateHz) / 1000)
    this.#file = files.open(path)
  }

  close(): void {
    this.#file.close()
  }

  /** Bytes from `frame` on; returns how many there were. */
  read(frame: number, into: Uint8Array): number {
    if (this.#time.isStraight) return readWavData(this.#file, frame, into)
    const first = this.#positionAt(frame)
    const last = this.#positionAt(frame + into.length - 1)
    const source = new Uint8Array(last - first + 1)
    const have = readWavData(this.#file, first, source)
    const isShifted = last - first + 1 !== into.length
    const samples = isShifted ? this.#decode(source) : new Int16Array(0)
    let done = 0
    let shift = 0
    while (done < into.length) {
      const slip = this.#nextSlip(frame, done, into.length, first, shift)
      const at = slip === undefined ? into.length : this.#quietest(samples, slip.at, shift, done, into.length)
      into.set(source.subarray(done + shift, at + shift), done)
      done = at
      shift = slip?.shift ?? shift
    }
    return Math.min(into.length, Math.max(0, have - shift))
  }

  /** Where, of the bytes to be given, the distance to those of the file changes next. */
  #nextSlip(
    frame: number,
    from: number,
    to: number,
    first: number,
    shift: number,
  ): { at: number; shift: number } | undefined {
    const shiftAt = (at: number) => this.#positionAt(frame + at) - first - at
    if (shiftAt(to - 1) === shift) return undefined
    let same = from
    let other = to - 1
    while (other - same > 1) {
      const middle = (same + other) >> 1
      if (shiftAt(middle) === shift) same = middle
      else other = middle
    }
    return { at: other, shift: shiftAt(other) }
  }

  /** The least step between neighbours near the place, so that nobody hears that one is missing or there twice. */
  #quietest(samples: Int16Array, at: number, shift: number, from: number, to: number): number {
    const reach = Math.round((SEARCH_MS * this.#run.clockRateHz) / 1000)
    let best = at
    let least = Number.POSITIVE_INFINITY
    for (let i = Math.max(from + 1, at - reach); i < Math.min(to - 1, at + reach); i++) {
      const before = samples[i + shift - 1] ?? 0
      const here = samples[i + shift] ?? 0
      const after = samples[i + shift + 1] ?? 0
      const step = Math.max(Math.abs(here - before), Math.abs(after - here)) + Math.abs(i - at) / reach
      if (step < least) {
        least = step
        best = i
      }
    }
    return best
  }

  #positionAt(frame: number): number {
    return Math.max(0, Math.round(this.#time.positionOf(this.#run.startMs + (frame * 1000) / this.#run.clockRateHz)))
  }
}
