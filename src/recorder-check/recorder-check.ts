// Places a synthetic recorded call at a recorder and finds out what it supports; only the host given is dialled.

import { srtpSuites } from '#rtp'
import { type CryptoSuite, codecsOf, cryptosOf, directionOf, labelOf } from '#sdp'
import { type Credentials, parseSipUri, type RequestOutcome, type SipResponse, type TransportName, uriText } from '#sip'
import { LEGACY_METADATA_TYPE, METADATA_TYPE } from '#siprec'
import { labels, offeredCodecs } from './check-offer.ts'
import type { CheckItem, CheckReport, ProfileAdvice } from './check-report.ts'
import { type CheckSession, type CheckSurroundings, type SessionStart, sdpOf, startSession } from './check-session.ts'

/** How a check goes about it. */
export interface CheckOptions {
  readonly uri: string
  /** Transports that can be tried from here. */
  readonly transports: readonly TransportName[]
  /** How long the tone is sent; receiver reports are due within 5 s (RFC 3550 section 6.2). */
  readonly talkMs: number
  /** For a recorder that asks who is there. */
  readonly credentials?: Credentials
}

/** Silence for so long is an answer too. */
const OPTIONS_PATIENCE_MS = 3000
/** What recorders say that want SRTP, or other RTP than was offered (RFC 3261 section 21.4, RFC 3329). */
const otherMedia = new Set([403, 406, 415, 421, 488, 494, 606])
const challenges = new Set([401, 407])

/** Runs the check; never rejects for what the recorder does. */
export async function checkRecorder(options: CheckOptions, around: CheckSurroundings): Promise<CheckReport> {
  return await new RecorderCheck(options, around).run()
}

class RecorderCheck {
  readonly #items: CheckItem[] = []
  readonly #notes: string[] = []
  readonly #options: CheckOptions
  readonly #around: CheckSurroundings
  #profile: ProfileAdvice
  /** Once the recorder has asked for them. */
  #credentials: Credentials | undefined
  #isSecured = false

  constructor(options: CheckOptions, around: CheckSurroundings) {
    this.#options = options
    this.#around = around
    const uri = parseSipUri(options.uri)
    const host = uri.ok ? uri.value.host : options.uri
    this.#profile = { name: host, match: [host] }
  }

  async run(): Promise<CheckReport> {
    const transport = await this.#tryTransports()
    const uri = transport === undefined ? this.#options.uri : withTransport(this.#options.uri, transport)
    if (transport !== undefined && transport !== transportOf(this.#options.uri)) this.#advise({ transport })
    const start = await this.#invite(uri)
    if (start.session === undefined) {
      this.#say('INVITE', 'no', outcomeText(start.outcome))
      return this.#report(false)
    }
    this.#say('INVITE', 'yes', 'accepted with 200')
    this.#readAnswer(start.response)
    if (this.#isSecured) this.#say('RTCP receiver reports', 'unknown', 'no audio is sent with SRTP')
    else await this.#talk(start.session)
    await this.#change(start.session)
    const bye = await start.session.bye()
    this.#say(
      'BYE',
      bye?.status === 200 ? 'yes' : 'no',
      bye === undefined ? 'the recorder hung up before' : outcomeText(bye),
    )
    await this.#trySuites(uri)
    this.#say(
      'partial documents',
      'unknown',
      'how documents are merged cannot be seen from outside; complete ones are safe',
    )
    return this.#report(true)
  }

  #report(isRecorder: boolean): CheckReport {
    return { uri: this.#options.uri, isRecorder, items: this.#items, profile: this.#profile, notes: this.#notes }
  }

  #say(name: string, verdict: CheckItem['verdict'], detail: string): void {
    this.#items.push({ name, verdict, detail })
  }

  #advise(advice: Partial<ProfileAdvice>): void {
    this.#profile = { ...this.#profile, ...advice, ...mediaOf(this.#profile, advice) }
  }

  /** OPTIONS over each transport; returns the best that was answered, streams before datagrams. */
  async #tryTransports(): Promise<TransportName | undefined> {
    const answered: TransportName[] = []
    for (const transport of ['udp', 'tcp', 'tls'] as const) {
      const name = `OPTIONS over ${transport}`
      if (!this.#options.transports.includes(transport)) {
        this.#say(name, 'unknown', 'not possible from here: no certificates were given')
        continue
      }
      const { core, from } = this.#around
      const outcome = await core.request('OPTIONS', {
        uri: withTransport(this.#options.uri, transport),
        from,
        firstResponseTimeoutMs: OPTIONS_PATIENCE_MS,
      })
      if (outcome.cause === 'response') answered.push(transport)
      this.#say(name, outcome.cause === 'response' ? 'yes' : 'no', outcomeText(outcome))
    }
    const asked = transportOf(this.#options.uri)
    if (asked !== undefined) return asked
    return (['tls', 'tcp', 'udp'] as const).find((transport) => answered.includes(transport))
  }

  #start(uri: string, suites: readonly CryptoSuite[] = []): Promise<SessionStart> {
    const metadataType = this.#profile.metadata === undefined ? METADATA_TYPE : LEGACY_METADATA_TYPE
    return startSession(this.#around, { uri, suites, metadataType, credentials: this.#credentials })
  }

  /** Invites plainly; a recorder that refuses that is asked with what it may want instead. */
  async #invite(uri: string): Promise<SessionStart> {
    const plain = await this.#proved(uri, await this.#start(uri))
    const start = await this.#withOlderType(uri, plain)
    if (start.session !== undefined || !otherMedia.has(start.outcome.status)) return this.#explained(start)
    const secured = await this.#start(uri, srtpSuites)
    if (secured.session === undefined) return this.#explained(start)
    this.#say('RTP without keys', 'no', outcomeText(start.outcome))
    this.#isSecured = true
    return secured
  }

  /** Answers a challenge, if it can. */
  async #proved(uri: string, start: SessionStart): Promise<SessionStart> {
    if (start.session !== undefined || !challenges.has(start.outcome.status)) return start
    const { credentials } = this.#options
    if (credentials === undefined) {
      this.#notes.push('the recorder asks for credentials: give --user here, and set credentials in the profile')
      return start
    }
    this.#credentials = credentials
    const again = await this.#start(uri)
    const isTaken = again.session !== undefined || !challenges.has(again.outcome.status)
    this.#say('credentials', isTaken ? 'yes' : 'no', isTaken ? 'taken' : outcomeText(again.outcome))
    const { username, allowMd5 } = credentials
    const advice = { username, passwordVariable: 'RECORDER_PASSWORD', ...(allowMd5 && { allowMd5 }) }
    if (isTaken) this.#advise({ credentials: advice })
    else if (!allowMd5) this.#notes.push('a recorder that asks by MD5 alone is answered with --md5 only')
    return again
  }

  /** The media type of RFC 9806 comes first, then the older one. */
  async #withOlderType(uri: string, start: SessionStart): Promise<SessionStart> {
    if (start.session !== undefined) this.#say('metadata type', 'yes', METADATA_TYPE)
    if (start.session !== undefined || start.outcome.status !== 415) return start
    const accept = start.outcome.response?.headers.all('Accept').join(', ') || 'not said'
    const known = this.#profile
    this.#advise({ metadata: { mediaType: 'legacy' } })
    const again = await this.#start(uri)
    if (again.session === undefined) {
      this.#profile = known
      return again
    }
    this.#say('metadata type', 'no', `${METADATA_TYPE} refused, Accept: ${accept}`)
    this.#say('old metadata type', 'yes', LEGACY_METADATA_TYPE)
    return again
  }

  /** Says what a refusal may mean. */
  #explained(start: SessionStart): SessionStart {
    if (start.session !== undefined) return start
    const { status } = start.outcome
    if (status === 420)
      this.#notes.push('a recorder understands the option tag siprec: this is none, or a proxy stands before it')
    if (status === 488 || status === 606)
      this.#notes.push(
        'two streams are refused, with keys and without: with media.mixFallback in the profile one of all voices is offered then',
      )
    return start
  }

  #readAnswer(response: SipResponse): void {
    const contact = response.headers.get('Contact') ?? ''
    this.#say(
      '+sip.srs',
      contact.includes('+sip.srs') ? 'yes' : 'no',
      contact.includes('+sip.srs') ? 'in Contact' : 'Contact lacks it (RFC 7866 section 6.2)',
    )
    const expires = response.headers.get('Session-Expires')
    this.#say('session timer', expires === undefined ? 'no' : 'yes', expires ?? 'no Session-Expires in the answer')
    if (expires !== undefined) this.#advise({ sessionExpiresSeconds: 1800 })
    const allow = response.headers.list('Allow').map((method) => method.trim().toUpperCase())
    const saysUpdate = allow.includes('UPDATE')
    this.#say(
      'UPDATE in Allow',
      allow.length === 0 ? 'unknown' : saysUpdate ? 'yes' : 'no',
      allow.join(', ') || 'no Allow',
    )
    const answer = sdpOf(response)
    if (answer === undefined) {
      this.#say('answer', 'no', 'no SDP that can be read')
      return
    }
    const taken = answer.media.filter((media) => media.port !== 0)
    this.#say('two streams', taken.length === 2 ? 'yes' : 'no', `${taken.length} of 2 m-lines taken`)
    if (taken.length === 1) this.#advise({ media: { mixFallback: true } })
    const echoed = answer.media.map((media) => labelOf(media) ?? '-')
    this.#say('label echo', echoed.join() === labels.join() ? 'yes' : 'no', `labels ${echoed.join(', ')}`)
    const directions = answer.media.map((media) => directionOf(media, answer))
    this.#say('recvonly', directions.every((each) => each === 'recvonly') ? 'yes' : 'no', directions.join(', '))
    const codecs = [...new Set(taken.flatMap(codecsOf).map(({ encoding }) => encoding))]
    for (const { encoding } of offeredCodecs) {
      this.#say(
        `codec ${encoding}`,
        codecs.includes(encoding) ? 'yes' : 'no',
        codecs.includes(encoding) ? 'in the answer' : 'not in the answer',
      )
    }
    const wide = codecs.some((encoding) => /^(G722|OPUS)\//.test(encoding))
    if (!wide) this.#advise({ media: { codecs: 'g711' } })
  }

  async #talk(session: CheckSession): Promise<void> {
    session.speak()
    await this.#wait(this.#options.talkMs)
    const sent = session.streams.reduce((sum, stream) => sum + stream.sent, 0)
    const reports = session.streams.reduce((sum, stream) => sum + stream.receiverReports, 0)
    this.#say('RTCP receiver reports', reports > 0 ? 'yes' : 'no', `${reports} for ${sent} packets`)
    if (reports > 0) this.#advise({ lostAfterSilenceMs: 30_000 })
    else if (sent > 0) this.#notes.push('no sign that audio arrives: allow RTP from here to the ports of the answer')
  }

  async #change(session: CheckSession): Promise<void> {
    session.hush()
    for (const [name, direction] of [
      ['pause', 'inactive'],
      ['resume', 'sendonly'],
    ] as const) {
      const outcome = await session.offer('INVITE', direction)
      this.#say(`${name} by re-INVITE`, outcome.status < 300 ? 'yes' : 'no', outcomeText(outcome))
    }
    if (session.dialog?.remoteAllow.has('UPDATE') === true) {
      const outcome = await session.offer('UPDATE', 'sendonly')
      this.#say('document by UPDATE', outcome.status < 300 ? 'yes' : 'no', outcomeText(outcome))
    }
    const own = [...new Set(session.heard)]
    this.#say(
      'snapshot requests',
      own.includes('snapshot') ? 'yes' : 'unknown',
      own.length === 0 ? 'the recorder asked nothing' : `the recorder sent ${own.join(', ')}`,
    )
  }

  /** A short session with each suite alone; no media is sent. */
  async #trySuites(uri: string): Promise<void> {
    const taken: CryptoSuite[] = []
    for (const [index, suite] of srtpSuites.entries()) {
      const start = await this.#start(uri, [suite])
      const isTaken = start.session !== undefined && hasKeyOf(suite, start.session)
      if (isTaken) taken.push(suite)
      const detail =
        start.session === undefined ? outcomeText(start.outcome) : isTaken ? 'taken' : 'accepted without a key'
      this.#say(`SRTP ${suite}`, isTaken ? 'yes' : 'no', detail)
      await start.session?.bye()
      if (start.session !== undefined || start.outcome.cause === 'response') continue
      // Who is silent now would be so three times more.
      for (const left of srtpSuites.slice(index + 1)) this.#say(`SRTP ${left}`, 'unknown', 'not tried after that')
      break
    }
    if (taken.length > 0) this.#advise({ media: { srtp: taken } })
    else if (transportOf(uri) !== 'tls')
      this.#notes.push(
        'keys were offered in the clear, where a recorder may refuse them: give --tls-cert and --tls-key to try SRTP over TLS',
      )
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#around.clock.after(ms, 'recorder check', resolve))
  }
}

function hasKeyOf(suite: CryptoSuite, { answer }: CheckSession): boolean {
  const taken = (answer?.media ?? []).filter((media) => media.port !== 0)
  return taken.length > 0 && taken.every((media) => cryptosOf(media).some((crypto) => crypto.suite === suite))
}

function mediaOf(known: ProfileAdvice, { media }: Partial<ProfileAdvice>): Pick<ProfileAdvice, 'media'> {
  return media === undefined ? {} : { media: { ...known.media, ...media } }
}

function transportOf(uri: string): TransportName | undefined {
  const parsed = parseSipUri(uri)
  if (!parsed.ok) return undefined
  if (parsed.value.scheme === 'sips') return 'tls'
  const named = parsed.value.params.get('transport')?.toLowerCase()
  return named === 'udp' || named === 'tcp' || named === 'tls' ? named : undefined
}

function withTransport(uri: string, transport: TransportName): string {
  const parsed = parseSipUri(uri)
  if (!parsed.ok || parsed.value.scheme === 'sips') return uri
  return uriText({ ...parsed.value, params: new Map([...parsed.value.params, ['transport', transport]]) })
}

function outcomeText({ status, reason, cause }: RequestOutcome): string {
  return cause === 'response' ? `${status} ${reason}` : `${cause}: ${reason || status}`
}
