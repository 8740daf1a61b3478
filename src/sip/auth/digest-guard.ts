// Digest authentication as server: RFC 3261 section 22.1, RFC 7616 section 3.3, RFC 8760 section 2.

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock, Ids } from '#kernel'
import type { SipRequest } from '../message/message.ts'
import { sameUri } from '../message/same-uri.ts'
import { parseSipUri } from '../message/uri.ts'
import type { HeaderList } from '../session.ts'
import { type AuthValue, digestText, parseAuthValues } from './challenge.ts'
import { digestAlgorithm, digestResponse } from './digest.ts'

/** Who may ask, and how well protected. */
export interface DigestGuardOptions {
  readonly realm: string
  /** The password of a user; undefined for an unknown one. */
  readonly passwordOf: (username: string) => string | undefined
  /** Offered and taken beside SHA-256, for peers that know nothing better. */
  readonly allowMd5: boolean
}

const NONCE_LIFETIME_MS = 300_000
/** Nonces in use at a time; above it all are replaced by new ones. */
const MAX_NONCES = 10_000
const NO_PASSWORD = ''

type Verdict = 'accepted' | 'stale' | 'refused'

/** Challenges requests, and knows the answers. A nonce proves itself by a seal, so that nothing is kept for who never answers. */
export class DigestGuard {
  readonly #options: DigestGuardOptions
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #seal: string
  /** Highest nonce count seen, by nonce. */
  readonly #counts = new Map<string, number>()
  /** Nonces made before this are stale. */
  #validFromMs = 0

  constructor(options: DigestGuardOptions, clock: Clock, ids: Ids) {
    this.#options = options
    this.#clock = clock
    this.#ids = ids
    this.#seal = ids.hex(32)
  }

  /** Undefined if the request is whose it says it is; else the challenges to refuse it with, by 401. */
  challenge(request: SipRequest): HeaderList | undefined {
    const verdict = this.#verdict(request)
    if (verdict === 'accepted') return undefined
    const names = this.#options.allowMd5 ? ['SHA-256', 'MD5'] : ['SHA-256']
    const nonce = this.#newNonce()
    const stale = verdict === 'stale' ? [['stale', 'true'] as const] : []
    return names.map((name) => {
      const quoted: HeaderList = [
        ['realm', this.#options.realm],
        ['nonce', nonce],
        ['qop', 'auth'],
      ]
      return ['WWW-Authenticate', digestText(quoted, [['algorithm', name], ...stale])]
    })
  }

  #verdict(request: SipRequest): Verdict {
    const given = request.headers.all('authorization').flatMap(parseAuthValues)
    const value = given.find(({ scheme, params }) => scheme === 'digest' && params.get('realm') === this.#options.realm)
    if (value === undefined || !this.#isSealed(value.params.get('nonce') ?? '')) return 'refused'
    return this.#isRight(request, value) ? this.#use(value) : 'refused'
  }

  #isRight(request: SipRequest, { params }: AuthValue): boolean {
    const uri = params.get('uri') ?? ''
    const algorithm = digestAlgorithm(params.get('algorithm'))
    const isOffered = algorithm?.name === 'SHA-256' || (algorithm?.name === 'MD5' && this.#options.allowMd5)
    if (algorithm === undefined || !isOffered || params.get('qop') !== 'auth' || !isFor(uri, request.uri)) return false
    const username = (params.get('username') ?? '').replace(/\\(.)/g, '$1')
    const password = this.#options.passwordOf(username)
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

  /** Each count of a nonce is good for one request (RFC 7616 section 5.6). */
  #use({ params }: AuthValue): Verdict {
    const nonce = params.get('nonce') ?? ''
    const count = Number.parseInt(params.get('nc') ?? '', 16)
    const madeMs = Number.parseInt(nonce.split('-')[0] ?? '', 16)
    const nowMs = this.#clock.wallMs()
    if (madeMs < this.#validFromMs || nowMs - madeMs > NONCE_LIFETIME_MS) return 'stale'
    if (!(count > (this.#counts.get(nonce) ?? 0))) return 'stale'
    if (this.#counts.size >= MAX_NONCES) this.#forgetAll(nowMs)
    else this.#counts.set(nonce, count)
    return 'accepted'
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
