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
  /** What `context` holds at first; the flow writes into it. */
  readonly context?: Record<string, unknown>
  /** Told of each node, place and type, before it runs. */
  readonly onNode?: (node: string) => void
}

/** Nodes that one run may run through; loops end here. */
const MAX_STEPS = 10_000

/** How a run ended; `failed` is a fault in a node, after which the call was hung up. */
export type FlowEnd = 'completed' | 'call-ended' | 'failed'

/** Runs the flow to its end and, unless the flow says `atEnd: stay`, hangs up; never rejects. */
export async function runFlow(flow: Flow, options: FlowRunOptions): Promise<FlowEnd> {
  const { call, input, profile = {}, context = {}, sandbox, onNode } = options
  const log = options.log.child({ flow: flow.name })
  log.info('flow started')
  let end: FlowEnd
  let steps = 0
  const enter = (node: string): void => {
    if (++steps > MAX_STEPS) throw new Error(`more than ${MAX_STEPS} nodes were run`)
    onNode?.(node)
  }
  try {
    const last = await flow.run({ call, log, sandbox, enter, scope: { input, profile, context } })
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
