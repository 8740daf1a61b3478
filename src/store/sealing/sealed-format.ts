// What a sealed file is made of, all numbers big-endian. Everything but sizes is encrypted with AES-256-GCM.
//
//   file   `SRGWSEA1`, u32 plain bytes of each frame but the last (0: they differ), 4 bytes zero, 16 bytes salt; then frames
//   frame  u32 plain bytes, the highest bit set in the last frame; u32 number from 0 on; nonce, ciphertext and tag
//
// Each file has a key of its own, made of the recording's data key, the head, and the names of recording and file: no
// frame, and no file, can stand in for another. The head of a frame is authenticated, so none can be left out; and a file
// that is cut off lacks its last frame.

import { hkdfSync, randomBytes } from 'node:crypto'
import { KEY_BYTES, SEAL_BYTES, seal, unseal } from '#sealing'

/** Bytes before the first frame. */
export const FILE_HEAD_BYTES = 32
/** Bytes of a frame before its nonce. */
export const FRAME_HEAD_BYTES = 8
/** Bytes of a frame beside what it holds. */
export const FRAME_EXTRA_BYTES = FRAME_HEAD_BYTES + SEAL_BYTES
/** Plain bytes of a frame where all are alike. */
export const CHUNK_BYTES = 64 * 1024

const MAGIC = Buffer.from('SRGWSEA1', 'latin1')
const SALT_AT = 16
const LAST = 0x8000_0000
/** No frame of ours is longer. */
const MAX_FRAME_BYTES = 1 << 24

/** Where a file belongs; its bytes are sealed for this place. */
export interface SealedPlace {
  /** `recording id/name in the folder`. */
  readonly name: string
  readonly dataKey: Uint8Array
}

/** The head of a frame. */
export interface FrameHead {
  readonly plainBytes: number
  readonly isLast: boolean
  readonly number: number
}

/** The head of a new file; `chunkBytes`: of each frame, 0 where they differ. */
export function newFileHead(chunkBytes: number): Buffer {
  const head = Buffer.alloc(FILE_HEAD_BYTES)
  MAGIC.copy(head)
  head.writeUInt32BE(chunkBytes, MAGIC.length)
  randomBytes(FILE_HEAD_BYTES - SALT_AT).copy(head, SALT_AT)
  return head
}

/** Plain bytes of each frame as the head of a file says; undefined if it is no sealed file. */
export function chunkBytesOf(head: Uint8Array): number | undefined {
  const isOurs = head.length >= FILE_HEAD_BYTES && MAGIC.equals(head.subarray(0, MAGIC.length))
  return isOurs ? Buffer.from(head).readUInt32BE(MAGIC.length) : undefined
}

/** The key of a file. */
export function fileKey({ name, dataKey }: SealedPlace, head: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', dataKey, head.subarray(0, FILE_HEAD_BYTES), name, KEY_BYTES))
}

/** One frame as it stands in the file. */
export function sealFrame(key: Uint8Array, number: number, plain: Uint8Array, isLast: boolean): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  head.writeUInt32BE((plain.length | (isLast ? LAST : 0)) >>> 0, 0)
  head.writeUInt32BE(number, 4)
  return Buffer.concat([head, seal(key, plain, head)])
}

/** Reads the head of a frame; undefined when it is none. */
export function readFrameHead(bytes: Buffer): FrameHead | undefined {
  if (bytes.length < FRAME_HEAD_BYTES) return undefined
  const size = bytes.readUInt32BE(0)
  const plainBytes = (size & ~LAST) >>> 0
  if (plainBytes > MAX_FRAME_BYTES) return undefined
  return { plainBytes, isLast: size >= LAST, number: bytes.readUInt32BE(4) }
}

/** What a whole frame says; undefined when it is not what was written. */
export function openFrame(key: Uint8Array, frame: Buffer): Buffer | undefined {
  return unseal(key, frame.subarray(FRAME_HEAD_BYTES), frame.subarray(0, FRAME_HEAD_BYTES))
}
