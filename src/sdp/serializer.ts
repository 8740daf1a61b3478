// Writes session descriptions in the line order of RFC 8866 section 9.

import type { SdpAttribute, SdpConnection, SdpMedia, SessionDescription } from './session-description.ts'

const BEFORE_CONNECTION = ['i', 'u', 'e', 'p']
const AFTER_TIMING = ['r', 'z']

/** Serialises a description with CRLF line ends; an empty session name becomes `-`. */
export function serializeSdp(description: SessionDescription): Uint8Array {
  const { origin } = description
  const others = (types: readonly string[]): string[] =>
    description.other.filter((line) => types.includes(line.slice(0, 1)))
  const placed = [...BEFORE_CONNECTION, 'b', ...AFTER_TIMING]
  const lines = [
    'v=0',
    `o=${origin.username} ${origin.sessionId} ${origin.sessionVersion} IN ${origin.addressType} ${origin.address}`,
    `s=${description.sessionName || '-'}`,
    ...others(BEFORE_CONNECTION),
    ...connectionLine(description.connection),
    ...others(['b']),
    ...description.timing.map((value) => `t=${value}`),
    ...others(AFTER_TIMING),
    ...description.other.filter((line) => !placed.includes(line.slice(0, 1))),
    ...description.attributes.map(attributeLine),
    ...description.media.flatMap(mediaLines),
  ]
  return new TextEncoder().encode(`${lines.join('\r\n')}\r\n`)
}

function mediaLines(media: SdpMedia): string[] {
  const port = media.portCount === undefined ? `${media.port}` : `${media.port}/${media.portCount}`
  return [
    `m=${[media.kind, port, media.protocol, ...media.formats].join(' ')}`,
    ...(media.title === undefined ? [] : [`i=${media.title}`]),
    ...connectionLine(media.connection),
    ...media.bandwidth.map((value) => `b=${value}`),
    ...media.other,
    ...media.attributes.map(attributeLine),
  ]
}

function connectionLine(connection: SdpConnection | undefined): string[] {
  return connection === undefined ? [] : [`c=IN ${connection.addressType} ${connection.address}`]
}

function attributeLine(attribute: SdpAttribute): string {
  return attribute.value === undefined ? `a=${attribute.name}` : `a=${attribute.name}:${attribute.value}`
}
