// Runs a flow on a call. Everything the flow does goes through the CallControl port.

import { type Logger, messageOf } from '#kernel'
import type { CallControl } from './call-control.ts'
import type { Flow } from './flow.ts'
import type { Sandbox } from './sandbox.ts'

/** What a run gets. */
export interface FlowRunOptions {
  readonly call: CallControl
  /** Facts of the call for expressions: `callId`, `from`, `to`, `recorders`, `callee`. */
  readonly input: Readonly<Record<string, unknown>>
  readonly profile?: Readonly<Record<string, unknown>>
  /** Evaluates what is more than paths and operators. */
  readonly sandbox: Sandbox
  readonly log: Logger
}

/** How a run ended; `failed` is a fault in a node, after which the call was hung up. */
export type FlowEnd = 'completed' | 'call-ended' | 'failed'

/** Runs the flow to its end and, unless the flow says `atEnd: stay`, hangs up; never rejects. */
export async function runFlow(flow: Flow, options: FlowRunOptions): Promise<FlowEnd> {
  const { call, input, profile = {}, sandbox } = options
  const log = options.log.child({ flow: flow.name })
  log.info('flow started')
  let end: FlowEnd
  try {
    const last = await flow.run({ call, log, sandbox, scope: { input, profile, context: {} } })
    end = call.ended && last !== 'hung-up' ? 'call-ended' : 'completed'
    if (!call.ended && flow.atEnd === 'hangup') await call.hangup()
  } catch (fault) {
    end = 'failed'
    log.error('flow failed', { fault: messageOf(fault) })
    if (!call.ended) await call.hangup().catch(() => {})
  }
  log.info('flow ended', { end })
  return end
}
