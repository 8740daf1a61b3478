// The recording client between a call's twin and recorders on the in-memory network; no sockets, no sleeps.

import assert from 'node:assert/strict'
import { createDestinationPolicy } from '#call'
import { ManualClock, MemoryLogger, seededIds } from '#kernel'
import {
  type CommandOrigin,
  type CommandOutcome,
  defaultPolicy,
  defaultProfile,
  defaultTimes,
  type PauseLimit,
  type RecorderDirectory,
  RecordingClient,
  type RecordingEvent,
  type RecordingSurroundings,
  type RecordingView,
  type StartCommand,
} from '#recording-client'
import type { ServerInvite, SipCore, SipCoreOptions } from '#sip'
import { attachCore } from './core-pair.ts'
import { FakeCall } from './fake-call.ts'
import { FakeEngine } from './fake-engine.ts'
import { type RecordingMessage, readWire } from './recording-message.ts'
import type { ScriptedPeer } from './scripted-peer.ts'
import { SipNetwork } from './sip-network.ts'
import { TestRecorder } from './test-recorder.ts'

export const GATEWAY = '10.0.0.1'
// Longer than any transaction or lingering timer of the cores.
const QUIET_MS = 300_000

/** A command under way; `outcome` is there once it is settled. */
export class Command {
  outcome: CommandOutcome | undefined

  constructor(promise: Promise<CommandOutcome>) {
    void promise.then((outcome) => {
      this.outcome = outcome
    })
  }

  get status(): number | 'pending' {
    return this.outcome?.status ?? 'pending'
  }
}

/** A gateway with one answered call. */
export class RecordingBench {
  readonly clock = new ManualClock()
  readonly network = new SipNetwork(this.clock, 1)
  readonly engine = new FakeEngine({ clock: this.clock })
  readonly log = new MemoryLogger()
  readonly ids = seededIds(9)
  readonly events: RecordingEvent[] = []
  readonly recorders: TestRecorder[] = []
  /** Calls whose callers were told that they are not recorded as they should be. */
  readonly announced: string[] = []
  /** What becomes of an INVITE to the gateway. */
  onInvite: (invite: ServerInvite) => void = (invite) => invite.reject(403)
  readonly core: SipCore
  readonly client: RecordingClient
  readonly call: FakeCall
  readonly #calls: FakeCall[] = []

  constructor(
    over: Partial<RecordingSurroundings> & {
      readonly state?: 'ringing' | 'answered'
      readonly profileOf?: RecorderDirectory['profileOf']
    } = {},
  ) {
    const { state, profileOf, ...surroundings } = over
    const { core } = attachCore(
      this.network,
      this.clock,
      GATEWAY,
      { onInvite: (invite) => this.onInvite(invite) },
      {
        supported: ['timer'],
        understood: ['siprec'],
        contactUser: 'gateway',
        accept: ['application/sdp', 'application/rs-metadata+xml', 'application/rs-metadata'],
      },
    )
    this.core = core
    this.client = new RecordingClient({
      core,
      clock: this.clock,
      ids: this.ids,
      log: this.log,
      from: '<sip:src@gw.example>',
      times: defaultTimes,
      destinations: createDestinationPolicy(['10.0.0.0/24', '.example']),
      recorders: {
        profileOf: profileOf ?? (() => defaultProfile),
        candidates: (entry) => entry,
        report: () => {},
        onSilence: () => () => {},
      },
      policy: defaultPolicy,
      replayMs: 0,
      preStartMs: 0,
      transcodes: ['PCMU/8000', 'PCMA/8000', 'G722/8000', 'OPUS/48000/2'],
      announce: (call) => this.announced.push(call.callId),
      ...surroundings,
    })
    this.client.events.add((event) => this.events.push(event))
    this.call = this.anotherCall(state)
  }

  anotherCall(state: 'ringing' | 'answered' = 'answered'): FakeCall {
    const call = new FakeCall(this.engine, this.clock, this.ids, state)
    this.#calls.push(call)
    return call
  }

  /** A recorder at 10.0.0.`host`. */
  recorder(host = 11, options: Partial<SipCoreOptions> = {}): TestRecorder {
    const recorder = new TestRecorder(this.network, this.clock, `10.0.0.${host}`, options)
    this.recorders.push(recorder)
    return recorder
  }

  /** A peer that answers only what the test sends. */
  scripted(host = 21): ScriptedPeer {
    return this.network.scriptedPeer(`10.0.0.${host}`)
  }

  start(servers: string, over: Partial<StartCommand> = {}): Command {
    const command: StartCommand = { servers, recordingId: 'rec-1', origin: 'info', noticePlayed: true, ...over }
    return new Command(this.client.start(this.call, command))
  }

  pause(origin: CommandOrigin = 'info', limit?: PauseLimit): Command {
    return new Command(this.client.pause(this.call, { origin, ...(limit === undefined ? {} : { limit }) }))
  }

  resume(origin: CommandOrigin = 'info'): Command {
    return new Command(this.client.resume(this.call, origin))
  }

  stop(origin: CommandOrigin = 'info'): Command {
    return new Command(this.client.stop(this.call, origin))
  }

  /** A recording at one recorder, under way. */
  async recording(host = 11): Promise<TestRecorder> {
    return await this.recordingAt(this.recorder(host))
  }

  /** A recording at that recorder, under way. */
  async recordingAt(recorder: TestRecorder): Promise<TestRecorder> {
    const start = this.start(recorder.uri)
    await this.pass()
    assert.equal(start.status, 200)
    return recorder
  }

  /** A recording at one recorder, paused. */
  async paused(host = 11): Promise<TestRecorder> {
    const recorder = await this.recording(host)
    const pause = this.pause()
    await this.pass()
    assert.equal(pause.status, 200)
    return recorder
  }

  get state(): string {
    return this.client.stateOf(this.call.callId)
  }

  /** The engine proves no cut of the forks with these ids, or of streams with these labels. */
  doubtCuts(...forks: readonly string[]): void {
    const { media } = this.call
    const shutGates = media.shutGates.bind(media)
    media.shutGates = async (ids) => {
      const receipts = await shutGates(ids)
      return receipts.map((one) => ({ ...one, drained: !forks.some((fork) => `/${one.fork}`.endsWith(`/${fork}`)) }))
    }
  }

  /** The latest recording of the call, as operators see it. */
  get view(): RecordingView | undefined {
    return this.client.recordingsOf(this.call.callId).at(-1)
  }

  get eventTypes(): string[] {
    return this.events.map((event) => event.type)
  }

  /** Lets time pass, message by message; by default long enough for the document of a change to be answered. */
  async pass(ms = 250): Promise<void> {
    await this.clock.advanceAsync(ms)
  }

  /** Sends audio into every tap; returns how many packets left. */
  async audio(packets = 10): Promise<number> {
    const forks = [...this.call.media.forks.values()]
    const before = forks.reduce((sum, fork) => sum + fork.packets, 0)
    for (const fork of forks) this.call.media.flow(fork.id, packets)
    await this.pass(1)
    return forks.reduce((sum, fork) => sum + fork.packets, 0) - before
  }

  /** What went from the gateway to an address, as it stood on the wire, retransmissions included. */
  sent(ip: string): RecordingMessage[] {
    return this.network.passages
      .filter(({ from, to }) => from.host === GATEWAY && to.host === ip)
      .map(({ text }) => readWire(text))
  }

  /** Methods and statuses sent from the gateway to an address. */
  sentLabels(ip: string): string[] {
    return this.sent(ip).map((message) => message.label)
  }

  /** Ends what lives, lets all timers run out, and checks that nothing is left anywhere. */
  async checkNothingLeft(): Promise<void> {
    for (const call of this.#calls) call.end()
    await this.pass(10)
    for (let waits = 0; waits < 300 && this.client.census().sessions > 0; waits++) await this.pass(10)
    const timers = this.clock.pendingNames().filter((name) => name.startsWith('recording'))
    assert.deepEqual(timers, [], 'a recording that is over has no timers')
    await this.pass(QUIET_MS)
    assert.deepEqual(this.client.census(), { calls: 0, sessions: 0 })
    assert.deepEqual(await this.engine.census(), { calls: 0, legs: 0, forks: 0, ports: 0 })
    assert.deepEqual(this.core.census(), { dialogs: 0, transactions: 0, timers: 0 })
    for (const { core } of this.recorders) {
      assert.deepEqual(core.census(), { dialogs: 0, transactions: 0, timers: 0 })
    }
    assert.deepEqual(
      this.log.lines.filter((line) => line.level === 'error'),
      [],
    )
  }
}

/** Runs a test on a bench and checks that it leaves nothing behind. */
export async function withBench(
  run: (bench: RecordingBench) => Promise<void>,
  over: ConstructorParameters<typeof RecordingBench>[0] = {},
): Promise<void> {
  const bench = new RecordingBench(over)
  await run(bench)
  await bench.checkNothingLeft()
}
