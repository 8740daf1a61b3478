// G.711 both ways by table and segment arithmetic (ITU-T G.711, 16-bit linear scaling).

/** A PCMU byte that decodes to zero. */
export const PCMU_SILENCE = 0xff
/** A PCMA byte that decodes to the smallest positive step. */
export const PCMA_SILENCE = 0xd5

const MU_BIAS = 0x84
const MU_CLIP = 32_635

const PCMU_TABLE = Int16Array.from({ length: 256 }, (_unused, byte) => expandPcmu(byte))
const PCMA_TABLE = Int16Array.from({ length: 256 }, (_unused, byte) => expandPcma(byte))

/** 16-bit samples of mu-law bytes. */
export function decodePcmu(bytes: Uint8Array): Int16Array {
  return decode(bytes, PCMU_TABLE)
}

/** 16-bit samples of A-law bytes. */
export function decodePcma(bytes: Uint8Array): Int16Array {
  return decode(bytes, PCMA_TABLE)
}

/** mu-law bytes of 16-bit samples. */
export function encodePcmu(samples: Int16Array): Uint8Array {
  const bytes = new Uint8Array(samples.length)
  for (let i = 0; i < samples.length; i++) bytes[i] = compressPcmu(samples[i]!)
  return bytes
}

/** A-law bytes of 16-bit samples. */
export function encodePcma(samples: Int16Array): Uint8Array {
  const bytes = new Uint8Array(samples.length)
  for (let i = 0; i < samples.length; i++) bytes[i] = compressPcma(samples[i]!)
  return bytes
}

/** Decodes packets of one stream one after another; what it gives is valid until the next packet. */
export function passingDecoder(law: 'pcmu' | 'pcma'): (bytes: Uint8Array) => Int16Array {
  const table = law === 'pcmu' ? PCMU_TABLE : PCMA_TABLE
  let samples = new Int16Array(0)
  return (bytes) => {
    if (samples.length !== bytes.length) samples = new Int16Array(bytes.length)
    return decode(bytes, table, samples)
  }
}

function decode(bytes: Uint8Array, table: Int16Array, samples = new Int16Array(bytes.length)): Int16Array {
  for (let i = 0; i < bytes.length; i++) samples[i] = table[bytes[i]!]!
  return samples
}

function expandPcmu(byte: number): number {
  const code = ~byte & 0xff
  const segment = (code >> 4) & 7
  const magnitude = ((((code & 0x0f) << 3) + MU_BIAS) << segment) - MU_BIAS
  return code & 0x80 ? -magnitude : magnitude
}

function expandPcma(byte: number): number {
  const code = byte ^ 0x55
  const segment = (code >> 4) & 7
  const step = ((code & 0x0f) << 4) + 8
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1)
  return code & 0x80 ? magnitude : -magnitude
}

function compressPcmu(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(sample < 0 ? -sample : sample, MU_CLIP) + MU_BIAS
  const segment = 24 - Math.clz32(magnitude)
  return ~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)) & 0xff
}

function compressPcma(sample: number): number {
  // Negative values are one's complement, so that -1 and 0 are mirror images, as the law draws them.
  const magnitude = sample < 0 ? ~sample : sample
  const segment = Math.max(0, 24 - Math.clz32(magnitude))
  const mantissa = (magnitude >> (segment === 0 ? 4 : segment + 3)) & 0x0f
  return ((sample < 0 ? 0 : 0x80) | (segment << 4) | mantissa) ^ 0x55
}
