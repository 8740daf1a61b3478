// Offers and answers of one session after its first: the client's re-INVITEs and UPDATEs, and ours (RFC 3264, RFC 3311).

import { type Logger, messageOf } from '#kernel'
import { parseSdp } from '#sdp'
import type { IncomingRequest, InviteDialog, RequestOutcome, SipBody } from '#sip'
import type { OfferBodies, RequestBodies } from './recording-request.ts'
import type { RecordingServerEvent } from './server-events.ts'
import type { SessionRecord } from './session-record.ts'
import type { SessionStreams } from './session-streams.ts'

/** What offers work with. */
export interface SessionOffersOptions {
  readonly recordingId: string
  readonly streams: SessionStreams
  readonly record: SessionRecord
  readonly log: Logger
  readonly emit: (event: RecordingServerEvent) => void
}

/** The negotiation of one session. */
export class SessionOffers {
  readonly #options: SessionOffersOptions
  #wasSending = false

  constructor(options: SessionOffersOptions) {
    this.#options = options
  }

  /** There are streams, and none was ever to send. */
  get neverSent(): boolean {
    return this.#options.streams.view().length > 0 && !this.#wasSending
  }

  /** Our answer to an offer. Rejects with what the media side rejects. */
  async answer({ offer, offerText = '' }: OfferBodies): Promise<Uint8Array> {
    const { streams, record } = this.#options
    const warnings: string[] = []
    try {
      return await streams.answer(offer, offerText, warnings)
    } finally {
      record.warn(warnings)
    }
  }

  /**
   * 200 with our answer; with our offer to an offerless re-INVITE; empty to an UPDATE without offer. `keep` is waited for before
   * it leaves: what was answered is not forgotten. `onAnswer`: of an ACK.
   */
  async respond(
    incoming: IncomingRequest,
    bodies: RequestBodies,
    { keep, onAnswer }: { readonly keep: () => Promise<void>; readonly onAnswer: (body: Uint8Array) => void },
  ): Promise<void> {
    const { streams, log } = this.#options
    if (bodies.offer !== undefined) {
      const wasPaused = streams.isInterrupted
      try {
        const body = sdpBody(await this.answer({ ...bodies, offer: bodies.offer }))
        await keep()
        incoming.respond(200, { body })
      } catch (thrown) {
        log.error('offer could not be applied', { reason: messageOf(thrown) })
        incoming.respond(500)
      }
      this.#report(wasPaused)
      return
    }
    await keep().catch((thrown: unknown) => log.error('session not kept', { reason: messageOf(thrown) }))
    if (incoming.request.method === 'INVITE') {
      incoming.onAck = (ack) => onAnswer(ack.body)
      incoming.respond(200, { body: sdpBody(streams.offer()) })
    } else {
      incoming.respond(200)
    }
  }

  /** Offers what there is; `dropped` is taken away. */
  async send(dialog: InviteDialog, dropped?: number): Promise<RequestOutcome> {
    return await this.#offer(dialog, () => this.#options.streams.offer(dropped))
  }

  /** Offers what holds unchanged: a refresh for a client that takes no UPDATE (RFC 4028 section 7.4). */
  async refresh(dialog: InviteDialog): Promise<RequestOutcome> {
    const { streams } = this.#options
    return await this.#offer(dialog, () => streams.current ?? streams.offer())
  }

  /** What is offered is what holds when the offer leaves, which may be behind an offer of the client. */
  async #offer(dialog: InviteDialog, content: () => Uint8Array): Promise<RequestOutcome> {
    return await dialog.reinvite(() => ({ headers: [['Require', 'siprec']], body: sdpBody(content()) }))
  }

  /** Takes the answer to an offer of ours. */
  async takeAnswer(body: Uint8Array): Promise<void> {
    const { streams, record } = this.#options
    const wasPaused = streams.isInterrupted
    const answer = parseSdp(body)
    const warnings: string[] = []
    if (answer.ok) await streams.takeAnswer(answer.value, warnings)
    else warnings.push('answer to our offer is not readable')
    record.warn(warnings)
    this.#report(wasPaused)
  }

  /** Notes whether anything is sent now. */
  noteSending(): void {
    if (this.#options.streams.sendingChannels.length > 0) this.#wasSending = true
  }

  #report(wasPaused: boolean): void {
    const { streams, recordingId, emit } = this.#options
    this.noteSending()
    if (streams.isInterrupted !== wasPaused) emit({ type: wasPaused ? 'resumed' : 'paused', recordingId })
  }
}

function sdpBody(content: Uint8Array): SipBody {
  return { contentType: 'application/sdp', content }
}
