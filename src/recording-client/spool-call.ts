// A call out of the spool: what it was when it was recorded, and the media that was kept of it.

import type { CallSnapshot } from '#call'
import type { ForkMedia } from '#engine'
import type { MediaStyle } from './recorder-profile.ts'
import type { RecordedCall, SessionPlan } from './session-port.ts'
import type { SpoolFacts } from './spool-facts.ts'
import type { SpoolPort } from './spool-port.ts'
import type { StreamNow } from './streams.ts'

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

  /** The streams that were kept, each under its number in the place of its leg, as far as the recorder takes that side. */
  get streams(): SessionPlan['streams'] {
    return { now: (_snapshot, { side }) => this.#streamsOf(side) }
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

  #streamsOf(side: MediaStyle['side']): StreamNow[] {
    const { streams, live } = this.#facts
    const caller = live.parties.find(({ role }) => role === 'caller')?.leg
    return streams.flatMap((stream, index): StreamNow[] => {
      const { tap } = stream
      const isCaller = 'leg' in tap && tap.leg === caller && tap.point === 'received'
      if (side !== 'both' && isCaller !== (side === 'caller')) return []
      return [{ ...stream, tap: { leg: `${index}`, point: 'received' } }]
    })
  }
}
