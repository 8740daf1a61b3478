// A recorder in a process of its own that is killed and started again, on the same ports and over the same folder.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { cryptoIds, systemClock } from '#net'
import { type LogLine, type RunningProgram, startProgram } from '../demo/processes.ts'
import { sipSection } from './open-program.ts'
import { until } from './until.ts'

const RTP_PORTS = 1000

/** What a recorder speaks. */
interface MortalRecorderOptions {
  readonly srtp?: Record<string, unknown>
  readonly isTls?: boolean
  /** Hosts whose clients it may ask for sessions. */
  readonly invite?: readonly string[]
}

/** A recorder with several lives. */
export class MortalRecorder {
  /** Folder of the recordings. */
  readonly store: string
  /** By the system's clock. */
  killedAtMs = 0
  readonly #folder: string
  readonly #settings: Record<string, unknown>
  readonly #srtp: Record<string, unknown> | undefined
  readonly #invite: readonly string[]
  readonly #portMin: number
  #sip: Record<string, unknown>
  /** What it is started behind. */
  command: readonly string[] = []
  readonly #messages = new Set<string>()
  /** All that it has logged since it was ready. */
  readonly lines: LogLine[] = []
  #life = 0
  #running: RunningProgram | undefined

  /** `settings`: keys of `recorder.store`; `srtp`: of `recorder.media.srtp`; `isTls`: it listens for TLS, too. */
  constructor(
    folder: string,
    settings: Record<string, unknown> = {},
    { srtp, isTls, invite = [] }: MortalRecorderOptions = {},
  ) {
    this.#folder = folder
    this.#settings = { ...settings }
    this.#srtp = srtp
    this.#invite = invite
    this.#sip = sipSection('peer', isTls)
    this.#portMin = 30_000 + 2 * cryptoIds.integer(1000)
    this.store = join(folder, 'recordings')
  }

  /** A recorder of a test, not started. */
  static async make(
    t: TestContext,
    settings: Record<string, unknown> = {},
    options: MortalRecorderOptions = {},
  ): Promise<MortalRecorder> {
    const folder = await mkdtemp(join(tmpdir(), 'mortal-'))
    const recorder = new MortalRecorder(folder, settings, options)
    t.after(async () => {
      await recorder.stop()
      await rm(folder, { recursive: true, force: true })
    })
    return recorder
  }

  /** A recorder of a test, started. */
  static async start(
    t: TestContext,
    settings: Record<string, unknown> = {},
    options: MortalRecorderOptions = {},
  ): Promise<MortalRecorder> {
    const recorder = await MortalRecorder.make(t, settings, options)
    await recorder.start()
    return recorder
  }

  /** Whether it has logged a message since it was ready. */
  has(message: string): boolean {
    return this.#messages.has(message)
  }

  get pid(): number {
    return this.#program.pid
  }

  sipPort(transport: 'udp' | 'tcp' | 'tls'): number {
    return this.#program.sipPort(transport)
  }

  get httpUrl(): string {
    return this.#program.httpUrl
  }

  /** Changes what it is started with from now on. */
  configure(settings: Record<string, unknown>): void {
    Object.assign(this.#settings, settings)
  }

  /** Where its configuration, its logs and its store are. */
  get folder(): string {
    return this.#folder
  }

  /** Starts it, or starts it again. */
  async start(): Promise<void> {
    this.#running = await startProgram(this.#folder, this.#nextName(), this.#config, { command: this.command })
    this.#running.onLine((line) => {
      this.#messages.add(line.message)
      this.lines.push(line)
    })
    const transports = (['udp', 'tcp', 'tls'] as const).filter((transport) => this.sipPort(transport) > 0)
    const listen = transports.map((transport) => ({ transport, port: this.sipPort(transport) }))
    this.#sip = { ...this.#sip, listen }
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.killedAtMs = systemClock.nowMs()
    await this.#program.kill()
  }

  /** Starts it and kills it so much later, whether it is ready or not. */
  async startAndKill(afterMs: number): Promise<void> {
    let killed: Promise<void> | undefined
    const onSpawn = (kill: () => Promise<void>): void => {
      systemClock.after(afterMs, 'kill', () => {
        this.killedAtMs = systemClock.nowMs()
        killed = kill()
      })
    }
    const starting = startProgram(this.#folder, this.#nextName(), this.#config, { onSpawn })
    const outlived = await starting.catch(() => undefined)
    await until('it is dead', () => killed !== undefined)
    await killed
    await outlived?.kill()
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
  }

  #nextName(): string {
    this.#life += 1
    return `life-${this.#life}`
  }

  get #config(): Record<string, unknown> {
    return {
      http: { port: 0 },
      recorder: {
        sip: this.#sip,
        media: {
          portMin: this.#portMin,
          portMax: this.#portMin + RTP_PORTS,
          ...(this.#srtp && { srtp: this.#srtp }),
        },
        store: { folder: this.store, minFreeBytes: 0, ...this.#settings },
        invite: this.#invite,
      },
    }
  }

  get #program(): RunningProgram {
    if (this.#running === undefined) throw new Error('the recorder is not started')
    return this.#running
  }
}
