// recording.wav and peaks.dat, made of the run files: one channel per stream, G.711 where all agree, else 16-bit PCM.

import { closeSync, fsyncSync, openSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { decodePcma, decodePcmu, WAV_HEADER_BYTES } from '#audio'
import type { RunManifest, StreamManifest } from '../manifest.ts'
import { g711FormatOf, silenceOf } from '../stream-files.ts'
import { readWavData, writeFully } from '../wav-run-file.ts'
import { headerOf, type OutputShape, WavOutput } from './audio-output.ts'
import { ChannelAudio } from './channel-audio.ts'
import { PEAKS_FILE, PeakOutput } from './peaks.ts'
import { decodedRateHz, openRunAudio } from './run-audio.ts'

/** Name of the derived audio. */
export const AUDIO_FILE = 'recording.wav'

const FRAMES_PER_STEP = 16_384

/** Writes recording.wav and peaks.dat into the folder; false when no stream can be decoded. Throws what the file system throws. */
export function deriveAudio(folder: string, streams: readonly StreamManifest[], durationMs: number): boolean {
  const runs = streams.flatMap((stream) => stream.runs.filter((run) => decodedRateHz(run) !== undefined))
  if (runs.length === 0) return false
  const sampleRateHz = Math.max(...runs.map((run) => decodedRateHz(run) ?? 0))
  const endMs = Math.max(durationMs, ...runs.map(endMsOf))
  const shape = { sampleRateHz, channels: streams.length, frames: Math.round((endMs * sampleRateHz) / 1000) }
  const format = commonFormat(runs, sampleRateHz)
  const part = (name: string): string => join(folder, `${name}.part`)
  if (format === undefined) decodeAll(folder, streams, shape, part)
  else copyAll(folder, streams, shape, format, part)
  for (const name of [PEAKS_FILE, AUDIO_FILE]) renameSync(part(name), join(folder, name))
  return true
}

/** Where a run ends as far as its size tells; packets say it themselves, in their recording's duration. */
function endMsOf(run: RunManifest): number {
  return run.decoded ? run.startMs + (run.bytes * 1000) / run.clockRateHz : run.startMs
}

function commonFormat(runs: readonly RunManifest[], sampleRateHz: number): 'pcmu' | 'pcma' | undefined {
  const [format, ...others] = new Set(
    runs.map((run) => (run.decoded && run.clockRateHz === sampleRateHz ? g711FormatOf(run.encoding) : undefined)),
  )
  return others.length === 0 ? format : undefined
}

type PartName = (name: string) => string

function decodeAll(folder: string, streams: readonly StreamManifest[], shape: OutputShape, part: PartName): void {
  const channels = streams.map(({ runs }) => {
    return new ChannelAudio(
      runs.flatMap((run) => openRunAudio(folder, run) ?? []),
      shape.sampleRateHz,
    )
  })
  const outputs = [new WavOutput(part(AUDIO_FILE), shape), new PeakOutput(part(PEAKS_FILE), shape)]
  try {
    forEachStep(shape.frames, (frame, count) => {
      const samples = channels.map((channel) => channel.read(frame, count))
      for (const output of outputs) output.write(samples)
    })
  } finally {
    for (const one of [...outputs, ...channels]) one.close()
  }
}

/** What was received is what recording.wav holds, byte for byte. */
function copyAll(
  folder: string,
  streams: readonly StreamManifest[],
  shape: OutputShape,
  format: 'pcmu' | 'pcma',
  part: PartName,
): void {
  const decode = format === 'pcmu' ? decodePcmu : decodePcma
  const channels = streams.map(({ runs }) => openRuns(folder, runs, shape.sampleRateHz))
  const peaks = new PeakOutput(part(PEAKS_FILE), shape)
  const target = openSync(part(AUDIO_FILE), 'w')
  try {
    writeFully(target, headerOf(format, shape), 0)
    forEachStep(shape.frames, (frame, count) => {
      const bytes = channels.map((runs) => readBytes(runs, frame, count, silenceOf(format)))
      writeFully(target, interleaveBytes(bytes), WAV_HEADER_BYTES + frame * channels.length)
      peaks.write(bytes.map(decode))
    })
    fsyncSync(target)
  } finally {
    closeSync(target)
    peaks.close()
    for (const run of channels.flat()) closeSync(run.fd)
  }
}

function forEachStep(frames: number, step: (frame: number, count: number) => void): void {
  for (let frame = 0; frame < frames; frame += FRAMES_PER_STEP) step(frame, Math.min(FRAMES_PER_STEP, frames - frame))
}

interface OpenRun {
  readonly run: RunManifest
  readonly fd: number
  readonly startFrame: number
}

function openRuns(folder: string, runs: readonly RunManifest[], sampleRateHz: number): OpenRun[] {
  return runs
    .filter((run) => run.decoded && run.bytes > 0)
    .map((run) => {
      const startFrame = Math.round((run.startMs * sampleRateHz) / 1000)
      return { run, fd: openSync(join(folder, run.file), 'r'), startFrame }
    })
}

function readBytes(runs: readonly OpenRun[], frame: number, count: number, silence: number): Uint8Array {
  const bytes = new Uint8Array(count).fill(silence)
  for (const { run, fd, startFrame } of runs) {
    const from = Math.max(frame, startFrame)
    const to = Math.min(frame + count, startFrame + run.bytes)
    if (to > from) readWavData(fd, from - startFrame, bytes.subarray(from - frame, to - frame))
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
