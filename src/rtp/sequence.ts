// Sequence number and timestamp arithmetic: wrap, loss, reordering, restart (RFC 3550 appendix A.1).

const MAX_DROPOUT = 3000
const MAX_MISORDER = 100
const SEQUENCE_MODULUS = 0x10000
/** How many numbers behind the highest are remembered, to tell late packets from repeated ones. */
const WINDOW = 128

/** Signed distance from one 32-bit timestamp to another. */
export function timestampDistance(from: number, to: number): number {
  return (to - from) | 0
}

/** What a sequence number means beside those before it. `stray`: an implausible jump, to be dropped until a second packet confirms it. */
export type SequenceKind = 'in-order' | 'gap' | 'reordered' | 'duplicate' | 'restart' | 'stray'

/** Verdict on one packet; the object is reused by the next `accept`. */
export interface SequenceVerdict {
  /** Grows over wraps and restarts, never ambiguous within a stream. */
  readonly extended: number
  readonly kind: SequenceKind
  /** Packets missing just before this one; only with kind `gap`. */
  readonly missing?: number
}

interface MutableVerdict {
  extended: number
  kind: SequenceKind
  missing?: number
}

/** Follows the sequence numbers of one SSRC. */
export class SequenceTracker {
  #started = false
  #highest = 0
  #cycles = 0
  /** The number that would confirm a restart; -1 when no jump is pending. */
  #expectedAfterJump = -1
  readonly #seen = new Float64Array(WINDOW).fill(Number.NaN)
  readonly #plain: MutableVerdict = { extended: 0, kind: 'in-order' }
  readonly #gap: MutableVerdict & { missing: number } = { extended: 0, kind: 'gap', missing: 0 }

  /** Highest extended sequence number so far. */
  get highestExtended(): number {
    return this.#cycles + this.#highest
  }

  /** Judges a packet; the result is valid until the next call. */
  accept(sequence: number): SequenceVerdict {
    if (!this.#started) {
      this.#started = true
      return this.#advance(sequence, 'in-order')
    }
    const ahead = (sequence - this.#highest) & 0xffff
    if (ahead !== 0 && ahead < MAX_DROPOUT) {
      if (sequence < this.#highest) this.#cycles += SEQUENCE_MODULUS
      return ahead === 1 ? this.#advance(sequence, 'in-order') : this.#advanceOver(sequence, ahead - 1)
    }
    if (ahead === 0 || ahead > SEQUENCE_MODULUS - MAX_MISORDER) return this.#late(sequence, ahead)
    if (sequence === this.#expectedAfterJump) {
      this.#cycles += SEQUENCE_MODULUS
      return this.#advance(sequence, 'restart')
    }
    this.#expectedAfterJump = (sequence + 1) & 0xffff
    return this.#verdict('stray', this.#cycles + sequence)
  }

  #late(sequence: number, ahead: number): SequenceVerdict {
    const extended = this.highestExtended - ((SEQUENCE_MODULUS - ahead) & 0xffff)
    const slot = sequence % WINDOW
    if (this.#seen[slot] === extended) return this.#verdict('duplicate', extended)
    this.#seen[slot] = extended
    return this.#verdict('reordered', extended)
  }

  #advance(sequence: number, kind: SequenceKind): SequenceVerdict {
    this.#highest = sequence
    this.#expectedAfterJump = -1
    this.#seen[sequence % WINDOW] = this.highestExtended
    return this.#verdict(kind, this.highestExtended)
  }

  #advanceOver(sequence: number, missing: number): SequenceVerdict {
    this.#advance(sequence, 'gap')
    this.#gap.extended = this.highestExtended
    this.#gap.missing = missing
    return this.#gap
  }

  #verdict(kind: SequenceKind, extended: number): SequenceVerdict {
    this.#plain.kind = kind
    this.#plain.extended = extended
    return this.#plain
  }
}
