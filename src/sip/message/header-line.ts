// One header line: kept as a range of the head until somebody asks for its name or value (RFC 3261 section 7.3.1).

import { skipSpace, skipSpaceBack, trimSpace } from './characters.ts'
import { isNameAt, longName } from './header-names.ts'

/** A header line, from the parser as a range of text, or made by us from name and value. Immutable. */
export class HeaderLine {
  /** Length of the long name: comparing it first sorts out most lines. */
  readonly nameLength: number
  readonly #text: string
  readonly #start: number
  readonly #nameEnd: number
  readonly #valueStart: number
  readonly #end: number
  readonly #isPlain: boolean
  #name: string | undefined
  #value: string | undefined
  #parse: ((value: string) => unknown) | undefined
  #parsed: unknown

  /** The line at text[start, end), one character per byte; `isPlain` when it is ASCII and not folded. */
  constructor(text: string, start: number, nameEnd: number, valueStart: number, end: number, isPlain: boolean) {
    this.#text = text
    this.#start = start
    this.#nameEnd = nameEnd
    this.#valueStart = valueStart
    this.#end = end
    this.#isPlain = isPlain
    this.nameLength = nameEnd - start === 1 ? this.name.length : nameEnd - start
  }

  /** A line of our own. A line break in the value becomes a space, so nothing can be smuggled in. */
  static of(name: string, value: string): HeaderLine {
    const long = longName(name)
    const line = new HeaderLine(long, 0, long.length, 0, 0, true)
    line.#value = oneLine(value)
    return line
  }

  /** The long name, in the case in which it was written. */
  get name(): string {
    if (this.#name === undefined) this.#name = longName(this.#text.slice(this.#start, this.#nameEnd))
    return this.#name
  }

  /** Whether this is the header of that long name. */
  isNamed(long: string): boolean {
    if (this.nameLength !== long.length) return false
    // A compact name is not its long name in the text.
    return this.#name === undefined ? isNameAt(this.#text, this.#start, long) : isNameAt(this.#name, 0, long)
  }

  /** What `parse` makes of the value; parsed once as long as it is asked for with the same `parse`. */
  parsed<T>(parse: (value: string) => T): T {
    if (this.#parse !== parse) {
      this.#parsed = parse(this.value)
      this.#parse = parse
    }
    return this.#parsed as T
  }

  /** The value, trimmed and unfolded. */
  get value(): string {
    if (this.#value === undefined) {
      const start = skipSpace(this.#text, this.#valueStart)
      const raw = this.#text.slice(start, skipSpaceBack(this.#text, start, this.#end))
      this.#value = this.#isPlain && !raw.includes('\r') ? raw : decodeUtf8(oneLine(raw))
    }
    return this.#value
  }
}

// A fold counts as one space (section 7.3.1); so does a CR that ends no line.
function oneLine(raw: string): string {
  if (!raw.includes('\n') && !raw.includes('\r')) return trimSpace(raw)
  return raw
    .split(/[\r\n]/)
    .map(trimSpace)
    .filter((part) => part !== '')
    .join(' ')
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text whose UTF-8 bytes were read as latin1; what is not UTF-8 stays latin1. */
export function decodeUtf8(latin1: string): string {
  try {
    return decoder.decode(Buffer.from(latin1, 'latin1'))
  } catch {
    return latin1
  }
}
