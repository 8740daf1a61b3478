// The ledger of a recording: a row per recorder that says what it was asked, what it was sent, and what it was not sent and why.
// It is proof of the sending side; times are milliseconds since 1970.

import type { ForkCounters } from '#engine'
import type { Clock } from '#kernel'

/** A time in which a recorder was not sent all there was. */
export interface LedgerGap {
  /** `pause`, why the recorder was lost, or what it did not take. */
  readonly reason: string
  readonly fromMs: number
  /** Labels of the streams that were not sent; absent: nothing was. */
  readonly streams?: readonly string[]
  /** Absent while it lasts. */
  readonly toMs?: number
}

/** A time in which nothing said that audio arrived. */
export interface LedgerDoubt {
  /** The likely cause. */
  readonly cause: string
  /** When it was told. */
  readonly fromMs: number
  /** Absent while it lasts. */
  readonly toMs?: number
}

/** What one recorder had of one recording. */
export interface LedgerRow {
  readonly recorder: string
  readonly askedAtMs: number
  readonly answeredAtMs?: number
  readonly firstPacketAtMs?: number
  readonly lastPacketAtMs?: number
  /** INVITEs to it, each with a recording session of its own. */
  readonly invitations: number
  readonly packetsSent: number
  readonly packetsHeld: number
  readonly packetsMasked: number
  /** Part of those sent. */
  readonly packetsReplayed: number
  readonly sendErrors: number
  /** The recorder whose place it took. */
  readonly tookOverFrom?: string
  /** How long that took, in ms: since the start was asked for, or since that recorder was lost. */
  readonly tookOverAfterMs?: number
  /** The recorder that took its place. */
  readonly takenOverBy?: string
  /** The first hundred. */
  readonly gaps: readonly LedgerGap[]
  /** Of all of them, those under way included. */
  readonly gapMs: number
  /** Why no audio may have arrived, told last, and in what time nothing said that it did. */
  readonly noAudio?: LedgerDoubt
  /** Latest result: `accepted`, `paused`, `failed(486)`, `lost`… */
  readonly outcome: string
}

const maxGaps = 100

type OpenGap = Omit<LedgerGap, 'toMs'> & { toMs?: number }

type Sums = Pick<LedgerRow, 'packetsSent' | 'packetsHeld' | 'packetsMasked' | 'packetsReplayed' | 'sendErrors'>

interface Entry {
  readonly askedAtMs: number
  answeredAtMs?: number
  firstPacketAtMs?: number
  lastPacketAtMs?: number
  invitations: number
  tookOverFrom?: string
  tookOverAfterMs?: number
  takenOverBy?: string
  noAudio?: LedgerDoubt
  readonly gaps: OpenGap[]
  open: OpenGap | undefined
  closedGapMs: number
  outcome: string
  /** Latest counters by fork. */
  readonly forks: Map<string, ForkCounters>
}

/** The ledger of one recording. */
export class Ledger {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The rows in the order in which recorders were asked. */
  get rows(): LedgerRow[] {
    return [...this.#entries].map(([recorder, entry]) => this.#rowOf(recorder, entry))
  }

  asked(recorder: string): void {
    const known = this.#entries.get(recorder)
    if (known !== undefined) known.invitations += 1
    else {
      const askedAtMs = this.#clock.wallMs()
      this.#entries.set(recorder, {
        askedAtMs,
        invitations: 1,
        gaps: [],
        open: undefined,
        closedGapMs: 0,
        outcome: 'pending',
        forks: new Map(),
      })
    }
  }

  answered(recorder: string): void {
    const entry = this.#entries.get(recorder)
    if (entry !== undefined) entry.answeredAtMs ??= this.#clock.wallMs()
  }

  outcome(recorder: string, outcome: string): void {
    const entry = this.#entries.get(recorder)
    if (entry !== undefined) entry.outcome = outcome
  }

  /** One recorder goes on in the place of another, whose gap ends with that; `afterMs`: how long that took. */
  moved(from: string, to: string, afterMs: number): void {
    const [left, taken] = [this.#entries.get(from), this.#entries.get(to)]
    // A recorder that took its own place said itself whether it gets audio.
    if (from === to) return
    this.gapEnds(from)
    if (left === undefined || taken === undefined) return
    left.takenOverBy = to
    taken.tookOverFrom = from
    taken.tookOverAfterMs = Math.round(afterMs)
  }

  /** Takes the latest counters of a fork, whether it lives or not. */
  counted(recorder: string, counters: ForkCounters): void {
    const entry = this.#entries.get(recorder)
    if (entry === undefined) return
    entry.forks.set(counters.fork, counters)
    if (counters.firstAtMs !== undefined) this.#sent(entry, counters.firstAtMs)
    if (counters.lastAtMs !== undefined) this.#sent(entry, counters.lastAtMs)
  }

  firstPacket(recorder: string, atMs: number): void {
    const entry = this.#entries.get(recorder)
    if (entry !== undefined) this.#sent(entry, atMs)
  }

  /**
   * From now on the recorder is not sent all there is, or has not been since `fromMs`, but for what is a gap already; another reason than
   * before begins another gap. `streams`: labels of those that it does not get, where it gets others.
   */
  gapBegins(recorder: string, reason: string, fromMs = this.#clock.wallMs(), streams?: readonly string[]): void {
    const entry = this.#entries.get(recorder)
    if (entry === undefined || entry.open?.reason === reason) return
    this.#closeGap(entry, this.#clock.wallMs())
    entry.open = { reason, ...(streams && { streams }), fromMs: this.#fill(entry, reason, fromMs) }
    if (entry.gaps.length < maxGaps) entry.gaps.push(entry.open)
  }

  /** Nothing says that the recorder gets audio; undefined: something does by now. */
  doubted(recorder: string, cause: string | undefined): void {
    const entry = this.#entries.get(recorder)
    if (entry === undefined) return
    const nowMs = this.#clock.wallMs()
    if (cause !== undefined) entry.noAudio = { cause, fromMs: nowMs }
    else if (entry.noAudio !== undefined) entry.noAudio = { ...entry.noAudio, toMs: nowMs }
  }

  gapEnds(recorder: string): void {
    const entry = this.#entries.get(recorder)
    if (entry !== undefined) this.#closeGap(entry, this.#clock.wallMs())
  }

  /** The recording is over. */
  close(): void {
    for (const recorder of this.#entries.keys()) this.gapEnds(recorder)
  }

  /** Makes gaps of what lies before and between those that there are since `fromMs`; returns where the last of them ends. */
  #fill(entry: Entry, reason: string, fromMs: number): number {
    const nowMs = this.#clock.wallMs()
    let atMs = fromMs
    for (const gap of [...entry.gaps]) {
      const { toMs = nowMs } = gap
      // The system's clock may have been set back since.
      if (toMs <= fromMs || gap.fromMs >= nowMs) continue
      if (gap.fromMs > atMs) {
        entry.closedGapMs += gap.fromMs - atMs
        entry.gaps.splice(entry.gaps.indexOf(gap), 0, { reason, fromMs: atMs, toMs: gap.fromMs })
      }
      atMs = Math.max(atMs, toMs)
    }
    return atMs
  }

  #closeGap(entry: Entry, atMs: number): void {
    if (entry.open === undefined) return
    entry.open.toMs = Math.max(entry.open.fromMs, atMs)
    entry.closedGapMs += entry.open.toMs - entry.open.fromMs
    entry.open = undefined
  }

  #sent(entry: Entry, atMs: number): void {
    entry.firstPacketAtMs = Math.min(entry.firstPacketAtMs ?? atMs, atMs)
    entry.lastPacketAtMs = Math.max(entry.lastPacketAtMs ?? atMs, atMs)
  }

  #rowOf(recorder: string, entry: Entry): LedgerRow {
    const { forks, open, closedGapMs, gaps, ...facts } = entry
    const openMs = open === undefined ? 0 : Math.max(0, this.#clock.wallMs() - open.fromMs)
    return { recorder, ...facts, ...sumsOf(forks), gaps: gaps.map((gap) => ({ ...gap })), gapMs: closedGapMs + openMs }
  }
}

function sumsOf(forks: ReadonlyMap<string, ForkCounters>): Sums {
  const sum = (of: (counters: ForkCounters) => number): number =>
    [...forks.values()].reduce((total, counters) => total + of(counters), 0)
  return {
    packetsSent: sum((fork) => fork.packets),
    packetsHeld: sum((fork) => fork.held),
    packetsMasked: sum((fork) => fork.masked ?? 0),
    packetsReplayed: sum((fork) => fork.replayed ?? 0),
    sendErrors: sum((fork) => fork.sendErrors),
  }
}
