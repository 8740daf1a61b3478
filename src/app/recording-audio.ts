// The audio of a recording for the HTTP API: its files, here or in object storage, and parts of its WAV file made on the way.

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname, extname } from 'node:path'
import { Readable } from 'node:stream'
import { readWavHeader, WAV_HEADER_BYTES, type WavShape, wavFrameBytes, wavHeader } from '#audio'
import type { AudioFile, AudioQuery } from '#control'
import { type Manifest, type ObjectStorage, openRemoteFile, type RecordingFiles, readUploadRecord } from '#store'

const PART_BYTES = 64 * 1024

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  wav: 'audio/wav',
  flac: 'audio/flac',
  opus: 'audio/ogg',
}

/** Name of the file that holds a format; undefined where the recording has none. */
export function audioFileOf({ audioFile, archiveFile }: Manifest, format: AudioQuery['format']): string | undefined {
  return [audioFile, archiveFile].find((file) => file !== undefined && extname(file) === `.${format ?? 'wav'}`)
}

/** An audio file at a path, or its copy in object storage; undefined where there is neither. */
export async function openAudio(
  path: string,
  storage: ObjectStorage | undefined,
  files: RecordingFiles,
): Promise<AudioFile | undefined> {
  const extension = extname(path).slice(1)
  const kind = { extension, mediaType: MEDIA_TYPES[extension] ?? 'application/octet-stream' }
  const facts = await stat(path).catch(() => undefined)
  if (facts !== undefined) {
    const file = files.open(path)
    file.close()
    return {
      ...kind,
      sizeBytes: file.size,
      etag: `${file.size.toString(16)}-${Math.floor(facts.mtimeMs).toString(16)}`,
      open: (start, end) => streamOf(files, path, start, end),
    }
  }
  const file = storage && (await readUploadRecord(dirname(path))).files[basename(path)]
  if (storage === undefined || file === undefined) return undefined
  const place = files.placeOf(path)
  if (place !== undefined) {
    const fetch = (start: number, end: number) => storage.read(file.key, { start, end })
    const { size, read } = await openRemoteFile(place, file.bytes, fetch)
    return { ...kind, sizeBytes: size, etag: file.sha256, open: (start, end) => Readable.from(read(start, end)) }
  }
  return {
    ...kind,
    sizeBytes: file.bytes,
    etag: file.sha256,
    open: (start, end) => Readable.from(storage.read(file.key, { start, end })),
  }
}

/** Bytes of a file from `start` to `end`, both included. */
function streamOf(files: RecordingFiles, path: string, start: number, end: number): Readable {
  if (files.placeOf(path) === undefined) return createReadStream(path, { start, end })
  return Readable.from(sealedParts(files, path, start, end))
}

async function* sealedParts(
  files: RecordingFiles,
  path: string,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  const file = files.open(path)
  try {
    for (let at = start; at <= end && at < file.size; at += PART_BYTES) {
      const part = Buffer.alloc(Math.min(PART_BYTES, end + 1 - at))
      yield part.subarray(0, file.readAt(part, at))
    }
  } finally {
    file.close()
  }
}

/** One channel, or a part, of a WAV file of ours as a WAV file; undefined where there is no such channel or it is none of ours. */
export async function partOf(audio: AudioFile, query: AudioQuery): Promise<AudioFile | undefined> {
  const { channel, fromMs = 0, toMs = Number.POSITIVE_INFINITY } = query
  const source = readWavHeader(await bytesOf(audio.open(0, WAV_HEADER_BYTES - 1)))
  if (source === undefined || (channel ?? 0) >= source.channels) return undefined
  const frameBytes = wavFrameBytes(source.format, source.channels)
  const frames = Math.floor(Math.min(source.dataBytes, audio.sizeBytes - WAV_HEADER_BYTES) / frameBytes)
  const frameAt = (ms: number): number => Math.min(frames, Math.round((ms * source.sampleRateHz) / 1000))
  const [first, last] = [frameAt(fromMs), frameAt(toMs)]
  const channels = channel === undefined ? source.channels : 1
  const width = wavFrameBytes(source.format, channels)
  const shape: WavShape = { ...source, channels, dataBytes: (last - first) * width }
  const at = channel === undefined ? 0 : channel * width
  const body: PartBody = { audio, frameBytes, width, at, startByte: WAV_HEADER_BYTES + first * frameBytes }
  return {
    ...audio,
    sizeBytes: WAV_HEADER_BYTES + shape.dataBytes,
    etag: `${audio.etag}-${channel ?? 'all'}-${first}-${last}`,
    open: (start, end) => Readable.from(partBytes(wavHeader(shape), body, start, end)),
  }
}

interface PartBody {
  readonly audio: AudioFile
  readonly startByte: number
  /** Bytes of a frame of the source, and of the part. */
  readonly frameBytes: number
  readonly width: number
  /** Where in a frame the part's bytes are. */
  readonly at: number
}

/** Bytes `start` to `end`, both included, of a header and the body behind it. */
async function* partBytes(header: Uint8Array, body: PartBody, start: number, end: number): AsyncGenerator<Uint8Array> {
  if (start < header.length) yield header.subarray(start, end + 1)
  if (end < header.length) return
  const from = Math.max(0, start - header.length)
  const to = end - header.length
  const { audio, startByte, frameBytes, width } = body
  const [firstFrame, lastFrame] = [Math.floor(from / width), Math.floor(to / width)]
  let skip = from - firstFrame * width
  let left = to - from + 1
  const source = audio.open(startByte + firstFrame * frameBytes, startByte + (lastFrame + 1) * frameBytes - 1)
  for await (const frames of wholeFrames(source, frameBytes)) {
    const bytes = picked(frames, body).subarray(skip, skip + left)
    skip = 0
    left -= bytes.length
    yield bytes
  }
}

/** Chunks as they come, cut where frames end. */
async function* wholeFrames(source: Readable, frameBytes: number): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array()
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const whole = bytes.length - (bytes.length % frameBytes)
    rest = bytes.subarray(whole)
    if (whole > 0) yield bytes.subarray(0, whole)
  }
}

function picked(frames: Uint8Array, { frameBytes, width, at }: PartBody): Uint8Array {
  if (width === frameBytes) return frames
  const bytes = new Uint8Array((frames.length / frameBytes) * width)
  for (let from = at, to = 0; from < frames.length; from += frameBytes, to += width) {
    for (let i = 0; i < width; i++) bytes[to + i] = frames[from + i]!
  }
  return bytes
}

async function bytesOf(source: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source as AsyncIterable<Uint8Array>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
