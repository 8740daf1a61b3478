// What is made of a recording that is over: recording.wav, peaks.dat, and a smaller copy for the archive where wanted.

import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { loadOpusLibrary } from '#audio'
import type { StreamManifest } from '../manifest.ts'
import { type OutputFile, plainFiles, type RecordingFiles } from '../sealing/recording-files.ts'
import { FlacOutput, OpusOutput } from './archive-outputs.ts'
import type { AudioOutput, OutputShape } from './audio-output.ts'
import { AUDIO_FILE, deriveAudio } from './derive-audio.ts'
import type { ExternalDecoder } from './external-decoder.ts'
import { type FlacLibrary, loadFlac } from './flac.ts'
import { OpenedFiles } from './opened-files.ts'
import { PEAKS_FILE } from './peaks.ts'
import type { Decoders } from './run-audio.ts'

/** The copy for the archive. */
export type ArchiveFormat = 'none' | 'flac' | 'opus'

/** The closed run files of a recording. */
export interface DeriveJob {
  readonly folder: string
  readonly streams: readonly StreamManifest[]
  readonly durationMs: number
}

/** Names of the files made; without audio that can be decoded there are none. */
export interface DerivedFiles {
  readonly audioFile?: string
  readonly peaksFile?: string
  readonly archiveFile?: string
}

/** Makes the files; rejects with what the file system says. The same job may be done again. */
export type Deriver = (job: DeriveJob) => Promise<DerivedFiles>

/** What a deriver is to do. */
export interface DeriverOptions {
  readonly archive: ArchiveFormat
  /** Decodes what we do not; absent: such codecs are kept, and silent in the derived files. */
  readonly external?: ExternalDecoder | undefined
  /** How files are read and written; as they are unless told. */
  readonly files?: RecordingFiles | undefined
}

/** A deriver that works in the thread it is called in: never in one that carries packets. */
export async function createDeriver(options: DeriverOptions): Promise<Deriver> {
  const { archive, external, files = plainFiles } = options
  const opus = await loadOpusLibrary()
  const flac = archive === 'flac' ? await loadFlac() : undefined
  return async (job) => derive(job, archive, { opus, external }, flac, files)
}

/** A deriver of what needs no library: G.711, G.722 and linear PCM, without a copy for the archive. */
export const plainDeriver: Deriver = async (job) => derive(job, 'none', {}, undefined, plainFiles)

function derive(
  { folder, streams, durationMs }: DeriveJob,
  archive: ArchiveFormat,
  decoders: Decoders,
  flac: FlacLibrary | undefined,
  recordingFiles: RecordingFiles,
): DerivedFiles {
  const archiveFile = `recording.${archive}`
  const part = (name: string): string => join(folder, `${name}.part`)
  const opened = new OpenedFiles(recordingFiles)
  const output = (name: string): OutputFile => opened.output(part(name))
  const archiveOutput = (shape: OutputShape): AudioOutput | undefined => {
    if (archive === 'flac' && flac !== undefined && FlacOutput.takes(shape)) {
      return new FlacOutput(output(archiveFile), flac, shape)
    }
    if (archive === 'opus' && decoders.opus !== undefined && OpusOutput.takes(shape)) {
      return new OpusOutput(output(archiveFile), decoders.opus, shape, serialOf(folder))
    }
    return undefined
  }
  const made = opened.use(() =>
    deriveAudio({ streams, durationMs, decoders, archiveOutput, output, folder, files: opened }),
  )
  if (made === undefined) return {}
  const files = [PEAKS_FILE, AUDIO_FILE, ...(made.hasArchive ? [archiveFile] : [])]
  for (const name of files) renameSync(part(name), join(folder, name))
  return { audioFile: AUDIO_FILE, peaksFile: PEAKS_FILE, ...(made.hasArchive && { archiveFile }) }
}

/** Any number does; the same recording has the same. */
function serialOf(folder: string): number {
  let serial = 0
  for (const letter of folder) serial = (Math.imul(serial, 31) + letter.charCodeAt(0)) >>> 0
  return serial
}
