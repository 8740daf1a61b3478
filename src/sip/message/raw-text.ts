// Text as it came off the wire: bytes to scan, since reading one costs a third of `charCodeAt`, and latin1 to cut from.

/** The character classes of section 25.1 as bits, to be combined; bytes of 0x80 and above are in URI and VALUE. */
export const TOKEN = 1
export const HOST = 2
/** Of any scheme; `#` is let through although the grammar wants it escaped, as telephone numbers with it are common. */
export const URI = 4
/** An unquoted parameter value. */
export const VALUE = 8
/** Space or tab. */
export const WHITE = 16
export const DIGIT = 32

const CLASSES: readonly (readonly [bit: number, members: RegExp])[] = [
  [TOKEN, /[A-Za-z0-9\-.!%*_+`'~]/],
  [HOST, /[A-Za-z0-9\-._]/],
  [URI, /[^\0-\x20"<>\x7f]/],
  [VALUE, /[^;,"<>\\ \t]/],
  [WHITE, /[ \t]/],
  [DIGIT, /[0-9]/],
]

const CLASS_BITS = Uint8Array.from({ length: 256 }, (_, code) => {
  const character = String.fromCharCode(code)
  return CLASSES.reduce((bits, [bit, members]) => (members.test(character) ? bits | bit : bits), 0)
})

/** A head, or one value: character and byte have the same index. */
export class RawText {
  readonly bytes: Buffer
  /** The bytes as latin1. */
  readonly latin1: string
  readonly #isAscii: boolean

  constructor(bytes: Buffer, latin1: string) {
    this.bytes = bytes
    this.latin1 = latin1
    // Differs from the length as soon as one byte is not ASCII; the cheapest test there is.
    this.#isAscii = Buffer.byteLength(latin1) === latin1.length
  }

  /** The raw form of text. */
  static of(text: string): RawText {
    const bytes = Buffer.from(text)
    return new RawText(bytes, bytes.toString('latin1'))
  }

  /** The text of [from, end). */
  cut(from: number, end: number): string {
    const text = this.latin1.slice(from, end)
    return this.#isAscii ? text : decodeUtf8(text)
  }
}

/** Whether the byte is in one of the classes. */
export function isOf(classes: number, byte: number): boolean {
  return (CLASS_BITS[byte]! & classes) !== 0
}

/** Index of the first byte in [from, end) that is in none of the classes; `end` when there is none. */
export function skip(classes: number, bytes: Buffer, from: number, end: number): number {
  let at = from
  while (at < end && (CLASS_BITS[bytes[at]!]! & classes) !== 0) at++
  return at
}

/** Index just after the last byte of [from, end) that is neither space nor tab. */
export function skipWhiteBack(bytes: Buffer, from: number, end: number): number {
  let at = end
  while (at > from && isOf(WHITE, bytes[at - 1]!)) at--
  return at
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text whose UTF-8 bytes were read as latin1; what is not UTF-8 stays latin1. */
function decodeUtf8(latin1: string): string {
  if (Buffer.byteLength(latin1) === latin1.length) return latin1
  try {
    return decoder.decode(Buffer.from(latin1, 'latin1'))
  } catch {
    return latin1
  }
}
