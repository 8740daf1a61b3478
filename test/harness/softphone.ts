// A small SIP phone over real sockets, made of our own SIP core: for end-to-end tests and for demonstrations.

import type { MediaRemote } from '#engine'
import type { Clock, Ids, Logger } from '#kernel'
import { createLocator, SipTransport, type TlsOptions } from '#net'
import type { SrtpSuite } from '#rtp'
import {
  answeredCrypto,
  type CryptoPair,
  codecsOf,
  cryptoAttribute,
  cryptosOf,
  type Direction,
  directionOf,
  isSecureProtocol,
  LocalDescription,
  type LocalMedia,
  offeredCryptos,
  pairOfAnswer,
  parseSdp,
  recordStateOf,
  remoteOf,
  reverseDirection,
  type SdpCodec,
  type SdpCrypto,
  type SdpMedia,
} from '#sdp'
import {
  createSipCore,
  type DialogHandlers,
  type HeaderList,
  type IncomingRequest,
  type InviteDialog,
  type RequestOutcome,
  type ServerInvite,
  type SipBody,
  type SipCore,
} from '#sip'
import { type OpusCodec, type SoftCodec, SoftphoneAudio } from './softphone-audio.ts'

const EVENTS: SdpCodec = { payloadType: 101, encoding: 'TELEPHONE-EVENT/8000', fmtp: '0-15' }
const H264: SdpCodec = { payloadType: 97, encoding: 'H264/90000', fmtp: 'packetization-mode=1' }
const VOICE: Readonly<Record<SoftCodec, SdpCodec>> = {
  PCMU: { payloadType: 0, encoding: 'PCMU/8000' },
  PCMA: { payloadType: 8, encoding: 'PCMA/8000' },
  OPUS: { payloadType: 111, encoding: 'OPUS/48000/2' },
}

/** How a softphone is reached and what drives it. */
export interface SoftphoneOptions {
  /** IP literal to bind to. */
  readonly host: string
  readonly transport: 'udp' | 'tcp' | 'tls'
  /** What it shows and whom it believes, over TLS. */
  readonly tls?: TlsOptions
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  /** User part of its URI. */
  readonly user?: string
  /** Says that it shows the state of recording. */
  readonly isRecordAware?: boolean
}

/** What a call of a softphone starts with. */
export interface SoftCallOptions {
  readonly codec?: SoftCodec
  /** Said first. */
  readonly audio?: Int16Array
  readonly headers?: HeaderList
  /** Suites to offer, or to take; none: plain RTP. */
  readonly srtp?: readonly SrtpSuite[]
}

/** One call of a softphone. */
export class SoftCall {
  /** Resolves true when the call is up, false when it failed. */
  readonly answered: Promise<boolean>
  /** Resolves when the call is over, or failed. */
  readonly ended: Promise<void>
  /** Final status of a call that failed. */
  failedStatus: number | undefined
  /** Statuses of the provisional responses. */
  readonly progress: number[] = []
  readonly audio: SoftphoneAudio
  /** Values of `a=record` in the descriptions received, in order, repetitions left out. */
  readonly toldOfRecording: string[] = []
  /** Refer-To of each REFER received; it is accepted, and no call is made by itself. */
  readonly referredTo: string[] = []
  #preference: string | undefined
  /** Where the other side wants its video; the sockets are the test's own. */
  videoRemote: MediaRemote | undefined
  /** Where it wants video itself; absent: audio only. */
  video: MediaRemote | undefined
  readonly #description: LocalDescription
  readonly #codec: SoftCodec
  readonly #ids: Ids
  readonly #suites: readonly SrtpSuite[]
  #cryptos: readonly SdpCrypto[] = []
  /** Keys in use; undefined: plain RTP. */
  keys: CryptoPair | undefined
  #dialog: InviteDialog | undefined
  #incoming: ServerInvite | undefined
  #cancel: () => void = () => {}
  #settleAnswered: (isUp: boolean) => void = () => {}
  #settleEnded: () => void = () => {}

  constructor(audio: SoftphoneAudio, host: string, ids: Ids, codec: SoftCodec, suites: readonly SrtpSuite[]) {
    this.audio = audio
    this.#ids = ids
    this.#suites = suites
    this.#codec = codec
    this.#description = new LocalDescription({ sessionId: `${ids.integer(2 ** 40)}`, address: host })
    this.answered = new Promise((resolve) => {
      this.#settleAnswered = resolve
    })
    this.ended = new Promise((resolve) => {
      this.#settleEnded = resolve
    })
  }

  /** Says samples (8 kHz) after what is queued; with `atMs`, not before that time since the media began. */
  say(samples: Int16Array, atMs?: number): void {
    this.audio.say(samples, atMs)
  }

  /** All that was heard so far, 8 kHz. */
  heard(): Int16Array {
    return this.audio.heard()
  }

  /** Sends telephone-events; resolves when done. */
  async sendDigits(digits: string): Promise<void> {
    await this.audio.sendDigits(digits)
  }

  /** The caller's INVITE, for a call that came in. */
  get invite(): ServerInvite | undefined {
    return this.#incoming
  }

  /** Names this call to the other side in Replaces, for somebody who is to take this phone's place. */
  get replaces(): string {
    const { callId, remoteTag, localTag } = this.#dialog ?? { callId: '', remoteTag: '', localTag: '' }
    return `${callId};to-tag=${remoteTag};from-tag=${localTag}`
  }

  /** Sends 180. */
  ring(): void {
    this.#incoming?.progress(180)
  }

  /** Answers a call that came in. */
  accept(): void {
    if (this.#incoming === undefined) return
    const body = this.#answer(this.#incoming.request.body)
    if (body === undefined) this.reject(488)
    else this.#up(this.#incoming.accept(this.#handlers(), { body }))
  }

  /** Refuses a call that came in. */
  reject(status: number): void {
    this.#incoming?.reject(status)
    this.#over(status)
  }

  /** Sends a request in the dialog, such as INFO. */
  async request(method: string, options: { headers?: HeaderList; body?: SipBody } = {}): Promise<RequestOutcome> {
    if (this.#dialog === undefined) return { status: 481, reason: 'No dialog', cause: 'dialog-gone' }
    return await this.#dialog.request(method, options)
  }

  /** Puts the other side on hold, or takes it back. False when it refused. */
  async hold(isHeld: boolean): Promise<boolean> {
    const outcome = await this.#dialog?.reinvite({ body: this.#offer(isHeld ? 'sendonly' : 'sendrecv') })
    if (outcome?.response !== undefined && outcome.status < 300) this.#read(outcome.response.body)
    return outcome?.status === 200
  }

  /** Asks for a recording preference (`a=recordpref`) by a re-INVITE; returns the `a=record` of the answer. */
  async prefer(preference: string): Promise<string | undefined> {
    this.#preference = preference
    const outcome = await this.#dialog?.reinvite({ body: this.#describe('sendrecv') })
    if (outcome?.response === undefined || outcome.status >= 300) return undefined
    this.#read(outcome.response.body)
    return this.toldOfRecording.at(-1)
  }

  /** CANCEL, 480 or BYE, as the state asks for; resolves when the other side has answered. */
  async hangup(headers: HeaderList = []): Promise<void> {
    if (this.#dialog !== undefined) await this.#dialog.bye({ headers })
    else if (this.#incoming !== undefined) this.reject(480)
    else this.#cancel()
    await this.ended
  }

  /** Places the call; for the phone. */
  place(core: SipCore, uri: string, from: string, headers: HeaderList): void {
    const body = this.#offer('sendrecv')
    const invite = core.invite(
      { uri, from, headers, body },
      {
        onProgress: (response) => {
          this.progress.push(response.status)
          this.#read(response.body)
        },
        onAccepted: (dialog, response) => {
          this.#read(response.body)
          dialog.handlers = this.#handlers()
          this.#up(dialog)
        },
        onFailed: (outcome) => this.#over(outcome.status),
      },
    )
    this.#cancel = () => invite.cancel()
  }

  /** Takes a call that came in; for the phone. */
  take(invite: ServerInvite): void {
    this.#incoming = invite
    invite.onCancel = () => this.#over(487)
  }

  #handlers(): DialogHandlers {
    return { onRequest: (incoming) => this.#onRequest(incoming), onEnd: () => this.#over(undefined) }
  }

  #onRequest(incoming: IncomingRequest): void {
    const { method, body } = incoming.request
    if (method === 'REFER') {
      this.referredTo.push(incoming.request.headers.get('Refer-To') ?? '')
      incoming.respond(202)
    } else if (method !== 'INVITE' && method !== 'UPDATE') incoming.respond(200)
    else if (body.length === 0) incoming.respond(200, { body: this.#offer('sendrecv') })
    else {
      const answer = this.#answer(body)
      incoming.respond(answer === undefined ? 488 : 200, answer === undefined ? {} : { body: answer })
    }
  }

  #up(dialog: InviteDialog): void {
    this.#dialog = dialog
    this.#settleAnswered(true)
  }

  #over(failedStatus: number | undefined): void {
    this.failedStatus = failedStatus
    this.#settleAnswered(false)
    this.#settleEnded()
    void this.audio.close()
  }

  #answer(offer: Uint8Array): SipBody | undefined {
    const direction = this.#read(offer, 'offer')
    return direction === undefined ? undefined : this.#describe(reverseDirection(direction))
  }

  /** Sends where the other side's description says; returns its direction. */
  #read(description: Uint8Array, role: 'offer' | 'answer' = 'answer'): Direction | undefined {
    const parsed = parseSdp(description)
    const media = parsed.ok ? parsed.value.media[0] : undefined
    if (!parsed.ok || media === undefined) return undefined
    const codecs = codecsOf(media)
    if (!codecs.some((codec) => codec.encoding === VOICE[this.#codec].encoding)) return undefined
    if (!this.#agree(media, role)) return undefined
    const events = codecs.find((codec) => codec.encoding === EVENTS.encoding)
    this.audio.sendTo(remoteOf(media, parsed.value)?.rtp, this.#codec, events?.payloadType)
    const video = parsed.value.media.find(({ kind, port }) => kind === 'video' && port !== 0)
    this.videoRemote = video === undefined ? undefined : remoteOf(video, parsed.value)
    const told = recordStateOf(media, parsed.value)
    if (told !== undefined && told !== this.toldOfRecording.at(-1)) this.toldOfRecording.push(told)
    const direction = directionOf(media, parsed.value)
    this.audio.mute(direction === 'sendonly' || direction === 'inactive')
    return direction
  }

  /** Settles the keys; false when there are none to be had. */
  #agree(media: SdpMedia, role: 'offer' | 'answer'): boolean {
    if (!isSecureProtocol(media.protocol)) return this.#suites.length === 0
    const current = { pair: this.keys, isMoved: false }
    const answered = pairOfAnswer(this.#cryptos, media)
    const pair =
      role === 'offer'
        ? answeredCrypto(cryptosOf(media), this.#suites, this.#ids, current)
        : answered.ok
          ? answered.value
          : undefined
    if (pair === undefined) return false
    const isSame = this.keys !== undefined && Buffer.compare(this.keys.theirs.material, pair.theirs.material) === 0
    this.#cryptos = [pair.ours]
    this.keys = pair
    if (!isSame) this.audio.secure({ send: pair.ours, receive: pair.theirs })
    return true
  }

  #offer(direction: Direction): SipBody {
    this.#cryptos = this.#suites.length === 0 ? [] : offeredCryptos(this.keys, this.#suites, this.#ids)
    return this.#describe(direction)
  }

  #describe(direction: Direction): SipBody {
    const content = this.#description.describe([
      {
        kind: 'audio',
        port: this.audio.port,
        protocol: this.#cryptos.length > 0 ? 'RTP/SAVP' : 'RTP/AVP',
        extra: [
          ...this.#cryptos.map(cryptoAttribute),
          ...(this.#preference === undefined ? [] : [{ name: 'recordpref', value: this.#preference }]),
        ],
        codecs: [VOICE[this.#codec], EVENTS],
        direction,
      },
      ...(this.video === undefined ? [] : [videoLine(this.video, direction)]),
    ])
    return { contentType: 'application/sdp', content }
  }
}

function videoLine({ rtp, rtcp }: MediaRemote, direction: Direction): LocalMedia {
  return { kind: 'video', port: rtp.port, rtcpPort: rtcp.port, protocol: 'RTP/AVPF', codecs: [H264], direction }
}

/** A phone that registers nowhere: it calls URIs and is called at its own. */
export class Softphone {
  /** Where it can be called. */
  readonly uri: string
  readonly transport: SoftphoneOptions['transport']
  /** Called for each call that comes in, which then has to be accepted or rejected. */
  onIncoming: (call: SoftCall) => void = (call) => call.reject(480)
  /** Where its calls want video; absent: they are of audio. */
  video: MediaRemote | undefined
  /** Stands in From of the calls that it places, if any. */
  displayName = ''
  /** Codec of the calls it answers. */
  codec: SoftCodec = 'PCMU'
  /** Makes the Opus of a call; needed where `codec` is Opus. */
  opus: (() => OpusCodec) | undefined
  /** Suites of its calls, which then have to be secured, unless they are placed with others. */
  srtp: readonly SrtpSuite[] = []
  readonly #options: SoftphoneOptions
  readonly #transport: SipTransport
  readonly #core: SipCore
  readonly #calls = new Set<SoftCall>()

  private constructor(
    options: SoftphoneOptions,
    transport: SipTransport,
    port: number,
    receive: (core: SipCore) => void,
  ) {
    const { host, clock, ids, log, user = 'phone' } = options
    this.#options = options
    this.#transport = transport
    this.transport = options.transport
    this.uri = `sip:${user}@${host}:${port};transport=${options.transport}`
    this.#core = createSipCore(
      {
        name: user,
        clock,
        ids,
        log,
        transport,
        locator: createLocator({ supports: (name) => transport.supports(name), clock, ids, log }),
        product: 'softphone',
        supported: options.isRecordAware === true ? ['record-aware'] : [],
        allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'UPDATE', 'REFER', 'NOTIFY'],
        accept: ['application/sdp'],
        contactUser: user,
      },
      { onInvite: (invite) => void this.#onInvite(invite) },
    )
    receive(this.#core)
  }

  /** Opens a phone on a port of the system's choice. */
  static async open(options: SoftphoneOptions): Promise<Softphone> {
    let core: SipCore | undefined
    const transport = await SipTransport.open({
      listen: [{ transport: options.transport, host: options.host, port: 0 }],
      ...(options.tls && { tls: options.tls }),
      clock: options.clock,
      log: options.log,
      onMessage: (bytes, flow) => core?.receive(bytes, flow),
    })
    const port = transport.boundPorts[0]?.port ?? 0
    return new Softphone(options, transport, port, (made) => {
      core = made
    })
  }

  /** Calls a URI; the call's `answered` tells how it went. */
  async call(uri: string, options: SoftCallOptions = {}): Promise<SoftCall> {
    const call = await this.#newCall(options.codec ?? this.codec, options.srtp ?? this.srtp)
    if (options.audio !== undefined) call.say(options.audio)
    const name = this.displayName === '' ? '' : `"${this.displayName}" `
    call.place(this.#core, uri, `${name}<${this.uri}>`, options.headers ?? [])
    return call
  }

  /** Hangs up all calls, closes all sockets. */
  async close(): Promise<void> {
    await Promise.all([...this.#calls].map((call) => call.hangup()))
    this.#core.close()
    await this.#transport.close()
  }

  async #onInvite(invite: ServerInvite): Promise<void> {
    const call = await this.#newCall(this.codec, this.srtp)
    call.take(invite)
    this.onIncoming(call)
  }

  async #newCall(codec: SoftCodec, suites: readonly SrtpSuite[]): Promise<SoftCall> {
    const { host, clock, ids } = this.#options
    const call = new SoftCall(await SoftphoneAudio.open(host, clock, ids), host, ids, codec, suites)
    call.video = this.video
    call.audio.opus = this.opus?.()
    this.#calls.add(call)
    void call.ended.then(() => this.#calls.delete(call))
    return call
  }
}
