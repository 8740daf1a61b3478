// One synthetic recording session: INVITE, tone, pause, resume, document, BYE; and what the recorder said to each.

import { tone } from '#audio'
import type { Clock, Ids } from '#kernel'
import { type CryptoSuite, LocalDescription, type ParsedSdp, parseSdp, remoteOf } from '#sdp'
import type { Credentials, InviteDialog, RequestOutcome, SipBody, SipCore, SipMessage, SipResponse } from '#sip'
import { isMetadata, isSdp, parseBody, recordingBody } from '#siprec'
import { checkDocument, offeredLines } from './check-offer.ts'
import { type CheckSockets, CheckStream } from './check-stream.ts'

/** What a check runs on. */
export interface CheckSurroundings {
  readonly core: SipCore
  readonly sockets: CheckSockets
  readonly clock: Clock
  readonly ids: Ids
  /** IP literal of our media, as written into SDP. */
  readonly mediaHost: string
  /** From of the session as name-addr. */
  readonly from: string
}

/** What is tried. */
export interface SessionAttempt {
  readonly uri: string
  /** SRTP suites offered; none: plain RTP. */
  readonly suites: readonly CryptoSuite[]
  readonly metadataType: string
  readonly credentials?: Credentials | undefined
}

/** The INVITE's outcome, and the session if there is one. */
export type SessionStart =
  | { readonly session: CheckSession; readonly response: SipResponse }
  | { readonly session?: undefined; readonly outcome: RequestOutcome }

const SESSION_EXPIRES_SECONDS = 1800
const tones = [440, 1000] as const

/** A session that the recorder accepted. */
export class CheckSession {
  readonly streams: readonly CheckStream[]
  /** Requests of the recorder's own, by method; a snapshot request is `snapshot`. */
  readonly heard: string[] = []
  answer: ParsedSdp | undefined
  dialog: InviteDialog | undefined
  isEnded = false
  readonly #around: CheckSurroundings
  readonly #attempt: SessionAttempt
  readonly #description: LocalDescription

  constructor(around: CheckSurroundings, attempt: SessionAttempt, streams: readonly CheckStream[]) {
    this.#around = around
    this.#attempt = attempt
    this.streams = streams
    const sessionId = `${around.ids.integer(2 ** 47)}`
    this.#description = new LocalDescription({ sessionId, address: around.mediaHost })
  }

  /** Where what was answered wants packets, in our order; sends the tone there in a codec that both know. */
  speak(): void {
    for (const [index, stream] of this.streams.entries()) {
      const media = this.answer?.media[index]
      const target = this.answer === undefined || media === undefined ? undefined : remoteOf(media, this.answer)?.rtp
      stream.aim(target, media?.formats.includes('0') === false ? 8 : 0)
    }
  }

  hush(): void {
    for (const stream of this.streams) stream.aim(undefined, 0)
  }

  /** Offers anew by re-INVITE or UPDATE. */
  async offer(method: 'INVITE' | 'UPDATE', direction: 'sendonly' | 'inactive'): Promise<RequestOutcome> {
    const options = { headers: [['Require', 'siprec'] as const], body: this.body(direction) }
    const { dialog } = this
    if (dialog === undefined || this.isEnded) return { status: 481, reason: 'no session', cause: 'dialog-gone' }
    return await (method === 'INVITE' ? dialog.reinvite(options) : dialog.request('UPDATE', options))
  }

  async bye(): Promise<RequestOutcome | undefined> {
    this.hush()
    const outcome = this.isEnded ? undefined : await this.dialog?.bye()
    this.close()
    return outcome
  }

  close(): void {
    for (const stream of this.streams) stream.close()
  }

  /** Offer and document. */
  body(direction: 'sendonly' | 'inactive'): SipBody {
    const { ids, clock } = this.#around
    const { suites, metadataType } = this.#attempt
    const ports = this.streams.map((stream) => stream.port)
    const sdp = this.#description.describe(offeredLines(ports, direction, suites, ids))
    const parts = { sdp, metadata: checkDocument(ids, clock.wallMs()), metadataType }
    return recordingBody(parts, ids) ?? { contentType: 'application/sdp', content: sdp }
  }

  /** The description last given, for requests of the recorder's own. */
  get current(): SipBody {
    return { contentType: 'application/sdp', content: this.#description.current() ?? new Uint8Array() }
  }
}

/** Invites the recorder; a refusal closes the media again. */
export async function startSession(around: CheckSurroundings, attempt: SessionAttempt): Promise<SessionStart> {
  const { core, sockets, clock, ids } = around
  const streams: CheckStream[] = []
  for (const hertz of tones)
    streams.push(await CheckStream.open(sockets, clock, ids.integer(2 ** 31), tone(hertz, 1000)))
  const session = new CheckSession(around, attempt, streams)
  return await new Promise((resolve) => {
    core.invite(
      {
        uri: attempt.uri,
        from: around.from,
        contactParams: '+sip.src',
        headers: [
          ['Require', 'siprec'],
          ['Accept', 'application/sdp, application/rs-metadata+xml, application/rs-metadata'],
        ],
        body: session.body('sendonly'),
        sessionTimer: { expiresSeconds: SESSION_EXPIRES_SECONDS },
        ...(attempt.credentials && { credentials: attempt.credentials }),
      },
      {
        onAccepted: (dialog, response) => {
          session.dialog = dialog
          session.answer = sdpOf(response)
          dialog.handlers = handlersOf(session)
          resolve({ session, response })
        },
        onFailed: (outcome) => {
          session.close()
          resolve({ outcome })
        },
      },
    )
  })
}

function handlersOf(session: CheckSession): InviteDialog['handlers'] {
  return {
    onRequest: (incoming) => {
      const { method } = incoming.request
      session.heard.push(asksForSnapshot(incoming.request) ? 'snapshot' : method)
      if (method === 'INVITE') incoming.respond(200, { body: session.current })
      else incoming.respond(200)
    },
    onEnd: () => {
      session.isEnded = true
    },
  }
}

/** The description of a message; undefined without a readable one. */
export function sdpOf({ headers, body }: SipMessage): ParsedSdp | undefined {
  const { parts } = parseBody(headers.get('Content-Type'), headers.get('Content-Disposition'), body)
  const sdp = parts.find(isSdp)
  const parsed = sdp === undefined ? undefined : parseSdp(sdp.content)
  return parsed?.ok ? parsed.value : undefined
}

function asksForSnapshot({ headers, body }: SipMessage): boolean {
  const { parts } = parseBody(headers.get('Content-Type'), headers.get('Content-Disposition'), body)
  return parts.some(isMetadata)
}
