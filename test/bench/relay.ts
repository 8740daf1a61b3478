// Bench of a media relay, whatever it is: calls with two legs at 50 packets per second each, every leg forked to R recorders.

import type { ChildProcess } from 'node:child_process'
import type { Endpoint } from '#kernel'
import { cpuMicros, endChild, loadCore, nextMessage, startModule } from './child.ts'

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

/** Latencies of one kind of packet, ms from the send to the arrival as the generator sees both. */
export interface LatencySummary {
  readonly packets: number
  readonly lost: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** What one window of measurement showed. */
export interface RelayWindow {
  /** Calls that the packets really sent amount to: 100 per second are one call. */
  readonly calls: number
  /** User and system time of the device per packet sent to it. */
  readonly cpuMicrosPerPacket: number
  /** Part of a core that the device used. */
  readonly deviceShare: number
  /** Part of a core that the generator used; near 1 the generator is the limit. */
  readonly generatorShare: number
  /** Part of the packets expected that did not come. */
  readonly loss: number
  readonly relay: LatencySummary
  readonly fork: LatencySummary
}

/** Messages to the load generator. */
export type LoadCommand =
  | { readonly type: 'bind'; readonly legs: number; readonly recorders: number }
  | { readonly type: 'run'; readonly legPorts: readonly number[]; readonly streams: number; readonly seconds: number }

/** Messages from the load generator. */
export type LoadReply =
  | { readonly type: 'bound'; readonly targets: BenchTargets }
  | { readonly type: 'started' | 'stopped' }
  | {
      readonly type: 'done'
      readonly sent: number
      readonly seconds: number
      readonly generatorShare: number
      readonly relay: LatencySummary
      readonly fork: LatencySummary
    }

const PACKETS_PER_CALL_AND_SECOND = 100

/** A device with calls set up, and the generator that talks through it. */
export class RelayRig {
  readonly #load: ChildProcess
  readonly #device: Device
  readonly #recorders: number

  private constructor(load: ChildProcess, device: Device, recorders: number) {
    this.#load = load
    this.#device = device
    this.#recorders = recorders
  }

  /** Sets up `calls` calls with `recorders` forks of each leg. */
  static async open(
    openDevice: (targets: BenchTargets) => Promise<Device>,
    calls: number,
    recorders: number,
  ): Promise<RelayRig> {
    const load = startModule(loadCore, new URL('./rtp-load.js', import.meta.url))
    try {
      say(load, { type: 'bind', legs: 2 * calls, recorders })
      const { targets } = await replyOf(load, 'bound')
      return new RelayRig(load, await openDevice(targets), recorders)
    } catch (fault) {
      await endChild(load)
      throw fault
    }
  }

  /** Lets `calls` of the calls talk for so many seconds. */
  async measure(calls: number, seconds: number): Promise<RelayWindow> {
    const { pid, legPorts } = this.#device
    say(this.#load, { type: 'run', legPorts, streams: 2 * calls, seconds })
    await replyOf(this.#load, 'started')
    const before = await cpuMicros(pid)
    await replyOf(this.#load, 'stopped')
    const spent = (await cpuMicros(pid)) - before
    const done = await replyOf(this.#load, 'done')
    return {
      calls: done.sent / done.seconds / PACKETS_PER_CALL_AND_SECOND,
      cpuMicrosPerPacket: spent / done.sent,
      deviceShare: spent / (done.seconds * 1_000_000),
      generatorShare: done.generatorShare,
      loss: (done.relay.lost + done.fork.lost) / (done.sent * (1 + this.#recorders)),
      relay: done.relay,
      fork: done.fork,
    }
  }

  async close(): Promise<void> {
    await this.#device.close()
    await endChild(this.#load)
  }
}

function say(load: ChildProcess, command: LoadCommand): void {
  load.send(command)
}

async function replyOf<Type extends LoadReply['type']>(
  load: ChildProcess,
  type: Type,
): Promise<Extract<LoadReply, { type: Type }>> {
  for (;;) {
    const reply = await nextMessage<LoadReply>(load)
    if (reply.type === type) return reply as Extract<LoadReply, { type: Type }>
  }
}
