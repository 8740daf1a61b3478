// How long packets of a stream are whose payload does not tell.

const MOST_STEPS = 16

/** The most common distance in time between packets that follow each other. */
export class UsualStep {
  readonly #counts = new Map<number, number>()
  #usual: number | undefined

  /** Undefined before the first pair of packets. */
  get usual(): number | undefined {
    return this.#usual
  }

  add(step: number): void {
    if (step <= 0 || step > 0x7fff_0000) return
    const count = (this.#counts.get(step) ?? 0) + 1
    if (count === 1 && this.#counts.size >= MOST_STEPS) return
    this.#counts.set(step, count)
    if (count > (this.#usual === undefined ? 0 : this.#counts.get(this.#usual)!)) this.#usual = step
  }
}
