// What encryption and evidence cost the recorder in CPU time for each hour of a call: two streams of G.711, flushed every 100 ms.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuUsage } from 'node:process'
import { Notary, plainFiles, type RecordingFiles, Vault } from '#store'
import { GrowingFile } from '../../src/store/growing-file.ts'
import { sealedDisk } from '../harness/test-disk.ts'
import { figure, median, type Section } from './report.ts'

const FLUSHES = 36_000
const FLUSH_BYTES = 800
const STREAMS = 2
const STEP_BYTES = 16_384
const MS = 1000

type Work = (files: RecordingFiles, folder: string) => Promise<void> | void

const writeRuns: Work = async (files, folder) => {
  const bytes = new Uint8Array(FLUSH_BYTES).fill(0x55)
  for (let stream = 1; stream <= STREAMS; stream++) {
    const file = new GrowingFile(sealedDisk(files), join(folder, `stream-${stream}`))
    for (let flush = 0; flush < FLUSHES; flush++) {
      file.append(bytes)
      file.flush()
    }
    await file.close()
  }
}

const readRuns: Work = (files, folder) => {
  const into = new Uint8Array(STEP_BYTES)
  for (let stream = 1; stream <= STREAMS; stream++) {
    const file = files.open(join(folder, `stream-${stream}`))
    for (let at = 0; at < file.size; at += into.length) file.readAt(into, at)
    file.close()
  }
}

const writeAudio: Work = (files, folder) => {
  const output = files.output(join(folder, 'recording.wav'))
  const bytes = new Uint8Array(STREAMS * STEP_BYTES).fill(0x55)
  for (let left = STREAMS * FLUSHES * FLUSH_BYTES; left > 0; left -= bytes.length) output.append(bytes)
  output.close()
}

/** Measures so many rounds. */
export async function benchStoreCost(rounds: number): Promise<Section> {
  const folder = mkdtempSync(join(tmpdir(), 'store-cost-'))
  const [root, keyFile] = [join(folder, 'recordings'), join(folder, 'store.keys')]
  mkdirSync(root)
  const vault = Vault.checked({ root, keyFile })
  const notary = await Notary.open({ root, keyFile: join(folder, 'evidence.pem') }, () => 0)
  const times = new Map<string, number[]>()
  const measure = async (name: string, work: () => Promise<void> | void): Promise<void> => {
    const before = cpuUsage()
    await work()
    const { user, system } = cpuUsage(before)
    times.set(name, [...(times.get(name) ?? []), (user + system) / MS])
  }
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [kind, files] of [['plain', plainFiles] as const, ['sealed', vault] as const]) {
        const path = join(root, `2026/01/01/${kind}-${round}.open`)
        mkdirSync(path, { recursive: true })
        files.begin(path)
        await measure(`${kind} write`, () => writeRuns(files, path))
        await measure(`${kind} read`, () => readRuns(files, path))
        await measure(`${kind} audio`, () => writeAudio(files, path))
        await measure(`${kind} attest`, () => notary.attest(path))
      }
    }
  } finally {
    notary.close()
    rmSync(folder, { recursive: true })
  }
  const ms = (name: string): number => median(times.get(name) ?? [])
  const row = (what: string, thread: string, name: string): string[] => {
    return [what, thread, figure(ms(`plain ${name}`)), figure(ms(`sealed ${name}`))]
  }
  return {
    title: 'Encryption and evidence of recordings',
    columns: ['for each hour of a call', 'thread', 'as it is', 'encrypted'],
    rows: [
      row('what is received is written', 'record', 'write'),
      row('it is read to derive audio', 'derive', 'read'),
      row('recording.wav is written', 'derive', 'audio'),
      row('all of it is hashed, signed and chained', 'derive', 'attest'),
    ],
    notes: [
      `Milliseconds of CPU time for two streams of G.711, flushed every 100 ms; median of ${rounds} rounds, both in turn.`,
      'Of a call that lasts an hour, a thousand of them are 0.028 % of a core.',
    ],
  }
}
