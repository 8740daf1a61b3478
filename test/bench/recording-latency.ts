// What a recording costs the packets of the call itself: one call, recorded and not in turn, delays of the same path.

import { setTimeout as pause } from 'node:timers/promises'
import { CommandScene } from './command-scene.ts'
import { figure, percentile, type Section } from './report.ts'

const FRAME_MS = 5
const WINDOW_MS = 1_000
const SETTLE_MS = 100
const WARM_UP = 2
const RESAMPLES = 1_000
const WIDEST_MS = 0.5

/** Delays of one window without and one with recording, in ms. */
interface Pair {
  readonly plain: readonly number[]
  readonly recorded: readonly number[]
}

/** Measures so many pairs of windows of a second. */
export async function benchRecordingLatency(pairs: number): Promise<Section> {
  const scene = await CommandScene.open()
  const measured: Pair[] = []
  const window = async (): Promise<number[]> => {
    await pause(SETTLE_MS)
    scene.takeDelays()
    await pause(WINDOW_MS)
    return scene.takeDelays()
  }
  try {
    await scene.call(FRAME_MS)
    for (let at = -WARM_UP; at < pairs; at++) {
      const plain = await window()
      await scene.start()
      const recorded = await window()
      await scene.stop()
      if (at >= 0) measured.push({ plain, recorded })
    }
    await scene.hangUp()
  } finally {
    await scene.close()
  }
  return section(measured)
}

function p99Difference(pairs: readonly Pair[]): number {
  const p99 = (of: (pair: Pair) => readonly number[]): number => percentile(pairs.flatMap(of), 0.99)
  return p99(({ recorded }) => recorded) - p99(({ plain }) => plain)
}

/** The middle 95 % of the difference over draws of as many pairs, with repetition. */
function interval(pairs: readonly Pair[]): readonly [number, number] {
  const draw = (): Pair[] => pairs.map(() => pairs[Math.floor(Math.random() * pairs.length)]!)
  const differences = Array.from({ length: RESAMPLES }, () => p99Difference(draw()))
  return [percentile(differences, 0.025), percentile(differences, 0.975)]
}

function section(pairs: readonly Pair[]): Section {
  const row = (name: string, of: (pair: Pair) => readonly number[]): string[] => {
    const all = pairs.flatMap(of)
    return [name, figure(all.length), figure(percentile(all, 0.5), 3), figure(percentile(all, 0.99), 3)]
  }
  const [low, high] = interval(pairs)
  const isMet = low <= 0 && high >= 0 && high - low < WIDEST_MS
  return {
    title: 'What recording costs the call: delay from party to party',
    columns: ['call', 'packets', 'p50 ms', 'p99 ms'],
    rows: [row('not recorded', ({ plain }) => plain), row('recorded', ({ recorded }) => recorded)],
    notes: [
      `p99 recorded less p99 not recorded: 95 % interval ${figure(low, 3)} to ${figure(high, 3)} ms, by bootstrap over the pairs; goal: includes 0 and is narrower than ${WIDEST_MS} ms: ${isMet ? 'met' : 'missed'}.`,
      `${pairs.length} pairs of windows of ${figure(WINDOW_MS)} ms on one call, recording off and on in turn; packets of ${FRAME_MS} ms from both parties.`,
      'From the send call of one party to the arrival at the socket of the other, both in the process of the bench.',
    ],
  }
}
