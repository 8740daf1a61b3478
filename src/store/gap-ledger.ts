// The gaps of one stream: why each millisecond without audio has none. Sums are exact, the list is bounded.

import { type Gap, type GapCause, MAX_LISTED } from './manifest.ts'
import type { RunMove } from './run-move.ts'

/** Gaps that a packet may still turn out to have come too late for. */
const RECENT = 64

/** Places that differ by less are the same. */
const SAME_MS = 1e-6

/** Ledger of one stream, told of its gaps in order. */
export class GapLedger {
  readonly #settled: Gap[] = []
  readonly #recent: Gap[] = []
  readonly #missingMs: Partial<Record<GapCause, number>> = {}

  /** At most MAX_LISTED of them, the first ones, in order. */
  get gaps(): readonly Gap[] {
    return [...this.#settled, ...this.#recent].slice(0, MAX_LISTED)
  }

  /** Milliseconds by cause, of all gaps. */
  get missingMs(): Readonly<Partial<Record<GapCause, number>>> {
    return { ...this.#missingMs }
  }

  /** Adds a gap behind the others. A `late` one is no other: what was lost there did come. One of the disk is audio that came. */
  add(gap: Gap): void {
    if (!(gap.toMs > gap.fromMs)) return
    if (gap.cause === 'late') {
      this.#findLate(gap)
      return
    }
    if (gap.cause === 'disk') {
      this.#addBetween(gap)
      return
    }
    this.#append(gap)
  }

  /** What follows a place lies so much earlier, or later: the gap before it gives way, or grows, and those behind it move along. */
  move({ fromMs, byMs, cause }: RunMove): void {
    const behind: Gap[] = []
    for (let last = this.#last; last !== undefined && last.fromMs >= fromMs - SAME_MS; last = this.#last) {
      this.#forgetLast()
      behind.push({ ...last, fromMs: last.fromMs + byMs, toMs: last.toMs + byMs })
    }
    const before = this.#last
    if (byMs < 0) this.#giveWay(fromMs, fromMs + byMs, cause)
    else if (before !== undefined && before.toMs >= fromMs - SAME_MS) {
      this.#append({ fromMs: before.toMs, toMs: fromMs + byMs, cause: before.cause })
    } else this.#append({ fromMs, toMs: fromMs + byMs, cause })
    for (const gap of behind.reverse()) this.#list(gap)
  }

  /** Forgets what is told of behind a place: the audio that it lay between is not there. */
  cut(endMs: number): void {
    for (let last = this.#last; last !== undefined && last.toMs > endMs; last = this.#last) {
      this.#forgetLast()
      this.#count({ ...last, fromMs: Math.max(last.fromMs, endMs) }, -1)
      if (last.fromMs < endMs) this.#list({ ...last, toMs: endMs })
    }
  }

  /** Takes the end of what is told from the last gaps. */
  #giveWay(toMs: number, edgeMs: number, cause: GapCause): void {
    let endMs = toMs
    for (
      let last = this.#last;
      last !== undefined && endMs > edgeMs && last.toMs >= endMs - SAME_MS;
      last = this.#last
    ) {
      this.#forgetLast()
      endMs = Math.max(last.fromMs, edgeMs)
      this.#count({ ...last, fromMs: endMs }, -1)
      if (endMs > last.fromMs) this.#list({ ...last, toMs: endMs })
    }
    // What is beyond the list is in the sums all the same.
    if (endMs > edgeMs) this.#count({ fromMs: edgeMs, toMs: endMs, cause }, -1)
  }

  get #last(): Gap | undefined {
    return this.#recent.at(-1) ?? this.#settled.at(-1)
  }

  #forgetLast(): void {
    if (this.#recent.pop() === undefined) this.#settled.pop()
  }

  #append(gap: Gap): void {
    this.#count(gap, 1)
    const last = this.#recent.at(-1)
    if (last?.toMs === gap.fromMs && last.cause === gap.cause) {
      this.#recent[this.#recent.length - 1] = { ...last, toMs: gap.toMs }
      return
    }
    this.#list(gap)
  }

  #list(gap: Gap): void {
    this.#recent.push(gap)
    if (this.#recent.length <= RECENT) return
    const oldest = this.#recent.shift()!
    if (this.#settled.length < MAX_LISTED) this.#settled.push(oldest)
  }

  #findLate({ fromMs, toMs }: Gap): void {
    const parts = this.#recent.flatMap((gap): Gap[] => {
      const from = Math.max(fromMs, gap.fromMs)
      const to = Math.min(toMs, gap.toMs)
      if (gap.cause !== 'lost' || to <= from) return [gap]
      this.#count({ fromMs: from, toMs: to, cause: 'lost' }, -1)
      this.#count({ fromMs: from, toMs: to, cause: 'late' }, 1)
      return [
        { ...gap, toMs: from },
        { fromMs: from, toMs: to, cause: 'late' },
        { ...gap, fromMs: to },
      ].filter((part): part is Gap => part.toMs > part.fromMs)
    })
    this.#recent.splice(0, this.#recent.length, ...parts)
  }

  /** The gap where no other is. */
  #addBetween(gap: Gap): void {
    let { fromMs } = gap
    const others = this.#recent.splice(0).filter((other) => {
      const isBefore = other.toMs <= fromMs
      if (isBefore) this.#recent.push(other)
      return !isBefore
    })
    for (const other of others) {
      const toMs = Math.min(gap.toMs, other.fromMs)
      if (toMs > fromMs) {
        this.#count({ ...gap, fromMs, toMs }, 1)
        this.#recent.push({ ...gap, fromMs, toMs })
      }
      this.#recent.push(other)
      fromMs = Math.max(fromMs, other.toMs)
    }
    if (gap.toMs > fromMs) this.#append({ ...gap, fromMs })
  }

  #count({ fromMs, toMs, cause }: Gap, sign: 1 | -1): void {
    this.#missingMs[cause] = Math.max(0, (this.#missingMs[cause] ?? 0) + sign * (toMs - fromMs))
  }
}
