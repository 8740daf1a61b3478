// What a recording makes of drifting clocks and of lost packets, on a simulated clock: hours take seconds, and no load of the machine matters.

import type { GapCause } from '#store'
import { DRIFT_MS, driftSenders, recordDrift } from '../harness/drifting-talk.ts'
import { LOSSY_MS, type LossyResult, recordLossyTalk } from '../harness/lossy-talk.ts'
import { figure, type Section } from './report.ts'

const PACKET_MS = 20

/** Runs work with a place to say what is to be cleaned up after it. */
async function withCleanup<Result>(
  work: (cleanup: { after(work: () => void): void }) => Promise<Result>,
): Promise<Result> {
  const ends: (() => void)[] = []
  try {
    return await work({ after: (end) => void ends.push(end) })
  } finally {
    for (const end of ends) end()
  }
}

const most = (values: readonly number[]): number => Math.max(...values.map(Math.abs))
const verdict = (value: number, goal: number): string => `<= ${goal}: ${value <= goal ? 'met' : 'missed'}`

/** Two hours of two senders whose clocks are 100 ppm apart. */
export async function benchDrift(): Promise<Section> {
  const { manifest, lateMs } = await withCleanup(recordDrift)
  const [first = [], second = []] = lateMs
  const apartMs = most(first.map((ms, mark) => ms - second[mark]!))
  const durationMs = Math.abs(manifest.durationMs - DRIFT_MS)
  const rows = driftSenders.map(({ ppm, jitterMs, lossOf20 = 0 }, channel) => {
    const worstMs = most(lateMs[channel]!)
    const sender = `channel ${channel}: sender ${ppm > 0 ? '+' : ''}${ppm} ppm, ${jitterMs} ms of jitter, ${5 * lossOf20} % loss`
    const measured = `${figure(manifest.streams[channel]!.clock?.driftPpm ?? Number.NaN, 1)} ppm measured`
    return [`${sender} (${measured})`, figure(worstMs, 1), figure(worstMs / PACKET_MS, 2), verdict(worstMs, PACKET_MS)]
  })
  return {
    title: 'Drift: where the channels are after two hours, 100 ppm between the clocks',
    columns: ['what', 'most ms', 'packets of 20 ms', 'goal, ms'],
    rows: [
      ...rows,
      ['channel 0 beside channel 1', figure(apartMs, 1), figure(apartMs / PACKET_MS, 2), verdict(apartMs, PACKET_MS)],
      [
        'duration of the recording',
        figure(durationMs, 1),
        figure(durationMs / PACKET_MS, 2),
        verdict(durationMs, PACKET_MS),
      ],
    ],
    notes: [
      `Without sender reports. ${figure(first.length)} marks per channel, sounds of 2 s that occur once, are looked for in recording.wav by correlation; without correction the last would be off by 360 ms each.`,
      'On a simulated clock, by the code that writes recordings: the load of the machine has no part in it.',
    ],
  }
}

/** Calls of a minute with hold, pause, silence suppression and 5 % loss, each with other packets lost. */
export async function benchLoss(calls: number): Promise<Section> {
  const results: LossyResult[] = []
  for (let seed = 1; seed <= calls; seed++) results.push(await withCleanup((cleanup) => recordLossyTalk(cleanup, seed)))
  const durationMs = most(results.map(({ manifest }) => manifest.durationMs - LOSSY_MS))
  const audioMs = most(results.map(({ samples }) => samples / 8 - LOSSY_MS))
  const lagMs = most(results.flatMap(({ pieces }) => pieces.map(({ lagSamples }) => lagSamples / 8)))
  const causes = [...new Set(results.flatMap(({ expectedMs }) => Object.keys(expectedMs) as GapCause[]))]
  const offMs = (cause: GapCause): number =>
    most(
      results.map(({ manifest, expectedMs }) => {
        return (manifest.streams[0]!.account?.missingMs[cause] ?? 0) - (expectedMs[cause] ?? 0)
      }),
    )
  const sumMs = most(
    results.map(({ manifest }) => {
      const { audioMs: kept = 0, missingMs = {} } = manifest.streams[0]!.account ?? {}
      return Object.values(missingMs).reduce((sum, ms) => sum + ms, kept) - manifest.durationMs
    }),
  )
  return {
    title: 'Loss: how long a call is with hold, pause, silence suppression and 5 % loss',
    columns: ['what', 'most ms off', 'goal, ms'],
    rows: [
      ['duration in the manifest', figure(durationMs, 1), verdict(durationMs, PACKET_MS)],
      ['length of recording.wav', figure(audioMs, 1), verdict(audioMs, PACKET_MS)],
      ['what was said, where it lies in recording.wav', figure(lagMs, 1), verdict(lagMs, PACKET_MS)],
      ['audio and gaps together beside the duration', figure(sumMs, 1), verdict(sumMs, PACKET_MS)],
      ...causes.map((cause) => [`ledger: \`${cause}\``, figure(offMs(cause), 1), '-']),
    ],
    notes: [
      `${figure(calls)} calls of one minute, each with other packets lost: 10 s of hold, 5 s of a pause of ours, 2 s of silence suppression, up to 15 ms of jitter; the BYE comes 20 ms after the last word.`,
      'On a simulated clock, by the code that writes recordings: the load of the machine has no part in it.',
    ],
  }
}
