// The TypeScript media engine: relay worker threads, one per call by hash, commanded from the main thread.

import { setPriority } from 'node:os'
import { hasOpus } from '#audio'
import type { Clock, Ids, Logger } from '#kernel'
import { transcoded } from '#media'
import { srtpSuites } from '#rtp'
import { mediaError } from '../errors.ts'
import type { EngineCapabilities, MediaCall, MediaEngine } from '../media-engine.ts'
import type { RelayWorkerSettings } from './protocol.ts'
import { WorkerCall } from './worker-call.ts'
import { WorkerLink } from './worker-link.ts'

const SILENT_AFTER_MS = 10_000
const RTCP_MINIMUM_MS = 5000
const LOWERED_PRIORITY = 5
const RESTART_AFTER_MS = 100

/** Settings of the engine. */
export interface WorkerEngineOptions {
  /** IP literal to bind to. */
  readonly host: string
  /** IP literal for SDP; needed when `host` is the any-address. */
  readonly advertisedHost?: string
  /** Range of RTP and RTCP ports, both ends included; best outside the system's ephemeral range. */
  readonly portMin: number
  readonly portMax: number
  /** Number of relay threads. */
  readonly workers: number
  readonly log: Logger
  readonly clock: Clock
  readonly ids: Ids
  /** Lowers the priority of the main thread below that of the relay threads (Linux). */
  readonly lowerMainPriority?: boolean
  /** Silence of a party that is reported, in ms; default 10000. */
  readonly silentAfterMs?: number
  /** Minimum RTCP interval in ms; default 5000 (RFC 3550 section 6.2). */
  readonly rtcpMinimumMs?: number
  /** False: Opus is only passed on, as if its codec was not installed. */
  readonly readsOpus?: boolean
}

const CAPABILITIES: Omit<EngineCapabilities, 'transcodes'> = {
  ownSsrc: true,
  rtcpInPause: true,
  receipt: true,
  replay: true,
  dtmfMask: true,
  taps: ['received', 'sent'],
  srtp: srtpSuites,
  mix: true,
  tones: true,
  video: true,
}

/** Starts the relay threads; rejects with `media.bad-address` when SDP would show an any-address. */
export async function createWorkerEngine(options: WorkerEngineOptions): Promise<MediaEngine> {
  const advertisedHost = options.advertisedHost ?? options.host
  if (advertisedHost === '0.0.0.0' || advertisedHost === '::') {
    throw mediaError('media.bad-address', 'an any-address cannot stand in SDP: set the advertised host')
  }
  const engine = new WorkerEngine(options, advertisedHost, options.readsOpus !== false && (await hasOpus()))
  try {
    await engine.start()
  } catch (error) {
    await engine.close()
    throw error
  }
  if (options.lowerMainPriority === true) setPriority(LOWERED_PRIORITY)
  return engine
}

class WorkerEngine implements MediaEngine {
  readonly capabilities: EngineCapabilities
  readonly #hasOpus: boolean
  readonly #options: WorkerEngineOptions
  readonly #advertisedHost: string
  readonly #links: (WorkerLink | undefined)[]
  readonly #calls = new Map<string, MediaCall>()
  #isClosed = false

  constructor(options: WorkerEngineOptions, advertisedHost: string, withOpus: boolean) {
    this.capabilities = { ...CAPABILITIES, transcodes: transcoded(withOpus) }
    this.#hasOpus = withOpus
    this.#options = options
    this.#advertisedHost = advertisedHost
    this.#links = new Array(Math.max(1, options.workers)).fill(undefined)
  }

  async start(): Promise<void> {
    await Promise.all(this.#links.map((_link, index) => this.#startWorker(index)))
  }

  openCall(callId: string): MediaCall {
    const link = this.#linkFor(callId)
    if (this.#isClosed || link === undefined) throw mediaError('media.worker-lost', 'no relay worker for the call')
    if (this.#calls.has(callId)) throw mediaError('media.duplicate', 'the call has media already')
    const { ids, log } = this.#options
    const call = new WorkerCall({
      callId,
      link,
      ids,
      advertisedHost: this.#advertisedHost,
      onListenerFault: (fault) => log.error('media listener failed', { callId, error: String(fault) }),
      onReleased: () => void this.#calls.delete(callId),
    })
    this.#calls.set(callId, call)
    return call
  }

  async census(): ReturnType<MediaEngine['census']> {
    const links = this.#links.filter((link) => link !== undefined)
    const all = await Promise.all(links.map((link) => link.census()))
    const sum = { calls: this.#calls.size, legs: 0, forks: 0, ports: 0 }
    for (const { legs, forks, ports } of all) {
      sum.legs += legs
      sum.forks += forks
      sum.ports += ports
    }
    return sum
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#calls.values()].map((call) => call.release()))
    await Promise.all(this.#links.map((link) => link?.close()))
  }

  /** The call's worker by hash, or the next one that lives. */
  #linkFor(callId: string): WorkerLink | undefined {
    const start = hash(callId) % this.#links.length
    return [...this.#links.slice(start), ...this.#links.slice(0, start)].find((link) => link !== undefined)
  }

  async #startWorker(index: number): Promise<void> {
    if (this.#isClosed) return
    const link = await WorkerLink.start(this.#settings(index), this.#options.log, () => this.#replace(index))
    this.#links[index] = link
    if (this.#isClosed) await link.close()
  }

  /** A thread that died took its calls with it; the next calls get a new one. */
  #replace(index: number): void {
    this.#links[index] = undefined
    if (this.#isClosed) return
    const { clock, log } = this.#options
    clock.after(RESTART_AFTER_MS, 'relay-worker-restart', () => {
      this.#startWorker(index).catch((error: unknown) => log.error('relay worker restart failed', { error }))
    })
  }

  /** Each worker has its own part of the port range, of an even number of ports. */
  #settings(index: number): RelayWorkerSettings {
    const { host, portMin, portMax, ids, silentAfterMs, rtcpMinimumMs } = this.#options
    const firstEven = portMin + (portMin % 2)
    const pairsEach = Math.floor((portMax - firstEven + 1) / 2 / this.#links.length)
    const first = firstEven + 2 * pairsEach * index
    return {
      host,
      portMin: first,
      portMax: first + 2 * pairsEach - 1,
      seed: ids.integer(2 ** 32),
      silentAfterMs: silentAfterMs ?? SILENT_AFTER_MS,
      rtcpMinimumMs: rtcpMinimumMs ?? RTCP_MINIMUM_MS,
      hasOpus: this.#hasOpus,
    }
  }
}

/** FNV-1a, to spread calls over workers. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}
