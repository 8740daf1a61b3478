// Listening with numbers: what each recorder kept, compared with what was spoken.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { correlate, readWav, rmsDbfs } from '#audio'
import type { Manifest } from '#store'
import type { Receipt, SceneReport, Utterance } from './scene.ts'

const samplesPerMs = 8
const searchMs = 400
/** Kept away from the edges of a pause when its level is measured. */
const edgeMs = 60
/** Shorter ones are the moment between the last document and the end. */
const leastPauseMs = 1_000

/** What one channel of a recording holds. */
export interface ChannelReport {
  readonly who: Utterance['who']
  /** Least correlation with what this party said outside the pause. */
  readonly own: number
  /** Greatest correlation with what the other party said. */
  readonly other: number
  /** Greatest shift, in ms, of what this party said. */
  readonly lagMs: number
  /** Level in the pause; minus infinity for digital silence. */
  readonly pauseDbfs: number
  /** Packets that reached this recorder's socket for this stream. */
  readonly packets: number
  readonly lost: number
  /** Packets that reached the recorder's socket while the stream was paused. */
  readonly packetsInPause: number
  /** The last sequence number that the recorder saw before the pause is the one that the receipt names. */
  readonly isReceiptTrue: boolean
}

/** What one recorder kept. */
export interface RecorderReport {
  readonly name: string
  readonly folder: string
  readonly audioFile: string
  readonly durationMs: number
  readonly firstPacketMs: number
  readonly channels: readonly ChannelReport[]
  /** Greatest correlation of the digits spoken in the pause with what either channel holds there. */
  readonly digits: number
}

const parties = ['caller', 'agent'] as const

/** Reads a published folder and compares. `receipts` are those of this recorder, one per stream. */
export async function examine(
  name: string,
  folder: string,
  scene: SceneReport,
  receipts: readonly Receipt[],
): Promise<RecorderReport> {
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest
  const audioFile = join(folder, manifest.audioFile ?? '')
  const wav = readWav(await readFile(audioFile))
  if (!wav.ok) throw new Error(`${audioFile}: ${wav.error.message}`)
  const { samples } = wav.value
  const startedAtMs = Date.parse(manifest.startedAt)
  const compare = (
    channel: Int16Array,
    utterance: Utterance,
  ): { readonly coefficient: number; readonly lagMs: number } => {
    const expected = Math.round((utterance.atMs - startedAtMs - searchMs) * samplesPerMs)
    const from = Math.max(0, expected)
    const heard = channel.subarray(from, expected + utterance.samples.length + 2 * searchMs * samplesPerMs)
    const { coefficient, lagSamples } = correlate(utterance.samples, heard, 2 * searchMs * samplesPerMs)
    return { coefficient, lagMs: lagSamples / samplesPerMs - searchMs + (from - expected) / samplesPerMs }
  }
  const spoken = scene.utterances.filter((utterance) => utterance.what !== 'during the pause')
  const channels = parties.map((who, index): ChannelReport => {
    const channel = samples[index] ?? new Int16Array()
    const stream = manifest.streams[index]
    const own = spoken.filter((utterance) => utterance.who === who).map((utterance) => compare(channel, utterance))
    const other = spoken.filter((utterance) => utterance.who !== who).map((utterance) => compare(channel, utterance))
    const receipt = receipts.find(({ fork }) => fork.endsWith(`/${stream?.label}`))
    const pause = stream?.totals.pauses[0]
    const silence =
      stream?.gaps.filter((gap) => gap.cause === 'paused-by-client' && gap.toMs - gap.fromMs > leastPauseMs) ?? []
    return {
      who,
      own: Math.min(...own.map(({ coefficient }) => coefficient)),
      other: Math.max(...other.map(({ coefficient }) => coefficient)),
      lagMs: own.reduce((worst, { lagMs }) => (Math.abs(lagMs) > Math.abs(worst) ? lagMs : worst), 0),
      pauseDbfs: Math.max(...silence.map((gap) => levelOf(channel, gap.fromMs + edgeMs, gap.toMs - edgeMs))),
      packets: stream?.totals.packets ?? 0,
      lost: stream?.totals.lost ?? 0,
      packetsInPause: pause?.packets ?? Number.NaN,
      isReceiptTrue: receipt !== undefined && pause?.lastSequence === receipt.lastSequence,
    }
  })
  const secret = scene.utterances.filter((utterance) => utterance.what === 'during the pause')
  return {
    name,
    folder,
    audioFile,
    durationMs: manifest.durationMs,
    firstPacketMs: Math.min(...manifest.streams.map((stream) => stream.totals.firstPacketMs ?? Number.NaN)),
    channels,
    digits: Math.max(
      ...samples.flatMap((channel) => secret.map((utterance) => compare(channel, utterance).coefficient)),
    ),
  }
}

function levelOf(channel: Int16Array, fromMs: number, toMs: number): number {
  if (toMs <= fromMs) return Number.NaN
  return rmsDbfs(channel.subarray(Math.round(fromMs * samplesPerMs), Math.round(toMs * samplesPerMs)))
}
