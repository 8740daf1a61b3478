// Disks in trouble under a recorder with sessions: what is lost without a word, what new sessions are told, and what the sessions under way notice.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { DiskScene } from '../harness/disk-scene.ts'
import { failWrites, setReadOnly, slowDisk, underModes } from '../harness/failing-disk.ts'
import { MortalRecorder } from '../harness/mortal-recorder.ts'
import { figure, percentile, type Section } from './report.ts'

const PACKETS_PER_SECOND = 50
const LOOK_MS = 100
/** Longest answer to a session under way that counts as no disturbance. */
const ANSWER_MS = 500

/** How a disk is put in trouble, and out of it. */
interface Trouble {
  readonly name: string
  readonly command: (folder: string) => readonly string[]
  readonly set: (recorder: MortalRecorder, isOn: boolean) => void
}

const troubles: readonly Trouble[] = [
  {
    name: 'takes no byte (by a limit of the system on the process, as a full one does)',
    command: () => [],
    set: ({ pid }, isOn) => failWrites(pid, isOn),
  },
  {
    name: 'read-only (folders by their mode)',
    command: () => underModes,
    set: ({ store }, isOn) => setReadOnly(store, isOn),
  },
  {
    name: 'slow (each write and sync waits 2 s, within the process)',
    command: (folder) => slowDisk(folder).command,
    set: ({ folder }, isOn) => slowDisk(folder).set(isOn),
  },
]

/** Puts a disk in each kind of trouble for so many seconds, with so many sessions of two streams under way. */
export async function benchDisk(look: { sessions: number; seconds: number }): Promise<Section> {
  const rows: string[][] = []
  for (const trouble of troubles) rows.push(await troubleRow(trouble, look))
  return {
    title: 'Disk: sessions under way while the disk is in trouble',
    columns: [
      'the disk',
      'packets or files lost, ledgers that are wrong',
      'goal',
      'new session: told',
      'after ms',
      'OPTIONS of a session, before: most ms',
      'meanwhile: most ms',
      `goal <= ${ANSWER_MS} ms`,
      'well again → new session, ms',
    ],
    rows,
    notes: [
      `${figure(look.sessions)} sessions of two streams; the disk is in trouble for ${figure(look.seconds)} s and then well again, before memory is full. Every packet carries its number, and is looked for in the files and in recording.wav.`,
      'A new session is asked for after one second; a disk that is slow may have caught up just then, and a session that is accepted is kept whole. OPTIONS within a session each 100 ms: whether the disk holds up anybody. Both processes are real, and so is the disk, but for the slow one.',
      'File systems that are really full, and what is lost and told when a recorder is stopped meanwhile: `npm run test:interop` (full-disk).',
    ],
  }
}

async function troubleRow(trouble: Trouble, look: { sessions: number; seconds: number }): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'disk-'))
  const recorder = new MortalRecorder(folder)
  recorder.command = trouble.command(folder)
  let scene: DiskScene | undefined
  try {
    await recorder.start()
    scene = await DiskScene.open(recorder)
    await scene.begin(look.sessions)
    const before = await answers(scene, look.seconds)
    trouble.set(recorder, true)
    await scene.sent(PACKETS_PER_SECOND)
    const told = await asked(scene)
    const meanwhile = await answers(scene, look.seconds)
    trouble.set(recorder, false)
    const againMs = await accepted(scene)
    await scene.sent(PACKETS_PER_SECOND)
    await scene.end()
    const faults = await scene.faults()
    return [
      trouble.name,
      figure(faults.length),
      `0: ${faults.length === 0 ? 'met' : `missed, ${faults[0]}`}`,
      ...told,
      figure(percentile(before, 1), 1),
      figure(percentile(meanwhile, 1), 1),
      percentile(meanwhile, 1) <= ANSWER_MS ? 'met' : 'missed',
      figure(againMs),
    ]
  } finally {
    trouble.set(recorder, false)
    await scene?.close()
    await recorder.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** How long sessions under way wait for an answer, one after another. */
async function answers({ client }: DiskScene, seconds: number): Promise<number[]> {
  const times: number[] = []
  const endMs = performance.now() + seconds * 1000
  for (let n = 0; performance.now() < endMs; n++) {
    const beganMs = performance.now()
    const { status } = await client.live[n % client.live.length]!.dialog.request('OPTIONS')
    if (status === 408) throw new Error('a session gets no answer')
    times.push(performance.now() - beganMs)
    await pause(LOOK_MS)
  }
  return times
}

/** What a new session is told, and after how many milliseconds. */
async function asked({ client }: DiskScene): Promise<readonly [told: string, ms: string]> {
  const { refused } = client
  const beganMs = performance.now()
  await new Promise<void>((resolve) => client.begin(resolve))
  const { status, retryAfter } = client.lastRefusal ?? {}
  const told = client.refused > refused ? `${status}, Retry-After ${retryAfter}` : 'accepted'
  return [told, figure(performance.now() - beganMs)]
}

/** How long it takes until a new session is accepted. */
async function accepted({ client }: DiskScene): Promise<number> {
  const beganMs = performance.now()
  const wanted = client.live.length + 1
  while (client.live.length < wanted) {
    await new Promise<void>((resolve) => client.begin(resolve))
    if (client.live.length < wanted) await pause(LOOK_MS)
  }
  return performance.now() - beganMs
}
