// One recorded call between two phones, and recorders that misbehave, all in memory: what the parties saw, what was reported.

import assert from 'node:assert/strict'
import { type Call, createDestinationPolicy } from '#call'
import { ChaosRecorder, type ChaosScript, type ChaosSocket } from '#chaos-recorder'
import type { SrtpKeys } from '#engine'
import { seededIds } from '#kernel'
import {
  type CommandOutcome,
  defaultPolicy,
  defaultProfile,
  defaultTimes,
  RecorderInvitations,
  type RecorderProfile,
  RecordingClient,
  type RecordingEvent,
} from '#recording-client'
import { CallBench } from '../harness/call-bench.ts'
import type { FakeCommand, FakeMediaCall } from '../harness/fake-engine.ts'
import type { FakeFork } from '../harness/fake-fork.ts'
import { FakeSpool } from '../harness/fake-spool.ts'
import { type PhoneCall, phoneSdp } from '../harness/test-phone.ts'
import { AskingRecorder } from './asking-recorder.ts'

const FIRST_RECORDER = 50
const ASKING_RECORDER = '10.0.0.60'
const PHONES = ['10.0.0.2', '10.0.0.3']
const SPOOL_HOST = '127.0.0.1'
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
export type Step =
  | number
  | 'answer'
  | RecordingStep
  | 'hold'
  | 'unhold'
  | 'hangup'
  /** The recorder asks for the call by an INVITE of its own. */
  | 'ask'
  /** The caller calls the callee once more. */
  | 'second'
  /** The engine tells that it has failed, and does nothing more. */
  | 'engine-dies'
type RecordingStep = 'start' | 'startsecond' | 'pause' | 'resume' | 'stop' | 'mask' | 'unmask'

/** How the recorders of a scene are asked, and what else is there for the recording. */
export interface Setting {
  /** Between their URIs; by default all are asked at once. */
  readonly separator?: ',' | '|'
  readonly policy?: string
  readonly hasSpool?: boolean
  readonly replayMs?: number
  /** What becomes of each command to the engine. */
  readonly onCommand?: (command: FakeCommand) => Promise<void> | void
}

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
  /** Packets that left while no recording was reported to be under way, or were said then and left later. */
  readonly leaked: number
  /** Packets that left without a mask while one was reported. */
  readonly unmasked: number
  /** Packets that left without the keys of a recorder that is to have SRTP, or with half of them. */
  readonly unprotected: number
  /** Forks that were left when nothing was recorded any more, before the call ended. */
  readonly forksLeft: number
  /** Packets that left in all. */
  readonly sent: number
  /** Packets of these that went to each recorder, and to the spool. */
  readonly sentTo: readonly number[]
  readonly spooled: number
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
    recordingSession: (invite) => this.#invitations.handle(invite),
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
  #secondPhone: PhoneCall | undefined
  readonly #invitations: RecorderInvitations
  readonly #setting: Setting
  readonly #spool = new FakeSpool()
  /** When nothing was to be recorded, on the wall clock, as often as it was looked. */
  readonly #silentAtMs: number[] = []
  #leaked = 0
  #unmasked = 0
  #unprotected = 0
  /** Packets by the host that they went to. */
  readonly #sentTo = new Map<string, number>()
  #forksLeft = 0
  #isOpening = false
  #isMaskPromised = false
  /** The recording that was masked last: a mask ends with its recording. */
  #masked = ''

  constructor(scripts: readonly ChaosScript[] = [], setting: Setting = {}) {
    const { bench } = this
    this.#setting = setting
    bench.engine.onCommand = (command) => this.#onCommand(command)
    bench.engine.onSent = (fork, packets, saidFromMs) => this.#onSent(fork, packets, saidFromMs)
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
      replayMs: setting.replayMs ?? 0,
      preStartMs: 0,
      ...(setting.hasSpool === true && { spool: this.#spool }),
      transcodes: ['PCMU/8000', 'PCMA/8000', 'G722/8000', 'OPUS/48000/2'],
      announce: () => {},
    })
    this.client.events.add((event) => {
      this.#events.push(event)
      if (event.type === 'recording.masked') this.#masked = event.recording
    })
    this.#invitations = new RecorderInvitations({
      rules: [{ isFrom: (host) => host === ASKING_RECORDER, unrecorded: 'start', recorded: 'join' }],
      client: () => this.client,
      calls: () => bench.service.calls(),
      start: (call, uri, invitation) =>
        this.client.start(call, {
          servers: `<${uri}>`,
          recordingId: '',
          origin: 'recorder',
          noticePlayed: true,
          invitation,
        }),
      log: bench.log,
    })
    this.#recorders = scripts.map((script, index) => this.#attach(script, index))
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
    const [call] = bench.service.calls()
    if (call !== undefined && this.client.stateOf(call.callId) === 'none')
      this.#forksLeft = this.#media?.forks.size ?? 0
    if (this.#phone.end === undefined) this.#do('hangup')
    hangUp(this.#secondPhone)
    const run = this.#run()
    for (let seconds = 0; seconds < 60; seconds++) {
      this.#deliver()
      await bench.pass(1_000)
    }
    assert.deepEqual(
      this.#given.filter(({ outcome }) => outcome === undefined).map(({ name }) => name),
      [],
      'every command is answered',
    )
    for (const recorder of this.#recorders) recorder.close()
    this.client.close()
    await bench.checkNothingLeft()
    assert.deepEqual(this.client.census(), { calls: 0, sessions: 0 }, 'the recording client holds nothing')
    assert.deepEqual(
      bench.clock.pendingNames().filter((name) => name.startsWith('recording')),
      [],
    )
    return { ...run, story: this.#story(), outcomes: this.#given.map(({ outcome }) => outcome) }
  }

  #attach(script: ChaosScript, index: number): ChaosRecorder {
    const ip = `10.0.0.${FIRST_RECORDER + index}`
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
      mediaHost: mediaHost(index),
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
    const [first, other] = bench.service.calls()
    const call = step === 'startsecond' ? other : first
    this.#see()
    if (step === 'answer') bench.bob.incoming.at(-1)?.accept()
    else if (step === 'hangup') hangUp(this.#phone)
    else if (step === 'second') this.#secondPhone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
    else if (step === 'ask') this.#askFor(call)
    else if (step === 'engine-dies') this.#killEngine()
    else if (step === 'hold' || step === 'unhold') {
      const direction = step === 'hold' ? 'sendonly' : 'sendrecv'
      void this.#phone?.dialog?.reinvite({ body: phoneSdp({ direction }) })
    } else if (this.#recorders.length > 0 && call !== undefined) {
      const given: Given = { name: step, outcome: undefined, state: '' }
      this.#given.push(given)
      if (step === 'unmask') this.#isMaskPromised = false
      const asked = this.#ask(step, call)
      void asked.then((outcome) => {
        given.outcome = outcome
        if (step === 'mask') this.#isMaskPromised = outcome.status === 200
      })
      this.#flow()
    }
  }

  #ask(step: RecordingStep, call: Call): Promise<CommandOutcome> {
    const uris = this.#recorders.map((_, index) => `sip:10.0.0.${FIRST_RECORDER + index}`)
    const servers = uris.join(this.#setting.separator ?? ',')
    switch (step) {
      case 'start':
      case 'startsecond':
        return this.client.start(call, {
          servers,
          recordingId: 'r',
          origin: 'flow',
          noticePlayed: true,
          policy: this.#setting.policy ?? '',
        })
      case 'pause':
        return this.client.pause(call, { origin: 'rest' })
      case 'resume':
        return this.client.resume(call, 'rest')
      case 'mask':
      case 'unmask':
        return this.client.mask(call, step === 'mask', 'rest')
      default:
        return this.client.stop(call, 'rest')
    }
  }

  /** Everything fails from now on, what a dead thread had is gone, and that is logged as the fault that it is. */
  #killEngine(): void {
    const { engine, log } = this.bench
    engine.onCommand = () => Promise.reject(new Error('the worker is gone'))
    for (const media of engine.opened) {
      for (const { id } of media.forks.values()) media.forks.delete(id)
      media.emit({ type: 'failed', reason: 'the worker is gone' })
    }
    const at = log.lines.findIndex(({ message }) => message === 'media engine gave up a call')
    assert.ok(at >= 0, 'the call ends by it')
    log.lines.splice(at, 1)
  }

  #askFor(call: Call | undefined): void {
    if (this.#recorders.length === 0 || call === undefined) return
    const { network, clock } = this.bench
    new AskingRecorder(network, clock, ASKING_RECORDER, (bytes) => this.mangle(bytes)).ask('10.0.0.1', call.callId)
  }

  async #pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += LOOK_EVERY_MS) {
      await this.bench.pass(Math.min(LOOK_EVERY_MS, ms - passed))
      this.#flow()
    }
    this.#see()
  }

  /** Lets audio arrive at every tap. */
  #flow(): void {
    this.#deliver()
    const media = this.#media
    const [call] = this.bench.service.calls()
    if (media === undefined || call === undefined) return
    const state = this.client.stateOf(call.callId)
    if (state !== 'starting' && !this.#isRecorded(call.callId)) this.#silentAtMs.push(this.bench.clock.wallMs())
    for (const fork of media.forks.keys()) media.flow(fork)
  }

  /** Has the spool say that it has sent what it delivers. */
  #deliver(): void {
    for (const id of this.#spool.flowing.keys()) this.#spool.emit({ type: 'sent', id })
  }

  /** A packet may come in the very moment in which a gate opens; the state is told a moment later. */
  #onCommand(command: FakeCommand): Promise<void> | void {
    if (command.name === 'openGates') {
      this.#isOpening = true
      for (const fork of command.forks) if (this.#media?.forks.has(fork) === true) this.#media.flow(fork)
      this.#isOpening = false
    }
    return this.#setting.onCommand?.(command)
  }

  /** What leaves although the state says that nothing does has leaked, and so has what was said while it said so. */
  #onSent({ id, masked, remote }: FakeFork, packets: number, saidFromMs: number): void {
    const [call] = this.bench.service.calls()
    if (call === undefined) return
    const host = remote?.remote.rtp.host ?? ''
    if (!this.#isOpening) this.#sentTo.set(host, (this.#sentTo.get(host) ?? 0) + packets)
    const wasSilent = this.#silentAtMs.some((atMs) => atMs > saidFromMs && atMs < this.bench.clock.wallMs())
    const isDue = this.#isOpening && this.client.stateOf(call.callId) === 'starting'
    if (wasSilent || !(isDue || this.#isRecorded(call.callId))) this.#leaked += packets
    if (this.#isMaskPromised && !masked && id.startsWith(`${this.#masked}/`)) this.#unmasked += packets
    if (this.profile.media.srtp.length > 0 && !isProtected(remote?.srtp)) this.#unprotected += packets
  }

  #isRecorded(callId: string): boolean {
    const state = this.client.stateOf(callId)
    return state === 'recording' || state === 'resuming'
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
      unmasked: this.#unmasked,
      unprotected: this.#unprotected,
      forksLeft: this.#forksLeft,
      sent: [...this.#sentTo.values()].reduce((sum, packets) => sum + packets, 0),
      sentTo: this.#recorders.map((_, index) => this.#sentTo.get(mediaHost(index)) ?? 0),
      spooled: this.#sentTo.get(SPOOL_HOST) ?? 0,
      recorders: this.#recorders,
    }
  }
}

function hangUp(phone: PhoneCall | undefined): void {
  if (phone?.dialog === undefined) phone?.invite?.cancel()
  else void phone.dialog.bye()
}

/** A key for each way, both of the one suite and as long as it wants them (RFC 4568 section 6.2, RFC 7714 section 14.2). */
function isProtected(keys: SrtpKeys | undefined): boolean {
  const bytes = keys?.send.suite === 'AEAD_AES_256_GCM' ? 44 : keys?.send.suite === 'AEAD_AES_128_GCM' ? 28 : 30
  return (
    keys !== undefined &&
    keys.send.suite === keys.receive.suite &&
    [keys.send, keys.receive].every(({ material }) => material.length === bytes)
  )
}

/** A message without what is random by design. */
export function normalised(text: string): string {
  return text
    .replace(/branch=[^;,\r\n ]+/g, 'branch=*')
    .replace(/tag=[^;,\r\n >]+/g, 'tag=*')
    .replace(/^(Call-ID|i): .*$/gim, 'Call-ID: *')
}

function mediaHost(index: number): string {
  return `192.0.2.${FIRST_RECORDER + index}`
}

let nextPort = 40_000

function memorySocket(): ChaosSocket {
  nextPort = nextPort >= 60_000 ? 40_000 : nextPort + 2
  return { port: nextPort, sendRtcp: () => {}, close: () => {} }
}
