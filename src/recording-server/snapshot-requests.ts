// Asking a recording client for a complete metadata document (RFC 7866 section 9.2, SRS-41 to SRS-44).

import type { Clock, Logger } from '#kernel'
import type { InviteDialog } from '#sip'
import { METADATA_DISPOSITION, METADATA_TYPE, writeSnapshotRequest } from '#siprec'

const LEAST_INTERVAL_MS = 10_000
const MOST_REQUESTS = 3
/** Answers that say that the client does not know snapshots. */
const NEVER = new Set([405, 415, 488, 501])

/** Snapshot requests of one recording session, within limits. */
export class SnapshotRequests {
  readonly #clock: Clock
  readonly #log: Logger
  #sent = 0
  #lastMs = Number.NEGATIVE_INFINITY
  #isUnderstood = true

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock
    this.#log = log
  }

  /** Sends an UPDATE unless the client does not allow it, refused one before, or was asked often or just now. */
  async ask(dialog: InviteDialog): Promise<void> {
    const nowMs = this.#clock.nowMs()
    const isDue = this.#sent < MOST_REQUESTS && nowMs - this.#lastMs >= LEAST_INTERVAL_MS
    if (!this.#isUnderstood || !isDue || !dialog.remoteAllow.has('UPDATE')) return
    this.#sent += 1
    this.#lastMs = nowMs
    const { status } = await dialog.request('UPDATE', {
      headers: [['Require', 'siprec']],
      body: { contentType: METADATA_TYPE, disposition: METADATA_DISPOSITION, content: writeSnapshotRequest() },
    })
    this.#isUnderstood = !NEVER.has(status)
    if (status >= 300) this.#log.info('metadata snapshot refused', { status })
  }
}
