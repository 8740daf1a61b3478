// A recording as a recorder would have published it, made in no time: a tone for each of two speakers, with gaps, pauses and metadata over time.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodePcmu, tone } from '#audio'
import { createDeriver, type Gap, NO_TOTALS, type RecordingFacts, RecordingFolder } from '#store'
import { testDisk } from './test-disk.ts'

const RATE_HZ = 8000
const PART_MS = 60_000

/** What to make. */
export interface MadeRecording {
  readonly recordingId: string
  readonly startedAtMs: number
  readonly durationMs: number
  /** Tone of each channel, in Hz. */
  readonly tonesHz?: readonly number[]
  /** Gaps of each channel; silence stands there. */
  readonly gaps?: readonly (readonly Gap[])[]
  /** Documents of test/fixtures/metadata, and when each came. */
  readonly documents?: readonly { readonly atMs: number; readonly file: string }[]
}

const fixtures = join(import.meta.dirname, '..', '..', '..', 'test', 'fixtures', 'metadata')

/** Makes and publishes it below the root of a store; resolves with its folder. */
export async function makeRecording(root: string, made: MadeRecording): Promise<string> {
  const { recordingId, startedAtMs, durationMs, tonesHz = [400, 1000], gaps = [], documents = [] } = made
  const facts: RecordingFacts = {
    sip: {
      callId: `call-${recordingId}`,
      fromUri: 'sip:src@x.test',
      toUri: 'sip:srs@x.test',
      requestUri: 'sip:srs@x.test',
      source: '127.0.0.1',
      transport: 'tcp',
    },
    participants: [
      { participantId: 'p1', name: 'Alice Jones', aor: 'sip:+14155550101@carrier.example' },
      { participantId: 'p2', name: 'Bob', aor: 'sip:bob@contact.example' },
    ],
    callerId: 'p1',
    sessionIds: [],
    groupIds: [],
    metadataInvalid: false,
    speakers: [['Alice Jones'], ['Bob']],
    speakersInferred: false,
    warnings: [],
    custom: { Queue: 'Claims' },
  }
  const folder = new RecordingFolder(testDisk(), root, recordingId, startedAtMs, facts)
  for (const { atMs, file } of documents) {
    const receivedAt = new Date(startedAtMs + atMs).toISOString()
    folder.addMetadata({
      receivedAt,
      transaction: 'UPDATE 2',
      warnings: [],
      state: {},
      raw: readFileSync(join(fixtures, file)),
    })
  }
  const packets = durationMs / 20
  const totals = tonesHz.map(() => ({ ...NO_TOTALS, packets, firstPacketMs: 0, lastPacketMs: durationMs - 20 }))
  for (const [channel, hz] of tonesHz.entries()) {
    const stream = folder.addStream(String(channel + 1))
    const run = stream.startWavRun({ encoding: 'PCMU/8000', clockRateHz: RATE_HZ }, 'pcmu', 0)
    for (let fromMs = 0; fromMs < durationMs; fromMs += PART_MS) {
      run.append(spoken(hz, fromMs, Math.min(durationMs, fromMs + PART_MS), gaps[channel] ?? []))
    }
    for (const gap of gaps[channel] ?? []) stream.addGap(gap)
  }
  const derive = await createDeriver({ archive: 'none' })
  const closing = { endedAtMs: startedAtMs + durationMs, durationMs, totals, noAudioCause: 'no-rtp' } as const
  return (await folder.publish(closing, derive)).folder
}

/** G.711 from one time to another: the tone, and nothing where there are gaps. */
function spoken(hz: number, fromMs: number, toMs: number, gaps: readonly Gap[]): Uint8Array {
  const samples = tone(hz, toMs - fromMs)
  for (const gap of gaps) {
    const place = (ms: number): number => Math.max(0, ((ms - fromMs) * RATE_HZ) / 1000)
    samples.fill(0, place(gap.fromMs), place(gap.toMs))
  }
  return encodePcmu(samples)
}
