// The header lines of one message, in order (RFC 3261 section 7.3). Values stay text until somebody parses them.

import { longName, sameName } from './header-names.ts'
import { splitList } from './params.ts'

/** Header lines in order. Names are compared without case, and a compact name is its long name. */
export class SipHeaders {
  readonly #names: string[]
  readonly #values: string[]

  private constructor(names: string[], values: string[]) {
    this.#names = names
    this.#values = values
  }

  /** Headers from name and value pairs. */
  static of(entries: Iterable<readonly [name: string, value: string]>): SipHeaders {
    const headers = new SipHeaders([], [])
    for (const [name, value] of entries) headers.append(name, value)
    return headers
  }

  /** Takes over the arrays of the parser: long names, unfolded and trimmed values. */
  static fromLines(names: string[], values: string[]): SipHeaders {
    return new SipHeaders(names, values)
  }

  /** Number of header lines. */
  get size(): number {
    return this.#names.length
  }

  /** Long name of the line at `index`, below `size`. */
  nameAt(index: number): string {
    return this.#names[index]!
  }

  /** Value of the line at `index`, below `size`. */
  valueAt(index: number): string {
    return this.#values[index]!
  }

  /** Value of the first line of that name, unfolded and trimmed. */
  get(name: string): string | undefined {
    const index = this.#find(longName(name), 0)
    return index < 0 ? undefined : this.#values[index]
  }

  /** The value of each line of that name, in order. */
  all(name: string): string[] {
    const long = longName(name)
    const values: string[] = []
    for (let at = this.#find(long, 0); at >= 0; at = this.#find(long, at + 1)) values.push(this.#values[at]!)
    return values
  }

  /** All lines of that name split at commas outside of quotes and angle brackets. Not for headers like Date or WWW-Authenticate. */
  list(name: string): string[] {
    const long = longName(name)
    const items: string[] = []
    for (let at = this.#find(long, 0); at >= 0; at = this.#find(long, at + 1)) splitList(this.#values[at]!, items)
    return items
  }

  /** Whether a line of that name exists. */
  has(name: string): boolean {
    return this.#find(longName(name), 0) >= 0
  }

  /** Number of lines of that name. */
  count(name: string): number {
    const long = longName(name)
    let lines = 0
    for (let at = this.#find(long, 0); at >= 0; at = this.#find(long, at + 1)) lines++
    return lines
  }

  /** Replaces all lines of that name by one, at the place of the first; at the end when there was none. */
  set(name: string, value: string): void {
    const first = this.#find(longName(name), 0)
    if (first < 0) {
      this.append(name, value)
      return
    }
    this.#values[first] = oneLine(value)
    this.#removeFrom(longName(name), first + 1)
  }

  /** Adds a line at the end. */
  append(name: string, value: string): void {
    this.#names.push(longName(name))
    this.#values.push(oneLine(value))
  }

  /** Adds a line before the first of that name; at the top when there is none. */
  prepend(name: string, value: string): void {
    const long = longName(name)
    const index = Math.max(this.#find(long, 0), 0)
    this.#names.splice(index, 0, long)
    this.#values.splice(index, 0, oneLine(value))
  }

  /** Removes all lines of that name. */
  remove(name: string): void {
    this.#removeFrom(longName(name), 0)
  }

  /** Name and value of each line, in order; compact names come as long ones, others as written. */
  *entries(): IterableIterator<readonly [name: string, value: string]> {
    for (let at = 0; at < this.#names.length; at++) yield [this.#names[at]!, this.#values[at]!]
  }

  /** An independent copy. */
  clone(): SipHeaders {
    return new SipHeaders([...this.#names], [...this.#values])
  }

  #find(long: string, from: number): number {
    const names = this.#names
    for (let at = from; at < names.length; at++) if (sameName(names[at]!, long)) return at
    return -1
  }

  #removeFrom(long: string, from: number): void {
    for (let at = this.#find(long, from); at >= 0; at = this.#find(long, at)) {
      this.#names.splice(at, 1)
      this.#values.splice(at, 1)
    }
  }
}

// A line break in a value would start a new header: it becomes a space, so nothing can be smuggled in.
function oneLine(value: string): string {
  return value.includes('\n') || value.includes('\r') ? value.replace(/[\r\n]+/g, ' ').trim() : value.trim()
}
