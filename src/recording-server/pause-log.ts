// When the peer had announced that a stream is paused.

/** Pauses that are kept, the last ones: gaps are explained soon after they end. */
const MAX_PAUSES = 1000

/** Pauses of one stream, in milliseconds of the recording. */
export class PauseLog {
  readonly #pauses: { readonly fromMs: number; toMs: number }[] = []

  /** Notes that a pause begins or ends; repeating the state changes nothing. */
  set(isPaused: boolean, atMs: number): void {
    const running = this.#running()
    if (isPaused && running === undefined) {
      this.#pauses.push({ fromMs: atMs, toMs: Number.POSITIVE_INFINITY })
      if (this.#pauses.length > MAX_PAUSES) this.#pauses.shift()
    }
    if (!isPaused && running !== undefined) running.toMs = atMs
  }

  /** Whether any pause overlaps the interval. */
  touches(fromMs: number, toMs: number): boolean {
    return this.#pauses.some((pause) => pause.fromMs < toMs && pause.toMs > fromMs)
  }

  #running(): { toMs: number } | undefined {
    const last = this.#pauses.at(-1)
    return last?.toMs === Number.POSITIVE_INFINITY ? last : undefined
  }
}
