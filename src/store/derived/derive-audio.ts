// The audio of all streams, one channel each: bytes as received where all are G.711 alike, else 16-bit PCM.

import { join } from 'node:path'
import { decodePcma, decodePcmu } from '#audio'
import type { RunManifest, StreamManifest } from '../manifest.ts'
import { RunTime } from '../run-time.ts'
import type { OutputFile } from '../sealing/recording-files.ts'
import { g711FormatOf, silenceOf } from '../stream-files.ts'
import { type AudioOutput, headerOf, type OutputShape, WavOutput } from './audio-output.ts'
import { ChannelAudio, MixedAudio } from './channel-audio.ts'
import type { FileOpener } from './opened-files.ts'
import { PEAKS_FILE, PeakOutput } from './peaks.ts'
import { PlacedRun } from './placed-run.ts'
import { type Decoders, decodedRateHz, openRunAudio } from './run-audio.ts'

/** Name of the derived audio. */
export const AUDIO_FILE = 'recording.wav'

const FRAMES_PER_STEP = 16_384

/** What to derive, and where to. */
export interface AudioSource {
  readonly folder: string
  readonly streams: readonly StreamManifest[]
  readonly durationMs: number
  readonly decoders: Decoders
  /** The archive's file for a recording of this shape, if there is to be one. */
  readonly archiveOutput: (shape: OutputShape) => AudioOutput | undefined
  /** A file that is to be complete when it is closed. */
  readonly output: (name: string) => OutputFile
  /** How run files are read. */
  readonly files: FileOpener
}

/** Writes recording.wav, peaks.dat and the archive's copy as parts; undefined when no stream can be decoded. Throws what the file system throws. */
export function deriveAudio(source: AudioSource): { readonly hasArchive: boolean } | undefined {
  const { streams, durationMs, decoders, output } = source
  const sources = streams.flatMap((stream) => [stream, ...(stream.others ?? [])])
  const runs = sources.flatMap((one) => one.runs.filter((run) => decodedRateHz(run, decoders) !== undefined))
  if (runs.length === 0) return undefined
  const sampleRateHz = Math.max(...runs.map((run) => decodedRateHz(run, decoders) ?? 0))
  const endMs = Math.max(durationMs, ...runs.map(endMsOf))
  const shape = { sampleRateHz, channels: streams.length, frames: Math.round((endMs * sampleRateHz) / 1000) }
  const archive = source.archiveOutput(shape)
  const outputs = [new PeakOutput(output(PEAKS_FILE), shape), ...(archive === undefined ? [] : [archive])]
  // What is mixed is no byte of anybody's.
  const format = sources.length > streams.length ? undefined : commonFormat(runs, sampleRateHz)
  if (format === undefined) decodeAll(source, shape, [...outputs, new WavOutput(output(AUDIO_FILE), shape)])
  else copyAll(source, shape, format, outputs)
  return { hasArchive: archive !== undefined }
}

/** Where a run ends as far as its size tells; packets say it themselves, in their recording's duration. */
function endMsOf(run: RunManifest): number {
  return run.decoded ? new RunTime(run).msOf(run.bytes) : run.startMs
}

function commonFormat(runs: readonly RunManifest[], sampleRateHz: number): 'pcmu' | 'pcma' | undefined {
  const [format, ...others] = new Set(
    runs.map((run) => (run.decoded && run.clockRateHz === sampleRateHz ? g711FormatOf(run.encoding) : undefined)),
  )
  return others.length === 0 ? format : undefined
}

function decodeAll(
  { folder, streams, decoders, files }: AudioSource,
  shape: OutputShape,
  outputs: readonly AudioOutput[],
): void {
  const channels = streams.map(({ runs, others = [] }) => {
    const heard = [{ runs }, ...others].map((one) => {
      const audio = one.runs.flatMap((run) => openRunAudio(folder, run, decoders, files) ?? [])
      return new ChannelAudio(audio, shape.sampleRateHz)
    })
    return new MixedAudio(heard)
  })
  try {
    forEachStep(shape.frames, (frame, count) => {
      const samples = channels.map((channel) => channel.read(frame, count))
      for (const one of outputs) one.write(samples)
    })
  } finally {
    for (const one of [...outputs, ...channels]) one.close()
  }
}

/** What was received is what recording.wav holds, byte for byte, but for one now and then where clocks differ. */
function copyAll(
  { folder, streams, output, files }: AudioSource,
  shape: OutputShape,
  format: 'pcmu' | 'pcma',
  outputs: readonly AudioOutput[],
): void {
  const decode = format === 'pcmu' ? decodePcmu : decodePcma
  const channels = streams.map(({ runs }) => openRuns(folder, runs, format, shape.sampleRateHz, files))
  const target = output(AUDIO_FILE)
  try {
    target.append(headerOf(format, shape))
    forEachStep(shape.frames, (frame, count) => {
      const bytes = channels.map((runs) => readBytes(runs, frame, count, silenceOf(format)))
      target.append(interleaveBytes(bytes))
      const samples = bytes.map(decode)
      for (const one of outputs) one.write(samples)
    })
  } finally {
    target.close()
    for (const one of outputs) one.close()
    for (const { audio } of channels.flat()) audio.close()
  }
}

function forEachStep(frames: number, step: (frame: number, count: number) => void): void {
  for (let frame = 0; frame < frames; frame += FRAMES_PER_STEP) step(frame, Math.min(FRAMES_PER_STEP, frames - frame))
}

interface OpenRun {
  readonly audio: PlacedRun
  readonly startFrame: number
}

function openRuns(
  folder: string,
  runs: readonly RunManifest[],
  format: 'pcmu' | 'pcma',
  sampleRateHz: number,
  files: FileOpener,
): OpenRun[] {
  return runs
    .filter((run) => run.decoded && run.bytes > 0)
    .map((run) => {
      const startFrame = Math.round((run.startMs * sampleRateHz) / 1000)
      return { audio: new PlacedRun(join(folder, run.file), run, format, files), startFrame }
    })
}

function readBytes(runs: readonly OpenRun[], frame: number, count: number, silence: number): Uint8Array {
  const bytes = new Uint8Array(count).fill(silence)
  for (const { audio, startFrame } of runs) {
    const from = Math.max(frame, startFrame)
    const to = Math.min(frame + count, startFrame + audio.frames)
    if (to > from) audio.read(from - startFrame, bytes.subarray(from - frame, to - frame))
  }
  return bytes
}

function interleaveBytes(channels: readonly Uint8Array[]): Uint8Array {
  const frames = channels[0]?.length ?? 0
  const bytes = new Uint8Array(frames * channels.length)
  channels.forEach((channel, index) => {
    for (let i = 0, at = index; i < frames; i++, at += channels.length) bytes[at] = channel[i]!
  })
  return bytes
}
