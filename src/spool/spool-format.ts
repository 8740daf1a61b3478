// What a spool file is made of. Everything but the times and sizes is encrypted with AES-256-GCM, all numbers are big-endian.
//
//   file    `SRGWSPL1`, f64 wall clock of its making in ms, 12 bytes nonce, 48 bytes data key sealed with the spool key; then chunks
//   chunk   u32 bytes of the body, u32 number from 0 on, u8 kind, 12 bytes nonce, body with its tag of 16 bytes
//   packets (kind 1) records of: u8 stream, f64 arrival in ms since 1970, u16 length, RTP packet
//   facts   (kind 2) UTF-8 text; the last one counts
//
// The head of a chunk and the id of its file are authenticated, so that no chunk can stand in for another.

import { randomBytes } from 'node:crypto'
import { err, ok, type Result } from '#kernel'
import { KEY_BYTES, seal, unseal } from '#sealing'

/** Bytes before the first chunk. */
export const FILE_HEAD_BYTES = 76
/** Bytes of a chunk before its body. */
export const CHUNK_HEAD_BYTES = 21
/** No body is longer. */
export const MAX_BODY_BYTES = 1024 * 1024
/** Bytes of a packet record beside the packet. */
export const RECORD_HEAD_BYTES = 11

const MAGIC = Buffer.from('SRGWSPL1', 'latin1')
const NONCE_BYTES = 12
const TAG_BYTES = 16
const FACTS_KIND = 2
const PACKETS_KIND = 1

/** What a chunk holds. */
export type ChunkKind = 'packets' | 'facts'

/** The head of a chunk. */
export interface ChunkHead {
  readonly number: number
  readonly kind: ChunkKind
  readonly bodyBytes: number
}

/** One packet as it came. */
export interface SpoolRecord {
  readonly stream: number
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly packet: Uint8Array
}

/** Payload type of a kept packet, which is RTP (RFC 3550 section 5.1). */
export function payloadTypeOf({ packet }: SpoolRecord): number {
  return packet[1]! & 0x7f
}

/** Sequence number of a kept packet. */
export function sequenceOf({ packet }: SpoolRecord): number {
  return (packet[2]! << 8) | packet[3]!
}

/** RTP time of a kept packet. */
export function timestampOf({ packet }: SpoolRecord): number {
  return ((packet[4]! << 24) | (packet[5]! << 16) | (packet[6]! << 8) | packet[7]!) >>> 0
}

/** The head of a new file, and the key that its chunks are sealed with. */
export function newFileHead(spoolKey: Uint8Array, id: string, wallMs: number): { head: Buffer; dataKey: Buffer } {
  const dataKey = randomBytes(KEY_BYTES)
  const clear = Buffer.alloc(MAGIC.length + 8)
  MAGIC.copy(clear)
  clear.writeDoubleBE(wallMs, MAGIC.length)
  return { head: Buffer.concat([clear, seal(spoolKey, dataKey, boundTo(id, clear))]), dataKey }
}

/** Reads the head of a file; the error says whether it is no spool file, or not of this key. */
export function readFileHead(
  spoolKey: Uint8Array,
  id: string,
  head: Buffer,
): Result<{ readonly madeAtMs: number; readonly dataKey: Buffer }, string> {
  if (head.length < FILE_HEAD_BYTES || !head.subarray(0, MAGIC.length).equals(MAGIC)) return err('not a spool file')
  const clear = head.subarray(0, MAGIC.length + 8)
  const dataKey = unseal(spoolKey, head.subarray(clear.length, FILE_HEAD_BYTES), boundTo(id, clear))
  if (dataKey === undefined) return err('not sealed with this key')
  return ok({ madeAtMs: clear.readDoubleBE(MAGIC.length), dataKey })
}

/** One chunk as it stands in the file. */
export function sealChunk(dataKey: Uint8Array, id: string, number: number, kind: ChunkKind, plain: Uint8Array): Buffer {
  const clear = Buffer.alloc(CHUNK_HEAD_BYTES - NONCE_BYTES)
  clear.writeUInt32BE(plain.length + TAG_BYTES, 0)
  clear.writeUInt32BE(number, 4)
  clear.writeUInt8(kind === 'facts' ? FACTS_KIND : PACKETS_KIND, 8)
  return Buffer.concat([clear, seal(dataKey, plain, boundTo(id, clear))])
}

/** Reads the head of a chunk; undefined when it is none. */
export function readChunkHead(head: Buffer): ChunkHead | undefined {
  if (head.length < CHUNK_HEAD_BYTES) return undefined
  const [bodyBytes, kind] = [head.readUInt32BE(0), head.readUInt8(8)]
  if (bodyBytes < TAG_BYTES || bodyBytes > MAX_BODY_BYTES || kind < PACKETS_KIND || kind > FACTS_KIND) return undefined
  return { number: head.readUInt32BE(4), kind: kind === FACTS_KIND ? 'facts' : 'packets', bodyBytes }
}

/** What a chunk says, given its head and body; undefined when it is not what was written. */
export function openChunk(dataKey: Uint8Array, id: string, chunk: Buffer): Buffer | undefined {
  const clear = chunk.subarray(0, CHUNK_HEAD_BYTES - NONCE_BYTES)
  return unseal(dataKey, chunk.subarray(clear.length), boundTo(id, clear))
}

/** Writes a record at an offset of a buffer that has room for it; returns the offset behind it. */
export function writeRecord(into: Buffer, offset: number, { stream, atMs, packet }: SpoolRecord): number {
  into.writeUInt8(stream, offset)
  into.writeDoubleBE(atMs, offset + 1)
  into.writeUInt16BE(packet.length, offset + 9)
  into.set(packet, offset + RECORD_HEAD_BYTES)
  return offset + RECORD_HEAD_BYTES + packet.length
}

/** The records of a chunk. */
export function readRecords(plain: Buffer): SpoolRecord[] {
  const records: SpoolRecord[] = []
  let offset = 0
  while (offset + RECORD_HEAD_BYTES <= plain.length) {
    const start = offset + RECORD_HEAD_BYTES
    const end = start + plain.readUInt16BE(offset + 9)
    if (end > plain.length) break
    records.push({
      stream: plain.readUInt8(offset),
      atMs: plain.readDoubleBE(offset + 1),
      packet: plain.subarray(start, end),
    })
    offset = end
  }
  return records
}

function boundTo(id: string, clear: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(id, 'latin1'), clear])
}
