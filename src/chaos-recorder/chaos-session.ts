// One recording session at the chaos recorder: its dialog, its streams, the requests it sends itself.

import type { Clock, Ids, Logger } from '#kernel'
import { directionOf, labelOf, parseSdp, remoteOf, type SessionDescription, sends } from '#sdp'
import { parseNameAddr, type SipFlow, type SipRequest, type SipResponse, type SipTransportPort } from '#sip'
import { isSdp, METADATA_DISPOSITION, METADATA_TYPE, parseBody, writeSnapshotRequest } from '#siprec'
import { answerText } from './chaos-answer.ts'
import { type ChaosSockets, ChaosStream, type StreamCount } from './chaos-media.ts'
import { type ChaosBody, type HeaderPairs, requestBytes, sdpBody, transportWords } from './chaos-messages.ts'
import type { ChaosRequest } from './chaos-request.ts'
import type { AnswerChange, Sending } from './chaos-script.ts'

/** What the recorder needs around it. */
export interface ChaosSurroundings {
  readonly transport: SipTransportPort
  readonly sockets: ChaosSockets
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  /** IP literal of the media, as written into SDP. */
  readonly mediaHost: string
  /** Breaks the connection that a message came by. */
  readonly hangUp: (flow: SipFlow) => void
}

/** A session as it can be shown: what was asked of it, how its own requests were answered, what it heard. */
export interface ChaosSessionView {
  readonly callId: string
  readonly state: 'inviting' | 'up' | 'over'
  readonly requests: readonly string[]
  readonly answers: ReadonlyArray<{ readonly method: string; readonly status: number }>
  readonly streams: readonly StreamCount[]
}

const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO'

/** A session. */
export class ChaosSession {
  readonly tag: string
  readonly invite: ChaosRequest
  state: ChaosSessionView['state'] = 'inviting'
  readonly requests: string[] = []
  readonly #around: ChaosSurroundings
  readonly #answers: { method: string; status: number }[] = []
  readonly #own = new Map<number, { readonly method: string; readonly via: string }>()
  #streams: ChaosStream[] = []
  #offer: SessionDescription | undefined
  #peer: string
  #version = 0
  #cseq = 0
  #hasReports = true

  constructor(invite: ChaosRequest, around: ChaosSurroundings) {
    this.invite = invite
    this.#around = around
    this.tag = around.ids.hex(4)
    this.#peer = contactOf(invite.request) ?? invite.request.uri
  }

  get view(): ChaosSessionView {
    return {
      callId: this.invite.request.headers.get('Call-ID') ?? '',
      state: this.state,
      requests: this.requests,
      answers: this.#answers,
      streams: this.#streams.map((stream) => stream.count),
    }
  }

  /** Answers an offer, or any other request, with 200. */
  async accept(asked: ChaosRequest, change: AnswerChange = {}): Promise<void> {
    const { request } = asked
    if (asked.isSettled) return
    this.#peer = contactOf(request) ?? this.#peer
    const offer = offerOf(request)
    if (offer !== undefined) await this.#takeOffer(offer)
    const body = offer === undefined || change.body === 'none' ? undefined : this.#description(offer, change)
    const headers = this.#dialogHeaders(asked.flow, change)
    asked.respond(200, this.tag, headers, body)
    if (change.twice === true) asked.again(200, `${this.tag}-fork`, headers, body)
    if (request.method === 'INVITE' && this.state === 'inviting') this.state = 'up'
  }

  /** Sends a request within the dialog; its answer is in `view.answers`. */
  send({ method, direction, refuse, reason }: Sending): void {
    const { flow } = this.invite
    const isOffer = method === 'reinvite' || method === 'update'
    const change = {
      ...(direction === undefined ? {} : { direction }),
      ...(refuse === undefined ? {} : { refuse }),
    }
    const body = isOffer && this.#offer !== undefined ? this.#description(this.#offer, change) : undefined
    const isSnapshot = method === 'snapshot'
    this.#request(
      METHODS[method],
      [
        ...this.#dialogHeaders(flow, {}),
        ...(isOffer || isSnapshot ? [['Require', 'siprec'] as const] : []),
        ...(reason === undefined ? [] : [['Reason', reason] as const]),
      ],
      isSnapshot ? snapshotBody() : body,
    )
    if (method === 'bye') this.end()
  }

  /** A response to a request of ours; a final one to INVITE is acknowledged each time it comes. */
  onResponse(response: SipResponse): void {
    const cseq = response.headers.cseq()
    const number = cseq?.ok ? cseq.value.number : -1
    const own = this.#own.get(number)
    if (own === undefined || response.status < 200) return
    this.#answers.push({ method: own.method, status: response.status })
    if (own.method !== 'INVITE') return
    const via = response.status < 300 ? this.#newVia() : own.via
    this.#write('ACK', via, number, [])
  }

  stopReports(): void {
    this.#hasReports = false
    for (const stream of this.#streams) stream.stopReports()
  }

  closeMedia(): void {
    for (const stream of this.#streams) stream.close()
  }

  end(): void {
    this.state = 'over'
    this.closeMedia()
  }

  /** Headers of 200 and of our own requests. */
  #dialogHeaders(flow: SipFlow, { contact = true, featureTag = true }: AnswerChange): HeaderPairs {
    const { host, port } = this.#around.transport.localAddress(flow.transport)
    const uri = `sip:chaos@${host.includes(':') ? `[${host}]` : host}:${port}${transportWords(flow).parameter}`
    const written: HeaderPairs = contact ? [['Contact', `<${uri}>${featureTag ? ';+sip.srs' : ''}`]] : []
    return [...written, ['Allow', ALLOW], ['Accept', 'application/sdp, application/rs-metadata+xml']]
  }

  async #takeOffer(offer: SessionDescription): Promise<void> {
    const { sockets, clock, ids } = this.#around
    while (this.#streams.length < offer.media.length) {
      this.#streams.push(await ChaosStream.open(sockets, clock, ids.integer(2 ** 31)))
    }
    this.#offer = offer
    for (const [index, media] of offer.media.entries()) {
      const isActive = media.port !== 0 && sends(directionOf(media, offer))
      const isSecure = media.protocol.toUpperCase().includes('SAVP')
      const reportsTo = isSecure || !this.#hasReports ? undefined : remoteOf(media, offer)?.rtcp
      this.#streams[index]?.describe(labelOf(media) ?? '', !isActive, reportsTo)
    }
  }

  #description(offer: SessionDescription, change: AnswerChange): ChaosBody {
    const { mediaHost, ids } = this.#around
    this.#version += 1
    const ports = this.#streams.map((stream) => stream.port)
    const text = answerText(offer, { host: mediaHost, ports, version: this.#version, ids }, change)
    return sdpBody(text, change.body === 'multipart')
  }

  #request(method: string, headers: HeaderPairs, body: ChaosBody | undefined): void {
    this.#cseq += 1
    const via = this.#newVia()
    this.#own.set(this.#cseq, { method, via })
    this.#write(method, via, this.#cseq, headers, body)
  }

  #write(method: string, via: string, cseq: number, headers: HeaderPairs, body?: ChaosBody): void {
    const { request, flow } = this.invite
    const bytes = requestBytes({
      method,
      uri: this.#peer,
      via,
      from: `${request.headers.get('To') ?? ''};tag=${this.tag}`,
      to: request.headers.get('From') ?? '',
      callId: request.headers.get('Call-ID') ?? '',
      cseq,
      headers,
      ...(body === undefined ? {} : { body }),
    })
    const { log, transport } = this.#around
    transport.sendBack(flow, bytes, (reason) => log.info('request not sent', { method, reason }))
  }

  #newVia(): string {
    const { flow } = this.invite
    const { host, port } = this.#around.transport.localAddress(flow.transport)
    const literal = host.includes(':') ? `[${host}]` : host
    return `SIP/2.0/${transportWords(flow).via} ${literal}:${port};branch=z9hG4bK${this.#around.ids.hex(8)}`
  }
}

const METHODS = {
  reinvite: 'INVITE',
  update: 'UPDATE',
  snapshot: 'UPDATE',
  info: 'INFO',
  options: 'OPTIONS',
  bye: 'BYE',
} as const

function snapshotBody(): ChaosBody {
  return {
    headers: [
      ['Content-Type', METADATA_TYPE],
      ['Content-Disposition', METADATA_DISPOSITION],
    ],
    content: writeSnapshotRequest(),
  }
}

function contactOf({ headers }: SipRequest): string | undefined {
  const contact = parseNameAddr(headers.get('Contact') ?? '')
  return contact.ok ? contact.value.uri : undefined
}

function offerOf({ headers, body }: SipRequest): SessionDescription | undefined {
  const { parts } = parseBody(headers.get('Content-Type'), headers.get('Content-Disposition'), body)
  const sdp = parts.find(isSdp)
  const parsed = sdp === undefined ? undefined : parseSdp(sdp.content)
  return parsed?.ok ? parsed.value : undefined
}
