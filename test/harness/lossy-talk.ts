// A minute of one sender with everything that makes a stream miss packets: loss, hold, a pause of ours, silence suppression.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { correlate, encodePcmu, readWav } from '#audio'
import { seededIds } from '#kernel'
import type { GapCause, Manifest } from '#store'
import { type Cleanup, TrackBench } from './track-bench.ts'

const PCMU = { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }
/** How long the call is. */
export const LOSSY_MS = 60_000
const PACKETS = LOSSY_MS / 20
/** Where pieces of two seconds begin that are looked for in the recording: none is in a gap on purpose. */
const PIECES_S = [2, 22, 37, 50, 57]
const PIECE_S = 2
const REACH = 400

/** What came of it. */
export interface LossyResult {
  readonly manifest: Manifest
  /** Milliseconds that are to be missing, by cause. */
  readonly expectedMs: Readonly<Partial<Record<GapCause, number>>>
  /** Samples of its channel in recording.wav. */
  readonly samples: number
  /** Pieces of what was said: how much like them the recording is, and how much later, in samples, they lie there. */
  readonly pieces: readonly { readonly second: number; readonly coefficient: number; readonly lagSamples: number }[]
}

/** Sends 5 % of the packets to nowhere, with 10 s of hold, 5 s of a pause of ours and 2 s of silence suppression, 15 ms of jitter. */
export async function recordLossyTalk(cleanup: Cleanup, seed: number): Promise<LossyResult> {
  const bench = new TrackBench(cleanup, [[PCMU]])
  const ids = seededIds(seed)
  const source = Int16Array.from({ length: LOSSY_MS * 8 }, () => ids.integer(16_000) - 8000)
  const payload = encodePcmu(source)
  const track = bench.tracks[0]!
  const changes: [atMs: number, cause: 'hold' | 'paused-here', isOn: boolean][] = [
    [10_000, 'hold', true],
    [20_000, 'hold', false],
    [30_000, 'paused-here', true],
    [35_000, 'paused-here', false],
  ]
  const expectedMs = { lost: 0, dtx: 2000, hold: 10_000, 'paused-here': 5000 }
  let sequence = 0
  for (let n = 0; n < PACKETS; n++) {
    const atMs = n * 20
    if (changes[0] !== undefined && atMs >= changes[0][0]) {
      const [at, cause, isOn] = changes.shift()!
      track.setPaused(cause, isOn, at)
    }
    const isHeld = atMs >= 10_000 && atMs < 20_000
    const isSilent = atMs >= 45_000 && atMs < 47_000
    if (isHeld || isSilent) continue
    sequence += 1
    const isLost = ids.integer(20) === 0
    const isDiscarded = atMs >= 30_000 && atMs < 35_000
    if (isLost && !isDiscarded) expectedMs.lost += 20
    if (isLost) continue
    // Up to 15 ms of jitter; what is sent at the time of a change arrives behind it.
    const arrivalMs = atMs + 20 + ids.integer(15)
    bench.accept(0, { sequence, timestamp: n * 160, arrivalMs, payload: payload.subarray(n * 160, n * 160 + 160) })
  }
  const { manifest, folder } = await bench.publish(LOSSY_MS + 20)
  const wav = readWav(readFileSync(join(folder, 'recording.wav')))
  if (!wav.ok) throw new Error('recording.wav does not play')
  const heard = wav.value.samples[0]!
  const pieces = PIECES_S.map((second) => {
    const part = (samples: Int16Array) => samples.slice(second * 8000, (second + PIECE_S) * 8000)
    return { second, ...correlate(part(source), part(heard), REACH) }
  })
  return { manifest, expectedMs, samples: heard.length, pieces }
}
