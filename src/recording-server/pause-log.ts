// When a stream was silent on purpose, and whose purpose it was.

import type { GapCause } from '#store'

/** Why nothing is to be recorded; the first that holds is the cause of the gap. */
const CAUSES = ['paused-here', 'hold', 'paused-by-client'] as const

/** A reason for silence that somebody announced. */
export type PauseCause = (typeof CAUSES)[number]

/** Pauses that are kept, the last ones: gaps are explained soon after they end. */
const MAX_PAUSES = 1000
/** Packets stop before a pause is signalled, and come back after it is over: so much of either is still the pause. */
const EDGE_MS = 1000

/** A part of a gap; without cause where nobody had announced anything. */
export interface ExplainedPart {
  readonly fromMs: number
  readonly toMs: number
  readonly cause?: GapCause
}

/** Pauses of one stream, in milliseconds of the recording. */
export class PauseLog {
  readonly #pauses: { readonly fromMs: number; toMs: number; readonly cause: PauseCause }[] = []
  readonly #on = new Set<PauseCause>()

  /** Whether a cause holds now. */
  isOn(cause: PauseCause): boolean {
    return this.#on.has(cause)
  }

  /** Notes that a cause begins or ceases to hold; repeating the state changes nothing. */
  set(cause: PauseCause, isOn: boolean, atMs: number): void {
    if (isOn) this.#on.add(cause)
    else this.#on.delete(cause)
    const now = CAUSES.find((each) => this.#on.has(each))
    const last = this.#pauses.at(-1)
    const running = last?.toMs === Number.POSITIVE_INFINITY ? last : undefined
    if (running?.cause === now) return
    if (running !== undefined) running.toMs = atMs
    if (now === undefined) return
    this.#pauses.push({ fromMs: atMs, toMs: Number.POSITIVE_INFINITY, cause: now })
    if (this.#pauses.length > MAX_PAUSES) this.#pauses.shift()
  }

  /** Whether any pause overlaps the interval. */
  touches(fromMs: number, toMs: number): boolean {
    return this.#pauses.some((pause) => pause.fromMs < toMs && pause.toMs > fromMs)
  }

  /** Divides a gap by the pauses in it, in order and without holes. */
  explain(fromMs: number, toMs: number): ExplainedPart[] {
    const parts: ExplainedPart[] = []
    let at = fromMs
    for (const pause of this.#pauses) {
      const from = Math.max(at, pause.fromMs)
      const to = Math.min(toMs, pause.toMs)
      if (to <= from) continue
      if (from > at) append(parts, rest(at, from, parts.at(-1)?.cause ?? pause.cause))
      append(parts, { fromMs: from, toMs: to, cause: pause.cause })
      at = to
    }
    if (toMs > at) append(parts, rest(at, toMs, parts.at(-1)?.cause))
    return parts
  }
}

function rest(fromMs: number, toMs: number, neighbour: GapCause | undefined): ExplainedPart {
  return toMs - fromMs <= EDGE_MS && neighbour !== undefined ? { fromMs, toMs, cause: neighbour } : { fromMs, toMs }
}

function append(parts: ExplainedPart[], part: ExplainedPart): void {
  const last = parts.at(-1)
  if (last !== undefined && last.cause === part.cause) parts[parts.length - 1] = { ...last, toMs: part.toMs }
  else parts.push(part)
}
