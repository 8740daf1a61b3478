// A part of the audio as a file of its own: only its bytes are read.

const HEADER_BYTES = 65_536

interface Layout {
  readonly format: Uint8Array
  readonly dataAt: number
  readonly dataBytes: number
  readonly frameBytes: number
  readonly sampleRate: number
}

/** Cuts `fromS` to `toS` out of a WAV file; throws when the file cannot be read. */
export async function cutClip(url: string, fromS: number, toS: number): Promise<Blob> {
  const { format, dataAt, dataBytes, frameBytes, sampleRate } = layoutOf(await range(url, 0, HEADER_BYTES - 1))
  const frame = (s: number): number => Math.min(dataBytes, Math.max(0, Math.round(s * sampleRate) * frameBytes))
  const [first, end] = [frame(fromS), frame(toS)]
  if (end <= first) throw new Error('The part is empty.')
  const data = await range(url, dataAt + first, dataAt + end - 1)
  const head = new DataView(new ArrayBuffer(20 + format.length + 8))
  const put = (at: number, text: string): void => {
    for (const [n, letter] of [...text].entries()) head.setUint8(at + n, letter.charCodeAt(0))
  }
  put(0, 'RIFF')
  head.setUint32(4, head.byteLength - 8 + data.byteLength, true)
  put(8, 'WAVEfmt ')
  head.setUint32(16, format.length, true)
  new Uint8Array(head.buffer).set(format, 20)
  put(20 + format.length, 'data')
  head.setUint32(24 + format.length, data.byteLength, true)
  return new Blob([head, data], { type: 'audio/wav' })
}

async function range(url: string, first: number, last: number): Promise<ArrayBuffer> {
  const answer = await fetch(url, { headers: { range: `bytes=${first}-${last}` } })
  if (answer.status !== 206) throw new Error(`The audio could not be read (${answer.status}).`)
  return await answer.arrayBuffer()
}

function layoutOf(buffer: ArrayBuffer): Layout {
  const view = new DataView(buffer)
  const textAt = (at: number): string => String.fromCharCode(...new Uint8Array(buffer, at, 4))
  let format = new Uint8Array()
  for (let at = 12; at + 8 <= buffer.byteLength; ) {
    const [name, bytes] = [textAt(at), view.getUint32(at + 4, true)]
    if (name === 'fmt ') format = new Uint8Array(buffer, at + 8, bytes)
    if (name === 'data' && format.length >= 16) {
      const facts = new DataView(format.buffer, format.byteOffset)
      const [sampleRate, frameBytes] = [facts.getUint32(4, true), facts.getUint16(12, true)]
      return { format, dataAt: at + 8, dataBytes: bytes, frameBytes, sampleRate }
    }
    at += 8 + bytes + (bytes % 2)
  }
  throw new Error('The audio is no WAV file.')
}
