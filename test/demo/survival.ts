// The end of the demo: a recorder is killed while both parties speak, and started again; what it kept is compared.

import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { correlate, readWav } from '#audio'
import type { Clock } from '#kernel'
import type { Manifest } from '#store'
import type { SoftCall, Softphone } from '../harness/softphone.ts'
import { until } from '../harness/until.ts'
import { anySipPorts, type RunningProgram, startProgram } from './processes.ts'
import { type Line, line } from './report.ts'
import type { Speech } from './scene.ts'

const samplesPerMs = 8
const searchMs = 400
/** Said before the kill, and after it. */
const beforeMs = 2500
/** What was said so shortly before a kill may be lost. */
const promisedMs = 1000
const deadlineMs = 30_000
const parties = ['caller', 'agent'] as const

/** Name of the route that leads through the flow of `writeSurvivalFlow`. */
export const survivalRoute = 'survivor'

/** What was done and kept. */
export interface Survival {
  readonly pid: number
  /** From the kill to the next life. */
  readonly awayMs: number
  readonly recordings: number
  readonly audioFile: string
  readonly channels: readonly {
    readonly who: (typeof parties)[number]
    readonly before: number
    readonly after: number
    /** Of what was said before the kill. */
    readonly lostMs: number
    readonly gapMs: number
  }[]
}

interface Said {
  readonly samples: Int16Array
  readonly atMs: number
}

/** Writes a flow that records a call at one recorder until somebody hangs up; gives its path. */
export async function writeSurvivalFlow(folder: string): Promise<string> {
  const path = join(folder, 'survivor.yaml')
  const nodes = [
    '- type: answer',
    '- type: play\n    file: prompts/notice.wav',
    "- type: callRecording\n    activity: start\n    callRecordingServer: '{{ input.recorder }}'\n    callRecordingId: '{{ input.callId }}'\n    wait: true",
    "- type: dial\n    target: '{{ input.callee }}'\n    until: answer\n    into: context.dial",
    '- type: wait\n    ms: 60000',
  ]
  await writeFile(path, `name: survivor\nnodes:\n${nodes.map((node) => `  ${node}\n`).join('')}`)
  return path
}

/** Starts the recorder of this part, again if need be on the same ports. */
export async function startMortal(folder: string, name: string, sip: object = anySipPorts): Promise<RunningProgram> {
  const media = { portMin: 14_000, portMax: 15_999 }
  return await startProgram(folder, name, {
    http: { port: 0 },
    recorder: { sip, media, store: { folder: join(folder, 'recorder-C') } },
  })
}

/** Plays the call: speech, kill, restart, speech. The second life is given to `onStarted` to be stopped. */
export async function playSurvival(
  folder: string,
  recorder: RunningProgram,
  gateway: RunningProgram,
  phones: { readonly agent: Softphone; readonly caller: Softphone },
  speech: Speech,
  clock: Clock,
  onStarted: (program: RunningProgram) => void,
): Promise<Survival> {
  const sip = {
    listen: (['udp', 'tcp'] as const).map((transport) => ({ transport, port: recorder.sipPort(transport) })),
  }
  const agentCall = new Promise<SoftCall>((resolve) => {
    phones.agent.onIncoming = (call) => {
      call.accept()
      void call.answered.then(() => resolve(call))
    }
  })
  const caller = await phones.caller.call(`sip:${survivalRoute}@127.0.0.1:${gateway.sipPort('udp')}`)
  const calls = { caller, agent: await agentCall }
  const say = (who: (typeof parties)[number], samples: Int16Array): Said => {
    return { samples, atMs: calls[who].audio.sayNow(samples) }
  }
  const before = parties.map((who) => say(who, speech[who][0].subarray(0, beforeMs * samplesPerMs)))
  const passed = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, 'demo', resolve))
  await passed(beforeMs - 300)
  const killedAtMs = clock.wallMs()
  await recorder.kill()
  const second = await startMortal(folder, 'recorder-C-again', sip)
  onStarted(second)
  const awayMs = clock.wallMs() - killedAtMs
  await passed(300)
  const after = parties.map((who) => say(who, speech[who][1]))
  await passed(Math.max(...after.map(({ samples }) => samples.length)) / samplesPerMs + 300)
  await caller.hangup()
  const store = join(folder, 'recorder-C')
  let folders: string[] = []
  await until(
    'the recording is published',
    async () => {
      folders = (await readdir(store, { recursive: true })).filter((name) => name.endsWith('manifest.json'))
      return folders.length > 0 && folders.every((name) => !name.includes('.open'))
    },
    deadlineMs,
  )
  const kept = join(store, folders[0]!, '..')
  const manifest = JSON.parse(await readFile(join(kept, 'manifest.json'), 'utf8')) as Manifest
  const audioFile = join(kept, manifest.audioFile ?? '')
  const wav = readWav(await readFile(audioFile))
  if (!wav.ok) throw new Error(`${audioFile}: ${wav.error.message}`)
  const startedAtMs = Date.parse(manifest.startedAt)
  const channels = parties.map((who, index) => {
    const channel = wav.value.samples[index] ?? new Int16Array()
    const like = ({ samples, atMs }: Said): number => {
      const from = Math.max(0, Math.round((atMs - startedAtMs - searchMs) * samplesPerMs))
      const heard = channel.subarray(from, from + samples.length + 2 * searchMs * samplesPerMs)
      return correlate(samples, heard, 2 * searchMs * samplesPerMs).coefficient
    }
    const gap = manifest.streams[index]?.gaps.find(({ cause }) => cause === 'recorder-restart')
    const { fromMs = Number.NaN, toMs = Number.NaN } = gap ?? {}
    const promised = killedAtMs - before[index]!.atMs - promisedMs
    const safe = { ...before[index]!, samples: before[index]!.samples.subarray(0, promised * samplesPerMs) }
    const lostMs = Math.max(0, killedAtMs - startedAtMs - fromMs)
    return { who, before: like(safe), after: like(after[index]!), lostMs, gapMs: toMs - fromMs }
  })
  return { pid: recorder.pid, awayMs, recordings: folders.length, audioFile, channels }
}

/** The lines of this part. */
export function survivalLines({ awayMs, recordings, channels }: Survival): Line[] {
  const away = Math.round(awayMs)
  return [
    line('recordings of the call', [`${recordings}`], '1', recordings === 1),
    ...channels.flatMap(({ who, before, after, lostMs, gapMs }) => [
      line(`${who}: like what was said before the kill`, [before.toFixed(3)], '>= 0.95', before >= 0.95),
      line(`${who}: like what was said after the restart`, [after.toFixed(3)], '>= 0.95', after >= 0.95),
      line(`${who}: lost before the kill, ms`, [lostMs.toFixed(0)], `<= ${promisedMs}`, lostMs <= promisedMs),
      line(
        `${who}: gap, ms; it was away for ${away}`,
        [gapMs.toFixed(0)],
        `<= ${away + promisedMs}`,
        gapMs <= away + promisedMs,
      ),
    ]),
  ]
}
