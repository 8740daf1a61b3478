// A recorder killed at random moments under load: what is lost, what is missing, and how soon it goes on. See test/kill.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededIds } from '#kernel'
import { MortalRecorder } from '../harness/mortal-recorder.ts'
import { killFigures, MOST_LOST_MS, type Spread } from '../kill/kill-figures.ts'
import { runKills } from '../kill/kill-run.ts'
import { figure, type Section } from './report.ts'

const STEPS = 2 ** 32
const SEED = 1
/** Being ready is not yet hearing everybody: each stream is taken up again. */
const AGAIN_MS = 1000

/** Kills it so many times with so many sessions of two streams at a time. */
export async function benchKills({ kills, sessions }: { kills: number; sessions: number }): Promise<Section> {
  const folder = await mkdtemp(join(tmpdir(), 'kill-'))
  const recorder = new MortalRecorder(folder)
  const ids = seededIds(SEED)
  try {
    await recorder.start()
    const result = await runKills(recorder, { kills, sessions, random: () => ids.integer(STEPS) / STEPS })
    const { before, away, again } = killFigures(result)
    const row = (what: string, { p50, p99, most }: Spread, goal?: number): string[] => {
      const met = goal === undefined ? '-' : `most <= ${figure(goal)}: ${most <= goal ? 'met' : 'missed'}`
      return [what, figure(p50), figure(p99), figure(most), met]
    }
    const none = (what: string, count: number): string[] => [
      what,
      '-',
      '-',
      figure(count),
      `0: ${count === 0 ? 'met' : 'missed'}`,
    ]
    return {
      title: 'Kill: a recorder under load killed at random moments',
      columns: ['what, by stream and kill', 'p50 ms', 'p99 ms', 'most', 'goal'],
      rows: [
        row('lost of what was sent before the kill', before, MOST_LOST_MS),
        row('ready again → packets of the stream are kept', again, AGAIN_MS),
        row('sent while no recorder was there', away),
        none('sessions that the recorder did not go on with', result.ended),
        none(
          'recordings, files or other packets missing; ledgers or recording.wav that do not agree with the packets',
          result.faults.length,
        ),
      ],
      notes: [
        `${figure(result.kills)} kills (\`kill -9\`), one in six of them while it started; ${figure(sessions)} sessions at a time with two streams each, ${figure(result.sessions)} in all, ${figure(result.packetsSent)} packets, ${figure(result.losses.length)} holes.`,
        'Every packet carries its number. A hole must be a gap `recorder-restart` of its length in the ledger; recording.wav must hold every packet that was kept, in its place, and silence in every gap.',
        'What is sent while no recorder is there depends on how soon a new process is ready, and on the load of the machine.',
        ...result.faults.slice(0, 3),
      ],
    }
  } finally {
    await recorder.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
