// Makes recorded calls that end at every stage, and says what became of them and what is left of them.

import { MemoryLogger, seededIds } from '#kernel'
import type { ServerInvite } from '#sip'
import { openSipSide } from '../bench/sip-side.ts'
import { openResources } from '../harness/open-resources.ts'
import { until } from '../harness/until.ts'
import { ForwardClock } from './forward-clock.ts'
import type { MemorySample } from './growth.ts'
import { scripts } from './scripts.ts'
import { callIdOf, SoakCall, type SoakStage } from './soak-call.ts'
import { SoakMedia } from './soak-media.ts'
import { openSoakProgram, type SoakProgram } from './soak-program.ts'

/** Transactions linger for 32 s (RFC 3261 timers D and J, RFC 6026 timers L and M); idle connections for an hour. */
const LINGER_MS = 65 * 60_000
const OVER_WITHIN_MS = 30_000
const MOST_NAMED = 20
const SAMPLES = 100

/** How much to do. */
export interface SoakPlan {
  readonly calls: number
  readonly atATime: number
  readonly seed: number
  readonly onProgress?: (sample: MemorySample) => void
}

/** What a soak came to. */
export interface SoakResult {
  readonly seconds: number
  /** How often each outcome came, by title of the script. */
  readonly outcomes: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** Calls that ended otherwise than they should, or not at all. */
  readonly wrong: readonly string[]
  /** What was still there when everything had to be gone. */
  readonly leaks: readonly string[]
  /** Messages that the program logged as errors. */
  readonly errors: readonly string[]
  readonly memory: readonly MemorySample[]
  readonly packets: { readonly heard: number; readonly recorded: number }
}

/** Runs a soak on sockets of this machine. */
export async function runSoak(plan: SoakPlan): Promise<SoakResult> {
  const before = await openResources()
  const clock = new ForwardClock()
  const log = new ErrorLogger()
  const calls = new Map<number, SoakCall>()
  const media = await SoakMedia.open(clock)
  const side = await openSipSide((invite) => take(invite, calls), clock)
  const recorders = ['first', 'second'].map((name) => side.uri(name, 'tcp'))
  const program = await openSoakProgram({ callee: side.uri('callee'), recorders }, { clock, log })
  const stage: SoakStage = { core: side.core, clock, ids: seededIds(plan.seed), media, target: program.target }
  const beganAtMs = performance.now()
  const run = await makeCalls(plan, stage, calls)
  const seconds = (performance.now() - beganAtMs) / 1000
  const leaks = await leftOver(program, side.core, clock)
  await program.close()
  await side.close()
  media.close()
  if (clock.pending > 0) leaks.push(`${clock.pending} timers after the end`)
  leaks.push(...(await heldOpen(before)))
  return {
    seconds,
    ...run,
    leaks,
    errors: log.lines.map(({ message }) => message),
    packets: { heard: media.heard, recorded: media.recorded },
  }
}

/** Keeps errors only: a log of everything would grow. */
class ErrorLogger extends MemoryLogger {
  override debug(): void {}
  override info(): void {}
  override warn(): void {}
  override child(): this {
    return this
  }
}

function take(invite: ServerInvite, calls: ReadonlyMap<number, SoakCall>): void {
  const { headers, body } = invite.request
  const isRecording = headers.get('Content-Type')?.startsWith('multipart/') === true
  const id = callIdOf(isRecording ? Buffer.from(body).toString('latin1') : (headers.get('From') ?? ''))
  const call = id === undefined ? undefined : calls.get(id)
  if (call === undefined) invite.reject(404)
  else if (isRecording) call.askedToRecord(invite)
  else call.invited(invite)
}

type Run = Pick<SoakResult, 'outcomes' | 'wrong' | 'memory'>

async function makeCalls(plan: SoakPlan, stage: SoakStage, calls: Map<number, SoakCall>): Promise<Run> {
  const outcomes = new Map<string, Map<string, number>>()
  const wrong: string[] = []
  const memory: MemorySample[] = []
  const every = Math.max(1, Math.floor(plan.calls / SAMPLES))
  let placed = 0
  let over = 0
  const note = (call: SoakCall, isWrong: boolean): void => {
    const { title } = call.script
    const counts = outcomes.get(title) ?? new Map<string, number>()
    counts.set(call.outcome, (counts.get(call.outcome) ?? 0) + 1)
    outcomes.set(title, counts)
    if (isWrong && wrong.length < MOST_NAMED) wrong.push(`call ${call.id}, ${title}: ${call.outcome}`)
    calls.delete(call.id)
    if (++over % every !== 0) return
    const sample = sampleOf(over)
    memory.push(sample)
    plan.onProgress?.(sample)
  }
  const oneAfterTheOther = async (): Promise<void> => {
    while (placed < plan.calls) await callOnce(placed++, stage, calls, note)
  }
  await Promise.all(Array.from({ length: plan.atATime }, oneAfterTheOther))
  return { outcomes, wrong, memory }
}

function callOnce(
  id: number,
  stage: SoakStage,
  calls: Map<number, SoakCall>,
  note: (call: SoakCall, isWrong: boolean) => void,
): Promise<void> {
  return new Promise((resolve) => {
    const call = new SoakCall(id, scripts[id % scripts.length]!, stage, () => {
      patience.cancel()
      note(call, !call.isRight)
      resolve()
    })
    const patience = stage.clock.after(OVER_WITHIN_MS, 'soak-patience', () => {
      call.abandon()
      note(call, true)
      resolve()
    })
    calls.set(id, call)
    call.place()
  })
}

function sampleOf(calls: number): MemorySample {
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  return { calls, rssBytes: rss, heapBytes: heapUsed }
}

/** Waits for the end of what may end by itself, lets the lingering time pass, and names what is left. */
async function leftOver(program: SoakProgram, peers: SoakStage['core'], clock: ForwardClock): Promise<string[]> {
  const left = async (mayLinger: boolean): Promise<string[]> => {
    const counts = { ...(await program.gateway.census()), ...peersOf(peers.census()) }
    return Object.entries(counts)
      .filter(([name, count]) => count !== 0 && !(mayLinger && /transactions|timers|connections/.test(name)))
      .map(([name, count]) => `${count} ${name}`)
  }
  await until('all calls are over', async () => (await left(true)).length === 0).catch(() => {})
  clock.forward(LINGER_MS)
  await until('nothing lingers', async () => (await left(false)).length === 0).catch(() => {})
  return await left(false)
}

function peersOf(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [`peers.${name}`, count]))
}

/** Handles and files that this process has more of than before. */
async function heldOpen(before: Awaited<ReturnType<typeof openResources>>): Promise<string[]> {
  const isAsBefore = async (): Promise<boolean> => {
    const now = await openResources()
    return now.active.length <= before.active.length && now.files <= before.files
  }
  await until('files and sockets are closed', isAsBefore, 3_000).catch(() => {})
  if (await isAsBefore()) return []
  const now = await openResources()
  return [
    `open before: ${before.active.join(' ')}, ${before.files} files; after: ${now.active.join(' ')}, ${now.files} files`,
  ]
}
