// One delivery out of the spool: a recording session with the first recorder of a list that takes it.

import type { Timer } from '#kernel'
import { parseSipUri } from '#sip'
import type { RecorderProfile } from './recorder-profile.ts'
import { RecordingSession } from './recording-session.ts'
import type { SessionSurroundings } from './session-port.ts'
import { SpooledCall } from './spool-call.ts'
import type { SpoolFacts } from './spool-facts.ts'
import type { DeliverySession, SpoolPort } from './spool-port.ts'

/** What became of an attempt at a recorder. */
export interface DeliveryAttempt {
  readonly recorder: string
  readonly session: DeliverySession
  readonly packets: number
  /** Absent when it was delivered. */
  readonly problem?: string
}

/** A recorder that takes a delivery and wants nothing of it for so long has not taken it: others wait behind it. */
const HELD_MS = 60_000

/** Asks one recorder after another until one has all of it. */
export class SpoolDelivery {
  readonly #id: string
  readonly #facts: SpoolFacts
  readonly #spool: SpoolPort
  readonly #around: SessionSurroundings
  #attempts = 0

  constructor(id: string, facts: SpoolFacts, spool: SpoolPort, around: SessionSurroundings) {
    this.#id = id
    this.#facts = facts
    this.#spool = spool
    this.#around = around
  }

  /** Delivers to one recorder of a list; the last attempt says whether that went well. */
  async run(target: readonly string[]): Promise<readonly DeliveryAttempt[]> {
    const attempts: DeliveryAttempt[] = []
    for (const uri of this.#around.recorders.candidates(target)) {
      const parsed = parseSipUri(uri)
      if (!parsed.ok || !this.#around.destinations.allows(parsed.value)) continue
      const attempt = await this.#attempt(uri, this.#around.recorders.profileOf(parsed.value))
      attempts.push(attempt)
      if (attempt.problem === undefined) break
    }
    return attempts
  }

  #attempt(uri: string, profile: RecorderProfile): Promise<DeliveryAttempt> {
    const { clock, times } = this.#around
    const { recording, recordingId, headers, application, span } = this.#facts
    const call = new SpooledCall(this.#id, this.#facts, this.#spool)
    this.#attempts += 1
    const id = `${recording}/${this.#id}-${this.#attempts}`
    const plan = {
      id,
      uri,
      profile,
      call,
      streams: call.streams,
      recordingId,
      headers,
      ...(application !== undefined && { application }),
      spooled: span,
      pace: this.#spool.deliverySpeed,
    }
    return new Promise((resolve) => {
      let packets = 0
      let isSent = false
      let broken = 'the recorder ended the session'
      let held: Timer | undefined
      const finish = (problem: string | undefined): void => {
        unsubscribe()
        patience.cancel()
        held?.cancel()
        void session.forksSettled().then(() => {
          const { sipCallId } = session
          const told = { id, ...(sipCallId === undefined ? {} : { sipCallId }) }
          resolve({ recorder: uri, session: told, packets, ...(problem === undefined ? {} : { problem }) })
        })
      }
      const session = new RecordingSession(plan, this.#around, {
        onForkClosed: (counters) => {
          packets += counters.packets
        },
        onReport: (report) => {
          if (report.type === 'accepted') patience.cancel()
          else if (report.type === 'paused-by-recorder') {
            held = clock.after(HELD_MS, 'recording spool delivery', () => session.abandon('it wants nothing now'))
          } else if (report.type === 'resumed-by-recorder') held?.cancel()
          else if (report.type === 'failed') finish(`refused: ${report.status}`)
          else if (report.type === 'lost') finish(`lost: ${report.reason}`)
          else if (report.type === 'closed' && isSent) finish(report.isHeard ? undefined : 'its end was not answered')
          else if (report.type === 'closed') finish(broken)
        },
      })
      const unsubscribe = this.#spool.onEvent((event) => {
        if (event.id !== this.#id) return
        if (event.type === 'sent') {
          isSent = true
          call.sent()
        } else broken = event.reason
        session.wish('stopped')
      })
      const patience = clock.after(times.answerDeadlineMs, 'recording spool delivery', () => session.giveUp())
      session.open()
    })
  }
}
