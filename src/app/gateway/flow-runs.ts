// The flows of the gateway's calls: which flow a call runs, and on what.

import type { Call, RouteRule } from '#call'
import { runFlow } from '#flow'
import type { Clock, Logger } from '#kernel'
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

/** Starts flows on calls. */
export class FlowRuns {
  readonly #options: FlowRunsOptions

  constructor(options: FlowRunsOptions) {
    this.#options = options
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
    const input = { ...partiesOf(call), callId: call.callId, recorders, ...route?.input, ...trial?.input }
    void runFlow(flow, { call: control, input, sandbox, log: log.child({ callId: call.callId }) })
  }
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
