// A recorder on the in-memory network: a SIP core whose answers the test chooses. It takes no media.

import { type ManualClock, seededIds } from '#kernel'
import { srtpSuites } from '#rtp'
import { answeredCrypto, cryptoAttribute, cryptosOf, labelOf, parseSdp, type SdpMedia } from '#sdp'
import type {
  DialogEnd,
  HeaderList,
  IncomingRequest,
  InviteDialog,
  ServerInvite,
  SipBody,
  SipCore,
  SipCoreOptions,
} from '#sip'
import { attachCore } from './core-pair.ts'
import { type RecordingMessage, readRecordingMessage } from './recording-message.ts'
import type { SipNetwork } from './sip-network.ts'

const recorderIds = seededIds(77)

/** What a recorder says to one m-line. */
export interface AnsweredMedia {
  readonly port: number
  readonly direction: string
  /** Payload types and rtpmaps instead of those offered, e.g. `97 PCMU/8000`. */
  readonly codecs?: readonly string[]
  /** Transport protocol instead of the one offered. */
  readonly protocol?: string
  /** Crypto lines instead of a fresh key for the first that was offered. */
  readonly crypto?: readonly string[]
}

/** Answer to the m-line at `index`, whose direction was offered; undefined leaves the m-line out. */
export type AnswerRule = (index: number, offered: string) => AnsweredMedia | undefined

/** Takes everything that is offered. */
export const takeAll: AnswerRule = (index, offered) => ({
  port: 40_000 + 2 * index,
  direction: offered === 'sendonly' ? 'recvonly' : 'inactive',
})

/** What a recorder gets wrong in its answers. */
export interface AnswerSlips {
  /** Labels of the answer instead of those of the offer. */
  readonly relabel?: (label: string) => string | undefined
  /** Another order of the m-lines. */
  readonly reorder?: (blocks: readonly string[][]) => readonly string[][]
}

/** An answer to an offer. */
export function answerSdp(offer: string, rule: AnswerRule = takeAll, slips: AnswerSlips = {}): string {
  const parsed = parseSdp(offer)
  if (!parsed.ok) throw new Error(`offer does not parse: ${parsed.error.message}`)
  const head = ['v=0', 'o=srs 1 1 IN IP4 192.0.2.99', 's=-', 'c=IN IP4 192.0.2.99', 't=0 0']
  const blocks: string[][] = []
  parsed.value.media.forEach((media, index) => {
    const lines: string[] = []
    const direction = media.attributes.find(({ name }) => /^(send|recv|inactive)/.test(name))?.name ?? 'sendrecv'
    const answer = media.port === 0 ? { port: 0, direction } : rule(index, direction)
    if (answer === undefined) return
    const maps =
      answer.codecs ?? media.attributes.filter(({ name }) => name === 'rtpmap').map(({ value }) => value ?? '')
    const formats = answer.codecs?.map((map) => map.split(' ')[0] ?? '') ?? media.formats
    const protocol = answer.protocol ?? media.protocol
    lines.push(
      `m=${media.kind} ${answer.port} ${protocol} ${formats.join(' ')}`,
      ...maps.map((map) => `a=rtpmap:${map}`),
    )
    if (answer.port !== 0) lines.push(...(answer.crypto ?? freshCrypto(media)).map((line) => `a=crypto:${line}`))
    const offered = labelOf(media) ?? `${index + 1}`
    const label = slips.relabel === undefined ? offered : slips.relabel(offered)
    lines.push(`a=${answer.direction}`, ...(label === undefined ? [] : [`a=label:${label}`]))
    blocks.push(lines)
  })
  const media = slips.reorder?.(blocks) ?? blocks
  return `${[...head, ...media.flat()].join('\r\n')}\r\n`
}

/** A fresh key of the recorder for the first line offered, if the media is secured. */
function freshCrypto(media: SdpMedia): string[] {
  const answered = answeredCrypto(cryptosOf(media).slice(0, 1), srtpSuites, recorderIds)
  return answered === undefined ? [] : [cryptoAttribute(answered.ours).value ?? '']
}

/** One recording session as the recorder sees it. */
export class RecorderSession {
  readonly invite: ServerInvite
  readonly requests: IncomingRequest[] = []
  /** The INVITE and the re-offers that were answered 200 by rule, read. */
  readonly taken: RecordingMessage[] = []
  dialog: InviteDialog | undefined
  end: DialogEnd | undefined
  isCancelled = false

  constructor(invite: ServerInvite) {
    this.invite = invite
    this.taken.push(this.first)
  }

  /** The INVITE, read. */
  get first(): RecordingMessage {
    return readRecordingMessage(this.invite.request)
  }

  /** re-INVITEs and UPDATEs that arrived, read. */
  get reoffers(): RecordingMessage[] {
    return this.requests.map((incoming) => readRecordingMessage(incoming.request))
  }
}

/** What to do with a re-offer: take it, refuse it with a status, or leave it unanswered. */
export type ReofferRule = 'take' | 'leave' | number

/** A recorder; every INVITE becomes a session. */
export class TestRecorder {
  readonly ip: string
  readonly uri: string
  readonly core: SipCore
  readonly sessions: RecorderSession[] = []
  /** `take`: 200 at once; `leave`: nothing but 100; a number: that final status. */
  onInvite: ReofferRule = 'take'
  /** Told of each session that was taken at once. */
  onSession: (session: RecorderSession) => void = () => {}
  answer: AnswerRule = takeAll
  slips: AnswerSlips = {}
  /** For the next re-offers in order; then `take`. */
  readonly reofferRules: ReofferRule[] = []
  readonly allow: readonly string[]
  #firstRefusal: { readonly status: number; readonly headers: HeaderList } | undefined

  constructor(network: SipNetwork, clock: ManualClock, ip: string, options: Partial<SipCoreOptions> = {}) {
    this.ip = ip
    this.uri = `sip:${ip}`
    this.allow = options.allow ?? ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'UPDATE']
    const attached = attachCore(
      network,
      clock,
      ip,
      { onInvite: (invite) => this.#onInvite(invite) },
      {
        supported: ['siprec'],
        allow: this.allow,
        accept: ['application/sdp', 'application/rs-metadata+xml'],
        contactParams: '+sip.srs',
        ...options,
      },
    )
    this.core = attached.core
  }

  /** The only session, or the one of that index. */
  session(index = 0): RecorderSession {
    const session = this.sessions[index]
    if (session === undefined) throw new Error(`${this.ip} has ${this.sessions.length} sessions`)
    return session
  }

  /** The next INVITE is refused; those after it are taken by `onInvite`. */
  refuseFirst(status: number, headers: HeaderList): void {
    this.#firstRefusal = { status, headers }
  }

  /** Ends a session by BYE; `reason` is its Reason header, without which the recorder may be invited again. */
  bye(session = this.session(), headers: HeaderList = []): void {
    void session.dialog?.bye({ headers })
  }

  /** Ends a session for good: this call is not to be recorded (SRC-64). */
  decline(session = this.session()): void {
    this.bye(session, [['Reason', 'SIP;cause=603;text="Decline"']])
  }

  /** Answers a session that was left ringing. */
  accept(session = this.session()): void {
    session.dialog = session.invite.accept(
      {
        onRequest: (incoming) => this.#onRequest(session, incoming),
        onEnd: (end) => {
          session.end = end
        },
      },
      { body: this.answerBody(session.first.sdp) },
    )
  }

  answerBody(offer: string): SipBody {
    return {
      contentType: 'application/sdp',
      content: new TextEncoder().encode(answerSdp(offer, this.answer, this.slips)),
    }
  }

  #onInvite(invite: ServerInvite): void {
    const session = new RecorderSession(invite)
    this.sessions.push(session)
    invite.onCancel = () => {
      session.isCancelled = true
    }
    const refusal = this.#firstRefusal
    this.#firstRefusal = undefined
    if (refusal !== undefined) invite.reject(refusal.status, { headers: refusal.headers })
    else if (this.onInvite === 'take') {
      this.accept(session)
      this.onSession(session)
    } else if (this.onInvite !== 'leave') invite.reject(this.onInvite)
  }

  /** From now on OPTIONS gets no answer, everything else does. */
  ignoreQuestions(): void {
    const { core } = this
    const receive = core.receive.bind(core)
    core.receive = (bytes, flow) => {
      if (!new TextDecoder().decode(bytes.subarray(0, 7)).startsWith('OPTIONS')) receive(bytes, flow)
    }
  }

  #onRequest(session: RecorderSession, incoming: IncomingRequest): void {
    session.requests.push(incoming)
    const rule = this.reofferRules.shift() ?? 'take'
    if (rule === 'leave') return
    if (rule !== 'take') {
      incoming.respond(rule)
      return
    }
    const message = readRecordingMessage(incoming.request)
    session.taken.push(message)
    incoming.respond(200, message.sdp === '' ? {} : { body: this.answerBody(message.sdp) })
  }
}
