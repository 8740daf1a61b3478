// A recording client whose every message the test words itself, numbers and tags included; it shows all that comes back.

import { writeBody } from './client-body.ts'
import { ClientStream } from './client-stream.ts'
import { Arrivals } from './deadline.ts'
import { DialogSide, respond, type WrittenRequest } from './dialog-side.ts'
import { openPair } from './rtp-wire.ts'
import { buildSdp, type Direction, type MediaLine, parseSdp, type SdpText } from './sdp-text.ts'
import { type Address, type Flow, openFlow } from './sip-flow.ts'
import { SipRequester, SipResponder } from './sip-requester.ts'
import { type Header, headerOf, parseSip, type SipText, tagOf } from './sip-text.ts'

/** Where the client speaks, and how many streams it has. */
export type WireOptions = {
  readonly transport: 'udp' | 'tcp'
  readonly recorder: Address
  readonly streams?: number
  /** The methods of its Allow header. */
  readonly allow?: string
  readonly deadlineMs?: number
}

/** What a request carries; what is left out is what a client would say. */
export type WireRequest = {
  readonly sdp?: string | undefined
  readonly metadata?: string | undefined
  readonly headers?: readonly Header[]
  /** Instead of the next number. */
  readonly cseq?: number
  /** To tag instead of that of the dialog. */
  readonly toTag?: string
}

/** What the client answers to a request of the recorder. */
export type WireReply = {
  readonly status: number
  readonly reason: string
  readonly sdp?: string
  readonly metadata?: string
}

const PCMU = [{ payloadType: 0, name: 'PCMU', clockRateHz: 8000 }]
const MIRRORED: Record<Direction, Direction> = {
  recvonly: 'sendonly',
  sendrecv: 'sendonly',
  sendonly: 'inactive',
  inactive: 'inactive',
}
export const OK: WireReply = { status: 200, reason: 'OK' }

/** One dialog with a recorder. */
export class WireClient {
  /** Requests of the recorder, each once, ACKs too. */
  readonly requests: SipText[] = []
  /** Responses of the recorder, repeated ones too. */
  readonly responses: SipText[] = []
  readonly streams: ClientStream[] = []
  dialog: DialogSide
  /** Tells what a request of the recorder is answered; undefined leaves it without an answer. */
  reply: (request: SipText) => WireReply | undefined = (request) => this.usualReply(request)
  /** The version of the next description (RFC 8866 section 5.2). */
  version = 1
  readonly #flow: Flow
  readonly #closeFlow: () => void
  readonly #options: WireOptions
  readonly #signal: Arrivals
  readonly #requester = new SipRequester()
  readonly #responder = new SipResponder()

  private constructor(options: WireOptions, flow: Flow, closeFlow: () => void, signal: Arrivals) {
    this.#options = options
    this.#flow = flow
    this.#closeFlow = closeFlow
    this.#signal = signal
    const { host, port } = options.recorder
    const own = `${flow.local.host}:${flow.local.port}`
    this.dialog = new DialogSide({
      localUri: 'sip:wire@client.example',
      remoteUri: `sip:recorder@${host}:${port}`,
      contact: `<sip:wire@${own};transport=${options.transport}>;+sip.src`,
    })
  }

  /** Opens a socket for SIP, and a pair for each stream. */
  static async open(options: WireOptions): Promise<WireClient> {
    const signal = new Arrivals()
    let client: WireClient | undefined
    const opened = await openFlow(options.transport, options.recorder, (raw, flow) => {
      if (client !== undefined) client.#onMessage(raw, flow)
    })
    client = new WireClient(options, opened.flow, opened.close, signal)
    for (let line = 0; line < (options.streams ?? 2); line++) await client.addStream()
    return client
  }

  /** Adds a stream, to be offered from the next description on. */
  async addStream(): Promise<void> {
    const label = String(this.streams.length + 1)
    this.streams.push(new ClientStream(await openPair(), label, () => this.#signal.changed()))
  }

  /** The description of the client's streams, in one direction or one for each. */
  sdp(directions: Direction | readonly Direction[] = 'sendonly'): string {
    const media = this.streams.map(({ pair, label }, line) => {
      const direction = typeof directions === 'string' ? directions : (directions[line] ?? 'sendonly')
      return { port: pair.port, codecs: PCMU, direction, label }
    })
    return buildSdp('wire', 4200, this.version, media)
  }

  /** Sends a request and resolves with its final response; an INVITE is acknowledged, and an answer is taken. */
  async request(method: string, options: WireRequest = {}): Promise<SipText> {
    const { sdp, metadata, headers = [], cseq, toTag } = options
    const written = writeBody({ sdp, metadata }, 'rfc9806')
    const isOffer = method === 'INVITE' || method === 'UPDATE'
    const usual: Header[] = isOffer ? [['Contact', this.dialog.contact], ['Require', 'siprec'], this.#allow] : []
    const known = this.dialog.remoteTag
    if (toTag !== undefined) this.dialog.remoteTag = toTag
    const more = [...usual, ...headers, ...written.headers]
    const same = cseq === undefined ? undefined : { cseq }
    const request = this.dialog.request(method, this.#flow, more, written.body, same)
    const sending = this.#requester.send(request, method, this.#flow, this.#options.deadlineMs ?? 30_000)
    if (toTag !== undefined) this.dialog.remoteTag = known
    const response = await sending
    if (method === 'INVITE') this.#acknowledge(request, response)
    const answer = response.status < 300 ? answerOf(response) : undefined
    if (isOffer && answer !== undefined) this.#aim(answer.media)
    return response
  }

  /** The usual answer to a request of the recorder: its offer is taken in the directions that it asks for. */
  usualReply(request: SipText): WireReply {
    const offered = answerOf(request)
    if (offered === undefined) return request.method === 'INVITE' ? { ...OK, sdp: this.sdp() } : OK
    this.#aim(offered.media)
    const answer = this.sdp(offered.media.map(({ direction }) => MIRRORED[direction]))
    let line = -1
    return {
      ...OK,
      sdp: answer.replace(/^m=audio \d+/gm, (own) => (offered.media[++line]?.port === 0 ? 'm=audio 0' : own)),
    }
  }

  /** Resolves when the predicate holds after some arrival. */
  waitFor(predicate: () => boolean, what: string, deadlineMs = 30_000): Promise<void> {
    return this.#signal.waitFor(predicate, deadlineMs, what)
  }

  /** The requests of one method. */
  asked(method: string): SipText[] {
    return this.requests.filter((request) => request.method === method)
  }

  close(): void {
    this.#requester.close()
    this.#responder.close()
    for (const stream of this.streams) stream.close()
    this.#closeFlow()
  }

  get #allow(): Header {
    return ['Allow', this.#options.allow ?? 'INVITE, ACK, CANCEL, BYE, UPDATE, OPTIONS']
  }

  #aim(lines: readonly MediaLine[]): void {
    for (const [at, stream] of this.streams.entries()) stream.target = lines[at]
  }

  #acknowledge(invite: WrittenRequest, response: SipText): void {
    const side = this.dialog
    const known = side.remoteTag
    if (response.status < 300) side.establish(response)
    else side.remoteTag = tagOf(response, 'To')
    const same = response.status < 300 ? { cseq: invite.cseq } : { cseq: invite.cseq, branch: invite.branch }
    this.#requester.acknowledge(invite, side.request('ACK', this.#flow, [], Buffer.alloc(0), same).raw)
    if (response.status >= 300) side.remoteTag = known
  }

  #onMessage(raw: Buffer, flow: Flow): void {
    const message = parseSip(raw)
    if (message === undefined) return
    if (message.method === '') {
      this.responses.push(message)
      this.#requester.accept(message)
    } else if (message.method === 'ACK') {
      for (const invite of this.asked('INVITE')) this.#responder.acknowledged(invite)
      this.requests.push(message)
      const answer = answerOf(message)
      if (answer !== undefined) this.#aim(answer.media)
    } else if (this.#responder.isNew(message, flow)) {
      this.requests.push(message)
      const isFirst = message.method === 'INVITE' && tagOf(message, 'To') === ''
      if (isFirst) this.dialog = DialogSide.answering(message, this.dialog.contact)
      const reply = this.reply(message)
      if (reply !== undefined) this.answer(message, reply, flow)
    }
    this.#signal.changed()
  }

  /** Answers a request of the recorder. */
  answer(request: SipText, reply: WireReply, flow = this.#flow): void {
    const written = writeBody({ sdp: reply.sdp, metadata: reply.metadata }, 'rfc9806')
    const more: Header[] = [['Contact', this.dialog.contact], this.#allow, ...written.headers]
    const raw = respond(request, reply.status, reply.reason, flow, this.dialog.localTag, more, written.body)
    this.#responder.send(request, raw, flow, request.method === 'INVITE')
  }
}

/** The description in a message; undefined when there is none. */
export function answerOf(message: SipText): SdpText | undefined {
  const isSdp = (headerOf(message, 'Content-Type') ?? '').toLowerCase().startsWith('application/sdp')
  return isSdp && message.body.length > 0 ? parseSdp(message.body.toString('utf8')) : undefined
}
