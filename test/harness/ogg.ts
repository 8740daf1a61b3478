// Reads an Ogg file (RFC 3533) page by page, as a player would.

/** What the pages held. */
export interface OggContents {
  readonly packets: readonly Uint8Array[]
  /** Granule position of the last page. */
  readonly endTicks: number
  readonly crcFaults: number
}

/** The packets of a file with one stream; throws where a page does not begin as it must. */
export function oggPackets(file: Uint8Array): OggContents {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const packets: Uint8Array[] = []
  let [at, endTicks, crcFaults] = [0, 0, 0]
  let begun: number[] = []
  while (at < file.length) {
    if (String.fromCharCode(...file.subarray(at, at + 4)) !== 'OggS') throw new Error(`no page at ${at}`)
    const lacing = file.subarray(at + 27, at + 27 + file[at + 26]!)
    const size = 27 + lacing.length + lacing.reduce((sum, value) => sum + value, 0)
    if (crc(file.subarray(at, at + size)) !== view.getUint32(at + 22, true)) crcFaults += 1
    endTicks = Number(view.getBigUint64(at + 6, true))
    let body = at + 27 + lacing.length
    for (const value of lacing) {
      begun.push(...file.subarray(body, body + value))
      body += value
      if (value === 255) continue
      packets.push(Uint8Array.from(begun))
      begun = []
    }
    at += size
  }
  return { packets, endTicks, crcFaults }
}

/** Bit by bit, with the page's own checksum taken as zero. */
function crc(page: Uint8Array): number {
  let value = 0
  page.forEach((byte, index) => {
    value ^= (index >= 22 && index < 26 ? 0 : byte) << 24
    for (let bit = 0; bit < 8; bit++) value = value & 0x8000_0000 ? (value << 1) ^ 0x04c1_1db7 : value << 1
  })
  return value >>> 0
}
