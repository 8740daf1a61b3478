// The main thread's end of one call: turns the port's methods into commands, and holds the control side of the gates.

import { type Ids, Listeners } from '#kernel'
import { Gate, type StreamIdentity } from '#media'
import { mediaError } from '../errors.ts'
import type {
  CallCounters,
  ForkCounters,
  ForkOptions,
  ForkRemote,
  GateReceipt,
  Hearing,
  LegMedia,
  MediaCall,
  MediaEvent,
  MediaLocal,
  Mix,
  PlayEnd,
  Prompt,
  Tap,
  Tone,
} from '../media-engine.ts'
import type { BoundPorts, CallCommands, CallOp } from './protocol.ts'
import type { WorkerLink } from './worker-link.ts'

/** 96 random bits, as RFC 7022 section 5 wants of a per-session CNAME. */
const CNAME_BYTES = 12
const NO_COUNTERS: CallCounters = { legs: {}, forks: [] }

/** What a call works with. */
export interface WorkerCallOptions {
  readonly callId: string
  readonly link: WorkerLink
  readonly ids: Ids
  /** Host that SDP may show. */
  readonly advertisedHost: string
  readonly onListenerFault: (fault: unknown) => void
  readonly onReleased: () => void
}

/** MediaCall whose packets are handled by a worker thread. */
export class WorkerCall implements MediaCall {
  readonly #options: WorkerCallOptions
  readonly #listeners: Listeners<MediaEvent>
  readonly #gates = new Map<string, Gate>()
  /** Open while something is remembered. */
  readonly #memory = Gate.create(false)
  readonly #plays = new Map<number, (end: PlayEnd) => void>()
  #lastPlay = 0
  #released: Promise<CallCounters> | undefined

  constructor(options: WorkerCallOptions) {
    this.#options = options
    this.#listeners = new Listeners(options.onListenerFault)
    options.link.attach(options.callId, {
      onEvent: (event) => this.#listeners.emit(event),
      onPlayEnd: (play, end) => this.#endPlay(play, end),
      onLost: () => this.#onLost(),
    })
  }

  async addLeg(leg: string, kind: 'audio' | 'video' = 'audio'): Promise<MediaLocal> {
    return this.#local(await this.#command('addLeg', { leg, kind, identity: this.#newIdentity() }))
  }

  async configureLeg(leg: string, media: LegMedia): Promise<void> {
    await this.#command('configureLeg', { leg, media })
  }

  async bridge(a: string, b: string): Promise<void> {
    await this.#command('bridge', { a, b })
  }

  async unbridge(leg: string): Promise<void> {
    await this.#command('unbridge', { leg })
  }

  async conference(legs: readonly string[]): Promise<void> {
    await this.#command('conference', { legs })
  }

  async removeLeg(leg: string): Promise<void> {
    await this.#command('removeLeg', { leg })
  }

  async play(leg: string, prompt: Prompt): Promise<PlayEnd> {
    const play = ++this.#lastPlay
    const end = new Promise<PlayEnd>((resolve) => this.#plays.set(play, resolve))
    try {
      await this.#command('play', { leg, play, prompt })
    } catch (error) {
      this.#plays.delete(play)
      throw error
    }
    return await end
  }

  async stopPlaying(leg: string): Promise<void> {
    await this.#command('stopPlaying', { leg })
  }

  async addFork(options: ForkOptions): Promise<MediaLocal & { readonly ssrc: number }> {
    const { id, open, cname } = options
    if (this.#gates.has(id)) throw mediaError('media.duplicate', 'the call has such a fork already')
    const gate = Gate.create(open)
    const identity = this.#newIdentity(cname)
    this.#gates.set(id, gate)
    try {
      const ports = await this.#command('addFork', {
        gate: gate.memory,
        identity,
        options,
      })
      return { ...this.#local(ports), ssrc: identity.ssrc }
    } catch (error) {
      this.#gates.delete(id)
      throw error
    }
  }

  async connectFork(fork: string, remote: ForkRemote): Promise<void> {
    await this.#command('connectFork', { fork, remote })
  }

  async moveFork(fork: string, tap: Tap | Mix): Promise<void> {
    await this.#command('moveFork', { fork, tap })
  }

  async maskDtmf(forks: readonly string[], mask: boolean): Promise<void> {
    await this.#command('maskDtmf', { forks, mask })
  }

  async remember(taps: readonly Tap[], ms: number): Promise<void> {
    if (!(ms > 0)) return await this.forget()
    const { memory: gate, epoch } = this.#memory
    await this.#command('remember', { taps, keepMs: ms, gate, epoch })
  }

  async forget(): Promise<void> {
    this.#memory.shut()
    await this.#command('forget', {})
  }

  async hear(hearing: Hearing): Promise<void> {
    await this.#command('hear', { hearing })
  }

  async setTone(leg: string, tone: Tone | undefined): Promise<void> {
    await this.#command('setTone', { leg, tone })
  }

  async shutGates(forks: readonly string[]): Promise<readonly GateReceipt[]> {
    for (const fork of forks) this.#gates.get(fork)?.shut()
    return await this.#command('shutGates', { forks })
  }

  async openGates(forks: readonly string[]): Promise<void> {
    const gates = forks.map((fork) => ({ fork, epoch: this.#gates.get(fork)?.epoch ?? 0 }))
    await this.#command('openGates', { gates })
  }

  async removeFork(fork: string): Promise<ForkCounters> {
    const counters = await this.#command('removeFork', { fork })
    this.#gates.delete(fork)
    return counters
  }

  async counters(): Promise<CallCounters> {
    return await this.#command('counters', {})
  }

  onEvent(listener: (event: MediaEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  release(): Promise<CallCounters> {
    this.#released ??= this.#release()
    return this.#released
  }

  async #release(): Promise<CallCounters> {
    const { link, callId, onReleased } = this.#options
    // A call whose worker is gone has nothing left to close.
    const counters = await link.call(callId, 'release', {}).catch(() => NO_COUNTERS)
    this.#endAllPlays()
    link.detach(callId)
    onReleased()
    return counters
  }

  async #command<Op extends CallOp>(op: Op, request: CallCommands[Op]['request']): Promise<CallCommands[Op]['reply']> {
    if (this.#released !== undefined) throw mediaError('media.released', 'the media of the call was released')
    return await this.#options.link.call(this.#options.callId, op, request)
  }

  #local(ports: BoundPorts): MediaLocal {
    return { host: this.#options.advertisedHost, ...ports }
  }

  #newIdentity(cname?: string): StreamIdentity {
    const { ids } = this.#options
    return {
      ssrc: ids.integer(2 ** 32),
      firstSequence: ids.integer(2 ** 15),
      firstTimestamp: ids.integer(2 ** 32),
      cname: cname ?? ids.hex(CNAME_BYTES),
    }
  }

  #endPlay(play: number, end: PlayEnd): void {
    this.#plays.get(play)?.(end)
    this.#plays.delete(play)
  }

  #endAllPlays(): void {
    for (const play of [...this.#plays.keys()]) this.#endPlay(play, 'leg-gone')
  }

  #onLost(): void {
    this.#endAllPlays()
    this.#listeners.emit({ type: 'failed', reason: 'media.worker-lost' })
  }
}
