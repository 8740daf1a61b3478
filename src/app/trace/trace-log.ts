// What is kept of one SIP dialog, call or recording session while it may be asked for: bounded, oldest of the middle first.

import type { SipTrace, StateTrace } from '#kernel'

/** A message or a change of state as it came. */
export type TracedEntry =
  | ({ readonly type: 'sip' } & SipTrace)
  | ({ readonly type: 'state' } & StateTrace)
  | {
      readonly type: 'event'
      readonly wallMs: number
      readonly event: string
      readonly recorder?: string
      readonly text?: string
    }

const firstKept = 60
const lastKept = 140
const mostMessageBytes = 16_384

/** Entries of one dialog, call or recording session. */
export class TraceLog {
  readonly #first: TracedEntry[] = []
  readonly #last: TracedEntry[] = []
  #leftOut = 0
  #bytes = 0
  #latestAtMs = 0

  get entries(): readonly TracedEntry[] {
    return [...this.#first, ...this.#last]
  }

  get leftOut(): number {
    return this.#leftOut
  }

  /** Bytes of the messages that are kept. */
  get bytes(): number {
    return this.#bytes
  }

  /** Wall clock, ms since 1970, of the latest entry. */
  get latestAtMs(): number {
    return this.#latestAtMs
  }

  add(entry: TracedEntry): void {
    this.#latestAtMs = entry.wallMs
    // The bytes belong to the socket and are written over.
    const own = entry.type === 'sip' ? { ...entry, bytes: entry.bytes.slice(0, mostMessageBytes) } : entry
    this.#bytes += sizeOf(own)
    if (this.#first.length < firstKept) {
      this.#first.push(own)
      return
    }
    this.#last.push(own)
    if (this.#last.length <= lastKept) return
    const gone = this.#last.shift()
    if (gone !== undefined) this.#bytes -= sizeOf(gone)
    this.#leftOut += 1
  }
}

function sizeOf(entry: TracedEntry): number {
  return entry.type === 'sip' ? entry.bytes.length : 0
}
