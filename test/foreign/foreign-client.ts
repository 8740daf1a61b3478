// An independent SIPREC client (RFC 7866, RFC 8068) for tests: it records made-up calls at a recorder,
// reads the answers strictly and keeps all that comes back.

import { type CheckedAnswer, checkAnswer } from './answer-rules.ts'
import { type BodySpec, contactOf, inviteHeaders, type Variant, writeBody } from './client-body.ts'
import { ClientStream, type SendAudioOptions, type SentAudio } from './client-stream.ts'
import { Arrivals, delay } from './deadline.ts'
import { DialogSide, respond, type WrittenRequest } from './dialog-side.ts'
import { readBody } from './message-rules.ts'
import { CallStory, type MetadataChoice, type Person } from './metadata-documents.ts'
import { openPair } from './rtp-wire.ts'
import { buildSdp, type Codec, type Direction, type MediaSpec, parseSdp, type SdpText } from './sdp-text.ts'
import { type Address, type Flow, openFlow } from './sip-flow.ts'
import { SipRequester, SipResponder } from './sip-requester.ts'
import { branchOf, cseqOf, type Header, headerOf, parseSip, type SipText, tagOf } from './sip-text.ts'
import type { Suite } from './srtp-wire.ts'

/** Where and how the client speaks. */
export type ClientOptions = {
  readonly transport: 'udp' | 'tcp'
  readonly recorder: Address
  readonly variant?: Variant
  readonly user?: string
  /** The user part of the Request-URI; `recorder` when unset. */
  readonly recorderUser?: string
  /** How long each exchange may take; 5000 when unset. */
  readonly deadlineMs?: number
  /** The wait after a 491; 2.1 to 4 s when unset (RFC 3261 section 14.1). */
  readonly glareWaitMs?: number
}

/** What the first INVITE holds. */
export type InviteOptions = BodyOptions & {
  readonly streams?: number
  readonly codecs?: readonly ('PCMU' | 'PCMA' | 'telephone-event')[]
  /** One per stream; undefined leaves the label out. */
  readonly labels?: readonly (string | undefined)[]
  readonly metadata?: MetadataChoice
  readonly require?: boolean | readonly string[]
  readonly tag?: '+sip.src' | ';src' | '+sip-src' | 'none'
  readonly isTagInside?: boolean
  /** An empty text leaves the attribute out. */
  readonly direction?: Direction | ''
  readonly people?: readonly Person[]
  readonly headers?: readonly Header[]
  /** SRTP with keys in SDP, of the streams named, or of all. */
  readonly srtp?: { readonly suite: Suite; readonly only?: readonly number[] }
  /** RTP sequence number of the first packet of each stream; a random one when unset. */
  readonly firstSequence?: number
}

/** How a body is put together. */
type BodyOptions = Omit<BodySpec, 'sdp' | 'metadata'>

/** The outcome of a request. */
type Outcome = { readonly status: number; readonly response: SipText; readonly answer: SdpText | undefined }

const CODECS: Record<string, Codec> = {
  PCMU: { payloadType: 0, name: 'PCMU', clockRateHz: 8000 },
  PCMA: { payloadType: 8, name: 'PCMA', clockRateHz: 8000 },
  'telephone-event': { payloadType: 101, name: 'telephone-event', clockRateHz: 8000 },
}
const NO_BODY = Buffer.alloc(0)

/** One client with one recording session. */
export class ForeignClient {
  /** What the recorder does against an RFC. */
  readonly violations: string[] = []
  /** The requests that the recorder sent. */
  readonly requests: SipText[] = []
  readonly provisional: SipText[] = []
  readonly streams: ClientStream[] = []
  /** The last answer, as a client reads it. */
  answer: SdpText | undefined
  /** Contact value of the last 2xx. */
  answerContact: string | undefined
  answerContentType: string | undefined
  isEnded = false
  story: CallStory = new CallStory(['96', '98'])
  readonly #options: Required<Omit<ClientOptions, 'glareWaitMs'>> & { readonly glareWaitMs: number | undefined }
  readonly #signal = new Arrivals()
  readonly #requester = new SipRequester()
  readonly #responder = new SipResponder()
  #flow!: Flow
  #closeFlow = () => {}
  #dialog!: DialogSide
  #invite: InviteOptions = {}
  #pending: WrittenRequest | undefined
  #codecs: Codec[] = []
  #directions: (Direction | '')[] = []
  #sdpVersion = 1
  #sdpText = ''

  private constructor(options: ClientOptions) {
    this.#options = {
      variant: 'rfc9806',
      user: 'src',
      recorderUser: 'recorder',
      deadlineMs: 5000,
      ...options,
      glareWaitMs: options.glareWaitMs,
    }
  }

  /** Opens the socket or the connection to the recorder. */
  static async open(options: ClientOptions): Promise<ForeignClient> {
    const client = new ForeignClient(options)
    const opened = await openFlow(options.transport, options.recorder, (raw, flow) => client.#onMessage(raw, flow))
    client.#flow = opened.flow
    client.#closeFlow = opened.close
    const { host, port } = options.recorder
    client.#dialog = new DialogSide({
      localUri: `sip:${client.#options.user}@${client.#flow.local.host}`,
      remoteUri: `sip:${client.#options.recorderUser}@${host}:${port}`,
      contact: '',
      firstCseq: client.#options.variant === 'rfc8068' ? 101 : 1,
    })
    return client
  }

  get callId(): string {
    return this.#dialog.callId
  }

  /** Opens the recording session. */
  async invite(options: InviteOptions = {}): Promise<Outcome> {
    this.#invite = options
    const count = options.streams ?? 2
    const labels = options.labels ?? Array.from({ length: count }, (_, i) => String(96 + 2 * i))
    this.#codecs = (options.codecs ?? ['PCMU', 'telephone-event']).map((name) => CODECS[name]!)
    this.story = new CallStory(
      Array.from({ length: count }, (_, i) => labels[i] ?? String(i + 1)),
      options.people,
    )
    for (let i = 0; i < count; i++) {
      this.streams.push(await this.#openStream(labels[i], i))
      this.#directions.push(options.direction ?? 'sendonly')
    }
    const { transport, user, variant } = this.#options
    const uri = `sip:${user}@${this.#flow.local.host}:${this.#flow.local.port}${transport === 'tcp' ? ';transport=tcp' : ''}`
    const tag = options.tag ?? (variant === 'draft' ? ';src' : '+sip.src')
    const written = tag === 'none' ? '' : tag.startsWith(';') ? tag : `;${tag}`
    this.#dialog.contact = contactOf(uri, written, options.isTagInside ?? false)
    return this.#offer(this.#describe(), this.story.document(options.metadata ?? 'rfc8068'), options, true)
  }

  /** Re-offers the streams; `metadata` travels beside the offer. */
  reinvite(
    change: BodyOptions & {
      direction?: Direction
      metadata?: MetadataChoice
      only?: readonly number[]
      freshKeys?: boolean
    } = {},
  ): Promise<Outcome> {
    const { direction } = change
    if (change.freshKeys) for (const stream of this.streams) stream.takeFreshKey()
    if (direction !== undefined) {
      this.#directions = this.#directions.map((old, i) => (change.only?.includes(i) === false ? old : direction))
    }
    return this.#offer(this.#describe(), this.story.document(change.metadata ?? 'none'), change, false)
  }

  /** Adds one stream at the end and re-offers (RFC 3264 section 8.1). */
  async addStream(label: string, metadata: MetadataChoice = 'none'): Promise<Outcome> {
    this.streams.push(await this.#openStream(label, this.streams.length))
    this.#directions.push('sendonly')
    return this.reinvite({ metadata })
  }

  /** Sends an UPDATE: metadata alone, or beside the present offer with `sdp`. */
  async update(change: BodyOptions & { metadata?: MetadataChoice; sdp?: boolean } = {}): Promise<Outcome> {
    const offer = change.sdp ? this.#describe() : undefined
    const written = writeBody(
      { ...change, sdp: offer, metadata: this.story.document(change.metadata ?? 'hold') },
      this.#options.variant,
    )
    const more: Header[] = [['Contact', this.#dialog.contact], ...this.#requireHeader(), ...written.headers]
    const response = await this.#send('UPDATE', more, written.body)
    if (response.status >= 300) return { status: response.status, response, answer: undefined }
    return this.#takeAnswer(response, offer)
  }

  /** Ends the session; `metadata` makes it the BYE of RFC 8068 section 3.2.4, a multipart with one part. */
  async bye(options: { metadata?: MetadataChoice; alwaysMultipart?: boolean } = {}): Promise<Outcome> {
    const metadata = this.story.document(options.metadata ?? 'none')
    const written = writeBody({ metadata, alwaysMultipart: options.alwaysMultipart ?? true }, this.#options.variant)
    for (const stream of this.streams) stream.report(true)
    const more: Header[] = [['Date', new Date().toUTCString()], ...written.headers]
    const response = await this.#send('BYE', more, written.body)
    this.isEnded = true
    return { status: response.status, response, answer: undefined }
  }

  /** Asks what the recorder can do, outside any dialog. */
  async options(): Promise<SipText> {
    const { host, port } = this.#options.recorder
    const side = new DialogSide({ localUri: this.#dialog.localUri, remoteUri: `sip:${host}:${port}`, contact: '' })
    const contact = `<sip:${this.#options.user}@${this.#flow.local.host}:${this.#flow.local.port}>`
    const request = side.request('OPTIONS', this.#flow, [
      ['Contact', contact],
      ['Accept', 'application/sdp'],
    ])
    return this.#requester.send(request, 'OPTIONS', this.#flow, this.#options.deadlineMs)
  }

  /** Takes back the INVITE that is under way (RFC 3261 section 9.1); resolves with the final response to CANCEL. */
  cancel(): Promise<SipText> {
    const pending = this.#pending
    if (pending === undefined) throw new Error('no INVITE is under way')
    const same = { cseq: pending.cseq, branch: pending.branch }
    const cancel = this.#dialog.request('CANCEL', this.#flow, [], NO_BODY, same)
    return this.#requester.send(cancel, 'CANCEL', this.#flow, this.#options.deadlineMs)
  }

  /** Sends 8 kHz samples on one stream, from the announced port to the answered one. */
  sendAudio(streamIndex: number, samples: Int16Array, options?: SendAudioOptions): Promise<SentAudio> {
    const stream = this.streams[streamIndex]
    if (stream === undefined) throw new Error(`there is no stream ${streamIndex}`)
    return stream.send(samples, options)
  }

  /** Presses a key on one stream (RFC 4733). */
  sendDigit(streamIndex: number, digit: string, durationMs?: number): Promise<void> {
    const stream = this.streams[streamIndex]
    if (stream === undefined) throw new Error(`there is no stream ${streamIndex}`)
    return stream.sendDigit(digit, durationMs)
  }

  /** Resolves when the predicate holds after some arrival; rejects after `deadlineMs`. */
  waitFor(predicate: () => boolean, deadlineMs: number, what?: string): Promise<void> {
    return this.#signal.waitFor(predicate, deadlineMs, what)
  }

  /** Checks the recorder's RTCP: it came, from the announced port, with one CNAME (RFC 7866 sections 8.1.1 and 8.1.8). */
  checkRtcp(): string[] {
    const found: string[] = []
    for (const [i, stream] of this.streams.entries()) {
      if (stream.receiverReports === 0) found.push(`RFC 7866 8.1.1: no receiver report for stream ${i}`)
      const announced = this.answer?.media[i]?.rtcpPort
      if (stream.rtcp.some((one) => one.from.port !== announced))
        found.push(`RFC 7866 8.1.8: RTCP ${i} is not symmetric`)
      if (stream.rtcp.some((one) => one.cname === undefined)) found.push(`RFC 3550 6.1: RTCP ${i} without CNAME`)
      if (stream.strayDatagrams > 0)
        found.push(`RFC 3264 5.1: ${stream.strayDatagrams} datagrams to the sendonly stream ${i}`)
    }
    return found
  }

  close(): void {
    this.#requester.close()
    this.#responder.close()
    for (const stream of this.streams) stream.close()
    this.#closeFlow()
  }

  async #openStream(label: string | undefined, index: number): Promise<ClientStream> {
    const { srtp, firstSequence } = this.#invite
    const suite = srtp?.only?.includes(index) === false ? undefined : srtp?.suite
    const first = firstSequence === undefined ? {} : { firstSequence }
    return new ClientStream(await openPair(), label, () => this.#signal.changed(), { suite, ...first })
  }

  #requireHeader(): Header[] {
    const wanted = this.#invite.require ?? this.#options.variant !== 'draft'
    const tags = wanted === true ? ['siprec'] : wanted === false ? [] : wanted
    return tags.length > 0 ? [['Require', tags.join(', ')]] : []
  }

  #describe(): string {
    const write = () => {
      const media = this.streams.map((stream, i): MediaSpec => {
        const direction = this.#directions[i] ?? 'sendonly'
        const { pair, label, crypto } = stream
        return { port: pair.port, codecs: this.#codecs, direction, label, crypto }
      })
      return buildSdp('foreign', 7_100_200, this.#sdpVersion, media)
    }
    if (this.#sdpText !== '' && write() !== this.#sdpText) this.#sdpVersion++
    this.#sdpText = write()
    return this.#sdpText
  }

  async #offer(sdp: string, metadata: string | undefined, options: BodyOptions, isFirst: boolean): Promise<Outcome> {
    const written = writeBody({ ...options, sdp, metadata }, this.#options.variant)
    const require = this.#requireHeader().map(([, tags]) => tags)
    const base = inviteHeaders(this.#options.variant, this.#dialog.contact, require)
    const more = [...base, ...(isFirst ? (this.#invite.headers ?? []) : []), ...written.headers]
    const response = await this.#send('INVITE', more, written.body)
    if (response.status === 491 && !isFirst) {
      await delay(this.#options.glareWaitMs ?? 2100 + Math.floor(Math.random() * 191) * 10)
      return this.#offer(sdp, metadata, options, isFirst)
    }
    if (response.status >= 300) return { status: response.status, response, answer: undefined }
    return this.#takeAnswer(response, sdp)
  }

  async #send(method: string, more: readonly Header[], body: Buffer): Promise<SipText> {
    const target = this.#dialog.remoteTarget
    const request = this.#dialog.request(method, this.#flow, more, body)
    if (method === 'INVITE') this.#pending = request
    const response = await this.#requester.send(request, method, this.#flow, this.#options.deadlineMs, (one) => {
      this.provisional.push(one)
      this.#signal.changed()
    })
    if (cseqOf(response).number !== request.cseq)
      this.violations.push('RFC 3261 8.2.6.2: the response has another CSeq')
    if (method === 'INVITE') this.#acknowledge(request, response, target)
    return response
  }

  /** A 2xx gets an ACK of its own within the dialog, any other final one the ACK of its transaction (sections 13.2.2.4 and 17.1.1.3). */
  #acknowledge(invite: WrittenRequest, response: SipText, target: string): void {
    this.#pending = undefined
    const side = this.#dialog
    if (response.status < 300) {
      side.establish(response)
      const ack = side.request('ACK', this.#flow, [], NO_BODY, { cseq: invite.cseq })
      this.#requester.acknowledge(invite, ack.raw)
      return
    }
    const established = side.remoteTag
    side.remoteTag = tagOf(response, 'To')
    const ack = side.request('ACK', this.#flow, [], NO_BODY, { cseq: invite.cseq, branch: invite.branch, target })
    side.remoteTag = established
    this.#requester.acknowledge(invite, ack.raw)
  }

  #takeAnswer(response: SipText, offer: string | undefined): Outcome {
    const offered = offer === undefined ? undefined : parseSdp(offer)
    const checked: CheckedAnswer = checkAnswer(response, offered, this.answer)
    this.violations.push(...checked.found)
    this.answerContact = headerOf(response, 'Contact')
    if (checked.sdp) {
      this.answer = checked.sdp
      this.answerContentType = headerOf(response, 'Content-Type')
      for (const [i, stream] of this.streams.entries()) stream.target = checked.sdp.media[i]
    }
    return { status: response.status, response, answer: checked.sdp }
  }

  #onMessage(raw: Buffer, flow: Flow): void {
    const message = parseSip(raw)
    if (message === undefined) {
      this.violations.push('RFC 3261 7: a message that cannot be read')
    } else if (message.method === '') {
      if (!this.#requester.accept(message))
        this.violations.push(`RFC 3261 17.1.3: a stray ${message.status} (${branchOf(message)})`)
    } else if (message.method === 'ACK') {
      for (const invite of this.requests.filter((one) => one.method === 'INVITE')) this.#responder.acknowledged(invite)
      this.requests.push(message)
    } else if (this.#responder.isNew(message, flow)) {
      this.requests.push(message)
      this.#onRequest(message, flow)
    }
    this.#signal.changed()
  }

  #onRequest(request: SipText, flow: Flow): void {
    const reply = (status: number, reason: string, more: readonly Header[] = [], body = NO_BODY) => {
      const raw = respond(request, status, reason, flow, this.#dialog.localTag, more, body)
      this.#responder.send(request, raw, flow, request.method === 'INVITE')
    }
    const contact: Header = ['Contact', this.#dialog.contact]
    if (headerOf(request, 'Call-ID') !== this.#dialog.callId) {
      reply(481, 'Call/Transaction Does Not Exist')
    } else if (request.method === 'BYE') {
      this.isEnded = true
      reply(200, 'OK')
    } else if (request.method === 'INVITE' && this.#pending) {
      reply(491, 'Request Pending')
    } else if (request.method === 'INVITE') {
      const contents = readBody(request)
      this.violations.push(...contents.found)
      if (contents.sdp !== undefined) this.#takeOffer(parseSdp(contents.sdp))
      reply(200, 'OK', [contact, ['Content-Type', 'application/sdp']], Buffer.from(this.#describe()))
    } else if (request.method === 'UPDATE') {
      const contents = readBody(request)
      this.violations.push(...contents.found)
      if (contents.sdp === undefined) reply(200, 'OK', [contact])
      else {
        this.#takeOffer(parseSdp(contents.sdp))
        reply(200, 'OK', [contact, ['Content-Type', 'application/sdp']], Buffer.from(this.#describe()))
      }
      const isAsked = contents.metadata?.content.toString('utf8').includes('requestsnapshot')
      if (isAsked) this.reinvite({ metadata: 'rfc8068' }).catch((error) => this.violations.push(String(error)))
    } else reply(405, 'Method Not Allowed', [['Allow', 'INVITE, ACK, BYE, UPDATE']])
  }

  #takeOffer(offer: SdpText): void {
    if (offer.media.length > this.streams.length) this.violations.push('RFC 7866 7.2: the recorder adds a stream')
    this.#directions = offer.media.map((line) => (line.direction === 'inactive' ? 'inactive' : 'sendonly'))
    this.answer = offer
    for (const [i, stream] of this.streams.entries()) stream.target = offer.media[i]
  }
}
