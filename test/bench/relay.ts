// Bench of a media relay, whatever it is: calls with two legs at 50 packets per second each, every leg forked to R recorders.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { Endpoint } from '#kernel'

/** Where the load generator listens. */
export interface BenchTargets {
  /** One endpoint per leg: legs 2n and 2n+1 are the parties of call n. */
  readonly legs: readonly Endpoint[]
  /** Per leg, one endpoint per recorder. */
  readonly forks: readonly (readonly Endpoint[])[]
}

/** A device under test, ready to relay between the targets. */
export interface Device {
  /** Process whose CPU time is counted. */
  readonly pid: number
  /** The device's RTP port of each leg, on loopback. */
  readonly legPorts: readonly number[]
  close(): Promise<void>
}

/** What to measure. */
export interface RelayBenchOptions {
  readonly calls: number
  /** Recorders per call. */
  readonly recorders: number
  readonly seconds: number
  readonly openDevice: (targets: BenchTargets) => Promise<Device>
}

/** Latencies of one kind of packet, ms from the send to the arrival as the generator sees both. */
export interface LatencySummary {
  readonly packets: number
  readonly lost: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** What was measured. */
export interface RelayBenchResult {
  readonly calls: number
  readonly recorders: number
  /** Packets sent to the device per second; 100 of them are one call. */
  readonly packetsPerSecond: number
  /** User and system time of the device per packet sent to it. */
  readonly cpuMicrosPerPacket: number
  readonly relay: LatencySummary
  readonly fork: LatencySummary
}

/** Messages to the load generator. */
export type LoadCommand =
  | { readonly type: 'bind'; readonly legs: number; readonly recorders: number }
  | { readonly type: 'run'; readonly legPorts: readonly number[]; readonly seconds: number }

/** Messages from the load generator. */
export type LoadReply =
  | { readonly type: 'bound'; readonly targets: BenchTargets }
  | { readonly type: 'started' }
  | {
      readonly type: 'done'
      readonly sent: number
      readonly seconds: number
      readonly relay: LatencySummary
      readonly fork: LatencySummary
    }

const CLOCK_TICKS_PER_SECOND = 100

async function replyOf<Type extends LoadReply['type']>(
  load: ChildProcess,
  type: Type,
): Promise<Extract<LoadReply, { type: Type }>> {
  for (;;) {
    const [reply] = (await once(load, 'message')) as [LoadReply]
    if (reply.type === type) return reply as Extract<LoadReply, { type: Type }>
  }
}

/** User and system CPU time of a process with all its threads, in µs (proc(5): fields 14 and 15). */
async function cpuMicros(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / CLOCK_TICKS_PER_SECOND
}

/** Runs one measurement; ends the generator and the device in any case. */
export async function benchRelay(options: RelayBenchOptions): Promise<RelayBenchResult> {
  const load = fork(new URL('./rtp-load.js', import.meta.url), { serialization: 'advanced' })
  let device: Device | undefined
  try {
    const say = (command: LoadCommand): void => void load.send(command)
    say({ type: 'bind', legs: 2 * options.calls, recorders: options.recorders })
    const { targets } = await replyOf(load, 'bound')
    device = await options.openDevice(targets)
    say({ type: 'run', legPorts: device.legPorts, seconds: options.seconds })
    await replyOf(load, 'started')
    const before = await cpuMicros(device.pid)
    const done = await replyOf(load, 'done')
    const spent = (await cpuMicros(device.pid)) - before
    return {
      calls: options.calls,
      recorders: options.recorders,
      packetsPerSecond: Math.round(done.sent / done.seconds),
      cpuMicrosPerPacket: spent / done.sent,
      relay: done.relay,
      fork: done.fork,
    }
  } finally {
    await device?.close()
    load.kill()
  }
}
