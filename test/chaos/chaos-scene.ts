// One recorded call between two phones, and one recorder that misbehaves, all in memory: what the parties saw, what was reported.

import assert from 'node:assert/strict'
import { type Call, createDestinationPolicy } from '#call'
import { ChaosRecorder, type ChaosScript, type ChaosSocket } from '#chaos-recorder'
import { seededIds } from '#kernel'
import {
  type CommandOutcome,
  defaultPolicy,
  defaultProfile,
  defaultTimes,
  type RecorderProfile,
  RecordingClient,
  type RecordingEvent,
} from '#recording-client'
import { CallBench } from '../harness/call-bench.ts'
import type { FakeCommand, FakeMediaCall } from '../harness/fake-engine.ts'
import { type PhoneCall, phoneSdp } from '../harness/test-phone.ts'

const FIRST_RECORDER = 50
const PHONES = ['10.0.0.2', '10.0.0.3']
const LOOK_EVERY_MS = 50

/** Commands to the engine that concern recorders only. */
const OF_RECORDERS: readonly FakeCommand['name'][] = [
  'addFork',
  'connectFork',
  'moveFork',
  'maskDtmf',
  'remember',
  'forget',
  'shutGates',
  'openGates',
  'removeFork',
]

/** What happens on the call; a number lets that many milliseconds pass. */
export type Step = number | 'answer' | 'start' | 'pause' | 'resume' | 'stop' | 'hold' | 'unhold' | 'hangup'

/** What a run shows. */
export interface Run {
  /** Messages from and to the phones with their times, a line each; branch, tag and Call-ID normalised. */
  readonly party: string
  /** Commands to the engine but for those of recorders, a line each. */
  readonly media: string
  /** `start 200 recording; pause 200 paused` …: each command, its answer, and the state reported before the next one. */
  readonly story: string
  /** Answer to each command, with its text and results. */
  readonly outcomes: ReadonlyArray<CommandOutcome | undefined>
  readonly events: readonly string[]
  /** Packets that left while no recording was reported to be under way. */
  readonly leaked: number
  /** Packets that left in all. */
  readonly sent: number
  readonly recorders: readonly ChaosRecorder[]
}

interface Given {
  readonly name: string
  outcome: CommandOutcome | undefined
  state: string
}

/** The scene with a recorder per script; without one nothing is recorded. */
export class ChaosScene {
  readonly bench = new CallBench({
    core: {
      supported: [],
      understood: ['siprec'],
      accept: ['application/sdp', 'application/rs-metadata+xml', 'application/rs-metadata'],
      allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'UPDATE'],
    },
  })
  readonly client: RecordingClient
  /** What the recorders are known to take and to want. */
  profile: RecorderProfile = defaultProfile
  /** What goes out instead of each message of a recorder. */
  mangle: (bytes: Uint8Array) => readonly Uint8Array[] = (bytes) => [bytes]
  readonly #recorders: readonly ChaosRecorder[]
  readonly #events: RecordingEvent[] = []
  readonly #given: Given[] = []
  #phone: PhoneCall | undefined
  #leaked = 0
  #sent = 0

  constructor(...scripts: readonly ChaosScript[]) {
    const { bench } = this
    this.client = new RecordingClient({
      core: bench.core,
      clock: bench.clock,
      ids: seededIds(3),
      log: bench.log,
      from: '<sip:src@gw.example>',
      times: defaultTimes,
      destinations: createDestinationPolicy(['10.0.0.0/24']),
      recorders: {
        profileOf: () => this.profile,
        candidates: (entry) => entry,
        report: () => {},
        onSilence: () => () => {},
      },
      policy: defaultPolicy,
      replayMs: 0,
      preStartMs: 0,
      transcodes: ['PCMU/8000', 'PCMA/8000', 'G722/8000', 'OPUS/48000/2'],
      announce: () => {},
    })
    this.client.events.add((event) => void this.#events.push(event))
    this.#recorders = scripts.map((script, index) => this.#attach(script, `10.0.0.${FIRST_RECORDER + index}`))
  }

  /** Places the call, does the steps, hangs up if nobody did, and checks that nothing is left. */
  async play(steps: readonly Step[]): Promise<Run> {
    const { bench } = this
    this.#phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
    await bench.pass(100)
    for (const step of steps) {
      if (typeof step === 'number') await this.#pass(step)
      else this.#do(step)
    }
    await bench.pass(1)
    this.#see()
    if (this.#phone.end === undefined) this.#do('hangup')
    const run = this.#run()
    await bench.pass(60_000)
    assert.deepEqual(
      this.#given.filter(({ outcome }) => outcome === undefined).map(({ name }) => name),
      [],
      'every command is answered',
    )
    for (const recorder of this.#recorders) recorder.close()
    await bench.checkNothingLeft()
    assert.deepEqual(this.client.census(), { calls: 0, sessions: 0 }, 'the recording client holds nothing')
    assert.deepEqual(
      bench.clock.pendingNames().filter((name) => name.startsWith('recording')),
      [],
    )
    return { ...run, story: this.#story(), outcomes: this.#given.map(({ outcome }) => outcome) }
  }

  #attach(script: ChaosScript, ip: string): ChaosRecorder {
    const { network, clock, log } = this.bench
    const node = network.attach(`chaos-${ip}`, ip)
    const recorder = new ChaosRecorder(script, {
      transport: {
        ...node.transport,
        sendBack: (flow, bytes, onFailed) => {
          for (const sent of this.mangle(bytes)) node.transport.sendBack(flow, sent, onFailed)
        },
      },
      sockets: { open: () => Promise.resolve(memorySocket()) },
      clock,
      ids: seededIds(77),
      log,
      mediaHost: '192.0.2.50',
      hangUp: () => network.cut(ip),
    })
    node.bind(recorder)
    return recorder
  }

  /** The media of the call, while it lives. */
  get #media(): FakeMediaCall | undefined {
    const [media] = this.bench.engine.opened
    return media?.released === false ? media : undefined
  }

  #do(step: Exclude<Step, number>): void {
    const { bench } = this
    const [call] = bench.service.calls()
    this.#see()
    if (step === 'answer') bench.bob.incoming.at(-1)?.accept()
    else if (step === 'hangup') this.#hangUp()
    else if (step === 'hold' || step === 'unhold') {
      const direction = step === 'hold' ? 'sendonly' : 'sendrecv'
      void this.#phone?.dialog?.reinvite({ body: phoneSdp({ direction }) })
    } else if (this.#recorders.length > 0 && call !== undefined) {
      const given: Given = { name: step, outcome: undefined, state: '' }
      this.#given.push(given)
      const asked = this.#ask(step, call)
      void asked.then((outcome) => {
        given.outcome = outcome
      })
      this.#flow()
    }
  }

  #ask(step: 'start' | 'pause' | 'resume' | 'stop', call: Call): Promise<CommandOutcome> {
    const servers = this.#recorders.map((_, index) => `sip:10.0.0.${FIRST_RECORDER + index}`).join(',')
    switch (step) {
      case 'start':
        return this.client.start(call, { servers, recordingId: 'r', origin: 'flow', noticePlayed: true })
      case 'pause':
        return this.client.pause(call, { origin: 'rest' })
      case 'resume':
        return this.client.resume(call, 'rest')
      default:
        return this.client.stop(call, 'rest')
    }
  }

  #hangUp(): void {
    if (this.#phone?.dialog === undefined) this.#phone?.invite?.cancel()
    else void this.#phone.dialog.bye()
  }

  async #pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += LOOK_EVERY_MS) {
      await this.bench.pass(Math.min(LOOK_EVERY_MS, ms - passed))
      this.#flow()
    }
    this.#see()
  }

  /** Lets audio arrive at every tap; what leaves although the state says that nothing does has leaked. */
  #flow(): void {
    const media = this.#media
    const [call] = this.bench.service.calls()
    if (media === undefined || call === undefined) return
    const state = this.client.stateOf(call.callId)
    const before = packetsOf(media)
    for (const fork of media.forks.keys()) media.flow(fork)
    const sent = packetsOf(media) - before
    this.#sent += sent
    if (state !== 'recording' && state !== 'resuming') this.#leaked += sent
  }

  /** Notes the state that followed the last command. */
  #see(): void {
    const [call] = this.bench.service.calls()
    const last = this.#given.at(-1)
    if (last !== undefined) last.state = call === undefined ? 'ended' : this.client.stateOf(call.callId)
  }

  #story(): string {
    return this.#given.map(({ name, outcome, state }) => `${name} ${outcome?.status ?? '-'} ${state}`).join('; ')
  }

  #run(): Run {
    const { network, engine } = this.bench
    return {
      party: network.passages
        .filter(({ from, to }) => PHONES.includes(from.host) || PHONES.includes(to.host))
        .map(({ atMs, from, to, text }) => `${atMs} ${from.host} ${to.host} ${JSON.stringify(normalised(text))}`)
        .join('\n'),
      media: (engine.opened[0]?.commands ?? [])
        .filter(({ name }) => !OF_RECORDERS.includes(name))
        .map((command) => JSON.stringify(command))
        .join('\n'),
      story: '',
      outcomes: [],
      events: this.#events.map((event) => event.type),
      leaked: this.#leaked,
      sent: this.#sent,
      recorders: this.#recorders,
    }
  }
}

/** A message without what is random by design. */
export function normalised(text: string): string {
  return text
    .replace(/branch=[^;,\r\n ]+/g, 'branch=*')
    .replace(/tag=[^;,\r\n >]+/g, 'tag=*')
    .replace(/^(Call-ID|i): .*$/gim, 'Call-ID: *')
}

function packetsOf(media: FakeMediaCall): number {
  return [...media.forks.values()].reduce((sum, fork) => sum + fork.packets, 0)
}

let nextPort = 40_000

function memorySocket(): ChaosSocket {
  nextPort = nextPort >= 60_000 ? 40_000 : nextPort + 2
  return { port: nextPort, sendRtcp: () => {}, close: () => {} }
}
