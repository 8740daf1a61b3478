// The 48-bit packet index of one SSRC: rollover counter by estimate, and which indices were used already (RFC 3711 section 3.3).

/** Packets from one rollover to the next. */
export const SEQUENCE_MODULUS = 0x10000
const HALF = 0x8000
/** How far behind the highest index a packet may be; RFC 3711 section 3.3.2 wants 64 at least. */
const WINDOW = 128

/** Which indices were used: none is taken twice, none that is too old. */
export class ReplayWindow {
  /** -1 before the first. */
  highest: number
  readonly #floor: number
  readonly #seen = new Float64Array(WINDOW).fill(-1)

  /** `floor`: nothing up to it is allowed, whether it was used or not; -1 where there was nothing before. */
  constructor(floor = -1) {
    this.#floor = floor
    this.highest = floor
  }

  /** Whether nothing was used yet, the time before the floor aside. */
  get isFresh(): boolean {
    return this.highest === this.#floor
  }

  /** Whether an index is neither used nor too old. */
  allows(index: number): boolean {
    return index > this.#floor && index > this.highest - WINDOW && this.#seen[index % WINDOW] !== index
  }

  /** Marks an index as used. */
  use(index: number): void {
    this.#seen[index % WINDOW] = index
    if (index > this.highest) this.highest = index
  }
}

/** The index that a sequence number most likely means, given the highest so far; negative: before the first rollover (appendix A). */
export function estimateIndex(highest: number, sequence: number): number {
  if (highest < 0) return sequence
  const last = highest % SEQUENCE_MODULUS
  const base = highest - last
  if (last < HALF) return sequence - last > HALF ? base - SEQUENCE_MODULUS + sequence : base + sequence
  return last - HALF > sequence ? base + SEQUENCE_MODULUS + sequence : base + sequence
}
