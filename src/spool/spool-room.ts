// The spool in its worker: recordings that are taken in, and those that are sent to recorders.

import { PortPool } from '#engine'
import { AppError, assertNever, type Clock, type Ids, messageOf } from '#kernel'
import { DeliveryLine } from './delivery-line.ts'
import { SpoolDelivery } from './spool-delivery.ts'
import { SpoolReader } from './spool-file.ts'
import { SpoolFolder } from './spool-folder.ts'
import { SpoolIntake } from './spool-intake.ts'
import { readSpoolKey } from './spool-key.ts'
import type { SpoolCommand, SpoolEvent, SpoolOptions, SpoolReplies } from './spool-messages.ts'

const CNAME_BYTES = 12

/** Carries out commands one after another. */
export class SpoolRoom {
  readonly #options: SpoolOptions
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #onEvent: (event: SpoolEvent) => void
  readonly #key: Buffer
  readonly #folder: SpoolFolder
  /** Of the family that forks are bound to. */
  readonly #loopback: string
  readonly #intakePorts: PortPool
  readonly #deliveryPorts: PortPool
  readonly #intakes = new Map<string, SpoolIntake>()
  readonly #deliveries = new Map<string, SpoolDelivery>()

  /** Reads the key and makes the folder; throws when either cannot be had. */
  constructor(options: SpoolOptions, around: { clock: Clock; ids: Ids; onEvent: (event: SpoolEvent) => void }) {
    const { clock, ids } = around
    const { host, portMin, portMax } = options.media
    this.#options = options
    this.#clock = clock
    this.#ids = ids
    this.#onEvent = around.onEvent
    this.#key = readSpoolKey(options.keyFile)
    this.#folder = new SpoolFolder(options.folder, this.#key, options.limits)
    this.#loopback = host.includes(':') ? '::1' : '127.0.0.1'
    const ports = { portMin, portMax, clock, randomInteger: ids.integer }
    this.#intakePorts = new PortPool({ ...ports, host: this.#loopback })
    this.#deliveryPorts = new PortPool({ ...ports, host })
  }

  async handle(command: SpoolCommand): Promise<SpoolReplies[SpoolCommand['type']]> {
    switch (command.type) {
      case 'open':
        return await this.#open(command.id, command.sources, command.facts)
      case 'note':
        this.#intakes.get(command.id)?.note(command.facts)
        return undefined
      case 'close':
        return await this.#close(command.id, command.facts)
      case 'list':
        return this.#folder.list(new Set(this.#intakes.keys()), this.#clock.wallMs())
      case 'remove':
        this.#folder.remove(command.id)
        return undefined
      case 'bind':
        return await this.#bind(command.id, command.fork, command.stream)
      case 'connect':
        this.#line(command.id, command.fork).connect(command.remote, command.codecs)
        return undefined
      case 'gates':
        this.#deliveries.get(command.id)?.set(command.forks, command.isOpen)
        return command.forks.map((fork) => this.#line(command.id, fork).receipt())
      case 'unbind':
        return await this.#unbind(command.id, command.fork)
      case 'stop':
        return await this.#stop()
      default:
        return assertNever(command)
    }
  }

  async #open(id: string, sources: readonly number[], facts: string): Promise<SpoolReplies['open']> {
    const refused = this.#folder.refusal(this.#clock.nowMs())
    if (refused !== undefined) return { refused }
    const intake = await SpoolIntake.open(id, sources, facts, {
      folder: this.#folder,
      key: this.#key,
      pool: this.#intakePorts,
      clock: this.#clock,
      onStopped: (reason) => this.#onEvent({ type: 'stopped', id, reason }),
    })
    this.#intakes.set(id, intake)
    return { host: this.#loopback, ports: intake.ports }
  }

  async #close(id: string, facts: string): Promise<undefined> {
    try {
      await this.#intakes.get(id)?.close(facts)
    } finally {
      // What is on the disk waits, whatever could not be written any more.
      this.#intakes.delete(id)
    }
  }

  async #bind(id: string, fork: string, stream: number): Promise<SpoolReplies['bind']> {
    const delivery = this.#deliveries.get(id) ?? this.#begin(id)
    const pair = await this.#deliveryPorts.take()
    const ssrc = this.#ids.integer(2 ** 32)
    const line = { fork, stream, pair, pool: this.#deliveryPorts, clock: this.#clock, ssrc, delivery }
    delivery.lines.set(fork, new DeliveryLine(line))
    const { host, advertisedHost = host } = this.#options.media
    return { host: advertisedHost, rtpPort: pair.port, rtcpPort: pair.port + 1, ssrc }
  }

  #begin(id: string): SpoolDelivery {
    const opened = SpoolReader.open(this.#folder.pathOf(id), id, this.#key)
    if (!opened.ok) throw gone(opened.error)
    const delivery = new SpoolDelivery(opened.value, {
      clock: this.#clock,
      cname: this.#ids.hex(CNAME_BYTES),
      speed: this.#options.deliverySpeed,
      onSent: () => this.#onEvent({ type: 'sent', id }),
      onFault: (reason) => this.#onEvent({ type: 'stopped', id, reason }),
    })
    this.#deliveries.set(id, delivery)
    return delivery
  }

  async #unbind(id: string, fork: string): Promise<SpoolReplies['unbind']> {
    const line = this.#line(id, fork)
    const delivery = this.#deliveries.get(id)
    delivery?.set([fork], false)
    delivery?.lines.delete(fork)
    if (delivery?.lines.size === 0) {
      this.#deliveries.delete(id)
      delivery.close()
    }
    return await line.close()
  }

  async #stop(): Promise<undefined> {
    for (const [id, { lines }] of this.#deliveries) for (const fork of lines.keys()) await this.#unbind(id, fork)
    // Their facts are on the disk; what is left to write is audio.
    for (const [id, intake] of this.#intakes) {
      await intake.close().catch((fault) => this.#onEvent({ type: 'stopped', id, reason: messageOf(fault) }))
    }
    this.#intakes.clear()
  }

  #line(id: string, fork: string): DeliveryLine {
    const line = this.#deliveries.get(id)?.lines.get(fork)
    if (line === undefined) throw gone(`no delivery ${id} with ${fork}`)
    return line
  }
}

function gone(message: string): AppError {
  return new AppError('spool.gone', message, { result: 'server', reason: 'spool-gone' })
}
