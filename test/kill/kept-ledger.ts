// Whether what a recording says of itself is so: its ledger of gaps beside the packets in its files, and its recording.wav beside both.

import { readWav, WAV_HEADER_BYTES } from '#audio'
import { type Gap, type Manifest, RunTime, type StreamManifest } from '#store'
import { type MarkedPacket, type MarkedStream, markedIn, PACKET_BYTES, PACKET_MS } from './marked-stream.ts'

/** What rounding in the manifest leaves, and what a clock that was measured moves: a byte here and there. */
const EXACT_MS = 2
/** A recorder on a busy machine may hear the first packets after a start by this much late: it places them where it heard them. */
const HEARD_LATE_MS = 1500
const BYTES_PER_MS = 8
const SILENCE = 0xff
/** One packet in so many may have lost a byte, or have one twice, where clocks differ: on a busy machine they seem to differ by up to 1000 ppm, 8 bytes a second. */
const SLIPPED = 2

/** A packet and where the recording has it. */
export interface PlacedPacket {
  readonly number: number
  readonly fromMs: number
  readonly toMs: number
}

/** The packets that a stream's run files hold; `read` gives a file. */
export function placedPackets(
  stream: StreamManifest,
  streamId: number,
  read: (name: string) => Uint8Array,
): PlacedPacket[] {
  return stream.runs.flatMap((run) => {
    const time = new RunTime(run)
    return markedIn(read(run.file).subarray(WAV_HEADER_BYTES), streamId).map(({ number, at }) => {
      return { number, fromMs: time.msOf(at), toMs: time.msOf(at + PACKET_BYTES) }
    })
  })
}

/** Faults of a stream's ledger: it is whole, has a gap `recorder-restart` where packets are missing and nowhere else, as long as the sender was not heard. */
export function ledgerFaults(
  { gaps, account }: StreamManifest,
  durationMs: number,
  packets: readonly PlacedPacket[],
  { sentAtMs }: Pick<MarkedStream, 'sentAtMs'>,
): string[] {
  const faults: string[] = []
  let endMs = 0
  for (const { fromMs, toMs, cause } of gaps) {
    if (fromMs < endMs || toMs <= fromMs || toMs > durationMs)
      faults.push(`gap ${cause} from ${fromMs} to ${toMs}, behind ${endMs}`)
    endMs = toMs
  }
  const missingMs = Object.values(account?.missingMs ?? {}).reduce((sum, ms) => sum + ms, 0)
  const wholeMs = (account?.audioMs ?? 0) + missingMs
  if (Math.abs(wholeMs - durationMs) > EXACT_MS) faults.push(`audio and gaps are ${wholeMs} ms of ${durationMs}`)
  for (const [index, packet] of packets.entries()) {
    const before = packets[index - 1]
    const gapMs = msOf(gaps, packet.fromMs, packet.toMs)
    if (gapMs > EXACT_MS) faults.push(`packet ${packet.number} is there, and ${gapMs} ms of it are a gap`)
    if (before === undefined || packet.number === before.number + 1) continue
    const where = `packets ${before.number + 1} to ${packet.number - 1}`
    const restartMs = msOf(gaps, before.toMs, packet.fromMs, 'recorder-restart')
    const holeMs = packet.fromMs - before.toMs
    const unheardMs = sentAtMs[packet.number]! - sentAtMs[before.number]! - PACKET_MS
    if (Math.abs(restartMs - holeMs) > EXACT_MS)
      faults.push(`${where}: ${restartMs} ms of ${holeMs} are told as a restart`)
    if (Math.abs(restartMs - unheardMs) > HEARD_LATE_MS)
      faults.push(`${where}: ${restartMs} ms are told of ${unheardMs}`)
  }
  return faults
}

/** Faults of recording.wav: it is as long as the recording, holds each packet where its file has it, and is silent in every gap. */
export function audioFaults(
  manifest: Manifest,
  bytes: Uint8Array,
  packets: readonly (readonly PlacedPacket[])[],
  streamIds: readonly number[],
): string[] {
  const channels = manifest.streams.length
  const wav = readWav(bytes)
  if (!wav.ok) return ['recording.wav does not play']
  const audio = bytes.subarray(WAV_HEADER_BYTES)
  const lengthMs = audio.length / channels / BYTES_PER_MS
  const faults: string[] = []
  if (Math.abs(lengthMs - manifest.durationMs) > EXACT_MS)
    faults.push(`recording.wav has ${lengthMs} ms of ${manifest.durationMs}`)
  for (const [channel, { gaps, runs }] of manifest.streams.entries()) {
    const own = Uint8Array.from({ length: audio.length / channels }, (_, at) => audio[at * channels + channel]!)
    const isSlipped = runs.some((run) => run.clock !== undefined)
    faults.push(...placeFaults(markedIn(own, streamIds[channel]!), packets[channel]!, isSlipped))
    for (const { fromMs, toMs, cause } of gaps) {
      const [from, to] = [Math.ceil((fromMs + EXACT_MS) * BYTES_PER_MS), Math.floor((toMs - EXACT_MS) * BYTES_PER_MS)]
      const within = own.subarray(from, Math.max(from, to))
      const heard = within.findIndex((octet) => octet !== SILENCE)
      if (heard >= 0)
        faults.push(
          `recording.wav: channel ${channel} is heard ${heard / BYTES_PER_MS} ms into a gap ${cause} from ${fromMs} to ${toMs}`,
        )
    }
  }
  return faults
}

function placeFaults(found: readonly MarkedPacket[], kept: readonly PlacedPacket[], isSlipped: boolean): string[] {
  const places = new Map(found.map(({ number, at }) => [number, at / BYTES_PER_MS]))
  const missing = kept.filter(({ number }) => !places.has(number))
  const faults: string[] = []
  if (missing.length > (isSlipped ? kept.length / SLIPPED : 0)) {
    faults.push(`recording.wav: packet ${missing[0]!.number} and ${missing.length - 1} others are missing`)
  }
  if (places.size > kept.length) faults.push(`recording.wav: ${places.size} packets of ${kept.length}`)
  const astray = kept.find(({ number, fromMs }) => Math.abs((places.get(number) ?? fromMs) - fromMs) > EXACT_MS)
  if (astray !== undefined) {
    faults.push(
      `recording.wav: packet ${astray.number} is at ${places.get(astray.number)} ms instead of ${astray.fromMs}`,
    )
  }
  return faults
}

/** Milliseconds of gaps, of one cause or of any, between two places. */
function msOf(gaps: readonly Gap[], fromMs: number, toMs: number, cause?: Gap['cause']): number {
  return gaps
    .filter((gap) => cause === undefined || gap.cause === cause)
    .reduce((sum, gap) => sum + Math.max(0, Math.min(toMs, gap.toMs) - Math.max(fromMs, gap.fromMs)), 0)
}
