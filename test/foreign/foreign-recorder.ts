// An independent SIPREC recorder (RFC 7866) for tests: it does what its script says, keeps what comes to its sockets,
// and says what a strict recorder would object to.

import { Arrivals } from './deadline.ts'
import { DialogSide, respond, token, type WrittenRequest } from './dialog-side.ts'
import { checkRecordingSession, checkRequest, readBody } from './message-rules.ts'
import { type RecorderScript, RecorderSession } from './recorder-session.ts'
import type { RtcpArrival, RtpArrival } from './recorder-slot.ts'
import { type Address, type Flow, SipListener } from './sip-flow.ts'
import { SipRequester, SipResponder } from './sip-requester.ts'
import { branchOf, cseqOf, type Header, headerOf, parseSip, type SipText, tagOf } from './sip-text.ts'

/** A message with the time and the way it came. */
type SipArrival = {
  readonly message: SipText
  readonly atMs: number
  readonly flow: Flow
  readonly isRepeat: boolean
}

const ALLOW: Header = ['Allow', 'INVITE, ACK, CANCEL, BYE, UPDATE, OPTIONS']
const ACCEPT: Header = ['Accept', 'application/sdp, application/rs-metadata+xml, multipart/mixed']
const SNAPSHOT_REQUEST =
  '<?xml version="1.0" encoding="UTF-8"?>\r\n<requestsnapshot xmlns="urn:ietf:params:xml:ns:recording:1">\r\n' +
  '<requestreason xml:lang="en">state lost</requestreason>\r\n</requestsnapshot>\r\n'

/** The recorder; `script` may be changed between sessions and while one runs. */
export class ForeignRecorder {
  script: RecorderScript
  /** What breaks a MUST, in the order of arrival; an empty list is a clean client. */
  readonly violations: string[] = []
  /** What a recorder may miss but no RFC demands. */
  readonly advice: string[] = []
  readonly arrivals: SipArrival[] = []
  readonly sessions: RecorderSession[] = []
  readonly #findings = { objections: this.violations, advice: this.advice }
  readonly #signal = new Arrivals()
  readonly #forgotten = new Set<RecorderSession>()
  readonly #requester = new SipRequester()
  readonly #responder = new SipResponder()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #changed = () => this.#signal.changed()
  #listener: SipListener | undefined
  #isClosed = false

  private constructor(script: RecorderScript) {
    this.script = script
  }

  /** Opens UDP and TCP on one port, of the loopback address where nothing else is asked for; UDP alone with `dropTcp`. */
  static async open(script: RecorderScript = {}, at?: Address): Promise<ForeignRecorder> {
    const recorder = new ForeignRecorder(script)
    const onMessage = (raw: Buffer, flow: Flow): void => recorder.#onMessage(raw, flow)
    recorder.#listener = await SipListener.open(script.dropTcp !== true, onMessage, at)
    return recorder
  }

  get address(): Address {
    return this.#listener?.address ?? { host: '127.0.0.1', port: 0 }
  }

  /** Its SIP URI; without transport, so that RFC 3261 section 18.1.1 decides. */
  uri(transport?: 'udp' | 'tcp'): string {
    return `sip:recorder@${this.address.host}:${this.address.port}${transport ? `;transport=${transport}` : ''}`
  }

  /** The INVITEs that came, re-INVITEs with them, repeats left out. */
  invites(): SipText[] {
    return this.requests('INVITE')
  }

  /** The requests of one method, repeats left out. */
  requests(method: string): SipText[] {
    return this.arrivals.filter((one) => !one.isRepeat && one.message.method === method).map((one) => one.message)
  }

  /** The metadata documents as they came, over all sessions. */
  documents(): string[] {
    return this.sessions.flatMap((session) => session.documents.map((document) => document.xml))
  }

  rtp(index: number, session = 0): readonly RtpArrival[] {
    return this.sessions[session]?.slots[index]?.rtp ?? []
  }

  rtcp(index: number, session = 0): readonly RtcpArrival[] {
    return this.sessions[session]?.slots[index]?.rtcp ?? []
  }

  /** What was said on one m-line, by timestamp, 8 kHz. */
  audio(index: number, session = 0): Int16Array {
    return this.sessions[session]?.slots[index]?.audio() ?? new Int16Array(0)
  }

  /** Resolves when the predicate holds after some arrival; rejects after `deadlineMs`. */
  waitFor(predicate: () => boolean, deadlineMs: number, what?: string): Promise<void> {
    return this.#signal.waitFor(predicate, deadlineMs, what)
  }

  /** Loses all dialogs, as a restart does: requests within them get 481 from now on. */
  forget(): void {
    for (const session of this.sessions) this.#forgotten.add(session)
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms)
    this.#timers.add(timer)
  }

  #onMessage(raw: Buffer, flow: Flow): void {
    if (this.script.isDead === true) return
    const message = parseSip(raw)
    if (message === undefined) {
      if (raw.toString('latin1').trim() !== '') this.violations.push('RFC 3261 7: a message that cannot be read')
      return
    }
    if (message.method === '') {
      this.arrivals.push({ message, atMs: Date.now(), flow, isRepeat: false })
      if (!this.#requester.accept(message)) this.violations.push(`RFC 3261 17.1.3: a stray ${message.status}`)
      this.#changed()
      return
    }
    const isRepeat = message.method !== 'ACK' && !this.#responder.isNew(message, flow)
    this.arrivals.push({ message, atMs: Date.now(), flow, isRepeat })
    if (isRepeat && !this.#responder.isSameAsBefore(message)) {
      this.violations.push(`RFC 3261 17.1.1.2: a repeated ${message.method} with other bytes`)
    }
    if (!isRepeat) {
      const { objections, advice } = checkRequest(message, flow, this.script.dropTcp !== true)
      this.violations.push(...objections)
      this.advice.push(...advice)
      this.#onRequest(message, flow)
    }
    this.#changed()
  }

  #onRequest(request: SipText, flow: Flow): void {
    const inDialog = this.sessions.find(
      (one) =>
        !this.#forgotten.has(one) &&
        one.callId === headerOf(request, 'Call-ID') &&
        one.dialog.localTag === tagOf(request, 'To'),
    )
    if (inDialog) {
      inDialog.flow = flow
      inDialog.checkInDialog(request)
    }
    if (request.method === 'ACK') this.#onAck(request, inDialog)
    else if (request.method === 'CANCEL') this.#onCancel(request, flow)
    else if (request.method === 'OPTIONS') {
      if (this.script.ignoreOptions !== true) this.#plain(request, flow, 200, [ALLOW, ACCEPT])
    } else if (request.method === 'INVITE' && tagOf(request, 'To') === '') this.#onInvite(request, flow)
    else if (!['INVITE', 'UPDATE', 'BYE'].includes(request.method)) this.#plain(request, flow, 405, [ALLOW])
    else if (inDialog === undefined) this.#plain(request, flow, 481)
    else if (request.method === 'INVITE') this.#onReinvite(request, inDialog)
    else if (request.method === 'UPDATE') this.#onUpdate(request, inDialog)
    else this.#onBye(request, inDialog)
  }

  #plain(request: SipText, flow: Flow, status: number, more: readonly Header[] = []): void {
    const reason = status === 200 ? 'OK' : 'As The Script Says'
    this.#responder.send(request, respond(request, status, reason, flow, token(), more), flow, false)
  }

  #contact(): string {
    const uri = this.script.contactUri ?? `sip:recorder@${this.address.host}:${this.address.port}`
    return `<${uri}>${this.script.contactTag === false ? '' : ';+sip.srs'}`
  }

  #onInvite(request: SipText, flow: Flow): void {
    this.violations.push(...checkRecordingSession(request, '+sip.src', true))
    const { answer = 200 } = this.script
    if (answer === 'silent') return
    const dialog = DialogSide.answering(request, this.#contact())
    const session = new RecorderSession(request, dialog, flow, this.#findings, this.#changed)
    this.sessions.push(session)
    session.pendingInvite = request
    if (typeof answer === 'number') {
      const { rejectSeparate } = this.script
      const isSeparate = (readBody(request).sdp?.match(/^m=audio [1-9]/gm) ?? []).length > 1
      this.#answerInvite(request, session, isSeparate ? (rejectSeparate ?? answer) : answer)
      return
    }
    flow.send(respond(request, 100, 'Trying', flow, ''))
    this.#after(answer.lateMs, () => {
      if (session.pendingStatus === 0) this.#answerInvite(request, session, answer.code ?? 200)
    })
  }

  /** Answers an INVITE or a re-INVITE; a refused one leaves the session as it was. */
  #answerInvite(request: SipText, session: RecorderSession, status: number): void {
    const isAccepted = status < 300
    session.pendingStatus = status
    const body = readBody(request)
    this.violations.push(...body.found)
    const offer = session.takeBody(request, body, isAccepted)
    if (session.offers.length === 1 && session.documents.length === 0 && isAccepted) {
      this.advice.push('RFC 7866 9.1: the first INVITE has no metadata')
    }
    const more: Header[] = isAccepted
      ? [['Contact', session.dialog.contact], ALLOW]
      : [...(this.script.answerHeaders ?? [])]
    const write = (sdp?: Buffer) => {
      if (sdp) more.push(['Content-Type', 'application/sdp'])
      this.#responder.send(request, session.respond(request, status, more, sdp), session.flow, true)
      this.#changed()
    }
    if (!isAccepted) {
      write()
      return
    }
    const sdp = offer ? session.answer(offer, this.script) : Promise.resolve(session.offer('recvonly'))
    sdp.then(write, (error: unknown) => this.violations.push(`the recorder failed: ${String(error)}`))
  }

  #onReinvite(request: SipText, session: RecorderSession): void {
    this.violations.push(...checkRecordingSession(request, '+sip.src', false))
    session.dialog.learnTarget(request)
    session.pendingInvite = request
    this.#answerInvite(request, session, session.isOffering ? 491 : (this.script.rejectReinvite ?? 200))
  }

  #onUpdate(request: SipText, session: RecorderSession): void {
    this.violations.push(...checkRecordingSession(request, '+sip.src', false))
    const status = this.script.rejectUpdate ?? 200
    const body = readBody(request)
    this.violations.push(...body.found)
    const offer = session.takeBody(request, body, status < 300)
    const more: Header[] = status < 300 ? [['Contact', session.dialog.contact], ALLOW] : []
    if (offer === undefined || status >= 300) {
      this.#responder.send(request, session.respond(request, status, more), session.flow)
      return
    }
    session.answer(offer, this.script).then(
      (sdp) => {
        more.push(['Content-Type', 'application/sdp'])
        this.#responder.send(request, session.respond(request, status, more, sdp), session.flow)
      },
      (error: unknown) => this.violations.push(`the recorder failed: ${String(error)}`),
    )
  }

  #onBye(request: SipText, session: RecorderSession): void {
    const body = readBody(request)
    this.violations.push(...body.found)
    if (body.metadata) this.advice.push('RFC 8068 3.2.4: metadata in BYE')
    session.takeBody(request, body, true)
    this.#responder.send(request, session.respond(request, 200), session.flow)
    session.end(this.script.rtcpDueMs)
  }

  #onCancel(request: SipText, flow: Flow): void {
    const isOf = (one: RecorderSession) => one.pendingInvite && branchOf(one.pendingInvite) === branchOf(request)
    const session = this.sessions.find(isOf)
    this.#plain(request, flow, session ? 200 : 481)
    if (!session?.pendingInvite || session.pendingStatus !== 0) return
    session.pendingStatus = 487
    session.end(this.script.rtcpDueMs)
    this.#responder.send(session.pendingInvite, session.respond(session.pendingInvite, 487), flow, true)
  }

  #onAck(request: SipText, session: RecorderSession | undefined): void {
    const invite = session?.pendingInvite
    if (!session || !invite || cseqOf(invite).number !== cseqOf(request).number) return
    this.#responder.acknowledged(invite)
    session.pendingInvite = undefined
    const hasSameBranch = branchOf(invite) === branchOf(request)
    if (session.pendingStatus < 300 === hasSameBranch) {
      this.violations.push(
        `RFC 3261 17.1.1.3: the ACK of a ${session.pendingStatus} has ${hasSameBranch ? 'the' : 'another'} branch`,
      )
    }
    const body = readBody(request)
    if (body.metadata) this.violations.push('RFC 7866 9.1: metadata in ACK')
    if (session.pendingStatus >= 300 || session.isConfirmed) return
    session.isConfirmed = true
    if (this.script.reinviteRecvonly)
      void this.reinvite('recvonly', session).catch((error) => this.violations.push(String(error)))
    if (this.script.byeAfterMs !== undefined) {
      this.#after(
        this.script.byeAfterMs,
        () => void this.bye(session).catch((error) => this.violations.push(String(error))),
      )
    }
  }

  #latest(session: RecorderSession | undefined): RecorderSession {
    const chosen = session ?? this.sessions.at(-1)
    if (chosen === undefined) throw new Error('there is no session yet')
    return chosen
  }

  async #request(
    session: RecorderSession,
    method: string,
    more: readonly Header[],
    body?: Buffer,
  ): Promise<[SipText, WrittenRequest]> {
    const request = session.dialog.request(method, session.flow, more, body)
    return [await this.#requester.send(request, method, session.flow, 10_000), request]
  }

  /** Re-offers all streams in one direction and checks the answer; resolves with the final response. */
  async reinvite(direction: 'recvonly' | 'inactive', session?: RecorderSession): Promise<SipText> {
    const one = this.#latest(session)
    if (direction === 'recvonly') this.script = { ...this.script, answerDirection: 'recvonly' }
    const more: Header[] = [
      ['Contact', one.dialog.contact],
      ['Require', 'siprec'],
      ALLOW,
      ['Content-Type', 'application/sdp'],
    ]
    one.isOffering = true
    const [response, request] = await this.#request(one, 'INVITE', more, one.offer(direction)).finally(() => {
      one.isOffering = false
    })
    const isAccepted = response.status < 300
    const same = { cseq: request.cseq, ...(isAccepted ? {} : { branch: request.branch }) }
    this.#requester.acknowledge(request, one.dialog.request('ACK', one.flow, [], Buffer.alloc(0), same).raw)
    if (isAccepted) one.takeAnswer(response, readBody(response))
    return response
  }

  /** Asks for a snapshot (RFC 7866 section 9.2); the snapshot itself comes in a request of the client's. */
  async requestSnapshot(session?: RecorderSession): Promise<SipText> {
    const one = this.#latest(session)
    const more: Header[] = [
      ['Contact', one.dialog.contact],
      ['Require', 'siprec'],
      ['Content-Type', 'application/rs-metadata+xml'],
      ['Content-Disposition', 'recording-session'],
    ]
    const [response] = await this.#request(one, 'UPDATE', more, Buffer.from(SNAPSHOT_REQUEST))
    if (response.status === 200) this.violations.push(...checkRecordingSession(response, '+sip.src', false))
    if (response.body.length > 0) this.violations.push('RFC 7866 9.1: the 200 to a snapshot request has a body')
    return response
  }

  /** Ends a session from this side. */
  async bye(session?: RecorderSession, more: readonly Header[] = []): Promise<SipText> {
    const one = this.#latest(session)
    one.end(this.script.rtcpDueMs)
    const [response] = await this.#request(one, 'BYE', more)
    return response
  }

  /** Says goodbye to nobody: closes every socket and notes what never came; idempotent. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const session of this.sessions) {
      if (session.pendingInvite && session.pendingStatus !== 0) {
        this.violations.push(`RFC 3261 13.2.2.4: the ${session.pendingStatus} was never acknowledged`)
      }
      if (!session.isEnded) session.end(this.script.rtcpDueMs)
      session.close()
    }
    for (const timer of this.#timers) clearTimeout(timer)
    this.#requester.close()
    this.#responder.close()
    this.#listener?.close()
  }

  /** Cuts and refuses TCP from now on. */
  closeTcp(): void {
    this.script = { ...this.script, dropTcp: true }
    this.#listener?.closeTcp()
  }

  /** Sends a receiver report on one m-line now; one also follows each sender report by itself. */
  sendReceiverReport(index: number, session = 0): void {
    this.sessions[session]?.slots[index]?.report()
  }

  /** Sends no RTCP any more, and takes everything all the same. */
  stopReceiverReports(session = 0): void {
    for (const slot of this.sessions[session]?.slots ?? []) slot.doesReport = false
  }
}
