// In-memory twin of the MediaEngine port: records every command, keeps the state an engine would keep, plays no audio.
// A fork with `replayFromMs` is sent what was remembered, 50 packets a second, when it is connected and open for the first time.
// Tests make packets flow with `flow`, emit events with `emit`, end prompts with `endPlay`, and fail or delay commands with `onCommand`.

import type {
  CallCounters,
  EngineCapabilities,
  ForkCounters,
  ForkOptions,
  ForkRemote,
  GateReceipt,
  Hearing,
  LegMedia,
  MediaCall,
  MediaEngine,
  MediaEvent,
  MediaLocal,
  Mix,
  PlayEnd,
  Prompt,
  StreamCounters,
  Tap,
  Tone,
} from '#engine'
import { AppError, type Clock, Listeners } from '#kernel'
import {
  type FakeFork,
  type FakeMemory,
  forkCountersOf,
  holdPackets,
  receiptOf,
  replayInto,
  sendPackets,
  tapsOf,
} from './fake-fork.ts'

/** One command as it was given, with its arguments. */
export type FakeCommand =
  | { readonly name: 'addLeg' | 'unbridge' | 'removeLeg' | 'stopPlaying'; readonly leg: string }
  | { readonly name: 'configureLeg'; readonly leg: string; readonly media: LegMedia }
  | { readonly name: 'bridge'; readonly a: string; readonly b: string }
  | { readonly name: 'play'; readonly leg: string; readonly prompt: Prompt }
  | { readonly name: 'addFork'; readonly options: ForkOptions }
  | { readonly name: 'connectFork'; readonly fork: string; readonly remote: ForkRemote }
  | { readonly name: 'moveFork'; readonly fork: string; readonly tap: Tap | Mix }
  | { readonly name: 'conference'; readonly legs: readonly string[] }
  | { readonly name: 'maskDtmf'; readonly forks: readonly string[]; readonly mask: boolean }
  | { readonly name: 'remember'; readonly taps: readonly Tap[]; readonly ms: number }
  | { readonly name: 'forget' }
  | { readonly name: 'setTone'; readonly leg: string; readonly tone: Tone | undefined }
  | { readonly name: 'shutGates' | 'openGates'; readonly forks: readonly string[] }
  | { readonly name: 'removeFork'; readonly fork: string }
  | { readonly name: 'release' }

/** What the twin knows of a leg. */
export interface FakeLeg {
  readonly local: MediaLocal
  media: LegMedia | undefined
  peer: string | undefined
  playing: { readonly prompt: Prompt; readonly end: (how: PlayEnd) => void } | undefined
}

/** Settings of the twin that tests may need to change. */
export interface FakeEngineOptions {
  readonly clock: Clock
  readonly capabilities?: Partial<EngineCapabilities>
  /** Prompts end by themselves at once; by default they play until `endPlay`. */
  readonly instantPrompts?: boolean
}

const NO_STREAM: StreamCounters = { packets: 0, bytes: 0, lost: 0, refused: 0 }

/** The error that a real engine gives when its port pool is empty. */
export function noPorts(): AppError {
  return new AppError('media.no-ports', 'no RTP port is free', { result: 'server', reason: 'no-ports', sipStatus: 503 })
}

/** The engine twin; `opened` keeps every call ever opened, so that tests can look at released ones too. */
export class FakeEngine implements MediaEngine {
  readonly capabilities: EngineCapabilities
  readonly opened: FakeMediaCall[] = []
  readonly clock: Clock
  readonly instantPrompts: boolean
  /** Called with each command after it took effect: a throw or rejection fails it, a promise delays its completion. */
  onCommand: ((command: FakeCommand, call: FakeMediaCall) => void | Promise<void>) | undefined
  /** Called with each packet, or run of packets, that leaves a fork; `saidFromMs`: when the first of them was said, on the wall clock. */
  onSent: ((fork: FakeFork, packets: number, saidFromMs: number) => void) | undefined
  #nextPort = 20_000
  #nextSsrc = 0x1000

  constructor(options: FakeEngineOptions) {
    this.clock = options.clock
    this.instantPrompts = options.instantPrompts ?? false
    this.capabilities = {
      ownSsrc: true,
      rtcpInPause: true,
      receipt: true,
      replay: true,
      dtmfMask: true,
      taps: ['received', 'sent'],
      srtp: ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32', 'AEAD_AES_128_GCM', 'AEAD_AES_256_GCM'],
      mix: true,
      transcodes: ['PCMA/8000', 'PCMU/8000', 'G722/8000'],
      tones: true,
      video: true,
      ...options.capabilities,
    }
  }

  openCall(callId: string): FakeMediaCall {
    const call = new FakeMediaCall(callId, this)
    this.opened.push(call)
    return call
  }

  /** The last opened call; fails when there is none. */
  get last(): FakeMediaCall {
    const call = this.opened.at(-1)
    if (call === undefined) throw new Error('no call was opened')
    return call
  }

  async census(): Promise<{ calls: number; legs: number; forks: number; ports: number }> {
    const live = this.opened.filter((call) => !call.released)
    const legs = live.reduce((sum, call) => sum + call.legs.size, 0)
    const forks = live.reduce((sum, call) => sum + call.forks.size, 0)
    return { calls: live.length, legs, forks, ports: (legs + forks) * 2 }
  }

  async close(): Promise<void> {
    for (const call of this.opened) await call.release()
  }

  /** The next even port with its odd neighbour; the host is a documentation address (RFC 5737). */
  allocate(): MediaLocal {
    const rtpPort = this.#nextPort
    this.#nextPort += 2
    return { host: '192.0.2.10', rtpPort, rtcpPort: rtpPort + 1 }
  }

  allocateSsrc(): number {
    return this.#nextSsrc++
  }
}

/** The media of one call, in memory. */
export class FakeMediaCall implements MediaCall {
  hearing: Hearing = 'nothing'
  readonly callId: string
  readonly commands: FakeCommand[] = []
  readonly legs = new Map<string, FakeLeg>()
  readonly forks = new Map<string, FakeFork>()
  released = false
  /** What `remember` asked for last, and since when (wall clock); undefined after `forget`. */
  remembered: FakeMemory | undefined
  readonly #engine: FakeEngine
  readonly #listeners = new Listeners<MediaEvent>((fault) => {
    throw fault
  })

  constructor(callId: string, engine: FakeEngine) {
    this.callId = callId
    this.#engine = engine
  }

  /** Names of the commands so far, for short assertions. */
  commandNames(): string[] {
    return this.commands.map((command) => command.name)
  }

  /** Lets the engine report something. */
  emit(event: MediaEvent): void {
    this.#listeners.emit(event)
  }

  /** Ends the prompt that plays into a leg. */
  endPlay(leg: string, how: PlayEnd = 'finished'): void {
    const playing = this.legs.get(leg)?.playing
    if (playing === undefined) throw new Error(`nothing plays into ${leg}`)
    this.#stop(leg, how)
  }

  /** Lets `packets` packets arrive at a fork's tap: sent when connected and open, else held back. */
  flow(fork: string, packets = 1): void {
    const state = this.#fork(fork)
    const wallMs = this.#engine.clock.wallMs()
    if (!state.open || state.remote === undefined) {
      holdPackets(state, packets)
      return
    }
    if (sendPackets(state, packets, wallMs)) this.emit({ type: 'fork-first-packet', fork, atMs: wallMs })
    this.#engine.onSent?.(state, packets, wallMs)
  }

  #replay(fork: string): void {
    const state = this.forks.get(fork)
    if (state === undefined) return
    for (const event of replayInto(state, this.remembered, this.#engine.clock.wallMs())) {
      this.emit(event)
      if (event.type === 'fork-replayed') this.#engine.onSent?.(state, event.packets, event.fromMs)
    }
  }

  async addLeg(leg: string): Promise<MediaLocal> {
    if (this.legs.has(leg)) throw new Error(`leg ${leg} exists`)
    const local = this.#engine.allocate()
    this.legs.set(leg, { local, media: undefined, peer: undefined, playing: undefined })
    try {
      await this.#did({ name: 'addLeg', leg })
    } catch (thrown) {
      this.legs.delete(leg)
      throw thrown
    }
    return local
  }

  async configureLeg(leg: string, media: LegMedia): Promise<void> {
    this.#leg(leg).media = media
    await this.#did({ name: 'configureLeg', leg, media })
  }

  async bridge(a: string, b: string): Promise<void> {
    this.#part(a)
    this.#part(b)
    this.#leg(a).peer = b
    this.#leg(b).peer = a
    await this.#did({ name: 'bridge', a, b })
  }

  async unbridge(leg: string): Promise<void> {
    this.#part(leg)
    await this.#did({ name: 'unbridge', leg })
  }

  async removeLeg(leg: string): Promise<void> {
    if (this.legs.has(leg)) {
      this.#part(leg)
      this.#stop(leg, 'leg-gone')
      this.legs.delete(leg)
    }
    await this.#did({ name: 'removeLeg', leg })
  }

  async play(leg: string, prompt: Prompt): Promise<PlayEnd> {
    const state = this.#leg(leg)
    this.#stop(leg, 'stopped')
    const ended = new Promise<PlayEnd>((end) => {
      state.playing = { prompt, end }
    })
    await this.#did({ name: 'play', leg, prompt })
    if (this.#engine.instantPrompts) this.#stop(leg, 'finished')
    return ended
  }

  async stopPlaying(leg: string): Promise<void> {
    this.#stop(leg, 'stopped')
    await this.#did({ name: 'stopPlaying', leg })
  }

  async addFork(options: ForkOptions): Promise<MediaLocal & { readonly ssrc: number }> {
    for (const tap of tapsOf(options.tap)) this.#leg(tap.leg)
    if (this.forks.has(options.id)) throw new Error(`fork ${options.id} exists`)
    const local = { ...this.#engine.allocate(), ssrc: this.#engine.allocateSsrc() }
    this.forks.set(options.id, {
      id: options.id,
      local,
      tap: options.tap,
      masked: options.maskDtmf ?? false,
      open: options.open,
      remote: undefined,
      packets: 0,
      held: 0,
      nextSequence: 1000,
      nextTimestamp: 8000,
      lastTimestamp: 0,
      firstAtMs: undefined,
      lastAtMs: undefined,
      replayFromMs: options.replayFromMs,
      replayed: 0,
    })
    try {
      await this.#did({ name: 'addFork', options })
    } catch (thrown) {
      this.forks.delete(options.id)
      throw thrown
    }
    return local
  }

  async connectFork(fork: string, remote: ForkRemote): Promise<void> {
    this.#fork(fork).remote = remote
    await this.#did({ name: 'connectFork', fork, remote })
    this.#replay(fork)
  }

  async moveFork(fork: string, tap: Tap | Mix): Promise<void> {
    for (const each of tapsOf(tap)) this.#leg(each.leg)
    this.#fork(fork).tap = tap
    await this.#did({ name: 'moveFork', fork, tap })
  }

  async conference(legs: readonly string[]): Promise<void> {
    for (const leg of legs) this.#part(leg)
    await this.#did({ name: 'conference', legs })
  }

  async maskDtmf(forks: readonly string[], mask: boolean): Promise<void> {
    for (const fork of forks) this.#fork(fork).masked = mask
    await this.#did({ name: 'maskDtmf', forks, mask })
  }

  async remember(taps: readonly Tap[], ms: number): Promise<void> {
    const sinceMs = this.remembered?.sinceMs ?? this.#engine.clock.wallMs()
    this.remembered = ms > 0 ? { taps, ms, sinceMs } : undefined
    await this.#did({ name: 'remember', taps, ms })
  }

  async forget(): Promise<void> {
    this.remembered = undefined
    await this.#did({ name: 'forget' })
  }

  async hear(hearing: Hearing): Promise<void> {
    this.hearing = hearing
  }

  async setTone(leg: string, tone: Tone | undefined): Promise<void> {
    this.#leg(leg)
    await this.#did({ name: 'setTone', leg, tone })
  }

  async shutGates(forks: readonly string[]): Promise<readonly GateReceipt[]> {
    const states = forks.map((fork) => this.#fork(fork))
    for (const state of states) {
      state.open = false
      state.replayFromMs = undefined
    }
    const receipts = states.map(receiptOf)
    await this.#did({ name: 'shutGates', forks })
    return receipts
  }

  async openGates(forks: readonly string[]): Promise<void> {
    for (const fork of forks) this.#fork(fork).open = true
    await this.#did({ name: 'openGates', forks })
    for (const fork of forks) this.#replay(fork)
  }

  async removeFork(fork: string): Promise<ForkCounters> {
    const counters = forkCountersOf(this.#fork(fork))
    this.forks.delete(fork)
    await this.#did({ name: 'removeFork', fork })
    return counters
  }

  async counters(): Promise<CallCounters> {
    return this.#counters()
  }

  onEvent(listener: (event: MediaEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  async release(): Promise<CallCounters> {
    const counters = this.#counters()
    if (this.released) return counters
    this.released = true
    for (const leg of this.legs.keys()) this.#stop(leg, 'leg-gone')
    this.legs.clear()
    this.forks.clear()
    await this.#did({ name: 'release' })
    return counters
  }

  async #did(command: FakeCommand): Promise<void> {
    this.commands.push(command)
    await this.#engine.onCommand?.(command, this)
  }

  #counters(): CallCounters {
    const legs = [...this.legs.keys()].map((leg) => [leg, { received: NO_STREAM, sent: NO_STREAM }] as const)
    return { legs: Object.fromEntries(legs), forks: [...this.forks.values()].map(forkCountersOf) }
  }

  #leg(leg: string): FakeLeg {
    const state = this.legs.get(leg)
    if (state === undefined) throw gone(`no leg ${leg}`)
    return state
  }

  #fork(fork: string): FakeFork {
    const state = this.forks.get(fork)
    if (state === undefined) throw gone(`no fork ${fork}`)
    return state
  }

  #part(leg: string): void {
    const peer = this.#leg(leg).peer
    this.#leg(leg).peer = undefined
    const other = peer === undefined ? undefined : this.legs.get(peer)
    if (other !== undefined) other.peer = undefined
  }

  #stop(leg: string, how: PlayEnd): void {
    const state = this.legs.get(leg)
    const playing = state?.playing
    if (state === undefined || playing === undefined) return
    state.playing = undefined
    playing.end(how)
  }
}

function gone(message: string): AppError {
  return new AppError('media.gone', message, { result: 'server', reason: 'media-gone' })
}
