// Test calls that the HTTP API asks for: one at a time, through the gateway's own SIP and media, recorded like any other.

import type { Call } from '#call'
import type { TestCall, TestCallOrder, TestCallsView } from '#control'
import { type Clock, type Ids, messageOf, type Timer } from '#kernel'
import type { BoundListener } from '#net'
import type { GatewayConfig } from '../config-schema.ts'
import type { TestCallLines } from './test-call-lines.ts'
import { TestPhones } from './test-call-phones.ts'

/** What test calls need. */
export interface TestCallsOptions {
  readonly config: Pick<GatewayConfig, 'media' | 'recording'>
  readonly lines: TestCallLines
  readonly listeners: readonly BoundListener[]
  readonly clock: Clock
  readonly ids: Ids
}

interface Kept {
  readonly test: TestCall
  readonly phones: TestPhones
  readonly forget: () => void
  timer: Timer | undefined
  isOver: boolean
}

const MOST_KEPT = 20
const ID_BYTES = 6
const wildcards = new Set(['0.0.0.0', '::'])

/** The test calls of a gateway; `own` names a recorder of this program for when none is configured. */
export class TestCalls {
  readonly #options: TestCallsOptions
  readonly #kept = new Map<string, Kept>()
  readonly #closing = new Set<Promise<void>>()

  constructor(options: TestCallsOptions) {
    this.#options = options
  }

  /** As the HTTP API needs them; `find` gives the recording of our own recorder by its Call Recording ID. */
  view(own: string | undefined, find: (callRecordingId: string) => Promise<string | undefined>): TestCallsView {
    return {
      begin: (order) => this.#begin(order, own),
      get: async (id) => {
        const test = this.#kept.get(id)?.test
        if (test === undefined) return undefined
        const recordingId = await find(test.callRecordingId)
        return { ...test, ...(recordingId === undefined ? {} : { recordingId }) }
      },
      end: (id) => {
        const kept = this.#kept.get(id)
        if (kept === undefined) return false
        this.#end(kept)
        return true
      },
    }
  }

  /** Hangs up what is under way, and closes it. */
  async close(): Promise<void> {
    for (const kept of this.#kept.values()) this.#end(kept)
    await Promise.all(this.#closing)
  }

  async #begin({ seconds, recorder }: TestCallOrder, own: string | undefined): ReturnType<TestCallsView['begin']> {
    const { config, lines, listeners, clock, ids } = this.#options
    if ([...this.#kept.values()].some(({ isOver }) => !isOver)) return 'busy'
    const recorders = recordersOf(recorder, config.recording.recorders, own)
    if (recorders.length === 0) return 'no-recorder'
    const listener = listeners.find(({ transport }) => transport !== 'tls')
    if (listener === undefined || listener.transport === 'tls') return 'no-listener'
    const host = wildcards.has(listener.host) ? '127.0.0.1' : listener.host
    const { portMin, portMax } = config.media
    const mediaPorts = { portMin, portMax }
    const phones = await TestPhones.open({ host, transport: listener.transport, mediaPorts, clock, ids })
    const id = ids.hex(ID_BYTES)
    const user = `test-call-${ids.hex(ID_BYTES)}`
    const callRecordingId = `test-call-${id}`
    const test: TestCall = {
      testCallId: id,
      state: 'calling',
      startedAt: new Date(clock.wallMs()).toISOString(),
      callRecordingId,
      recorders,
    }
    const forget = lines.open({
      user,
      phones: phones.address,
      input: { callee: phones.calleeUri, recorders, recordingId: callRecordingId },
      onCall: (call: Call) => {
        test.callId = call.callId
      },
    })
    const kept: Kept = { test, phones, forget, timer: undefined, isOver: false }
    this.#keep(id, kept)
    const at = host.includes(':') ? `[${host}]` : host
    phones.call(`sip:${user}@${at}:${listener.port};transport=${listener.transport}`, {
      onTalking: () => {
        test.state = 'talking'
      },
      onEnd: (failure) => this.#end(kept, failure),
    })
    kept.timer = clock.after(seconds * 1_000, 'test call', () => this.#end(kept))
    return { testCallId: id }
  }

  #keep(id: string, kept: Kept): void {
    this.#kept.set(id, kept)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest)
  }

  #end(kept: Kept, failure?: string): void {
    if (kept.isOver) return
    kept.isOver = true
    kept.timer?.cancel()
    kept.test.state = failure === undefined ? 'ended' : 'failed'
    if (failure !== undefined) kept.test.failure = failure
    const closing = kept.phones
      .close()
      .catch((fault: unknown) => {
        kept.test.failure = messageOf(fault)
      })
      .finally(() => {
        // Its phones are known as long as they have something to say.
        kept.forget()
        this.#closing.delete(closing)
      })
    this.#closing.add(closing)
  }
}

function recordersOf(named: string | undefined, configured: readonly string[], own: string | undefined): string[] {
  if (named !== undefined) return [named]
  if (configured.length > 0) return [...configured]
  return own === undefined ? [] : [own]
}
