// RTP payload for redundant audio data (RFC 2198): a packet carries what earlier ones carried, too.
//
//    0                   1                    2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3  4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   |F|   block PT  |  timestamp offset         |   block length    |   redundant blocks, oldest first; the last header is
//   |0|   block PT  |                                                   one byte, of the primary block

const REDUNDANT_HEAD_BYTES = 4

/** One encoding within a packet. */
export interface RedundantBlock {
  readonly payloadType: number
  /** How much earlier than the packet's timestamp it belongs, in ticks; 0 for the primary block. */
  readonly timestampOffset: number
  readonly payload: Uint8Array
}

/** The blocks in order, the primary one last; undefined when the payload is no such packet. */
export function redundantBlocks(payload: Uint8Array): RedundantBlock[] | undefined {
  const heads: { payloadType: number; timestampOffset: number; size: number }[] = []
  let at = 0
  for (;;) {
    const first = payload[at]
    if (first === undefined) return undefined
    if ((first & 0x80) === 0) break
    if (at + REDUNDANT_HEAD_BYTES > payload.length) return undefined
    const [second, third, fourth] = [payload[at + 1]!, payload[at + 2]!, payload[at + 3]!]
    heads.push({
      payloadType: first & 0x7f,
      timestampOffset: (second << 6) | (third >> 2),
      size: ((third & 0x03) << 8) | fourth,
    })
    at += REDUNDANT_HEAD_BYTES
  }
  const primaryType = payload[at]!
  at += 1
  const blocks: RedundantBlock[] = []
  for (const { payloadType, timestampOffset, size } of heads) {
    if (at + size > payload.length) return undefined
    blocks.push({ payloadType, timestampOffset, payload: payload.subarray(at, at + size) })
    at += size
  }
  return [...blocks, { payloadType: primaryType, timestampOffset: 0, payload: payload.subarray(at) }]
}
