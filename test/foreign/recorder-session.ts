// One recording session at the recorder (RFC 7866): the dialog, its slots, and its answers as the script wants them.

import { type DialogSide, respond } from './dialog-side.ts'
import { type BodyContents, checkRecordingSession, type Findings } from './message-rules.ts'
import { MetadataReader } from './metadata-rules.ts'
import { checkOffer } from './offer-rules.ts'
import { RecorderSlot } from './recorder-slot.ts'
import { openPair } from './rtp-wire.ts'
import {
  buildSdp,
  type Codec,
  type Direction,
  type MediaSpec,
  parseSdp,
  receivingDirection,
  type SdpText,
} from './sdp-text.ts'
import type { Flow } from './sip-flow.ts'
import { addressOf, cseqOf, type SipText, tagOf } from './sip-text.ts'

/** RTCP has to show within the randomised minimum interval and a margin (RFC 3550 section 6.2). */
const RTCP_DUE_MS = 8000

/** How the recorder behaves; unset is a recorder that takes everything. */
export type RecorderScript = {
  /** 200, another final code, no answer at all, or an answer that comes late. */
  answer?: number | 'silent' | { readonly lateMs: number; readonly code?: number }
  /** Headers of a refusal, such as Retry-After or Accept. */
  answerHeaders?: readonly (readonly [string, string])[]
  /** Leaves OPTIONS unanswered. */
  ignoreOptions?: boolean
  /** It has lost power: what comes is not read any more. */
  isDead?: boolean
  /** Leaves out the last m-line of each answer. */
  fewerMediaLines?: boolean
  answerDirection?: 'recvonly' | 'inactive' | 'sendrecv'
  /** Refuses these m-lines with port 0. */
  port0On?: number | readonly number[]
  /** The code for INVITEs that offer more than one audio stream. */
  rejectSeparate?: number
  /** Does not listen on TCP; taken when the recorder opens. */
  dropTcp?: boolean
  /** Ends the session so long after the ACK. */
  byeAfterMs?: number
  /** Re-offers recvonly after the first ACK (RFC 7866 figure 7). */
  reinviteRecvonly?: boolean
  /** The code for the next re-INVITEs. */
  rejectReinvite?: number
  /** The code for UPDATEs. */
  rejectUpdate?: number
  /** Answers with other numbers: offered payload type to answered payload type. */
  payloadTypes?: Readonly<Record<number, number>>
  /** Picks the codecs to answer with; unset takes all that are offered. */
  codecs?: readonly string[]
  /** Whether Contact carries +sip.srs; true when unset. */
  contactTag?: boolean
  /** URI in Contact; where it listens when unset. */
  contactUri?: string
  /** When RTCP is missed, after the first RTP packet; 8000 when unset. */
  rtcpDueMs?: number
  /** Whether the answer repeats the labels; true when unset. */
  labels?: boolean
}

/** A metadata document with the request that brought it. */
type ArrivedDocument = { readonly xml: string; readonly method: string; readonly atMs: number }

/** The recorder's side of one session. */
export class RecorderSession {
  readonly callId: string
  readonly dialog: DialogSide
  readonly slots: RecorderSlot[] = []
  readonly offers: SdpText[] = []
  readonly documents: ArrivedDocument[] = []
  flow: Flow
  isEnded = false
  isConfirmed = false
  /** An offer of this side is under way: an INVITE of the client's gets 491 (RFC 3261 section 14.2). */
  isOffering = false
  /** The INVITE that awaits its ACK. */
  pendingInvite: SipText | undefined
  /** The status that INVITE was answered with. */
  pendingStatus = 0
  readonly #reader = new MetadataReader()
  readonly #findings: Findings
  readonly #objections: string[]
  readonly #changed: () => void
  readonly #sdpId = Math.floor(Date.now() / 1000)
  #answerVersion = 0
  #answerText = ''
  #highestCseq: number
  #acceptedSdp: SdpText | undefined
  #refusedSdp: SdpText | undefined

  constructor(invite: SipText, dialog: DialogSide, flow: Flow, findings: Findings, changed: () => void) {
    this.callId = dialog.callId
    this.dialog = dialog
    this.flow = flow
    this.#findings = findings
    this.#objections = findings.objections
    this.#changed = changed
    this.#highestCseq = cseqOf(invite).number
  }

  /** Checks what every request inside the dialog has to keep (RFC 3261 section 12.2.2). */
  checkInDialog(request: SipText): void {
    const cseq = cseqOf(request).number
    if (request.method === 'ACK') return
    if (cseq <= this.#highestCseq) this.#objections.push(`RFC 3261 12.2.2: CSeq ${cseq} after ${this.#highestCseq}`)
    this.#highestCseq = Math.max(cseq, this.#highestCseq)
    if (tagOf(request, 'From') !== this.dialog.remoteTag) this.#objections.push('RFC 3261 12.2: the From tag changed')
    if (addressOf(request.uri).port !== addressOf(this.dialog.contact.replace(/^<|>.*$/g, '')).port) {
      this.#objections.push(`RFC 3261 12.2.1.1: ${request.method} does not go to the Contact: ${request.uri}`)
    }
    if (this.isEnded) this.#objections.push(`RFC 3261 15: ${request.method} after the end of the dialog`)
  }

  /** Reads the bodies of a request; the document counts only if the request is accepted (RFC 3261 section 12.2.2). */
  takeBody(request: SipText, body: BodyContents, isAccepted: boolean): SdpText | undefined {
    const offer = body.sdp === undefined ? undefined : parseSdp(body.sdp)
    if (offer) {
      this.#checkOffer(offer)
      if (isAccepted) {
        this.offers.push(offer)
        this.#acceptedSdp = offer
        this.#refusedSdp = undefined
      } else this.#refusedSdp = offer
    }
    if (body.metadata && isAccepted) {
      const xml = body.metadata.content.toString('utf8')
      this.documents.push({ xml, method: request.method, atMs: Date.now() })
      const labels = offer?.media.flatMap((line) => line.label ?? [])
      this.#objections.push(...this.#reader.read(xml, labels))
      if (!['INVITE', 'UPDATE', 'BYE'].includes(request.method)) {
        this.#objections.push(`RFC 7866 9.1: metadata in ${request.method}`)
      }
    }
    return offer
  }

  /** A refused offer may or may not count for the o= version: the kinder reading is taken. */
  #checkOffer(offer: SdpText): void {
    const found = checkOffer(offer, this.#acceptedSdp)
    const other = this.#refusedSdp ? checkOffer(offer, this.#refusedSdp) : found
    this.#objections.push(...(other.length < found.length ? other : found))
  }

  /** Checks an SDP answer of the client to this side's offer (RFC 3264 section 6.1). */
  takeAnswer(response: SipText, body: BodyContents): void {
    this.#objections.push(...body.found, ...checkRecordingSession(response, '+sip.src', false))
    if (body.sdp === undefined || this.#acceptedSdp === undefined) {
      this.#objections.push('RFC 3264 6: the 200 to an offer has no answer')
      return
    }
    const answer = parseSdp(body.sdp)
    if (answer.media.length !== this.#acceptedSdp.media.length) {
      this.#objections.push(`RFC 3264 6: an answer of ${answer.media.length} m-lines`)
    }
    this.#objections.push(...checkOffer(answer, this.#acceptedSdp))
    this.#acceptedSdp = answer
    for (const [i, slot] of this.slots.entries()) {
      const line = answer.media[i]
      if (line) slot.agree(line, line.codecs, receivingDirection(line.direction))
    }
  }

  /** Writes the SDP answer that the script wants; opens sockets for new m-lines. */
  async answer(offer: SdpText, script: RecorderScript): Promise<Buffer> {
    const refused = script.port0On === undefined ? [] : [script.port0On].flat()
    const media: MediaSpec[] = []
    for (const [i, line] of offer.media.entries()) {
      const isRefused = line.port === 0 || refused.includes(i)
      const taken = line.codecs.filter((codec) => script.codecs === undefined || script.codecs.includes(codec.name))
      const codecs: Codec[] = taken.map((codec) => ({
        ...codec,
        payloadType: script.payloadTypes?.[codec.payloadType] ?? codec.payloadType,
      }))
      const direction: Direction =
        script.answerDirection === undefined || line.direction === 'inactive'
          ? receivingDirection(line.direction)
          : script.answerDirection
      const slot = await this.#slot(i, line)
      slot.agree(line, codecs, isRefused ? 'inactive' : direction === 'sendrecv' ? 'recvonly' : direction)
      const label = script.labels === false ? undefined : line.label
      const shown = codecs.length > 0 ? codecs : [{ payloadType: 0, name: 'PCMU', clockRateHz: 8000 }]
      media.push({ kind: line.kind, port: isRefused ? 0 : slot.pair.port, codecs: shown, direction, label })
    }
    return this.#describe(script.fewerMediaLines ? media.slice(0, -1) : media)
  }

  /** Writes an offer of the same streams in another direction (RFC 7866 section 7.2). */
  offer(direction: 'recvonly' | 'inactive'): Buffer {
    const lines = this.#acceptedSdp?.media ?? []
    const media = lines.map((line, i): MediaSpec => {
      const port = line.port === 0 ? 0 : (this.slots[i]?.pair.port ?? 0)
      return { kind: line.kind, port, codecs: line.codecs, direction, label: line.label }
    })
    return this.#describe(media)
  }

  async #slot(index: number, line: SdpText['media'][number]): Promise<RecorderSlot> {
    const known = this.slots[index]
    if (known) return known
    const slot = new RecorderSlot(await openPair(), `m-line ${index}`, line, this.#findings, this.#changed)
    this.slots[index] = slot
    return slot
  }

  #describe(media: readonly MediaSpec[]): Buffer {
    const text = buildSdp('foreign', this.#sdpId, this.#answerVersion, media)
    if (this.#answerText !== '' && text !== this.#answerText) this.#answerVersion++
    this.#answerText = buildSdp('foreign', this.#sdpId, this.#answerVersion, media)
    return Buffer.from(this.#answerText)
  }

  /** Writes a response of this side. */
  respond(request: SipText, status: number, more: readonly (readonly [string, string])[] = [], body?: Buffer): Buffer {
    const reason = status < 300 ? 'OK' : 'As The Script Says'
    return respond(request, status, reason, this.flow, this.dialog.localTag, more, body)
  }

  /** The session is over; its sockets stay open to see what still comes. */
  end(rtcpDueMs: number = RTCP_DUE_MS): void {
    this.isEnded = true
    for (const slot of this.slots) slot.end(rtcpDueMs)
  }

  close(): void {
    for (const slot of this.slots) slot.close()
  }
}
