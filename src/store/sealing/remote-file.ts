// A sealed file that lies elsewhere: the frames that hold what is asked for are fetched, and no others.

import { sealedFault } from './sealed-file.ts'
import {
  chunkBytesOf,
  FILE_HEAD_BYTES,
  FRAME_EXTRA_BYTES,
  fileKey,
  openFrame,
  readFrameHead,
  type SealedPlace,
} from './sealed-format.ts'

/** Fetches bytes from `start` to `end`, both included. */
export type Fetch = (start: number, end: number) => AsyncIterable<Uint8Array>

/** A file to be read in parts. */
export interface RemoteFile {
  /** Bytes of what it says. */
  readonly size: number
  readonly read: Fetch
}

/** Opens a file of so many bytes whose frames are alike; rejects with AppError `store.sealed` when it is none, and with what fetching says. */
export async function openRemoteFile(place: SealedPlace, bytes: number, fetch: Fetch): Promise<RemoteFile> {
  const head = await whole(fetch(0, FILE_HEAD_BYTES - 1))
  const chunkBytes = chunkBytesOf(head) ?? 0
  if (chunkBytes === 0) throw sealedFault(`${place.name} is not sealed in parts of one size`)
  const key = fileKey(place, head)
  const stride = chunkBytes + FRAME_EXTRA_BYTES
  const frames = Math.ceil((bytes - FILE_HEAD_BYTES) / stride)
  const opened = (frame: Buffer, number: number): Buffer => {
    const said = readFrameHead(frame)
    const isPlace = said?.number === number && said.isLast === (number === frames - 1)
    const plain = isPlace ? openFrame(key, frame) : undefined
    if (plain === undefined) throw sealedFault(`frame ${number} of ${place.name} is not what was written`)
    return plain
  }
  return {
    size: bytes - FILE_HEAD_BYTES - frames * FRAME_EXTRA_BYTES,
    read: async function* (start, end) {
      let number = Math.floor(start / chunkBytes)
      const last = Math.floor(end / chunkBytes)
      const to = Math.min(bytes, FILE_HEAD_BYTES + (last + 1) * stride)
      let waiting: Buffer = Buffer.alloc(0)
      for await (const part of fetch(FILE_HEAD_BYTES + number * stride, to - 1)) {
        waiting = Buffer.concat([waiting, part])
        for (
          ;
          number <= last && waiting.length >= Math.min(stride, bytes - FILE_HEAD_BYTES - number * stride);
          number++
        ) {
          const plain = opened(waiting.subarray(0, stride), number)
          waiting = waiting.subarray(Math.min(stride, waiting.length))
          const from = number * chunkBytes
          yield plain.subarray(Math.max(0, start - from), end + 1 - from)
        }
      }
      if (number <= last) throw sealedFault(`${place.name} is cut off`)
    },
  }
}

/** What a sealed file of so many bytes that grew frame by frame says, from its beginning to its end; rejects as `openRemoteFile` does. */
export async function* readRemoteGrown(place: SealedPlace, bytes: number, fetch: Fetch): AsyncGenerator<Buffer> {
  let waiting: Buffer = Buffer.alloc(0)
  let key: Buffer | undefined
  let [number, isWhole] = [0, false]
  for await (const part of fetch(0, bytes - 1)) {
    waiting = Buffer.concat([waiting, part])
    if (key === undefined) {
      if (waiting.length < FILE_HEAD_BYTES) continue
      if (chunkBytesOf(waiting) === undefined) throw sealedFault(`${place.name} is not a sealed file`)
      key = fileKey(place, waiting)
      waiting = waiting.subarray(FILE_HEAD_BYTES)
    }
    for (let head = readFrameHead(waiting); head !== undefined; head = readFrameHead(waiting)) {
      const frameBytes = FRAME_EXTRA_BYTES + head.plainBytes
      if (waiting.length < frameBytes) break
      const isNext = head.number === number && !isWhole
      const plain = isNext ? openFrame(key, waiting.subarray(0, frameBytes)) : undefined
      if (plain === undefined) throw sealedFault(`frame ${number} of ${place.name} is not what was written`)
      yield plain
      waiting = waiting.subarray(frameBytes)
      number += 1
      isWhole = head.isLast
    }
  }
  if (!isWhole || waiting.length > 0) throw sealedFault(`${place.name} is cut off`)
}

async function whole(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  return Buffer.concat(all)
}
