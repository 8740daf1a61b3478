// Our media engine beside rtpengine: same generator, same cores, windows taken in turn.

import { openBareRelay } from './bare-device.ts'
import { type BenchTargets, type Device, RelayRig, type RelayWindow } from './relay.ts'
import { figure, median, percentText, ratioText, type Section } from './report.ts'
import { hasRtpengine, openRtpengineDevice } from './rtpengine-device.ts'
import { openWorkerDevice } from './worker-device.ts'

/** How thoroughly to measure. */
export interface RelayPlan {
  /** Calls at which the cost of a packet is taken. */
  readonly calls: number
  /** Before anything counts: until then a good part of the time goes into compiling our code. */
  readonly warmUpSeconds: number
  readonly windows: number
  readonly windowSeconds: number
  /** Most calls that the search for capacity tries. */
  readonly mostCalls: number
  /** Searches for capacity, and windows of each. */
  readonly searches: number
  readonly steps: number
}

const PEER = 'rtpengine userspace, 1 thread'
const OURS = 'worker engine'
const FLOOR = "Node's sockets alone"
const LEAST_CALLS = 50
const WARM_UP_CALLS = 100
const MOST_LOSS = 0.0005
const MOST_P99_MS = 5
/** A generator that uses more of its core than this is what limits. */
const MOST_GENERATOR_SHARE = 0.9

type OpenDevice = (targets: BenchTargets) => Promise<Device>
type Rigs = ReadonlyMap<string, RelayRig>

/** Cost per packet, latency and loss at a fixed number of recorded calls, then the most calls per core. */
export async function benchRelays(plan: RelayPlan): Promise<Section[]> {
  const devices = new Map<string, OpenDevice>([[OURS, openWorkerDevice]])
  if (hasRtpengine) devices.set(PEER, openRtpengineDevice)
  const fixed = await withRigs(new Map([...devices, [FLOOR, openBareRelay]]), plan.calls, plan, (rigs) =>
    inTurn(rigs, plan.windows, (rig) => rig.measure(plan.calls, plan.windowSeconds)),
  )
  const found = await withRigs(devices, plan.mostCalls, plan, (rigs) =>
    inTurn(rigs, plan.searches, (rig) => capacity(rig, plan)),
  )
  return [costSection(plan, fixed), capacitySection(plan, found)]
}

async function withRigs<T>(
  devices: ReadonlyMap<string, OpenDevice>,
  calls: number,
  plan: RelayPlan,
  use: (rigs: Rigs) => Promise<T>,
): Promise<T> {
  const rigs = new Map<string, RelayRig>()
  try {
    for (const [name, openDevice] of devices) {
      const rig = await RelayRig.open(openDevice, calls, 1)
      rigs.set(name, rig)
      await rig.measure(Math.min(calls, WARM_UP_CALLS), plan.warmUpSeconds)
    }
    return await use(rigs)
  } finally {
    for (const rig of rigs.values()) await rig.close()
  }
}

/** Repeats a measurement of every rig, each round one after the other. */
async function inTurn<T>(
  rigs: Rigs,
  rounds: number,
  measure: (rig: RelayRig) => Promise<T>,
): Promise<Map<string, T[]>> {
  const results = new Map<string, T[]>([...rigs.keys()].map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, rig] of rigs) results.get(name)?.push(await measure(rig))
  }
  return results
}

interface Capacity {
  /** The most calls that passed, as really sent; 0 when not even the least did. */
  readonly calls: number
  readonly isGeneratorLimited: boolean
}

/** Geometric bisection; a window that fails is not tried again. */
async function capacity(rig: RelayRig, plan: RelayPlan): Promise<Capacity> {
  let [low, high] = [LEAST_CALLS, plan.mostCalls]
  let best: RelayWindow | undefined
  let isGeneratorLimited = false
  for (let step = 0; step < plan.steps; step++) {
    const calls = Math.round(Math.sqrt(low * high))
    const window = await rig.measure(calls, plan.windowSeconds)
    isGeneratorLimited ||= window.generatorShare > MOST_GENERATOR_SHARE
    if (passes(window)) {
      low = calls
      if (best === undefined || window.calls > best.calls) best = window
    } else {
      high = calls
    }
  }
  return { calls: best?.calls ?? 0, isGeneratorLimited }
}

function passes({ loss, relay, fork }: RelayWindow): boolean {
  return loss < MOST_LOSS && relay.p99Ms < MOST_P99_MS && fork.p99Ms < MOST_P99_MS
}

function costSection(plan: RelayPlan, results: ReadonlyMap<string, RelayWindow[]>): Section {
  const of = (windows: readonly RelayWindow[], value: (window: RelayWindow) => number): number =>
    median(windows.map(value))
  const peerCost = of(results.get(PEER) ?? [], (window) => window.cpuMicrosPerPacket)
  const row = ([name, windows]: [string, RelayWindow[]]): string[] => {
    const cost = of(windows, (window) => window.cpuMicrosPerPacket)
    return [
      name,
      figure(of(windows, (window) => window.calls)),
      figure(cost, 1),
      name === PEER ? '1' : ratioText(peerCost / cost),
      figure(
        of(windows, (window) => window.relay.p50Ms),
        2,
      ),
      figure(
        of(windows, (window) => window.relay.p99Ms),
        2,
      ),
      figure(
        of(windows, (window) => window.fork.p50Ms),
        2,
      ),
      figure(
        of(windows, (window) => window.fork.p99Ms),
        2,
      ),
      percentText(of(windows, (window) => window.loss)),
      percentText(of(windows, (window) => window.generatorShare)),
    ]
  }
  return {
    title: `Media relay: cost of a packet at ${plan.calls} recorded calls`,
    columns: [
      'engine',
      'calls',
      'CPU µs/packet',
      'packets per CPU second / rtpengine',
      'relay p50 ms',
      'relay p99 ms',
      'fork p50 ms',
      'fork p99 ms',
      'lost',
      'generator',
    ],
    rows: [...[...results].map(row), ...missingPeer(10)],
    notes: [
      'A recorded call is two legs of G.711 at 50 packets per second, relayed both ways, each leg copied to one recorder.',
      'CPU is user and system time of the whole process per packet that it received, on a core of its own; the generator has the other.',
      `${FLOOR}: a program that sends on what it receives, without RTP, RTCP, gates or counters; what is left above it is ours.`,
      `Medians of ${plan.windows} windows of ${plan.windowSeconds} s, the engines in turn; latency includes the generator's own two sockets.`,
    ],
  }
}

function capacitySection(plan: RelayPlan, results: ReadonlyMap<string, Capacity[]>): Section {
  const peerCalls = median((results.get(PEER) ?? []).map(({ calls }) => calls))
  const row = ([name, found]: [string, Capacity[]]): string[] => {
    const calls = median(found.map((one) => one.calls))
    return [
      name,
      figure(calls),
      found.map((one) => figure(one.calls)).join(', '),
      name === PEER ? '1' : ratioText(calls / peerCalls),
      found.some((one) => one.isGeneratorLimited) ? 'yes' : 'no',
    ]
  }
  return {
    title: 'Media relay: recorded calls per core',
    columns: ['engine', 'calls', 'each search', 'ratio to rtpengine', 'generator at its limit'],
    rows: [...[...results].map(row), ...missingPeer(5)],
    notes: [
      `The most calls with less than ${percentText(MOST_LOSS)} of the packets lost and a p99 below ${MOST_P99_MS} ms on relay and copies.`,
      `Bisection between ${LEAST_CALLS} and ${plan.mostCalls} calls in ${plan.steps} windows of ${plan.windowSeconds} s, no second chances; median of ${plan.searches} searches.`,
      'Calls are counted by the packets really sent, 100 per second for one call.',
    ],
  }
}

function missingPeer(columns: number): string[][] {
  if (hasRtpengine) return []
  return [[PEER, 'not installed', ...new Array(columns - 2).fill('-')]]
}
