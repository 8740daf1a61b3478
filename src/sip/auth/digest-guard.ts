// Digest authentication as server: RFC 3261 section 22.1, RFC 7616 section 3.3, RFC 8760 section 2.

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock, Ids } from '#kernel'
import type { SipRequest } from '../message/message.ts'
import { sameUri } from '../message/same-uri.ts'
import { parseSipUri } from '../message/uri.ts'
import type { HeaderList } from '../session.ts'
import type { SipFlow } from '../transport-port.ts'
import { type AuthValue, digestText, parseAuthValues } from './challenge.ts'
import { digestAlgorithm, digestResponse } from './digest.ts'
import { GuessLimit, type GuessLimitOptions } from './guess-limit.ts'

/** Who may ask, and how well protected. */
export interface DigestGuardOptions {
  readonly realm: string
  /** The password of a user that comes by a flow; undefined for one that is unknown there. */
  readonly passwordOf: (username: string, flow: SipFlow) => string | undefined
  /** Offered and taken beside SHA-256 and SHA-512-256, for peers that know nothing better. */
  readonly allowMd5: boolean
  /** False: who comes by this flow need not prove who it is; everybody must unless told. */
  readonly isAsked?: (flow: SipFlow) => boolean
  /** Which requests within a dialog must prove it again: those from another host than the dialog's peer, unless told. */
  readonly withinDialogs?: 'other-source' | 'always' | 'never'
  /** Wrong proofs that an address has; any number unless told. */
  readonly guesses?: GuessLimitOptions
}

/** Why a request is challenged, or refused without a challenge. */
export type ChallengeReason =
  | 'no-credentials'
  | 'unknown-nonce'
  | 'stale-nonce'
  | 'wrong-credentials'
  | 'too-many-guesses'

/** What to refuse a request with: a challenge, or 503 for an address that guesses. */
export interface DigestChallenge {
  readonly status: 401 | 503
  readonly reason: ChallengeReason
  readonly headers: HeaderList
}

const NONCE_LIFETIME_MS = 300_000
/** Nonces in use at a time; above it all are replaced by new ones. */
const MAX_NONCES = 10_000
const NO_PASSWORD = ''
/** Best first (RFC 8760 section 2.3). */
const ALGORITHMS = ['SHA-256', 'SHA-512-256'] as const

/** Challenges requests, and knows the answers. A nonce proves itself by a seal, so that nothing is kept for who never answers. */
export class DigestGuard {
  readonly #options: DigestGuardOptions
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #seal: string
  readonly #algorithms: readonly string[]
  readonly #guesses: GuessLimit | undefined
  /** Highest nonce count seen, by nonce. */
  readonly #counts = new Map<string, number>()
  /** Nonces made before this are stale. */
  #validFromMs = 0

  constructor(options: DigestGuardOptions, clock: Clock, ids: Ids) {
    this.#options = options
    this.#clock = clock
    this.#ids = ids
    this.#seal = ids.hex(32)
    this.#algorithms = options.allowMd5 ? [...ALGORITHMS, 'MD5'] : ALGORITHMS
    this.#guesses = options.guesses && new GuessLimit(options.guesses, clock)
  }

  /** Whether a request other than ACK and CANCEL (RFC 3261 section 22.1) must prove who sends it; `dialogHost` is where the peer of its dialog is, undefined outside of dialogs that peers made. */
  asks(method: string, flow: SipFlow, isWithin: boolean, dialogHost: string | undefined): boolean {
    if (!(this.#options.isAsked?.(flow) ?? true)) return false
    // OPTIONS tells whether we live.
    if (!isWithin) return method !== 'OPTIONS'
    const { withinDialogs = 'other-source' } = this.#options
    if (withinDialogs === 'other-source') return dialogHost !== undefined && dialogHost !== flow.remote.host
    return withinDialogs === 'always'
  }

  /** Undefined if the request is whose it says it is. */
  challenge(request: SipRequest, flow: SipFlow): DigestChallenge | undefined {
    const { host } = flow.remote
    const refusedMs = this.#guesses?.refusedMs(host) ?? 0
    // Nothing is looked at, or a right guess would show.
    if (refusedMs > 0) {
      const headers: HeaderList = [['Retry-After', `${Math.ceil(refusedMs / 1000)}`]]
      return { status: 503, reason: 'too-many-guesses', headers }
    }
    const reason = this.#refusalOf(request, flow)
    if (reason === undefined) {
      this.#guesses?.succeed(host)
      return undefined
    }
    if (reason === 'wrong-credentials') this.#guesses?.fail(host)
    const nonce = this.#newNonce()
    const stale = reason === 'stale-nonce' ? [['stale', 'true'] as const] : []
    const headers = this.#algorithms.map((name) => {
      const quoted: HeaderList = [
        ['realm', this.#options.realm],
        ['nonce', nonce],
        ['qop', 'auth'],
      ]
      return ['WWW-Authenticate', digestText(quoted, [['algorithm', name], ...stale])] as const
    })
    return { status: 401, reason, headers }
  }

  #refusalOf(request: SipRequest, flow: SipFlow): ChallengeReason | undefined {
    const given = request.headers.all('authorization').flatMap(parseAuthValues)
    const value = given.find(({ scheme, params }) => scheme === 'digest' && params.get('realm') === this.#options.realm)
    if (value === undefined) return 'no-credentials'
    if (!this.#isSealed(value.params.get('nonce') ?? '')) return 'unknown-nonce'
    if (!this.#isRight(request, value, flow)) return 'wrong-credentials'
    return this.#use(value) ? undefined : 'stale-nonce'
  }

  #isRight(request: SipRequest, { params }: AuthValue, flow: SipFlow): boolean {
    const uri = params.get('uri') ?? ''
    const algorithm = digestAlgorithm(params.get('algorithm'))
    const isOffered = algorithm !== undefined && this.#algorithms.includes(algorithm.name)
    if (!isOffered || params.get('qop') !== 'auth' || !isFor(uri, request.uri)) return false
    const username = (params.get('username') ?? '').replace(/\\(.)/g, '$1')
    const password = this.#options.passwordOf(username, flow)
    const expected = digestResponse({
      algorithm,
      username,
      realm: this.#options.realm,
      password: password ?? NO_PASSWORD,
      nonce: params.get('nonce') ?? '',
      cnonce: params.get('cnonce') ?? '',
      nonceCount: params.get('nc') ?? '',
      qop: 'auth',
      method: request.method,
      uri,
      body: request.body,
    })
    return isEqual(expected, (params.get('response') ?? '').toLowerCase()) && password !== undefined
  }

  /** Whether nonce and count are good: each count of a nonce for one request (RFC 7616 section 5.6). */
  #use({ params }: AuthValue): boolean {
    const nonce = params.get('nonce') ?? ''
    const count = Number.parseInt(params.get('nc') ?? '', 16)
    const madeMs = Number.parseInt(nonce.split('-')[0] ?? '', 16)
    const nowMs = this.#clock.wallMs()
    if (madeMs < this.#validFromMs || nowMs - madeMs > NONCE_LIFETIME_MS) return false
    if (!(count > (this.#counts.get(nonce) ?? 0))) return false
    if (this.#counts.size >= MAX_NONCES) this.#forgetAll(nowMs)
    else this.#counts.set(nonce, count)
    return true
  }

  #forgetAll(nowMs: number): void {
    this.#counts.clear()
    this.#validFromMs = nowMs + 1
  }

  #newNonce(): string {
    const text = `${Math.ceil(this.#clock.wallMs()).toString(16)}-${this.#ids.hex(8)}`
    return `${text}-${this.#sealOf(text)}`
  }

  #isSealed(nonce: string): boolean {
    const cut = nonce.lastIndexOf('-')
    return cut > 0 && isEqual(this.#sealOf(nonce.slice(0, cut)), nonce.slice(cut + 1))
  }

  #sealOf(text: string): string {
    return createHmac('sha256', this.#seal).update(text).digest('hex').slice(0, 32)
  }
}

/** The digest is for this request, or for another spelling of its URI. */
function isFor(uri: string, requestUri: string): boolean {
  if (uri === requestUri) return true
  const [a, b] = [parseSipUri(uri), parseSipUri(requestUri)]
  return a.ok && b.ok && sameUri(a.value, b.value)
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
