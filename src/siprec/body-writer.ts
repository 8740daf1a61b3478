// Writes message bodies: bare, or multipart/mixed with SDP before metadata (RFC 2046 section 5.1, RFC 7866 section 9.1).

import type { Ids } from '#kernel'
import { METADATA_DISPOSITION, METADATA_TYPE } from './body.ts'

/** A part to be written. */
export interface OutgoingPart {
  readonly contentType: string
  readonly disposition?: string
  readonly content: Uint8Array
}

const SDP_TYPE = 'application/sdp'
const SDP_DISPOSITION = 'session;handling=required'

/** A multipart/mixed body; the boundary occurs in no part. */
export function buildMultipart(parts: readonly OutgoingPart[], ids: Ids): { contentType: string; content: Uint8Array } {
  const boundary = unusedBoundary(parts, ids)
  const encoder = new TextEncoder()
  const chunks: Uint8Array[] = []
  for (const part of parts) {
    const disposition = part.disposition === undefined ? '' : `Content-Disposition: ${part.disposition}\r\n`
    const head = `--${boundary}\r\nContent-Type: ${part.contentType}\r\n${disposition}\r\n`
    chunks.push(encoder.encode(head), part.content, encoder.encode('\r\n'))
  }
  chunks.push(encoder.encode(`--${boundary}--\r\n`))
  return { contentType: `multipart/mixed;boundary=${boundary}`, content: joined(chunks) }
}

/** The body of a message of a recording session: bare if it has one part, multipart if it has both. */
export function recordingBody(
  body: { sdp?: Uint8Array; metadata?: Uint8Array; metadataType?: string },
  ids: Ids,
): OutgoingPart | undefined {
  const { sdp, metadata, metadataType = METADATA_TYPE } = body
  const metadataPart = metadata && {
    contentType: metadataType,
    disposition: METADATA_DISPOSITION,
    content: metadata,
  }
  if (sdp === undefined) return metadataPart
  if (metadataPart === undefined) return { contentType: SDP_TYPE, content: sdp }
  return buildMultipart([{ contentType: SDP_TYPE, disposition: SDP_DISPOSITION, content: sdp }, metadataPart], ids)
}

function unusedBoundary(parts: readonly OutgoingPart[], ids: Ids): string {
  const texts = parts.map((part) => new TextDecoder('latin1').decode(part.content))
  for (;;) {
    const boundary = `rs-${ids.hex(12)}`
    if (!texts.some((text) => text.includes(boundary))) return boundary
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}
