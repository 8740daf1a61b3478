// Recording sessions by the dozen out of one SIP core and one socket, all sending marked RTP all the time.

import { createSocket, type Socket } from 'node:dgram'
import { silentLogger } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import { SrtpSender, srtpSuites } from '#rtp'
import { cryptoAttribute, offeredCryptos, parseSdp, type SdpCrypto } from '#sdp'
import type { ClientInvite, InviteDialog } from '#sip'
import type { RecorderConfig } from '../../src/app/config-schema.ts'
import { openSipRole, type SipRole } from '../../src/app/sip-role.ts'
import { metadata, offer, withMetadata } from '../harness/recording-offer.ts'
import { MarkedStream, PACKET_MS } from './marked-stream.ts'

const HOST = '127.0.0.1'
const LATE_MS = 200

/** A session that the recorder accepted. */
export interface KillSession {
  readonly callId: string
  readonly dialog: InviteDialog
  readonly streams: readonly MarkedStream[]
  /** It sends no more. */
  isOver: boolean
}

/** The clients of one run. */
export class KillClient {
  readonly sessions: KillSession[] = []
  /** Answers that were no 200: nothing is promised for those. */
  refused = 0
  /** What the last of them said; Retry-After as it came. */
  lastRefusal: { readonly status: number; readonly retryAfter: string | undefined } | undefined
  /** Sessions that the recorder ended. */
  ended = 0
  /** INVITEs under way. */
  unanswered = 0
  readonly #underWay = new Set<ClientInvite>()
  readonly #role: SipRole
  readonly #socket: Socket
  readonly #recorderPort: number
  readonly #slices: number
  readonly #isSecured: boolean
  #nextStreamId = 1
  #nextSuite = 0
  #isClosed = false

  private constructor(role: SipRole, socket: Socket, recorderPort: number, slices: number, isSecured: boolean) {
    this.#isSecured = isSecured
    this.#role = role
    this.#socket = socket
    this.#recorderPort = recorderPort
    this.#slices = slices
    this.#beat(systemClock.nowMs(), 0)
  }

  /** `slices`: into how many parts of 20 ms the sessions are spread; with 1 all send at once. `isSecured`: by SRTP, with every suite in turn. */
  static async open(recorderPort: number, slices = 1, isSecured = false): Promise<KillClient> {
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => void socket.bind(0, HOST, () => resolve()))
    const role = await openSipRole(
      {
        name: 'client',
        sip: { listen: [{ transport: 'udp', host: HOST, port: 0 }] } as RecorderConfig['sip'],
        contactUser: 'src',
        contactParams: '+sip.src',
        supported: [],
        understood: ['siprec'],
        allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'UPDATE'],
        accept: ['application/sdp'],
        admit: () => true,
        handlers: { onInvite: (invite) => invite.reject(603) },
      },
      { clock: systemClock, ids: cryptoIds, log: silentLogger, dnsServers: [] },
    )
    return new KillClient(role, socket, recorderPort, slices, isSecured)
  }

  /** Begins a session; it counts once it is accepted. `onAnswered` is called when it is, or is not. */
  begin(onAnswered: () => void = () => {}): void {
    this.unanswered += 1
    let isAnswered = false
    const noteAnswer = (): void => {
      // Two lives of the recorder may both say 200.
      if (!isAnswered) this.unanswered -= 1
      isAnswered = true
      this.#underWay.delete(invite)
      onAnswered()
    }
    const keys = this.#isSecured ? this.#newKeys() : []
    const lines = keys.map((key, at) => {
      const { name, value } = cryptoAttribute(key)
      return { protocol: 'RTP/SAVP', attributes: ['sendonly', `label:${at + 1}`, `${name}:${value}`] }
    })
    const sdp = this.#isSecured ? offer(lines) : offer()
    const invite = this.#role.core.invite(
      {
        uri: `sip:srs@${HOST}:${this.#recorderPort}`,
        from: '<sip:src@client.test>',
        headers: [['Require', 'siprec']],
        body: withMetadata(sdp, metadata('Bob')),
      },
      {
        onAccepted: (dialog, { body }) => {
          dialog.handlers = { onEnd: () => this.#onEnd(dialog.callId) }
          const answer = parseSdp(body)
          const ports = answer.ok ? answer.value.media.map(({ port }) => port) : []
          const streams = ports.map((port, at) => {
            const secure = keys[at] && new SrtpSender(keys[at])
            return new MarkedStream(this.#socket, port, this.#nextStreamId++, secure)
          })
          this.sessions.push({ callId: dialog.callId, dialog, streams, isOver: false })
          noteAnswer()
        },
        onFailed: ({ status, response }) => {
          this.refused += 1
          this.lastRefusal = { status, retryAfter: response?.headers.get('retry-after') }
          noteAnswer()
        },
      },
    )
    if (!isAnswered) this.#underWay.add(invite)
  }

  /** Takes back what is unanswered. */
  giveUp(): void {
    for (const invite of [...this.#underWay]) invite.cancel()
  }

  #newKeys(): SdpCrypto[] {
    return [1, 2].map(() => {
      const suite = srtpSuites[this.#nextSuite++ % srtpSuites.length]!
      return offeredCryptos(undefined, [suite], cryptoIds)[0]!
    })
  }

  /** Sessions that send. */
  get live(): KillSession[] {
    return this.sessions.filter(({ isOver }) => !isOver)
  }

  /** Ends a session; resolves with the status that its BYE got. */
  async end(session: KillSession): Promise<number> {
    session.isOver = true
    return (await session.dialog.bye()).status
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#socket.close()
    await this.#role.close()
  }

  #onEnd(callId: string): void {
    for (const session of this.sessions) {
      if (session.callId !== callId) continue
      if (!session.isOver) this.ended += 1
      session.isOver = true
    }
  }

  /** Sends what is due; a generator that is late by far shifts its schedule instead of bursting. */
  #beat(dueMs: number, slice: number): void {
    if (this.#isClosed) return
    const nowMs = systemClock.nowMs()
    let next = nowMs - dueMs > LATE_MS ? nowMs : dueMs
    let turn = slice
    for (; next <= nowMs; next += PACKET_MS / this.#slices) {
      for (let at = turn; at < this.sessions.length; at += this.#slices) {
        const session = this.sessions[at]!
        if (!session.isOver) for (const stream of session.streams) stream.send(nowMs)
      }
      turn = (turn + 1) % this.#slices
    }
    systemClock.after(next - nowMs, 'packets', () => this.#beat(next, turn))
  }
}
