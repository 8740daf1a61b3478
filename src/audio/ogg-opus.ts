// Opus packets of 20 ms in an Ogg file (RFC 7845 over RFC 3533), for players and archives.

const PAGE_HEAD_BYTES = 27
const MOST_SEGMENTS = 255
const SEGMENT_BYTES = 255
const PACKETS_PER_PAGE = 50
/** Granule positions count samples at 48 kHz, whatever the input had. */
const TICKS_PER_PACKET = 960
const FIRST_PAGE = 2
const LAST_PAGE = 4

/** What the head of the file says. */
export interface OggOpusShape {
  readonly channels: 1 | 2
  /** Rate of the original, for information. */
  readonly inputRateHz: number
  /** Samples at 48 kHz before the beginning. */
  readonly preSkip: number
  readonly serial: number
}

/** Makes the pages of one file; `write` gets them in order. */
export class OggOpusWriter {
  readonly #write: (page: Uint8Array) => void
  readonly #serial: number
  #page = 0
  #pending: Uint8Array[] = []
  #granule = 0

  constructor(shape: OggOpusShape, write: (page: Uint8Array) => void) {
    this.#write = write
    this.#serial = shape.serial
    this.#put([headOf(shape)], 0, FIRST_PAGE)
    this.#put([tags()], 0, 0)
  }

  /** The next packet. */
  append(packet: Uint8Array): void {
    const segments = this.#pending.reduce((sum, { length }) => sum + segmentsOf(length), 0)
    if (this.#pending.length === PACKETS_PER_PAGE || segments + segmentsOf(packet.length) > MOST_SEGMENTS)
      this.#flush(0)
    this.#pending.push(packet)
    this.#granule += TICKS_PER_PACKET
  }

  /** The last page; `endTicks` is the end of the audio at 48 kHz, pre-skip included, within the last packet. */
  close(endTicks: number): void {
    this.#granule = Math.min(this.#granule, endTicks)
    this.#flush(LAST_PAGE)
  }

  #flush(flags: number): void {
    this.#put(this.#pending, this.#granule, flags)
    this.#pending = []
  }

  #put(packets: readonly Uint8Array[], granule: number, flags: number): void {
    const lacing = packets.flatMap(({ length }) => [
      ...new Array<number>(segmentsOf(length) - 1).fill(SEGMENT_BYTES),
      length % SEGMENT_BYTES,
    ])
    const size = packets.reduce((sum, { length }) => sum + length, 0)
    const page = new Uint8Array(PAGE_HEAD_BYTES + lacing.length + size)
    const view = new DataView(page.buffer)
    putText(page, 0, 'OggS')
    page[5] = flags
    view.setBigUint64(6, BigInt(granule), true)
    view.setUint32(14, this.#serial, true)
    view.setUint32(18, this.#page++, true)
    page[26] = lacing.length
    page.set(lacing, PAGE_HEAD_BYTES)
    let at = PAGE_HEAD_BYTES + lacing.length
    for (const packet of packets) {
      page.set(packet, at)
      at += packet.length
    }
    view.setUint32(22, crcOf(page), true)
    this.#write(page)
  }
}

function segmentsOf(length: number): number {
  return Math.floor(length / SEGMENT_BYTES) + 1
}

function headOf({ channels, inputRateHz, preSkip }: OggOpusShape): Uint8Array {
  const head = new Uint8Array(19)
  const view = new DataView(head.buffer)
  putText(head, 0, 'OpusHead')
  head[8] = 1
  head[9] = channels
  view.setUint16(10, preSkip, true)
  view.setUint32(12, inputRateHz, true)
  return head
}

function tags(): Uint8Array {
  const vendor = 'siprec-gateway'
  const bytes = new Uint8Array(16 + vendor.length)
  putText(bytes, 0, 'OpusTags')
  new DataView(bytes.buffer).setUint32(8, vendor.length, true)
  putText(bytes, 12, vendor)
  return bytes
}

function putText(bytes: Uint8Array, offset: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[offset + i] = text.charCodeAt(i)
}

/** Of the polynomial 0x04c11db7, high bit first, as Ogg has it. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_unused, index) => {
  let value = index << 24
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1
  return value >>> 0
})

function crcOf(page: Uint8Array): number {
  let crc = 0
  for (const byte of page) crc = ((crc << 8) ^ CRC_TABLE[((crc >>> 24) ^ byte) & 0xff]!) >>> 0
  return crc
}
