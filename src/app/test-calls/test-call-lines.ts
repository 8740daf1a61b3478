// What the gateway knows of a test call while it lasts: its route, its flow, and that its phones may call and be called.

import type { Call, createRouter, DestinationPolicy } from '#call'
import { type Flow, parseFlow } from '#flow'
import { type Endpoint, invariant } from '#kernel'

type Router = ReturnType<typeof createRouter>

const text = `
name: test-call
nodes:
  - { type: answer }
  - { type: callRecording, activity: start, callRecordingServer: '{{ input.recorders }}', callRecordingId: '{{ input.recordingId }}' }
  - { type: dial, target: '{{ input.callee }}' }
  - { type: hangup }
`
const parsed = parseFlow(text, 'test-call')
invariant(parsed.ok, 'the flow of test calls is valid')
const flow = parsed.value

/** One test call as the gateway has to know it. */
export interface TestCallLine {
  /** User part that is dialled; nobody can guess it. */
  readonly user: string
  /** Where its phones are. */
  readonly phones: Endpoint
  readonly input: {
    readonly callee: string
    readonly recorders: readonly string[]
    readonly recordingId: string
  }
  /** The call has come in. */
  onCall(call: Call): void
}

/** The lines of the test calls under way, in front of what the configuration says. */
export class TestCallLines {
  readonly #lines = new Map<string, TestCallLine>()

  /** Knows the line until the returned function is called. */
  open(line: TestCallLine): () => void {
    this.#lines.set(line.user, line)
    return () => {
      this.#lines.delete(line.user)
    }
  }

  router(inner: Router): Router {
    return {
      route: (uri) => (this.#lines.has(uri.user ?? '') ? { kind: 'flow', flow: uri.user ?? '' } : inner.route(uri)),
    }
  }

  destinations(inner: DestinationPolicy): DestinationPolicy {
    return {
      allows: (uri) => {
        const isOurs = [...this.#lines.values()].some(
          ({ phones, input }) =>
            uri.scheme !== 'tel' &&
            input.callee.includes(`:${uri.user}@`) &&
            uri.host === phones.host &&
            uri.port === phones.port,
        )
        return isOurs || inner.allows(uri)
      },
    }
  }

  admits({ remote }: { readonly remote: Endpoint }): boolean {
    return [...this.#lines.values()].some(({ phones }) => phones.host === remote.host && phones.port === remote.port)
  }

  /** The flow of a call that was routed here; tells the line of the call. */
  begin(call: Call, user: string): { readonly flow: Flow; readonly input: TestCallLine['input'] } | undefined {
    const line = this.#lines.get(user)
    if (line === undefined) return undefined
    line.onCall(call)
    return { flow, input: line.input }
  }
}
