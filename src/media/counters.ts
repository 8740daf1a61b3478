// Counters of one direction of a stream.

/** Counts packets; times are monotonic. */
export class StreamCount {
  packets = 0
  /** Payload bytes. */
  bytes = 0
  refused = 0
  firstAtMs: number | undefined
  /** NaN before the first packet: a field that is always a number costs no allocation. */
  lastAtMs = Number.NaN

  add(byteCount: number, nowMs: number): void {
    this.packets++
    this.bytes += byteCount
    this.firstAtMs ??= nowMs
    this.lastAtMs = nowMs
  }
}
