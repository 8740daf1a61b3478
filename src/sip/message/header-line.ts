// One header line: kept as a range of the head until somebody asks for its name or value (RFC 3261 section 7.3.1).

import { trimSpace } from './characters.ts'
import { isNameAt, knownIndexAt, knownIndexOf, longName } from './header-names.ts'
import { RawText, skip, skipWhiteBack, WHITE } from './raw-text.ts'

/** Reads or checks the value in [from, end). */
type Scan<T> = (raw: RawText, from: number, end: number) => T

const NO_HEAD = RawText.of('')

/** A header line, from the parser as a range of the head, or made by us from name and value. Immutable. */
export class HeaderLine {
  /** Index of the long name in KNOWN_NAMES; -1 for all others. */
  readonly known: number
  readonly #head: RawText
  readonly #start: number
  readonly #nameEnd: number
  readonly #valueStart: number
  readonly #end: number
  readonly #isFolded: boolean
  #name: string | undefined
  #value: string | undefined
  #scan: Scan<unknown> | undefined
  #scanned: unknown

  /** The line at [start, end) of the head, folds and all; with a compact name, or one of our own, `name` is the long one. */
  constructor(
    head: RawText,
    start: number,
    nameEnd: number,
    valueStart: number,
    end: number,
    isFolded: boolean,
    name: string | undefined = nameEnd - start === 1 ? longName(head.latin1[start]!) : undefined,
  ) {
    this.#head = head
    this.#start = start
    this.#nameEnd = nameEnd
    this.#valueStart = valueStart
    this.#end = end
    this.#isFolded = isFolded
    this.#name = name
    // A compact name is not its long name in the text.
    this.known = name === undefined ? knownIndexAt(head.bytes, start, nameEnd - start) : knownIndexOf(name)
  }

  /** A line of our own. A line break in the value becomes a space, so nothing can be smuggled in. */
  static of(name: string, value: string): HeaderLine {
    const long = longName(name)
    const line = new HeaderLine(NO_HEAD, 0, 0, 0, 0, true, long)
    line.#value = oneLine(value)
    return line
  }

  /** The long name, in the case in which it was written. */
  get name(): string {
    if (this.#name === undefined) this.#name = longName(this.#head.latin1.slice(this.#start, this.#nameEnd))
    return this.#name
  }

  /** Whether this is the header of that long name. */
  isNamed(long: string): boolean {
    const name = this.#name
    if (name !== undefined) return name.length === long.length && isNameAt(name, 0, long)
    return this.#nameEnd - this.#start === long.length && isNameAt(this.#head.latin1, this.#start, long)
  }

  /** What `scan` makes of the value; scanned once as long as it is asked for with the same `scan`. */
  scanned<T>(scan: Scan<T>): T {
    if (this.#scan !== scan) {
      this.#scanned = this.#read(scan)
      this.#scan = scan
    }
    return this.#scanned as T
  }

  /** The value, trimmed and unfolded. */
  get value(): string {
    if (this.#value === undefined) {
      this.#value = this.#isPlain ? this.#read(cut) : oneLine(this.#head.cut(this.#valueStart, this.#end))
    }
    return this.#value
  }

  /** Whether a comma is in the value: without one it is no list. */
  get hasComma(): boolean {
    if (!this.#isPlain) return this.value.includes(',')
    const comma = this.#head.latin1.indexOf(',', this.#valueStart)
    return comma >= 0 && comma < this.#end
  }

  /** In place where the value stands as it is meant; else in a copy. */
  #read<T>(scan: Scan<T>): T {
    if (this.#isPlain) {
      const { bytes } = this.#head
      const start = skip(WHITE, bytes, this.#valueStart, this.#end)
      return scan(this.#head, start, skipWhiteBack(bytes, start, this.#end))
    }
    const raw = RawText.of(this.value)
    return scan(raw, 0, raw.bytes.length)
  }

  /** Without folds, and without a CR that ends no line. */
  get #isPlain(): boolean {
    if (this.#isFolded) return false
    const carriageReturn = this.#head.latin1.indexOf('\r', this.#valueStart)
    return carriageReturn < 0 || carriageReturn >= this.#end
  }
}

function cut(raw: RawText, from: number, end: number): string {
  return raw.cut(from, end)
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
