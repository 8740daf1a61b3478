// A call through a whole gateway with a tone on each side, and recording commands by REST and by INFO.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { goertzelPower, tone } from '#audio'
import { silentLogger } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import type { CallView } from '../../src/control/contract.ts'
import { openTestProgram, type ProgramOptions, type Section, type TestProgram } from './open-program.ts'
import { type SoftCall, Softphone } from './softphone.ts'
import type { OpusCodec, SoftCodec } from './softphone-audio.ts'
import { tlsIdentity } from './tls.ts'
import { until } from './until.ts'

const HOST = '127.0.0.1'
const TALK_MS = 60_000
const LISTEN_SAMPLES = 1600

/** What the caller says. */
export const CALLER_HZ = 440
/** What the callee says. */
export const CALLEE_HZ = 1000
/** What a third party says. */
const THIRD_HZ = 1700

/** A command's outcome as its sender sees it. */
export interface Answered {
  readonly status: number
  readonly text: string
}

type Activity = 'start' | 'stop' | 'pause' | 'resume' | 'mask' | 'unmask'

/** What a talk is made of; gateway settings beside the route to the callee. */
export interface TalkOptions extends Omit<ProgramOptions, 'gateway'> {
  readonly gateway?: Section
  readonly transport?: 'udp' | 'tcp'
  readonly codec?: SoftCodec
  /** The phones' Opus, where they speak it. */
  readonly opus?: () => OpusCodec
  /** The caller's phone shows the state of recording. */
  readonly isCallerAware?: boolean
}

/** A call of a gateway as its API shows and commands it. */
export class CallDesk {
  readonly opened: TestProgram
  readonly callId: string

  constructor(opened: TestProgram, callId: string) {
    this.opened = opened
    this.callId = callId
  }

  /** Sends a recording command by REST; the text is that of the result or of the error. */
  async rest(activity: Activity, server = '', recordingId = ''): Promise<Answered> {
    const response = await fetch(`${this.opened.httpUrl}/api/calls/${this.callId}/recording`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ activity, callRecordingServer: server, callRecordingId: recordingId }),
    })
    const body = (await response.json()) as { text?: string; message?: string }
    return { status: response.status, text: body.text ?? body.message ?? '' }
  }

  /** Calls a further party into the conversation; settles when it has answered. */
  async join(target: string): Promise<void> {
    const response = await fetch(`${this.opened.httpUrl}/api/calls/${this.callId}/parties`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ target }),
    })
    assert.equal(response.status, 201, await response.text())
  }

  /** The call as the API shows it. */
  async view(): Promise<CallView> {
    return (await (await fetch(`${this.opened.httpUrl}/api/calls/${this.callId}`)).json()) as CallView
  }

  /** State of the recording as the API shows it; `none` without one. */
  async state(): Promise<string> {
    return (await this.view()).recording?.state ?? 'none'
  }
}

/** A call that is up between two softphones. */
export class Talk extends CallDesk {
  readonly caller: SoftCall
  readonly callee: SoftCall

  constructor(opened: TestProgram, callId: string, caller: SoftCall, callee: SoftCall) {
    super(opened, callId)
    this.caller = caller
    this.callee = callee
  }

  /** Sends a recording command by INFO within the caller's dialog; the text is the reason phrase. */
  info(activity: Activity, server?: string, recordingId?: string): Promise<Answered> {
    return this.infoFrom(this.caller, activity, server, recordingId)
  }

  /** The same within the dialog of either side. */
  async infoFrom(side: SoftCall, activity: Activity, server?: string, recordingId?: string): Promise<Answered> {
    const outcome = await side.request('INFO', {
      headers: [
        ['X-Reason', `${activity}CallRecording`],
        ...(server === undefined ? [] : [['X-Srs-Url', server] as const]),
        ...(recordingId === undefined ? [] : [['X-Srs-Recording-ID', recordingId] as const]),
      ],
    })
    return { status: outcome.status, text: outcome.reason }
  }

  /** Fails unless each side goes on hearing the other, and not itself. */
  async assertUndisturbed(): Promise<void> {
    const calls = [this.caller, this.callee] as const
    const from = calls.map((call) => call.heard().length)
    const isHeard = (): boolean => calls.every((call, i) => call.heard().length >= from[i]! + LISTEN_SAMPLES)
    await until('both sides hear more', isHeard)
    for (const [call, from_, wanted, other] of [
      [this.caller, from[0]!, CALLEE_HZ, CALLER_HZ],
      [this.callee, from[1]!, CALLER_HZ, CALLEE_HZ],
    ] as const) {
      const heard = call.heard().subarray(from_, from_ + LISTEN_SAMPLES)
      assert.ok(goertzelPower(heard, 8000, wanted) > 0.9, `${wanted} Hz is heard`)
      assert.ok(goertzelPower(heard, 8000, other) < 0.01, `${other} Hz is not heard`)
    }
  }

  /** Hangs up and waits until no counter of the gateway shows anything of the call; see `untilIdle`. */
  async end(): Promise<void> {
    await this.caller.hangup()
    await this.callee.ended
    await untilIdle(this.opened)
  }
}

/** Counters that outlive a call: transactions linger for 32 s (RFC 3261 timers D, J, K), connections are kept for the next call. */
const LINGERING = new Set(['transactions', 'timers', 'connections'])

/** Waits until the gateway's counters are back to zero, but for those of `lingering`. */
export async function untilIdle(
  { program }: TestProgram,
  lingering: ReadonlySet<string> = LINGERING,
  deadlineMs = 10_000,
): Promise<void> {
  let left: readonly string[] = []
  const isIdle = async (): Promise<boolean> => {
    const counts = Object.entries((await program.gateway?.census()) ?? {})
    left = counts
      .filter(([name, count]) => count !== 0 && !lingering.has(name))
      .map(([name, count]) => `${name} ${count}`)
    return left.length === 0
  }
  await until('the gateway is idle', isIdle, deadlineMs).catch(() => assert.fail(`left over: ${left.join(', ')}`))
}

/** Opens a phone on loopback; it closes after the test. */
export async function openPhone(
  t: TestContext,
  user: string,
  transport: 'udp' | 'tcp' | 'tls',
  isRecordAware = false,
): Promise<Softphone> {
  const tls = transport === 'tls' ? { tls: tlsIdentity('peer') } : {}
  const around = { clock: systemClock, ids: cryptoIds, log: silentLogger, ...tls }
  const phone = await Softphone.open({ host: HOST, transport, user, isRecordAware, ...around })
  t.after(() => phone.close())
  return phone
}

/** Opens a program; after the test, and so after the phones opened before it have hung up, it closes. */
export async function openTestGateway(t: TestContext, options: ProgramOptions): Promise<TestProgram> {
  const opened = await openTestProgram(options)
  t.after(() => opened.close())
  return opened
}

/** Opens a gateway and two phones and has one call the other; all close after the test. */
export async function openTalk(t: TestContext, options: TalkOptions = {}): Promise<Talk> {
  const { gateway, transport = 'udp', codec = 'PCMU', opus, isCallerAware = false, ...rest } = options
  const [alice, bob] = [await openPhone(t, 'alice', transport, isCallerAware), await openPhone(t, 'bob', 'udp')]
  const opened = await openTestGateway(t, {
    ...rest,
    gateway: { ...gateway, routes: [{ match: 'bob', callee: bob.uri }] },
  })
  for (const phone of [alice, bob]) {
    phone.codec = codec
    phone.opus = opus
  }
  return await placeTalk(opened, alice, bob)
}

/** Has `alice` call `bob`, under the name that is `dialled`, through the gateway (`by` the proxy before it, host:port) and waits until each hears the other. */
export async function placeTalk(
  opened: TestProgram,
  alice: Softphone,
  bob: Softphone,
  said: Int16Array = tone(CALLER_HZ, TALK_MS),
  dialled = 'bob',
  by?: string,
): Promise<Talk> {
  const { transport } = alice
  const incoming: SoftCall[] = []
  bob.onIncoming = (call) => void incoming.push(call)
  const known = new Set(opened.program.gateway?.calls.list().map((call) => call.callId))
  const address = by ?? `${HOST}:${opened.port('gateway', transport)}`
  const uri = `sip:${dialled}@${address};transport=${transport}`
  const caller = await alice.call(uri, { audio: said })
  await until('the callee is called', () => incoming.length > 0)
  const [callee] = incoming
  assert.ok(callee !== undefined)
  callee.say(tone(CALLEE_HZ, TALK_MS))
  callee.accept()
  assert.equal(await caller.answered, true)
  const callId = opened.program.gateway?.calls.list().find((call) => !known.has(call.callId))?.callId
  assert.ok(callId !== undefined, 'the gateway lists the call')
  const talk = new Talk(opened, callId, caller, callee)
  await until('both hear', () => caller.audio.packetsHeard > 5 && callee.audio.packetsHeard > 5)
  return talk
}

/** Two talks of four phones through a gateway whose recorders have so much in one session; each is placed when it is asked for. */
export async function openSharedTalks(
  t: TestContext,
): Promise<{ readonly first: () => Promise<Talk>; readonly second: () => Promise<Talk> }> {
  const phones = ['alice', 'bob', 'carol', 'dave'].map((user) => openPhone(t, user, 'udp'))
  const [alice, bob, carol, dave] = (await Promise.all(phones)) as [Softphone, Softphone, Softphone, Softphone]
  const opened = await openTestGateway(t, {
    gateway: {
      routes: [
        { match: 'bob', callee: bob.uri },
        { match: 'dave', callee: dave.uri },
      ],
      recording: { profiles: [{ name: 'shared', callsPerSession: 2 }] },
    },
  })
  return {
    first: () => placeTalk(opened, alice, bob),
    second: () => placeTalk(opened, carol, dave, undefined, 'dave'),
  }
}

/** Has a phone join a talk, where it says its tone. */
export async function joinTalk(talk: Talk, phone: Softphone): Promise<SoftCall> {
  const incoming = new Promise<SoftCall>((resolve) => {
    phone.onIncoming = resolve
  })
  const joined = talk.join(phone.uri)
  const call = await incoming
  call.say(tone(THIRD_HZ, TALK_MS))
  call.accept()
  await joined
  return call
}
