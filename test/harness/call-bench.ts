// A gateway's call service between phones on the in-memory network, with the engine's twin; no sockets, no sleeps.

import assert from 'node:assert/strict'
import {
  type Call,
  type CallService,
  createCallService,
  createDestinationPolicy,
  createRouter,
  type QuotaRules,
  type RouteRule,
  type ToneRules,
  type TransferPolicy,
} from '#call'
import { ManualClock, MemoryLogger, seededIds } from '#kernel'
import { srtpSuites } from '#rtp'
import type { IncomingRequest, ServerInvite, SessionTimerWish, SipCore, SipCoreOptions } from '#sip'
import { attachCore } from './core-pair.ts'
import { FakeEngine } from './fake-engine.ts'
import { SipNetwork } from './sip-network.ts'
import { TestPhone } from './test-phone.ts'

const GATEWAY = '10.0.0.1'
// Longer than any transaction or lingering timer of the cores.
const QUIET_MS = 300_000

/** A core that can do with reliable provisional responses. */
export const RELIABLE: Partial<SipCoreOptions> = {
  supported: ['timer', 'siprec', '100rel', 'replaces'],
  allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'UPDATE', 'PRACK', 'REFER', 'NOTIFY'],
}

/** What of the gateway a test may set. */
export interface BenchOptions {
  /** Of the network's faults. */
  readonly seed?: number
  readonly routes?: readonly RouteRule[]
  readonly destinations?: readonly string[]
  readonly activeCalls?: number
  readonly accounts?: QuotaRules['accounts']
  readonly trunks?: QuotaRules['trunks']
  readonly silenceMs?: number
  readonly trustedIdentities?: readonly string[]
  readonly transfer?: Partial<TransferPolicy>
  readonly credentialsFor?: Parameters<typeof createCallService>[0]['credentialsFor']
  readonly sessionTimer?: SessionTimerWish
  /** What the phones can do beyond the usual. */
  readonly alice?: Partial<SipCoreOptions>
  readonly bob?: Partial<SipCoreOptions>
  readonly srtp?: Partial<Parameters<typeof createCallService>[0]['srtp']>
  readonly tones?: ToneRules
  /** Loads announcements; none can be played otherwise. */
  readonly announcement?: Parameters<typeof createCallService>[0]['announcement']
  readonly flow?: (call: Call, name: string) => void
  readonly info?: (call: Call, incoming: IncomingRequest) => boolean
  /** Takes the INVITEs of recorders. */
  readonly recordingSession?: (invite: ServerInvite) => void
  /** Of the gateway's core, instead of the test defaults. */
  readonly core?: Partial<SipCoreOptions>
}

/** `alice` at 10.0.0.2 calls, `bob` at 10.0.0.3 is the callee of the default route, `carol` at 10.0.0.4 a third, users starting with `flow` run a flow. */
export class CallBench {
  readonly clock = new ManualClock()
  readonly network: SipNetwork
  readonly engine = new FakeEngine({ clock: this.clock })
  readonly log = new MemoryLogger()
  readonly flows: Call[] = []
  readonly service: CallService
  readonly core: SipCore
  readonly alice: TestPhone
  readonly bob: TestPhone
  readonly carol: TestPhone

  constructor(options: BenchOptions = {}) {
    this.network = new SipNetwork(this.clock, options.seed ?? 1)
    this.alice = new TestPhone(this.network, this.clock, '10.0.0.2', options.alice)
    this.bob = new TestPhone(this.network, this.clock, '10.0.0.3', options.bob)
    this.carol = new TestPhone(this.network, this.clock, '10.0.0.4')
    this.service = createCallService({
      engine: this.engine,
      clock: this.clock,
      ids: seededIds(5),
      log: this.log,
      domain: 'gw.example',
      tones: options.tones ?? (() => ({ exempt: 'test' })),
      ...(options.announcement && { announcement: options.announcement }),
      ownAddresses: () => [{ host: GATEWAY, port: 5060 }],
      router: createRouter(
        options.routes ?? [
          { match: 're:flow.*', flow: 'main' },
          { match: 'bob', callee: 'sip:bob@10.0.0.3', ringTimeoutMs: 30_000 },
          { match: 'stranger', callee: 'sip:x@10.9.9.9' },
        ],
      ),
      destinations: createDestinationPolicy(options.destinations ?? ['10.0.0.0/24']),
      trustedIdentities: createDestinationPolicy(options.trustedIdentities ?? ['10.0.0.0/24']),
      ...(options.credentialsFor && { credentialsFor: options.credentialsFor }),
      transfer: { mode: 'execute', session: 'same', ...options.transfer },
      srtp: { suites: srtpSuites, callees: 'as-caller', keysWithoutTls: true, ...options.srtp },
      limits: {
        activeCalls: options.activeCalls ?? 100,
        accounts: options.accounts,
        trunks: options.trunks,
        silenceMs: options.silenceMs ?? 30_000,
      },
      sessionTimer: options.sessionTimer,
      ...(options.info !== undefined && { info: options.info }),
      ...(options.recordingSession !== undefined && { recordingSession: options.recordingSession }),
      flows: (call, name) => {
        this.flows.push(call)
        options.flow?.(call, name)
      },
    })
    const core = { ...RELIABLE, ...options.core }
    this.core = attachCore(this.network, this.clock, GATEWAY, this.service.handlers, core).core
    this.service.attach(this.core)
  }

  /** URI of a user at the gateway. */
  uri(user: string): string {
    return `sip:${user}@${GATEWAY}`
  }

  /** The flow's call; fails when no flow was started. */
  get flow(): Call {
    const call = this.flows[0]
    assert.ok(call, 'a flow was started')
    return call
  }

  /** Lets time pass, message by message. */
  async pass(ms = 50): Promise<void> {
    await this.clock.advanceAsync(ms)
  }

  /** Lets all timers run out, and checks that nothing is left anywhere. */
  async checkNothingLeft(): Promise<void> {
    await this.pass(QUIET_MS)
    assert.deepEqual(this.service.census(), { calls: 0, active: 0 })
    assert.deepEqual(await this.engine.census(), { calls: 0, legs: 0, forks: 0, ports: 0 })
    for (const core of [this.core, this.alice.core, this.bob.core, this.carol.core]) {
      assert.deepEqual(core.census(), { dialogs: 0, transactions: 0, timers: 0 })
    }
    const faults = this.log.lines.filter((line) => line.level === 'error')
    assert.deepEqual(faults, [])
  }
}
