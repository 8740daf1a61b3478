// Asking a recording client for whole pictures in its dialog, where RTCP may not (RFC 5168, RFC 7866 section 8.1.7.1.1).

import type { Clock, Logger, Timer } from '#kernel'
import type { InviteDialog } from '#sip'

const MEDIA_CONTROL = 'application/media_control+xml'
const FAST_UPDATE =
  '<?xml version="1.0" encoding="utf-8"?><media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>'
/** Whole pictures are large: they are not asked for more often. */
const LEAST_INTERVAL_MS = 1000

/** Requests of one recording session, for all its video at once. */
export class PictureRequests {
  readonly #clock: Clock
  readonly #log: Logger
  #askedAtMs = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined
  #isUnderstood = true

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock
    this.#log = log
  }

  /** Sends an INFO, now or when it is due again, unless the client does not allow it or refused one before. */
  ask(dialog: InviteDialog): void {
    if (!this.#isUnderstood || this.#timer !== undefined || !dialog.remoteAllow.has('INFO')) return
    const waitMs = this.#askedAtMs + LEAST_INTERVAL_MS - this.#clock.nowMs()
    if (waitMs <= 0) void this.#send(dialog)
    else this.#timer = this.#clock.after(waitMs, 'picture-request', () => void this.#send(dialog))
  }

  /** The session is over. */
  close(): void {
    this.#timer?.cancel()
    this.#isUnderstood = false
  }

  async #send(dialog: InviteDialog): Promise<void> {
    this.#timer = undefined
    if (!this.#isUnderstood) return
    this.#askedAtMs = this.#clock.nowMs()
    const content = new TextEncoder().encode(FAST_UPDATE)
    const { status } = await dialog.request('INFO', { body: { contentType: MEDIA_CONTROL, content } })
    if (status < 300) return
    this.#isUnderstood = false
    this.#log.info('whole picture refused', { status })
  }
}
