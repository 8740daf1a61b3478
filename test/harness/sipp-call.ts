// A call between two SIPps through a gateway of its own, recorded by a third.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openTestProgram, type Section } from './open-program.ts'
import { startSipp } from './sipp.ts'
import type { SippRecorder } from './sipp-recorder.ts'
import { CallDesk, untilIdle } from './talk.ts'
import { until } from './until.ts'

const HOST = '127.0.0.1'

interface Side {
  readonly scenario: string
  readonly args?: readonly string[]
}

/** Who calls, who is called, and what is special about the gateway. */
export interface SippCall {
  readonly caller: Side
  readonly callee: Side
  /** Keys of `gateway` beside the route to the callee. */
  readonly gateway?: Section
}

/** Places the call over UDP and has it recorded from its answer on; resolves with what SIPp logged at the recorder when all three have had what they expect. */
export async function recordSippCall(
  t: TestContext,
  recorder: SippRecorder,
  { caller, callee, gateway = {} }: SippCall,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sipp-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const called = await startSipp({ ...callee, transport: 'udp', folder })
  t.after(() => called.stop())
  const routes = [{ match: 'callee', callee: `sip:callee@${HOST}:${called.port};transport=udp` }]
  const opened = await openTestProgram({ gateway: { routes, ...gateway } })
  t.after(() => opened.close())
  const remote = { user: 'callee', port: opened.port('gateway', 'udp') }
  const calling = await startSipp({ ...caller, transport: 'udp', folder, remote })
  t.after(() => calling.stop())
  const callOf = () => opened.program.gateway?.calls.list()[0]
  await until('the call is up', () => callOf()?.answeredAt !== undefined)
  const desk = new CallDesk(opened, callOf()?.callId ?? '')
  assert.equal((await desk.rest('start', recorder.uri)).status, 200)
  await Promise.all([calling.succeeded(), called.succeeded(), recorder.succeeded()])
  await untilIdle(opened)
  return await recorder.messages()
}
