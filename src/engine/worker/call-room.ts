// One call in its worker: legs, bridges, forks and taps, changed by commands in the order given.

import { messageOf } from '#kernel'
import type { PacketTaker } from '#media'
import { mediaError } from '../errors.ts'
import type { CallCounters, ForkRemote, MediaEvent, Mix, PlayEnd, Tap } from '../media-engine.ts'
import { Bridges } from './bridges.ts'
import { Ears } from './ears.ts'
import { ForkLine, type ForkLineListener } from './fork-line.ts'
import { LegLine, type LineListener } from './leg-line.ts'
import type { CallCommand, CallCommands, CallOp } from './protocol.ts'
import { TapMemories } from './tap-memories.ts'
import type { WorkerContext } from './worker-context.ts'

/** What a call tells the main thread by itself. */
export interface RoomListener {
  onEvent(event: MediaEvent): void
  onPlayEnd(play: number, end: PlayEnd): void
  onFault(fault: unknown): void
}

type Request<Op extends CallOp> = CallCommands[Op]['request']

/** The media of one call. */
export class CallRoom {
  readonly #context: WorkerContext
  readonly #listener: RoomListener
  readonly #lineListener: LineListener
  readonly #forkListener: ForkLineListener
  readonly #legs = new Map<string, LegLine>()
  readonly #forks = new Map<string, ForkLine>()
  readonly #memories = new TapMemories()
  readonly #bridges: Bridges
  readonly #ears: Ears
  #queue: Promise<unknown> = Promise.resolve()
  #hasFailed = false
  #hasCopyFailed = false

  constructor(context: WorkerContext, listener: RoomListener) {
    this.#context = context
    this.#bridges = new Bridges(context)
    this.#listener = listener
    this.#ears = new Ears(context, listener.onEvent)
    this.#lineListener = {
      onEvent: (event) => listener.onEvent(event),
      onFault: (fault) => this.#onFault(fault),
      onCopyFault: (fault) => this.#onCopyFault(fault),
    }
    this.#forkListener = { ...this.#lineListener, onKeyFrameWanted: (tap) => this.#requestKeyFrame(tap) }
  }

  get legCount(): number {
    return this.#legs.size
  }

  get forkCount(): number {
    return this.#forks.size
  }

  /** Carries out a command after those before it. */
  run(command: CallCommand): Promise<unknown> {
    const result = this.#queue.then(() => this.#execute(command))
    this.#queue = result.catch(() => {})
    return result
  }

  /** Looks after silent parties and recorders. */
  sweep(nowMs: number): void {
    for (const leg of this.#legs.values()) leg.sweep(nowMs)
    for (const fork of this.#forks.values()) fork.sweep(nowMs)
  }

  async #execute(command: CallCommand): Promise<unknown> {
    // A packet that came before a command is copied, or held back, as things were before it.
    this.#context.copies.flush()
    switch (command.op) {
      case 'addLeg':
        return await this.#addLeg(command)
      case 'configureLeg':
        return this.#leg(command.leg).configure(command.media)
      case 'bridge':
        return this.#bridges.pair(this.#leg(command.a), this.#leg(command.b))
      case 'unbridge':
        return this.#bridges.part(this.#leg(command.leg))
      case 'conference':
        return this.#bridges.confer(new Set(command.legs.map((id) => this.#leg(id))))
      case 'removeLeg':
        return await this.#removeLeg(command.leg)
      case 'play':
        return this.#play(command)
      case 'stopPlaying':
        return this.#leg(command.leg).stopPlaying()
      case 'hear':
        this.#ears.hear(command.hearing)
        return this.#wireTaps()
      case 'setTone':
        return this.#setTone(command)
      case 'addFork':
        return await this.#addFork(command)
      case 'connectFork':
        return this.#connectFork(this.#fork(command.fork), command.remote)
      case 'moveFork':
        return this.#moveFork(this.#fork(command.fork), command.tap)
      case 'maskDtmf':
        for (const line of command.forks.map((id) => this.#fork(id))) line.maskDtmf(command.mask)
        return undefined
      case 'remember':
        return this.#remember(command)
      case 'forget':
        return await this.#forget()
      case 'shutGates':
        return await Promise.all(command.forks.map((id) => this.#fork(id).receipt()))
      case 'openGates':
        return this.#openGates(command)
      case 'removeFork':
        return await this.#removeFork(command.fork)
      case 'counters':
        return this.#counters()
      case 'release':
        return await this.#release()
    }
  }

  async #addLeg(request: Request<'addLeg'>): Promise<CallCommands['addLeg']['reply']> {
    const id = request.leg
    if (this.#legs.has(id)) throw mediaError('media.duplicate', 'the call has such a leg already')
    const pair = await this.#context.pool.take()
    this.#legs.set(id, new LegLine(request, pair, this.#context, this.#lineListener))
    this.#wireTaps()
    return { rtpPort: pair.port, rtcpPort: pair.port + 1 }
  }

  async #removeLeg(id: string): Promise<void> {
    const leg = this.#leg(id)
    this.#bridges.part(leg)
    this.#legs.delete(id)
    this.#wireTaps()
    await leg.close()
  }

  #play({ leg: id, play, prompt }: Request<'play'>): void {
    const leg = this.#leg(id)
    if (leg.relay.codecs.g711 === undefined) {
      throw mediaError('media.no-g711', 'the leg speaks no G.711, so nothing can be played to it')
    }
    leg.play(prompt, (end) => this.#listener.onPlayEnd(play, end))
  }

  #setTone({ leg: id, tone }: Request<'setTone'>): void {
    const leg = this.#leg(id)
    if (tone !== undefined && leg.relay.codecs.g711 === undefined) {
      throw mediaError('media.no-g711', 'the leg speaks no G.711, so no tone can be laid over it')
    }
    leg.setTone(tone)
  }

  async #addFork(request: Request<'addFork'>): Promise<CallCommands['addFork']['reply']> {
    const { id } = request.options
    if (this.#forks.has(id)) throw mediaError('media.duplicate', 'the call has such a fork already')
    const pair = await this.#context.pool.take()
    this.#forks.set(id, new ForkLine(request, pair, this.#context, this.#forkListener))
    this.#wireTaps()
    return { rtpPort: pair.port, rtcpPort: pair.port + 1 }
  }

  #connectFork(line: ForkLine, remote: ForkRemote): void {
    line.connect(remote)
    line.replay(this.#memories)
  }

  #openGates({ gates }: Request<'openGates'>): void {
    const lines = gates.map(({ fork, epoch }) => ({ line: this.#fork(fork), epoch }))
    for (const { line, epoch } of lines) {
      line.fork.gate.open(epoch)
      line.replay(this.#memories)
    }
  }

  #remember({ taps, keepMs, gate, epoch }: Request<'remember'>): void {
    this.#memories.remember(taps, keepMs, gate, epoch)
    this.#wireTaps()
  }

  async #forget(): Promise<void> {
    this.#memories.forget()
    this.#wireTaps()
    const lines = [...this.#forks.values()]
    for (const line of lines) line.endReplay()
    await Promise.all(lines.map((line) => line.drained()))
  }

  #moveFork(line: ForkLine, tap: Tap | Mix): void {
    line.move(tap)
    this.#wireTaps()
  }

  async #removeFork(id: string): Promise<CallCommands['removeFork']['reply']> {
    const line = this.#fork(id)
    this.#forks.delete(id)
    this.#wireTaps()
    line.fork.flush()
    const counters = line.counters()
    await line.close()
    return counters
  }

  /** A tap may name a leg that is not there yet or no more: its fork then copies nothing. */
  #wireTaps(): void {
    for (const fork of this.#forks.values()) fork.follow(this.#legs)
    this.#ears.follow(this.#legs)
    for (const [id, { relay }] of this.#legs) {
      relay.taps.received = this.#takersOf({ leg: id, point: 'received' })
      relay.taps.sent = this.#takersOf({ leg: id, point: 'sent' })
    }
  }

  #takersOf(tap: Tap): readonly PacketTaker[] {
    const forks = [...this.#forks.values()].map((line) => line.takerOf(tap)).filter((taker) => taker !== undefined)
    return [...forks, ...this.#memories.takersOf(tap), ...this.#ears.takersOf(tap)]
  }

  /** Of whoever sends what the tap carries. */
  #requestKeyFrame({ leg, point }: Tap): void {
    const relay = this.#legs.get(leg)?.relay
    const source = point === 'received' ? relay : relay?.peer
    source?.feedback?.requestKeyFrame()
  }

  #counters(): CallCounters {
    return {
      legs: Object.fromEntries([...this.#legs].map(([id, leg]) => [id, leg.counters()])),
      forks: [...this.#forks.values()].map((line) => line.counters()),
    }
  }

  async #release(): Promise<CallCounters> {
    const counters = this.#counters()
    this.#ears.hear('nothing')
    for (const leg of this.#legs.values()) this.#bridges.part(leg)
    const lines = [...this.#legs.values(), ...this.#forks.values()]
    this.#legs.clear()
    this.#forks.clear()
    await Promise.all(lines.map((line) => line.close()))
    return counters
  }

  #leg(id: string): LegLine {
    const leg = this.#legs.get(id)
    if (leg === undefined) throw mediaError('media.no-such-leg', 'the call has no such leg')
    return leg
  }

  #fork(id: string): ForkLine {
    const fork = this.#forks.get(id)
    if (fork === undefined) throw mediaError('media.no-such-fork', 'the call has no such fork')
    return fork
  }

  #onFault(fault: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#listener.onFault(fault)
    this.#listener.onEvent({ type: 'failed', reason: messageOf(fault) })
  }

  #onCopyFault(fault: unknown): void {
    if (this.#hasCopyFailed) return
    this.#hasCopyFailed = true
    this.#listener.onFault(fault)
  }
}
