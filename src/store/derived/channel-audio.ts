// One stream as samples at a common rate, read from beginning to end: its runs one after another, silence between them.

import { INTERPOLATION_REACH, Interpolator, resample } from '#audio'

/** Part of a channel: samples from `startMs` of the recording on. */
export interface RunAudio {
  readonly startMs: number
  readonly sampleRateHz: number
  /** Fills `into` from sample `from` of the run on; positions rise but for the reach of a resampler. What it does not have is left as it is. */
  read(from: number, into: Int16Array): void
  close(): void
}

interface PlacedRun {
  readonly run: RunAudio
  /** Frame of the channel that the run begins at. */
  readonly start: number
  readonly interpolator: Interpolator | undefined
}

/** A channel made of runs. */
export class ChannelAudio {
  readonly #runs: readonly PlacedRun[]
  readonly #sampleRateHz: number

  /** `sampleRateHz` is at least that of each run. */
  constructor(runs: readonly RunAudio[], sampleRateHz: number) {
    this.#sampleRateHz = sampleRateHz
    this.#runs = runs.map((run) => {
      const factor = sampleRateHz / run.sampleRateHz
      return {
        run,
        start: Math.round((run.startMs * sampleRateHz) / 1000),
        interpolator: Number.isInteger(factor) && factor > 1 ? new Interpolator(factor) : undefined,
      }
    })
  }

  /** `count` samples from `frame` on; to be called in rising order. */
  read(frame: number, count: number): Int16Array {
    const samples = new Int16Array(count)
    for (const placed of this.#runs) {
      const from = Math.max(frame, placed.start)
      if (from < frame + count) this.#readRun(placed, from - placed.start, samples.subarray(from - frame))
    }
    return samples
  }

  close(): void {
    for (const { run } of this.#runs) run.close()
  }

  #readRun({ run, interpolator }: PlacedRun, from: number, into: Int16Array): void {
    const factor = this.#sampleRateHz / run.sampleRateHz
    if (factor === 1) {
      run.read(from, into)
      return
    }
    const first = Math.floor(from / factor)
    const lead = Math.min(INTERPOLATION_REACH, first)
    const source = new Int16Array(lead + Math.ceil(into.length / factor) + 2 * INTERPOLATION_REACH)
    run.read(first - lead, source)
    if (interpolator === undefined) {
      const skip = Math.round(from - (first - lead) * factor)
      putHeard(into, resample(source, run.sampleRateHz, this.#sampleRateHz).subarray(skip, skip + into.length))
      return
    }
    const raised = new Int16Array(into.length)
    interpolator.run(source, lead, from - first * factor, raised)
    putHeard(into, raised)
  }
}

/** A channel on which several sources speak at once. */
export class MixedAudio {
  readonly #sources: readonly ChannelAudio[]

  constructor(sources: readonly ChannelAudio[]) {
    this.#sources = sources
  }

  /** `count` samples from `frame` on, the sum of all, cut where it leaves the scale; to be called in rising order. */
  read(frame: number, count: number): Int16Array {
    const [first, ...others] = this.#sources.map((source) => source.read(frame, count))
    const sum = first ?? new Int16Array(count)
    for (const samples of others) {
      for (let i = 0; i < count; i++) sum[i] = Math.max(-32_768, Math.min(32_767, sum[i]! + samples[i]!))
    }
    return sum
  }

  close(): void {
    for (const source of this.#sources) source.close()
  }
}

/** Silence of one run does not erase what another one says. */
function putHeard(into: Int16Array, samples: Int16Array): void {
  for (let i = 0; i < samples.length; i++) if (samples[i] !== 0) into[i] = samples[i]!
}
