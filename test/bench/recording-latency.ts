// What recording costs the packets of the call itself: one call, recorded and not in turn, delays of the same path.

import { setTimeout as pause } from 'node:timers/promises'
import { goFirst } from './child.ts'
import { CommandScene } from './command-scene.ts'
import { figure, median, percentile, type Section } from './report.ts'
import { openRtpSink } from './rtp-sink.ts'

/** What phones send: the goal is about packets of this length. */
const PHONE_FRAME_MS = 20

/** How a call is looked at. */
export interface LatencyLook {
  readonly pairs: number
  /** Length of a packet. */
  readonly frameMs: number
  readonly windowMs: number
}

const SETTLE_MS = 100
/** Until what runs in the packet path is compiled. */
const WARM_UP = 6
const RESAMPLES = 2_000
const WIDEST_MS = 0.5
/** Part of the packets of the recorded windows that must have come to the recorder for the measurement to count. */
const LEAST_COPIED = 0.95

/** Delays of one window without and one with recording, in ms. */
interface Pair {
  readonly plain: readonly number[]
  readonly recorded: readonly number[]
}

/** Measures so many pairs of windows: plain and recorded, then recorded and plain, so that a drift cancels out. */
export async function benchRecordingLatency(look: LatencyLook): Promise<Section> {
  const { pairs, frameMs, windowMs } = look
  const sink = await openRtpSink()
  const scene = await CommandScene.open()
  const measured: Pair[] = []
  // On a machine with other work the differences between windows would be those of that work.
  const isFirst = goFirst([process.pid, scene.gatewayPid], true)
  try {
    await scene.call(frameMs)
    for (let at = -WARM_UP; at < pairs; at++) {
      const isPlainFirst = at % 2 === 0
      const first = await window(scene, windowMs)
      if (isPlainFirst) await scene.startTo(sink.port)
      else await scene.stop()
      const second = await window(scene, windowMs)
      if (at >= 0) measured.push(isPlainFirst ? { plain: first, recorded: second } : { plain: second, recorded: first })
    }
    await scene.hangUp()
    const copies = await sink.packets()
    const packets = measured.reduce((sum, { recorded }) => sum + recorded.length, 0)
    if (copies < LEAST_COPIED * packets) throw new Error(`${copies} copies came of ${packets} packets`)
  } finally {
    goFirst([process.pid], false)
    await scene.close()
    await sink.close()
  }
  return section(measured, look, isFirst)
}

async function window(scene: CommandScene, windowMs: number): Promise<number[]> {
  await pause(SETTLE_MS)
  scene.takeDelays()
  await pause(windowMs)
  return scene.takeDelays()
}

const p99 = (delays: readonly number[]): number => percentile(delays, 0.99)

/** The middle 95 % of a statistic over draws of as many pairs, with repetition: a pair is a block, since delays come in bursts. */
function interval(pairs: readonly Pair[], statistic: (drawn: readonly Pair[]) => number): readonly [number, number] {
  const draw = (): Pair[] => pairs.map(() => pairs[Math.floor(Math.random() * pairs.length)]!)
  const values = Array.from({ length: RESAMPLES }, () => statistic(draw()))
  return [percentile(values, 0.025), percentile(values, 0.975)]
}

function section(pairs: readonly Pair[], { frameMs, windowMs }: LatencyLook, isFirst: boolean): Section {
  const row = (name: string, of: (pair: Pair) => readonly number[]): string[] => {
    const all = pairs.flatMap(of)
    return [name, figure(all.length), figure(percentile(all, 0.5), 3), figure(p99(all), 3)]
  }
  const differences = new Map(pairs.map((pair) => [pair, p99(pair.recorded) - p99(pair.plain)]))
  const [low, high] = interval(pairs, (drawn) => median(drawn.map((pair) => differences.get(pair)!)))
  const isMet = low <= 0 && high >= 0 && high - low < WIDEST_MS
  const spread = (statistic: number): string => figure(percentile([...differences.values()], statistic), 3)
  const times = PHONE_FRAME_MS / frameMs
  const about =
    times === 1
      ? `The goal is for packets of ${PHONE_FRAME_MS} ms, as phones send: this section.`
      : `A stress row: ${figure(times)} times as many packets as phones send. The goal is for packets of ${PHONE_FRAME_MS} ms, in the section of those; here it is only compared with.`
  return {
    title: `What recording costs the call: delay from party to party, packets of ${frameMs} ms`,
    columns: ['call', 'packets', 'p50 ms', 'p99 ms'],
    rows: [row('not recorded', ({ plain }) => plain), row('recorded', ({ recorded }) => recorded)],
    notes: [
      about,
      `p99 recorded less p99 not recorded, pair by pair: median ${spread(0.5)} ms, 95 % interval ${figure(low, 3)} to ${figure(high, 3)} ms; ${times === 1 ? 'goal' : 'beside the goal'}: includes 0 and is narrower than ${WIDEST_MS} ms: ${isMet ? 'met' : 'missed'}.`,
      `The differences of the pairs lie between ${spread(0.05)} and ${spread(0.95)} ms in nine of ten.`,
      `${pairs.length} pairs of windows of ${figure(windowMs)} ms on one call, off and on, then on and off; packets from both parties. The interval is by bootstrap over the pairs.`,
      'From the send call of one party to the arrival at the socket of the other, both in the process of the bench; the recorder takes its copies in another process of the lowest priority.',
      `Gateway and parties before other work of the machine, by niceness: ${isFirst ? 'yes' : 'no'}.`,
    ],
  }
}
