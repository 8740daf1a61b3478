// Makes recorded calls that end at every stage, and says what became of them and what is left of them.

import { MemoryLogger, seededIds } from '#kernel'
import type { ServerInvite } from '#sip'
import { openSipSide } from '../bench/sip-side.ts'
import { LeapingClock } from '../harness/leaping-clock.ts'
import { openResources } from '../harness/open-resources.ts'
import { until } from '../harness/until.ts'
import type { MemorySample } from './growth.ts'
import { scripts } from './scripts.ts'
import { callIdOf, SoakCall, type SoakStage } from './soak-call.ts'
import { SoakMedia } from './soak-media.ts'
import { openSoakProgram, type SoakProgram } from './soak-program.ts'

/** Transactions linger for 32 s (RFC 3261 timers D and J, RFC 6026 timers L and M); idle connections for an hour. */
const LINGER_MS = 65 * 60_000
const OVER_WITHIN_MS = 30_000
const MOST_NAMED = 20

/** How much to do. */
export interface SoakPlan {
  readonly calls: number
  readonly atATime: number
  /** After each, everything has to be gone, and memory is looked at. */
  readonly rounds: number
  readonly seed: number
  readonly onRound?: (sample: MemorySample) => void
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
  /** Why the gateway gave recorders up, and how often; recorders that hang up are no fault. */
  readonly losses: ReadonlyMap<string, number>
  /** Messages that the program logged as errors. */
  readonly errors: readonly string[]
  readonly memory: readonly MemorySample[]
  readonly packets: { readonly heard: number; readonly recorded: number }
}

/** Runs a soak on sockets of this machine. */
export async function runSoak(plan: SoakPlan): Promise<SoakResult> {
  const clock = new LeapingClock()
  const log = new ErrorLogger()
  const nobody = { callee: 'sip:127.0.0.1:9', recorders: ['sip:127.0.0.1:9'] }
  // What the first thread of a process opens for good, such as its standard input, is no leak.
  await (await openSoakProgram(nobody, { clock, log })).close()
  const before = await handles()
  const calls = new Map<number, SoakCall>()
  const media = await SoakMedia.open(clock)
  const side = await openSipSide((invite) => take(invite, calls), clock)
  const recorders = ['first', 'second'].map((name) => side.uri(name, 'tcp'))
  const program = await openSoakProgram({ callee: side.uri('callee'), recorders }, { clock, log })
  const stage: SoakStage = { core: side.core, clock, ids: seededIds(plan.seed), media, target: program.target }
  const losses = new Map<string, number>()
  program.gateway.events.add((event) => {
    if (event.type === 'recorder.lost') losses.set(event.reason, (losses.get(event.reason) ?? 0) + 1)
  })
  const beganAtMs = performance.now()
  const tally = new Tally()
  const leaks: string[] = []
  const memory: MemorySample[] = []
  for (let round = 1; round <= plan.rounds && leaks.length === 0; round++) {
    await makeCalls(Math.round((plan.calls * round) / plan.rounds), plan.atATime, stage, calls, tally)
    leaks.push(...(await leftOver(program, side.core, clock)))
    memory.push(sampleOf(tally.calls))
    plan.onRound?.(memory.at(-1)!)
  }
  const seconds = (performance.now() - beganAtMs) / 1000
  await program.close()
  await side.close()
  media.close()
  if (clock.pending > 0) leaks.push(`${clock.pending} timers after the end`)
  leaks.push(...(await heldOpen(before)))
  return {
    seconds,
    outcomes: tally.outcomes,
    wrong: tally.wrong,
    memory,
    losses,
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

/** What became of the calls so far. */
class Tally {
  calls = 0
  readonly outcomes = new Map<string, Map<string, number>>()
  readonly wrong: string[] = []

  add(call: SoakCall, isRight: boolean): void {
    const { title } = call.script
    const counts = this.outcomes.get(title) ?? new Map<string, number>()
    counts.set(call.outcome, (counts.get(call.outcome) ?? 0) + 1)
    this.outcomes.set(title, counts)
    if (!isRight && this.wrong.length < MOST_NAMED) this.wrong.push(`call ${call.id}, ${title}: ${call.outcome}`)
    this.calls++
  }
}

/** Makes calls, so many at a time, until there were `total`. */
async function makeCalls(
  total: number,
  atATime: number,
  stage: SoakStage,
  calls: Map<number, SoakCall>,
  tally: Tally,
): Promise<void> {
  let next = tally.calls
  const oneAfterTheOther = async (): Promise<void> => {
    while (next < total) {
      const { call, isRight } = await callOnce(next++, stage, calls)
      calls.delete(call.id)
      tally.add(call, isRight)
    }
  }
  await Promise.all(Array.from({ length: atATime }, oneAfterTheOther))
}

function callOnce(
  id: number,
  stage: SoakStage,
  calls: Map<number, SoakCall>,
): Promise<{ readonly call: SoakCall; readonly isRight: boolean }> {
  return new Promise((resolve) => {
    const call = new SoakCall(id, scripts[id % scripts.length]!, stage, () => {
      patience.cancel()
      resolve({ call, isRight: call.isRight })
    })
    const patience = stage.clock.after(OVER_WITHIN_MS, 'soak-patience', () => {
      call.abandon()
      call.callerHangsUp()
      resolve({ call, isRight: false })
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
async function leftOver(program: SoakProgram, peers: SoakStage['core'], clock: LeapingClock): Promise<string[]> {
  const left = async (mayLinger: boolean): Promise<string[]> => {
    const counts = { ...(await program.gateway.census()), ...peersOf(peers.census()) }
    return Object.entries(counts)
      .filter(([name, count]) => count !== 0 && !(mayLinger && /transactions|timers|connections/.test(name)))
      .map(([name, count]) => `${count} ${name}`)
  }
  await until('all calls are over', async () => (await left(true)).length === 0).catch(() => {})
  // Again and again: what fires may answer what is on its way, and that lingers in turn.
  const isGone = async (): Promise<boolean> => {
    clock.leap(LINGER_MS)
    return (await left(false)).length === 0
  }
  await until('nothing lingers', isGone).catch(() => {})
  return await left(false)
}

function peersOf(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [`peers.${name}`, count]))
}

/** Kinds of open handles and the number of open files; file requests under way come and go. */
async function handles(): Promise<{ readonly kinds: string; readonly files: number }> {
  const { active, files } = await openResources()
  return { kinds: active.filter((name) => !/^(?:FSReq|CloseReq)/.test(name)).join(' '), files }
}

/** Handles and files that this process has more of than before. */
async function heldOpen(before: Awaited<ReturnType<typeof handles>>): Promise<string[]> {
  let now = await handles()
  const isAsBefore = async (): Promise<boolean> => {
    now = await handles()
    return now.kinds === before.kinds && now.files <= before.files
  }
  await until('files and sockets are closed', isAsBefore, 3_000).catch(() => {})
  return (await isAsBefore())
    ? []
    : [`open: ${now.kinds}, ${now.files} files; before: ${before.kinds}, ${before.files}`]
}
