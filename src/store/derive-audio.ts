// recording.wav, made of the run files: one channel per stream, G.711 where all agree, else 16-bit PCM.

import { closeSync, fsyncSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { decodePcma, decodePcmu, interleavePcm16, resample, WAV_HEADER_BYTES, wavFrameBytes, wavHeader } from '#audio'
import type { StreamManifest } from './manifest.ts'
import { PlacedRun } from './placed-run.ts'
import { RunTime } from './run-time.ts'
import { g711FormatOf, silenceOf } from './stream-files.ts'
import { writeFully } from './wav-run-file.ts'

/** Name of the derived file. */
export const AUDIO_FILE = 'recording.wav'

const FRAMES_PER_STEP = 16_384

/** Writes `recording.wav` into the folder; false when no stream has decoded audio. Throws what the file system throws. */
export function deriveAudio(folder: string, streams: readonly StreamManifest[], durationMs: number): boolean {
  const decoded = streams.flatMap((stream) => stream.runs.filter((run) => run.decoded && run.bytes > 0))
  if (decoded.length === 0) return false
  const sampleRateHz = Math.max(...decoded.map((run) => run.clockRateHz))
  const formats = new Set(decoded.map((run) => g711FormatOf(run.encoding)))
  const isUniform = formats.size === 1 && decoded.every((run) => run.clockRateHz === sampleRateHz)
  const format = isUniform ? [...formats][0]! : 'pcm16'
  const endMs = Math.max(durationMs, ...decoded.map((run) => new RunTime(run).msOf(run.bytes)))
  const frames = Math.round((endMs * sampleRateHz) / 1000)
  const channels = streams.map((stream) => openRuns(folder, stream))
  const target = openSync(join(folder, `${AUDIO_FILE}.part`), 'w')
  try {
    const frameBytes = wavFrameBytes(format, channels.length)
    writeFully(
      target,
      wavHeader({ format, sampleRateHz, channels: channels.length, dataBytes: frames * frameBytes }),
      0,
    )
    for (let frame = 0; frame < frames; frame += FRAMES_PER_STEP) {
      const count = Math.min(FRAMES_PER_STEP, frames - frame)
      const bytes =
        format === 'pcm16'
          ? interleavePcm16(channels.map((runs) => readSamples(runs, frame, count, sampleRateHz)))
          : interleaveBytes(channels.map((runs) => readBytes(runs, frame, count, silenceOf(format))))
      writeFully(target, bytes, WAV_HEADER_BYTES + frame * frameBytes)
    }
    fsyncSync(target)
  } finally {
    closeSync(target)
    for (const run of channels.flat()) run.close()
  }
  return true
}

function openRuns(folder: string, stream: StreamManifest): PlacedRun[] {
  return stream.runs.flatMap((run) => {
    const format = g711FormatOf(run.encoding)
    return run.decoded && format !== undefined ? [new PlacedRun(folder, run, format)] : []
  })
}

/** One channel's bytes; all runs have the rate and format of the file. */
function readBytes(runs: readonly PlacedRun[], frame: number, count: number, silence: number): Uint8Array {
  const bytes = new Uint8Array(count).fill(silence)
  for (const run of runs) {
    const from = Math.max(frame, run.startFrame)
    const to = Math.min(frame + count, run.endFrame)
    if (to > from) run.read(from, bytes.subarray(from - frame, to - frame))
  }
  return bytes
}

/** One channel's samples, decoded, and resampled where a run has a lower rate. */
function readSamples(runs: readonly PlacedRun[], frame: number, count: number, sampleRateHz: number): Int16Array {
  const samples = new Int16Array(count)
  for (const placed of runs) {
    const { run, format, startFrame, endFrame } = placed
    const ratio = sampleRateHz / run.clockRateHz
    const from = Math.max(frame, Math.round(startFrame * ratio))
    const to = Math.min(frame + count, Math.floor(endFrame * ratio))
    if (to <= from) continue
    const source = new Uint8Array(Math.ceil((to - from) / ratio))
    const have = placed.read(Math.max(startFrame, Math.floor(from / ratio)), source)
    const decoded = (format === 'pcmu' ? decodePcmu : decodePcma)(source.subarray(0, have))
    samples.set(resample(decoded, run.clockRateHz, sampleRateHz).subarray(0, to - from), from - frame)
  }
  return samples
}

function interleaveBytes(channels: readonly Uint8Array[]): Uint8Array {
  const frames = channels[0]?.length ?? 0
  const bytes = new Uint8Array(frames * channels.length)
  channels.forEach((channel, index) => {
    for (let i = 0, at = index; i < frames; i++, at += channels.length) bytes[at] = channel[i]!
  })
  return bytes
}
