// How many calls of two G.711 streams the recorder keeps whole on one core: real SIP, real RTP, every packet looked up in the files.

import type { ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openBareReceiver } from './bare-device.ts'
import { cpuMicros, deviceCore, endChild, loadCore, nextMessage, startModule, startProgram } from './child.ts'
import { RelayRig } from './relay.ts'
import { figure, median, type Section } from './report.ts'

/** Messages to the generator. */
export type SpeakerCommand =
  | { readonly type: 'begin'; readonly recorderPort: number; readonly sessions: number }
  | { readonly type: 'count' }
  | { readonly type: 'end'; readonly store: string }

/** Messages from the generator. */
export type SpeakerReply =
  | { readonly type: 'begun'; readonly answerP99Ms: number; readonly sent: number }
  | { readonly type: 'counted'; readonly sent: number }
  | {
      readonly type: 'ended'
      readonly sent: number
      readonly refused: number
      /** Streams of which packets are missing, out of order, or twice. */
      readonly faults: number
      readonly fault: string
      readonly bytes: number
    }

/** How thoroughly to measure. */
export interface RecorderLoadPlan {
  /** Calls at which costs are taken. */
  readonly calls: number
  readonly windowSeconds: number
  readonly mostCalls: number
  /** Windows of the search for capacity. */
  readonly steps: number
}

const MAIN = fileURLToPath(new URL('../../src/app/main.js', import.meta.url))
const HOST = '127.0.0.1'
const GOAL_CALLS = 200
/** Sockets hold seconds of audio: a recorder without time to spare only looks as if it kept up. */
const MOST_SHARE = 0.95
const KIB = 1024

interface Window {
  readonly calls: number
  readonly isWhole: boolean
  readonly cpuMicrosPerPacket: number
  readonly share: number
  readonly bytesPerCallSecond: number
  readonly kibPerCall: number
  readonly answerP99Ms: number
}

/** Costs at a fixed number of calls, then the most calls with nothing lost. */
export async function benchRecorderLoad(plan: RecorderLoadPlan): Promise<Section> {
  await window(Math.ceil(plan.calls / 4), 2)
  const fixed = [await window(plan.calls, plan.windowSeconds), await window(plan.calls, plan.windowSeconds)]
  const floorMicros = await floor(plan)
  let [low, high] = [0, plan.mostCalls]
  const tried: Window[] = []
  for (let step = 0; step < plan.steps; step++) {
    const calls = step === 0 ? GOAL_CALLS : Math.round((low + high) / 2)
    const one = await window(calls, plan.windowSeconds)
    tried.push(one)
    if (passes(one)) low = Math.max(low, calls)
    else high = Math.min(high, calls)
  }
  const of = (value: (one: Window) => number): number => median(fixed.map(value))
  return {
    title: 'Recorder: calls per core with nothing lost',
    columns: ['what', 'figure', 'goal'],
    rows: [
      ['calls of two G.711 streams on one core, every packet in the files', figure(low), goalText(low)],
      ['tried: calls (share of the core, whole or not)', tried.map(triedText).join('; '), '-'],
      [
        `CPU µs per packet at ${plan.calls} calls`,
        figure(
          of((one) => one.cpuMicrosPerPacket),
          1,
        ),
        '-',
      ],
      [`the same of Node's sockets alone, which only read`, figure(floorMicros, 1), '-'],
      ['disk written per call and second, kB', figure(of((one) => one.bytesPerCallSecond) / 1000, 1), '-'],
      ['memory per call, KiB', figure(of((one) => one.kibPerCall)), '-'],
      [
        'INVITE to 200 while the others are being recorded, p99 ms',
        figure(
          of((one) => one.answerP99Ms),
          1,
        ),
        '-',
      ],
    ],
    notes: [
      'The recorder as users start it, all its threads on one core; the generator has the other. Two streams of 50 packets per second each.',
      `Each window: sessions one after another, then ${plan.windowSeconds} s, then BYE; files are read when all is published, and each packet is looked for by its number.`,
      `A window in which the recorder used more than ${MOST_SHARE * 100} % of its core counts as failed, whatever the files hold: sockets hold seconds of audio.`,
      'CPU is of the whole process, publishing left out; bytes are all files of a recording, recording.wav and peaks.dat included.',
    ],
  }
}

/** CPU µs of a packet that is received and forgotten. */
async function floor({ calls, windowSeconds }: RecorderLoadPlan): Promise<number> {
  const rig = await RelayRig.open(openBareReceiver, calls, 0)
  try {
    await rig.measure(calls, 2)
    return (await rig.measure(calls, windowSeconds)).cpuMicrosPerPacket
  } finally {
    await rig.close()
  }
}

function passes({ isWhole, share }: Window): boolean {
  return isWhole && share <= MOST_SHARE
}

function goalText(calls: number): string {
  return `>= ${GOAL_CALLS}: ${calls >= GOAL_CALLS ? 'met' : 'missed'}`
}

function triedText({ calls, share, isWhole }: Window): string {
  return `${calls} (${figure(share * 100)} %, ${isWhole ? 'whole' : 'not whole'})`
}

/** One recorder's life: sessions, a window of time, the end, the judgement. */
async function window(calls: number, seconds: number): Promise<Window> {
  const folder = await mkdtemp(join(tmpdir(), 'siprec-recorder-bench-'))
  const recorder = await startRecorder(folder)
  const speaker = startModule(loadCore, new URL('./recorder-speaker.js', import.meta.url))
  try {
    const idleKib = await residentKib(recorder.pid)
    const begun = await ask(speaker, { type: 'begin', recorderPort: recorder.port, sessions: calls }, 'begun')
    const cpuBefore = await cpuMicros(recorder.pid)
    const sentBefore = (await ask(speaker, { type: 'count' }, 'counted')).sent
    const startedMs = performance.now()
    await new Promise<void>((resolve) => void setTimeout(resolve, seconds * 1000))
    const cpu = (await cpuMicros(recorder.pid)) - cpuBefore
    const lastedMs = performance.now() - startedMs
    const packets = (await ask(speaker, { type: 'count' }, 'counted')).sent - sentBefore
    const kib = (await residentKib(recorder.pid)) - idleKib
    const ended = await ask(speaker, { type: 'end', store: recorder.store }, 'ended')
    // The generator may be behind: packets sent are what counts, 100 a second for a call.
    const callSeconds = ended.sent / 100
    return {
      calls: Math.round(packets / (lastedMs / 10)),
      isWhole: ended.faults === 0 && ended.refused === 0,
      cpuMicrosPerPacket: cpu / packets,
      share: cpu / 1000 / lastedMs,
      bytesPerCallSecond: ended.bytes / callSeconds,
      kibPerCall: kib / calls,
      answerP99Ms: begun.answerP99Ms,
    }
  } finally {
    await endChild(speaker)
    await endChild(recorder.child)
    await rm(folder, { recursive: true, force: true })
  }
}

async function ask<Type extends SpeakerReply['type']>(
  speaker: ChildProcess,
  command: SpeakerCommand,
  _type: Type,
): Promise<SpeakerReply & { readonly type: Type }> {
  const reply = nextMessage<SpeakerReply & { readonly type: Type }>(speaker)
  speaker.send(command)
  return await reply
}

interface RecorderProcess {
  readonly child: ChildProcess
  readonly pid: number
  readonly port: number
  readonly store: string
}

async function startRecorder(folder: string): Promise<RecorderProcess> {
  const store = join(folder, 'recordings')
  const config = {
    log: { level: 'info' },
    recorder: {
      sip: { listen: [{ transport: 'udp', host: HOST, port: 0 }] },
      media: { host: HOST, portMin: 10_000, portMax: 19_999 },
      maxSessions: 10_000,
      store: { folder: store, minFreeBytes: 0 },
    },
  }
  const file = join(folder, 'config.json')
  await writeFile(file, JSON.stringify(config))
  const child = startProgram(deviceCore, process.execPath, [MAIN, 'start', '--config', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout! })
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the recorder ended with ${code}`)))
    lines.on('line', (line) => {
      const { message, recorder } = JSON.parse(line) as { message: string; recorder?: { port: number }[] }
      if (message === 'ready') resolve(recorder?.[0]?.port ?? 0)
    })
  })
  lines.close()
  child.stdout?.resume()
  return { child, pid: child.pid ?? 0, port, store }
}

/** Resident memory of a process. */
async function residentKib(pid: number): Promise<number> {
  const pages = Number((await readFile(`/proc/${pid}/statm`, 'latin1')).split(' ')[1])
  return (pages * 4096) / KIB
}
