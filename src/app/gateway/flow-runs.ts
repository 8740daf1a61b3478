// The flows of the gateway's calls: which flow a call runs, on what, and at which node it is.

import { basename } from 'node:path'
import type { Call, RouteRule } from '#call'
import { type Flow, type FlowEnd, runFlow } from '#flow'
import { type Clock, Listeners, type Logger, messageOf, type Timer } from '#kernel'
import type { GatewayConfig } from '../config-schema.ts'
import { FlowCallControl, type FlowCallControlOptions } from '../flow-call-control.ts'
import type { FlowLibrary } from '../flow-library.ts'
import type { SandboxPool } from '../sandbox/sandbox-pool.ts'
import type { TestCallLines } from '../test-calls/test-call-lines.ts'

/** What flows run with. */
export interface FlowRunsOptions
  extends Pick<FlowCallControlOptions, 'commands' | 'prompts' | 'speech' | 'requests' | 'notices'> {
  readonly config: Pick<GatewayConfig, 'routes' | 'recording'>
  readonly library: FlowLibrary
  readonly testLines: TestCallLines
  readonly sandbox: SandboxPool
  readonly clock: Clock
  readonly log: Logger
}

/** A call is told to have come to a node after so long, so that nodes that take no time are not told. */
const TELL_MS = 200

/** The node at which a call is. */
export interface FlowPlace {
  /** Name that the flow gives itself. */
  readonly title: string
  /** Name of the flow's file; absent for the flow of a test call. */
  readonly name?: string
  /** Place in the flow, such as `nodes[2].then[0]`. */
  readonly node: string
  /** Type of the node. */
  readonly type: string
  readonly sinceMs: number
}

/** What happens to the flow of a call. */
export type FlowRunEvent = { readonly callId: string; readonly title: string } & (
  | { readonly type: 'node'; readonly node: string; readonly nodeType: string }
  | { readonly type: 'ended'; readonly end: FlowEnd }
)

interface Run {
  place?: FlowPlace
  telling?: Timer | undefined
}

/** Starts flows on calls, and knows where each of them is. */
export class FlowRuns {
  readonly events: Listeners<FlowRunEvent>
  readonly #options: FlowRunsOptions
  readonly #runs = new Map<string, Run>()

  constructor(options: FlowRunsOptions) {
    this.#options = options
    this.events = new Listeners((fault) => options.log.error('flow listener failed', { error: messageOf(fault) }))
  }

  /** Where the call is; undefined when no flow runs on it. */
  placeOf(callId: string): FlowPlace | undefined {
    return this.#runs.get(callId)?.place
  }

  /** Runs the flow of the route that `name` stands for; a call whose flow is not loaded is refused with 500. */
  start(call: Call, name: string): void {
    const { config, library, testLines, sandbox, clock, log } = this.#options
    const route = config.routes[Number(name)]
    const trial = testLines.begin(call, name)
    const flow = trial?.flow ?? library.get(route?.flow ?? '')
    if (flow === undefined) {
      log.error('flow of a route is not loaded', { callId: call.callId, flow: route?.flow })
      call.refuse(500)
      return
    }
    const { commands, prompts, speech, requests, notices } = this.#options
    const control = new FlowCallControl({ call, commands, prompts, speech, requests, notices, clock, log })
    const { recorders } = config.recording
    const { callId } = call
    const input = { ...partiesOf(call), callId, recorders, ...route?.input, ...trial?.input }
    const file = trial === undefined && route?.flow !== undefined ? { name: basename(route.flow) } : {}
    const onNode = (label: string): void => this.#enter(callId, { title: flow.name, ...file, ...nodeOf(label) })
    this.#runs.set(callId, {})
    void runFlow(flow, { call: control, input, sandbox, log: log.child({ callId }), onNode }).then((end) =>
      this.#end(callId, flow, end),
    )
  }

  #enter(callId: string, place: Omit<FlowPlace, 'sinceMs'>): void {
    const run = this.#runs.get(callId)
    if (run === undefined) return
    const { clock } = this.#options
    run.place = { ...place, sinceMs: clock.wallMs() }
    run.telling ??= clock.after(TELL_MS, 'flow node', () => {
      run.telling = undefined
      const { title, node, type: nodeType } = run.place ?? place
      this.events.emit({ type: 'node', callId, title, node, nodeType })
    })
  }

  #end(callId: string, { name: title }: Flow, end: FlowEnd): void {
    this.#runs.get(callId)?.telling?.cancel()
    this.#runs.delete(callId)
    this.events.emit({ type: 'ended', callId, title, end })
  }
}

/** From `nodes[2].then[0] play`. */
function nodeOf(label: string): Pick<FlowPlace, 'node' | 'type'> {
  const [node = '', type = ''] = label.split(' ', 2)
  return { node, type }
}

/** Flows are named by the index of their route, so that each route has its own input. */
export function routeRules({ routes }: Pick<GatewayConfig, 'routes'>): RouteRule[] {
  return routes.map(({ match, flow, callee, ringTimeoutMs }, index) => ({
    match,
    ...(flow === undefined ? {} : { flow: `${index}` }),
    ...(callee === undefined ? {} : { callee }),
    ...(ringTimeoutMs === undefined ? {} : { ringTimeoutMs }),
  }))
}

function partiesOf(call: Call): { readonly from: string; readonly to: string } {
  return { from: call.snapshot().parties[0]?.aors[0] ?? '', to: call.dialledUri }
}
