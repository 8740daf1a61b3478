// What a recorder's folders hold of the marked streams, and what is missing of them beside the kills.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readWav } from '#audio'
import { type Manifest, plainFiles, type RecordingFiles } from '#store'
import { audioFaults, ledgerFaults, type PlacedPacket, placedPackets } from './kept-ledger.ts'
import type { KillSession } from './kill-client.ts'
import { type MarkedStream, PACKET_MS } from './marked-stream.ts'

const AUDIO_FILE = 'recording.wav'
/** A recorder that is back has everybody's packets again within this. */
const RESUMED_MS = 1500
/** The most that a kill may cost. */
const LAST_WORDS_MS = 1000

/** One death of the recorder, by the sender's clock. */
export interface Kill {
  readonly atMs: number
  /** When the next life said that it was ready. */
  backAtMs: number
}

/** What was lost of one stream by one kill. */
export interface Loss {
  /** Of what was sent before the kill. */
  readonly beforeMs: number
  /** While there was no recorder. */
  readonly awayMs: number
  /** From the recorder's being ready to the first packet that is kept again. */
  readonly againMs: number
}

/** Every recording's manifest with its folder, those still open included. */
export async function manifestsIn(
  store: string,
  files: RecordingFiles = plainFiles,
): Promise<{ manifest: Manifest; folder: string; isOpen: boolean }[]> {
  const names = await readdir(store, { recursive: true }).catch(() => [])
  return names
    .filter((name) => name.endsWith('manifest.json'))
    .flatMap((name) => {
      const folder = join(store, name, '..')
      const text = readIf(files, join(store, name))?.toString()
      if (text === undefined) return []
      return [{ manifest: JSON.parse(text) as Manifest, folder, isOpen: folder.endsWith('.open') }]
    })
}

/** Whether no recording is open any more. By names alone: what cannot be read at a moment may still be open. */
export async function isAllPublished(store: string): Promise<boolean> {
  // A folder that gets its name meanwhile may end the look at it.
  const names = await readdir(store, { recursive: true }).catch(() => undefined)
  return names?.some((name) => name.endsWith('.open')) === false
}

/** A file; undefined if it is gone, as a folder gets its final name meanwhile. */
function readIf(files: RecordingFiles, path: string): Buffer | undefined {
  try {
    return files.read(path)
  } catch {
    return undefined
  }
}

/** WAV files of a store that do not play as they are. */
export async function unplayable(store: string, files: RecordingFiles = plainFiles): Promise<string[]> {
  const names = await readdir(store, { recursive: true }).catch(() => [])
  const faults: string[] = []
  for (const name of names.filter((one) => one.endsWith('.wav'))) {
    const bytes = readIf(files, join(store, name))
    // One that was made in this very moment has nothing yet; what it ought to have had shows in the end.
    if (bytes === undefined || bytes.length === 0) continue
    if (!readWav(bytes).ok) faults.push(`${name} of ${bytes.length} bytes does not play`)
  }
  return faults
}

/** Faults of one session's recordings, and what each kill cost its streams. */
export async function judge(
  session: KillSession,
  kept: readonly { readonly manifest: Manifest; readonly folder: string }[],
  kills: readonly Kill[],
  files: RecordingFiles = plainFiles,
): Promise<{ faults: string[]; losses: Loss[] }> {
  const own = kept.filter(({ manifest }) => manifest.facts.sip.callId === session.callId)
  if (own.length === 0) return { faults: [`${session.callId}: no recording`], losses: [] }
  const faults: string[] = []
  const losses: Loss[] = []
  const found = own.map((one) => examined(session, one, files))
  for (const one of found) faults.push(...one.faults)
  for (const [channel, stream] of session.streams.entries()) {
    const numbers = found.flatMap(({ packets }) => (packets[channel] ?? []).map(({ number }) => number))
    const name = `${session.callId} stream ${stream.streamId}`
    const isOrdered = numbers.every((number, at) => at === 0 || number > numbers[at - 1]!)
    if (!isOrdered) faults.push(`${name}: packets out of order, or twice`)
    for (const hole of holesOf(stream, numbers)) {
      const loss = lossOf(stream, hole, kills)
      const missing = `${name}: packets ${hole.from} to ${hole.to} are missing`
      const lateMs = latenessOf(stream, hole, kills)
      if (loss === undefined) faults.push(`${missing}, and nobody died`)
      else losses.push({ ...loss, againMs: Math.max(0, lateMs) })
      if (lateMs > RESUMED_MS) faults.push(`${missing}, until ${Math.round(lateMs)} ms after the recorder was back`)
    }
  }
  return { faults, losses }
}

/** One recording of a session: its packets by channel, and what its ledger and its recording.wav say against them. */
function examined(
  { callId, streams }: KillSession,
  { manifest, folder }: { readonly manifest: Manifest; readonly folder: string },
  files: RecordingFiles,
): { readonly packets: readonly (readonly PlacedPacket[])[]; readonly faults: readonly string[] } {
  const faults: string[] = []
  const read = (name: string): Uint8Array => {
    const bytes = readIf(files, join(folder, name))
    if (bytes === undefined) faults.push(`${name} cannot be read`)
    return bytes ?? new Uint8Array()
  }
  const packets = manifest.streams.map((stream, channel) => placedPackets(stream, streams[channel]!.streamId, read))
  for (const [channel, stream] of manifest.streams.entries()) {
    faults.push(...ledgerFaults(stream, manifest.durationMs, packets[channel]!, streams[channel]!))
  }
  if (packets.some((one) => one.length > 0)) {
    const streamIds = streams.map(({ streamId }) => streamId)
    faults.push(...audioFaults(manifest, read(AUDIO_FILE), packets, streamIds))
  }
  return { packets, faults: faults.map((fault) => `${callId}: ${fault}`) }
}

interface Hole {
  /** First and last packet that is missing. */
  readonly from: number
  readonly to: number
}

function holesOf({ sentAtMs }: MarkedStream, numbers: readonly number[]): Hole[] {
  const holes: Hole[] = []
  let expected = 0
  for (const number of [...numbers, sentAtMs.length]) {
    if (number > expected) holes.push({ from: expected, to: number - 1 })
    expected = number + 1
  }
  return holes
}

/** The kill that explains a hole, and what it cost; a hole may span several, then the first is charged with what was sent before it. */
function lossOf(
  { sentAtMs }: MarkedStream,
  { from, to }: Hole,
  kills: readonly Kill[],
): Omit<Loss, 'againMs'> | undefined {
  const fromMs = sentAtMs[from]!
  const toMs = sentAtMs[to]!
  // What a stream said last may not have reached its file yet, though it had ended a while before.
  const reachMs = to === sentAtMs.length - 1 ? LAST_WORDS_MS : PACKET_MS
  const kill = kills.find(({ atMs, backAtMs }) => fromMs <= backAtMs && toMs >= atMs - reachMs)
  if (kill === undefined) return undefined
  const beforeMs = Math.max(0, kill.atMs - fromMs)
  return { beforeMs, awayMs: Math.max(0, toMs - Math.max(fromMs, kill.atMs)) }
}

/** How long after the recorder was back a hole ends; one may span several kills that came before its streams were resumed. */
export function latenessOf(
  { sentAtMs }: Pick<MarkedStream, 'sentAtMs'>,
  { from, to }: Hole,
  kills: readonly Kill[],
): number {
  let backMs: number | undefined
  for (const { atMs, backAtMs } of kills) {
    const isOfIt = backMs === undefined ? sentAtMs[from]! <= backAtMs : atMs <= backMs + RESUMED_MS
    if (isOfIt) backMs = backAtMs
  }
  return backMs === undefined ? 0 : sentAtMs[to]! - backMs
}
