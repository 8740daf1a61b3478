// One delivery out of the spool: a recording session with the first recorder of a list that takes it.

import { parseSipUri } from '#sip'
import { RecordingSession } from './recording-session.ts'
import type { RecordingSurroundings } from './session-port.ts'
import { SpooledCall } from './spool-call.ts'
import type { SpoolFacts } from './spool-facts.ts'
import type { SpoolPort } from './spool-port.ts'

/** What became of a delivery. */
export type DeliveryEnd =
  | { readonly type: 'delivered'; readonly recorder: string; readonly packets: number }
  | { readonly type: 'undelivered'; readonly reason: string }

/** Asks one recorder after another until one has all of it. */
export class SpoolDelivery {
  readonly #id: string
  readonly #facts: SpoolFacts
  readonly #spool: SpoolPort
  readonly #around: RecordingSurroundings
  #attempts = 0

  constructor(id: string, facts: SpoolFacts, spool: SpoolPort, around: RecordingSurroundings) {
    this.#id = id
    this.#facts = facts
    this.#spool = spool
    this.#around = around
  }

  /** Delivers to one recorder of a list. */
  async run(target: readonly string[]): Promise<DeliveryEnd> {
    let end: DeliveryEnd = { type: 'undelivered', reason: 'no recorder of its list is allowed here' }
    for (const uri of this.#around.recorders.candidates(target)) {
      const parsed = parseSipUri(uri)
      if (!parsed.ok || !this.#around.destinations.allows(parsed.value)) continue
      end = await this.#deliver(uri, this.#around.recorders.profileOf(parsed.value))
      if (end.type === 'delivered') break
    }
    return end
  }

  #deliver(uri: string, profile: RecordingSession['plan']['profile']): Promise<DeliveryEnd> {
    const { clock, times } = this.#around
    const { recording, recordingId, streams, headers, span } = this.#facts
    const call = new SpooledCall(this.#id, this.#facts, this.#spool)
    this.#attempts += 1
    const id = `${recording}/spooled-${this.#attempts}`
    const plan = { id, uri, profile, call, streams, recordingId, headers, spooled: span }
    return new Promise((resolve) => {
      let packets = 0
      let isSent = false
      let problem = 'the recorder ended the session'
      const finish = (end: DeliveryEnd): void => {
        unsubscribe()
        patience.cancel()
        void session.forksSettled().then(() => resolve(end.type === 'delivered' ? { ...end, packets } : end))
      }
      const session = new RecordingSession(plan, this.#around, {
        onForkClosed: (counters) => {
          packets += counters.packets
        },
        onReport: (report) => {
          if (report.type === 'accepted') patience.cancel()
          else if (report.type === 'failed') finish({ type: 'undelivered', reason: `refused: ${report.status}` })
          else if (report.type === 'lost') finish({ type: 'undelivered', reason: `lost: ${report.reason}` })
          else if (report.type === 'closed') {
            finish(isSent ? { type: 'delivered', recorder: uri, packets } : { type: 'undelivered', reason: problem })
          }
        },
      })
      const unsubscribe = this.#spool.onEvent((event) => {
        if (event.id !== this.#id) return
        if (event.type === 'sent') {
          isSent = true
          call.sent()
        } else problem = event.reason
        session.wish('stopped')
      })
      const patience = clock.after(times.answerDeadlineMs, 'recording spool delivery', () => session.giveUp())
      session.open()
    })
  }
}
