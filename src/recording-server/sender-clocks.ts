// How much later than the fastest of them the streams of one sender arrive, by its sender reports (RFC 3550 section 6.4.1): arrival
// alone does not tell a way through the network that is always longer from words that were said later.

/** Reports that must agree before they are believed. */
const LEAST_REPORTS = 3
/** One that follows sooner tells nothing new. */
const LEAST_APART_MS = 500
/** Reports of a packet's time rather than of now differ by a packet; what differs by more is no clock, or jitter in front of the sender. */
const MOST_SPREAD_MS = 30
/** No network keeps one of two streams back for longer: these are two clocks that go by one name. */
const MOST_LATER_MS = 500
/** By then the clocks may have come apart, or the source is gone (section 6.3.5). */
const FRESH_MS = 30_000
/** Names that are longer are no CNAME (section 6.5). */
const MOST_NAME = 255

interface Reported {
  readonly cname: string
  /** From saying to arrival by two clocks whose difference nobody knows, of the latest reports, in milliseconds. */
  readonly transits: number[]
  atMs: number
}

/** The reports of all sources of one recording. */
export class SenderClocks {
  readonly #sources = new Map<object, Reported>()

  /**
   * Notes a report: `cname` tells whose clock it goes by (section 6.5.1), `transitMs` the time from its moment to the arrival of what was
   * said then, `atMs` when it came. By how much later than the fastest source of that clock this one arrives; undefined while nobody can say.
   */
  note(source: object, cname: string, transitMs: number, atMs: number): number | undefined {
    if (cname === '' || cname.length > MOST_NAME) return undefined
    const known = this.#sources.get(source)
    const isKnown = known?.cname === cname
    if (isKnown && atMs - known.atMs < LEAST_APART_MS) return undefined
    const reported = isKnown ? known : { cname, transits: [], atMs }
    this.#sources.set(source, reported)
    reported.atMs = atMs
    reported.transits.push(transitMs)
    if (reported.transits.length > LEAST_REPORTS) reported.transits.shift()
    if (Math.max(...reported.transits) - Math.min(...reported.transits) > MOST_SPREAD_MS)
      this.#mistrust(cname, reported)
    return this.#later(source, reported)
  }

  /** Says no more of a source: it is another one now, or over. */
  forget(source: object): void {
    this.#sources.delete(source)
  }

  /** A clock that jumped is asked again when every source of it has told anew. */
  #mistrust(cname: string, jumped: Reported): void {
    for (const reported of this.#sources.values()) {
      if (reported.cname === cname)
        reported.transits.splice(0, reported === jumped ? reported.transits.length - 1 : LEAST_REPORTS)
    }
  }

  #later(source: object, reported: Reported): number | undefined {
    const own = transitOf(reported)
    if (own === undefined) return undefined
    let least: number | undefined
    for (const [other, each] of this.#sources) {
      const isComparable = other !== source && each.cname === reported.cname && reported.atMs - each.atMs <= FRESH_MS
      const transit = isComparable ? transitOf(each) : undefined
      if (transit !== undefined && Math.abs(own - transit) <= MOST_LATER_MS) least = Math.min(least ?? own, transit)
    }
    return least === undefined ? undefined : own - least
  }
}

/** What a sender says late, of a packet that was late itself, makes the way look shorter: the longest is right. */
function transitOf({ transits }: Reported): number | undefined {
  return transits.length < LEAST_REPORTS ? undefined : Math.max(...transits)
}
