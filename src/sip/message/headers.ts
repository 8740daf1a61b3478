// The header lines of one message, in order (RFC 3261 section 7.3). Values stay text until somebody parses them.

import type { Result } from '#kernel'
import { type CSeq, type CSeqError, scanCSeq } from './cseq.ts'
import { HeaderLine } from './header-line.ts'
import { knownIndex, longName } from './header-names.ts'
import { type NameAddr, type NameAddrError, scanNameAddr } from './name-addr.ts'
import { splitList } from './params.ts'
import { scanTopVia, type Via, type ViaError } from './via.ts'

/** Header lines in order. Names are compared without case, and a compact name is its long name. */
export class SipHeaders {
  /** Lines are immutable, so that copies of the headers can share them. */
  readonly #lines: HeaderLine[]

  private constructor(lines: HeaderLine[]) {
    this.#lines = lines
  }

  /** Headers from name and value pairs. */
  static of(entries: Iterable<readonly [name: string, value: string]>): SipHeaders {
    return new SipHeaders(Array.from(entries, ([name, value]) => HeaderLine.of(name, value)))
  }

  /** Takes over the lines that the parser found. */
  static fromLines(lines: HeaderLine[]): SipHeaders {
    return new SipHeaders(lines)
  }

  /** All lines, in order. */
  get lines(): readonly HeaderLine[] {
    return this.#lines
  }

  /** Value of the first line of that name, unfolded and trimmed. */
  get(name: string): string | undefined {
    return this.#lines[this.#find(longName(name), 0)]?.value
  }

  /** The value of each line of that name, in order. */
  all(name: string): string[] {
    const long = longName(name)
    const values: string[] = []
    for (let at = this.#find(long, 0); at >= 0; at = this.#find(long, at + 1)) values.push(this.#lines[at]!.value)
    return values
  }

  /** All lines of that name split at commas outside of quotes and angle brackets. Not for headers like Date or WWW-Authenticate. */
  list(name: string): string[] {
    const long = longName(name)
    const items: string[] = []
    for (let at = this.#find(long, 0); at >= 0; at = this.#find(long, at + 1)) splitList(this.#lines[at]!.value, items)
    return items
  }

  /** The topmost Via, parsed once; undefined when there is none. */
  topVia(): Result<Via, ViaError> | undefined {
    const field = this.#lines[this.#find('Via', 0)]?.scanned(scanTopVia)
    return field?.ok ? field.value.parsed : field
  }

  /** From, To or another header with one name-addr, parsed once; undefined when there is none. */
  nameAddr(name: string): Result<NameAddr, NameAddrError> | undefined {
    const field = this.#lines[this.#find(longName(name), 0)]?.scanned(scanNameAddr)
    return field?.ok ? field.value.parsed : field
  }

  /** The tag of From or To, without parsing the rest; empty when it has none, undefined when the header is absent or malformed. */
  tag(name: 'From' | 'To'): string | undefined {
    const field = this.#lines[this.#find(name, 0)]?.scanned(scanNameAddr)
    return field?.ok ? (field.value.tag ?? '') : undefined
  }

  /** CSeq, parsed once; undefined when there is none. */
  cseq(): Result<CSeq, CSeqError> | undefined {
    return this.#lines[this.#find('CSeq', 0)]?.scanned(scanCSeq)
  }

  /** Whether a line of that name exists. */
  has(name: string): boolean {
    return this.#find(longName(name), 0) >= 0
  }

  /** Replaces all lines of that name by one, at the place of the first; at the end when there was none. */
  set(name: string, value: string): void {
    const first = this.#find(longName(name), 0)
    if (first < 0) {
      this.append(name, value)
      return
    }
    this.#lines[first] = HeaderLine.of(name, value)
    this.#removeFrom(longName(name), first + 1)
  }

  /** Adds a line at the end. */
  append(name: string, value: string): void {
    this.#lines.push(HeaderLine.of(name, value))
  }

  /** Adds a line before the first of that name; at the top when there is none. */
  prepend(name: string, value: string): void {
    this.#lines.splice(Math.max(this.#find(longName(name), 0), 0), 0, HeaderLine.of(name, value))
  }

  /** Removes all lines of that name. */
  remove(name: string): void {
    this.#removeFrom(longName(name), 0)
  }

  /** Name and value of each line, in order; compact names come as long ones, others as written. */
  *entries(): IterableIterator<readonly [name: string, value: string]> {
    for (const line of this.#lines) yield [line.name, line.value]
  }

  /** An independent copy. */
  clone(): SipHeaders {
    return new SipHeaders([...this.#lines])
  }

  /** Index of the first line of that name at or after `from`; -1 when there is none. */
  #find(long: string, from: number): number {
    const lines = this.#lines
    const known = knownIndex(long)
    if (known === undefined) {
      for (let at = from; at < lines.length; at++) if (lines[at]!.isNamed(long)) return at
    } else {
      for (let at = from; at < lines.length; at++) if (lines[at]!.known === known) return at
    }
    return -1
  }

  #removeFrom(long: string, from: number): void {
    for (let at = this.#find(long, from); at >= 0; at = this.#find(long, at)) this.#lines.splice(at, 1)
  }
}
