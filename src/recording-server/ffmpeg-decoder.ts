// ffmpeg as a decoder of what we do not decode ourselves, a process of its own for each run; used where it is installed.

import { spawnSync } from 'node:child_process'
import type { ExternalDecoder } from '#store'

const MOST_BYTES = 2 ** 31 - 1
const TIMEOUT_MS = 10 * 60_000

/** The decoder; undefined when there is no ffmpeg on the path. It blocks its thread, which must not carry packets. */
export function ffmpegDecoder(): ExternalDecoder | undefined {
  if (spawnSync('ffmpeg', ['-version']).status !== 0) return undefined
  return (format, stream) => {
    const args = [
      '-hide_banner',
      '-loglevel',
      'error',
      '-f',
      format,
      '-i',
      'pipe:0',
      '-f',
      's16le',
      '-ac',
      '1',
      'pipe:1',
    ]
    const { status, stdout } = spawnSync('ffmpeg', args, { input: stream, maxBuffer: MOST_BYTES, timeout: TIMEOUT_MS })
    if (status !== 0) return undefined
    return new Int16Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + (stdout.length & ~1)))
  }
}
