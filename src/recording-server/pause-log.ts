// When the peer had announced that a stream is paused.

/** Pauses of one stream, in milliseconds of the recording. */
export class PauseLog {
  readonly #pauses: { readonly fromMs: number; toMs: number }[] = []

  /** Notes that a pause begins or ends; repeating the state changes nothing. */
  set(isPaused: boolean, atMs: number): void {
    const running = this.#running()
    if (isPaused && running === undefined) this.#pauses.push({ fromMs: atMs, toMs: Number.POSITIVE_INFINITY })
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
