// A call out of the spool: what it was when it was recorded, and the media that was kept of it.

import type { CallSnapshot } from '#call'
import type { ForkMedia } from '#engine'
import type { RecordedCall } from './session-port.ts'
import type { SpoolFacts } from './spool-facts.ts'
import type { SpoolPort } from './spool-port.ts'

/** The call of a delivery: as it was recorded, until all has been sent, and then as it ended. */
export class SpooledCall implements RecordedCall {
  readonly callId: string
  readonly media: ForkMedia
  readonly #facts: SpoolFacts
  #isSent = false

  constructor(id: string, facts: SpoolFacts, spool: SpoolPort) {
    this.callId = facts.live.callId
    this.media = spool.delivery(id, facts.codecs)
    this.#facts = facts
  }

  snapshot(): CallSnapshot {
    const { live, ended, codecs } = this.#facts
    const moment = this.#isSent ? (ended ?? live) : live
    return { ...moment, encodings: codecs.map(({ encoding }) => encoding) }
  }

  /** All has been sent: documents tell the end from now on. */
  sent(): void {
    this.#isSent = true
  }
}
