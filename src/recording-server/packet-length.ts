// How long the audio of one packet is, for codecs whose payload tells (RFC 3551 section 4.5, RFC 7587, RFC 6716 section 3.1).

const BYTES_PER_FRAME: Readonly<Record<string, readonly [bytes: number, frameMs: number]>> = {
  G722: [8, 1],
  G729: [10, 10],
  GSM: [33, 20],
}
/** Milliseconds of a frame by the upper five bits of the first byte. */
const SILK_MS = [10, 20, 40, 60]
const HYBRID_MS = [10, 20]
const CELT_MS = [2.5, 5, 10, 20]

/** Ticks of the RTP clock that a payload lasts; undefined where it does not tell. */
export type PacketTicks = (payload: Uint8Array) => number | undefined

/** Reads the length of packets of an encoding. */
export function packetTicks(encoding: string, clockRateHz: number): PacketTicks {
  const [name = '', , channels = '1'] = encoding.split('/')
  if (name === 'PCMU' || name === 'PCMA') return channels === '1' ? bytesOf : () => undefined
  const frame = BYTES_PER_FRAME[name]
  return (payload) => {
    if (payload.length === 0) return 0
    const ms = name === 'OPUS' ? opusMs(payload) : framesMs(frame, payload)
    return ms === undefined ? undefined : (ms * clockRateHz) / 1000
  }
}

function bytesOf(payload: Uint8Array): number {
  return payload.length
}

function framesMs(frame: readonly [number, number] | undefined, payload: Uint8Array): number | undefined {
  if (frame === undefined) return undefined
  // What is left over is a frame of comfort noise (RFC 3551 section 4.5.6).
  return Math.ceil(payload.length / frame[0]) * frame[1]
}

/** The first byte is configuration and frame count; code 3 has the count in the second. */
function opusMs(payload: Uint8Array): number | undefined {
  const [toc = 0, second] = payload
  const configuration = toc >> 3
  const frameMs =
    configuration < 12
      ? SILK_MS[configuration & 3]
      : configuration < 16
        ? HYBRID_MS[configuration & 1]
        : CELT_MS[configuration & 3]
  const code = toc & 3
  const frames = code === 0 ? 1 : code === 3 ? (second ?? 0) & 0x3f : 2
  return frames === 0 ? undefined : frameMs! * frames
}
