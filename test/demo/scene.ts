// The call of the demo: who speaks when, steered by what the gateway reports about the recording.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readWav } from '#audio'
import type { Clock, Ids, Logger } from '#kernel'
import { type SoftCall, Softphone } from '../harness/softphone.ts'
import type { RunningProgram } from './processes.ts'

const speechFolder = join(import.meta.dirname, '..', '..', '..', 'test', 'fixtures', 'speech')
const samplesPerMs = 8

/** Something that was said, and when its first sample was sent. */
export interface Utterance {
  readonly who: 'caller' | 'agent'
  readonly what: 'before the pause' | 'during the pause' | 'after the pause'
  readonly samples: Int16Array
  /** Wall clock, ms since 1970. */
  readonly atMs: number
}

/** Proof of the pause as the gateway gave it, one per stream and recorder. */
export interface Receipt {
  readonly recorder: string
  readonly fork: string
  readonly lastSequence: number
  readonly packetsHeld: number
  readonly drained: boolean
}

/** What happened in the call. */
export interface SceneReport {
  readonly utterances: readonly Utterance[]
  readonly receipts: readonly Receipt[]
  /** Wall clock of the gateway's recording events. */
  readonly eventsAtMs: Readonly<Record<string, number>>
}

/** The speech of the demo: two parts for each party, and digits for the pause. */
export interface Speech {
  readonly caller: readonly [Int16Array, Int16Array]
  readonly agent: readonly [Int16Array, Int16Array]
  readonly digits: Int16Array
}

/** Reads the speech, cut to the lengths that the demo's flow leaves. */
export async function readSpeech(): Promise<Speech> {
  const [caller, agent, digits] = await Promise.all(['caller', 'agent', 'digits'].map(readSamples))
  const cut = (samples: Int16Array, fromMs: number, toMs: number): Int16Array =>
    samples.slice(fromMs * samplesPerMs, toMs * samplesPerMs)
  return {
    caller: [cut(caller!, 0, 3_000), cut(caller!, 5_000, 7_500)],
    agent: [cut(agent!, 0, 3_000), cut(agent!, 5_000, 7_500)],
    digits: cut(digits!, 0, 2_500),
  }
}

async function readSamples(name: string): Promise<Int16Array> {
  const wav = readWav(await readFile(join(speechFolder, `${name}.wav`)))
  if (!wav.ok) throw new Error(`${name}.wav: ${wav.error.message}`)
  return wav.value.samples[0]!
}

/** Places the call and plays it to its end, which the flow brings about. */
export async function playScene(
  gateway: RunningProgram,
  agentPhone: Softphone,
  callerPhone: Softphone,
  speech: Speech,
  around: { readonly clock: Clock },
): Promise<SceneReport> {
  const utterances: Utterance[] = []
  const receipts: Receipt[] = []
  const eventsAtMs: Record<string, number> = {}
  const calls: { agent?: SoftCall; caller?: SoftCall } = {}
  const say = (who: Utterance['who'], what: Utterance['what'], samples: Int16Array): void => {
    const call = calls[who]
    if (call === undefined) throw new Error(`${who} is not in the call`)
    const atMs = call.audio.sayNow(samples)
    utterances.push({ who, what, samples, atMs })
  }
  gateway.onLine((line) => {
    const event = line.message === 'recording event' ? String(line['event']) : undefined
    if (event === undefined || event in eventsAtMs) return
    eventsAtMs[event] = around.clock.wallMs()
    if (event === 'recording.paused') {
      receipts.push(...(line['receipts'] as readonly Receipt[]))
      say('caller', 'during the pause', speech.digits)
    }
    if (event === 'recording.resumed') {
      say('caller', 'after the pause', speech.caller[1])
      say('agent', 'after the pause', speech.agent[1])
    }
  })
  const agentJoined = new Promise<void>((resolve) => {
    agentPhone.onIncoming = (call) => {
      calls.agent = call
      call.accept()
      void call.answered.then(() => resolve())
    }
  })
  const caller = await callerPhone.call(`sip:demo@127.0.0.1:${gateway.sipPort('udp')}`)
  calls.caller = caller
  if (!(await caller.answered)) throw new Error(`the gateway refused the call: ${caller.failedStatus}`)
  await agentJoined
  say('caller', 'before the pause', speech.caller[0])
  say('agent', 'before the pause', speech.agent[0])
  await caller.ended
  return { utterances, receipts, eventsAtMs }
}

/** Opens a phone of the demo. */
export function openPhone(
  user: string,
  transport: 'udp' | 'tcp',
  around: { clock: Clock; ids: Ids; log: Logger },
): Promise<Softphone> {
  return Softphone.open({ host: '127.0.0.1', transport, user, ...around })
}
