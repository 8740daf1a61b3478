// What a recorder kept of a session: manifest, folder and the samples of recording.wav.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readWav } from '#audio'
import type { Manifest } from '#store'
import { until } from './until.ts'

/** A recording on disk that is complete. */
export interface KeptRecording {
  readonly manifest: Manifest
  readonly folder: string
  /** Path of recording.wav; empty without audio. */
  readonly audioPath: string
  /** Samples by channel. */
  readonly channels: readonly Int16Array[]
  /** Of recording.wav; 8000 without audio. */
  readonly sampleRateHz: number
}

/** Waits until a store holds `count` recordings that are over; they come in the order of their start. */
export async function keptRecordings(store: string, count = 1): Promise<KeptRecording[]> {
  let found: KeptRecording[] = []
  await until(`${count} recordings are kept`, async () => {
    found = await readAll(store)
    return found.length >= count
  })
  return found.sort((a, b) => a.manifest.startedAt.localeCompare(b.manifest.startedAt))
}

/** The one recording of a store, once it is over. */
export async function keptRecording(store: string): Promise<KeptRecording> {
  const [only] = await keptRecordings(store)
  return only!
}

async function readAll(store: string): Promise<KeptRecording[]> {
  const names = await readdir(store, { recursive: true }).catch(() => [])
  // A folder is renamed when its recording is published; until then its name ends in `.open`.
  const manifests = names.filter((name) => name.endsWith('manifest.json') && !name.includes('.open'))
  const folders = manifests.map((name) => join(store, name, '..'))
  const all = await Promise.all(folders.map(readOne))
  return all.filter((one) => one !== undefined)
}

async function readOne(folder: string): Promise<KeptRecording | undefined> {
  const text = await readFile(join(folder, 'manifest.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const manifest = JSON.parse(text) as Manifest
  if (manifest.audioFile === undefined) return { manifest, folder, audioPath: '', channels: [], sampleRateHz: 8000 }
  const audioPath = join(folder, manifest.audioFile)
  const wav = readWav(await readFile(audioPath))
  if (!wav.ok) throw new Error(`${audioPath}: ${wav.error.message}`)
  return { manifest, folder, audioPath, channels: wav.value.samples, sampleRateHz: wav.value.sampleRateHz }
}
