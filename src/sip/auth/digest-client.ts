// Digest authentication as client: RFC 3261 section 22, RFC 7616 section 3.3, RFC 8760 section 2.

import type { Ids } from '#kernel'
import type { SipResponse } from '../message/message.ts'
import type { RequestPlan } from '../message-builder.ts'
import type { Amendment } from '../retry/amendment.ts'
import type { Credentials, HeaderList } from '../session.ts'
import { type AuthValue, authHeader, digestText, parseAuthValues, qopItems } from './challenge.ts'
import { type DigestAlgorithm, type DigestQop, digestAlgorithm, digestResponse, hashedUsername } from './digest.ts'

const KINDS = ['www', 'proxy'] as const
/** Realms that one user answers at a time: its registrar and the proxies on the way. */
const MAX_REALMS = 8
/** How often a nonce of one realm may go stale while one request is asked. */
const MAX_STALE = 2
const NO_BODY = new Uint8Array(0)

interface Challenge {
  readonly header: string
  readonly algorithm: DigestAlgorithm
  readonly realm: string
  readonly nonce: string
  readonly opaque: string | undefined
  readonly qop: DigestQop
  readonly wantsHash: boolean
  readonly isStale: boolean
}

/** A challenge that we can answer, with its client nonce and how often it was used. */
interface Protection extends Challenge {
  readonly cnonce: string
  uses: number
}

/** What one user knows to answer challenges with; kept for all requests of a dialog. */
export class DigestClient {
  readonly #credentials: Credentials
  readonly #ids: Ids
  readonly #protections = new Map<string, Protection>()

  constructor(credentials: Credentials, ids: Ids) {
    this.#credentials = credentials
    this.#ids = ids
  }

  /** The answers for one request and its repetitions. */
  amendment(): Amendment {
    /** Realms answered within this request, with how often their nonce went stale. */
    const answered = new Map<string, number>()
    return {
      prepare: (plan) => this.#withCredentials(plan),
      afterRefusal: (plan, response) => (this.#takesChallenges(response, answered) ? plan : undefined),
    }
  }

  #withCredentials(plan: RequestPlan): RequestPlan {
    if (this.#protections.size === 0) return plan
    const headers: HeaderList = [...this.#protections.values()].map(
      (protection) => [protection.header, this.#answer(protection, plan)] as const,
    )
    return { ...plan, options: { ...plan.options, headers: [...(plan.options.headers ?? []), ...headers] } }
  }

  #takesChallenges(response: SipResponse, answered: Map<string, number>): boolean {
    if (response.status !== 401 && response.status !== 407) return false
    const challenges = this.#challengesOf(response)
    if (challenges.size === 0) return false
    for (const [key, challenge] of challenges) {
      const staleTimes = answered.get(key)
      if (staleTimes !== undefined && (!challenge.isStale || staleTimes >= MAX_STALE)) return false
      // The same nonce again, not stale: name or password are wrong, whichever request they were sent with.
      if (!challenge.isStale && this.#protections.get(key)?.nonce === challenge.nonce) return false
      answered.set(key, staleTimes === undefined ? 0 : staleTimes + 1)
      this.#protections.delete(key)
      this.#protections.set(key, { ...challenge, cnonce: this.#ids.hex(16), uses: 0 })
    }
    for (const key of this.#protections.keys()) {
      if (this.#protections.size <= MAX_REALMS) break
      this.#protections.delete(key)
    }
    return true
  }

  /** The topmost challenge of each realm that we can answer. */
  #challengesOf(response: SipResponse): Map<string, Challenge> {
    const found = new Map<string, Challenge>()
    for (const kind of KINDS) {
      const names = authHeader(kind)
      for (const value of response.headers.all(names.challenge).flatMap(parseAuthValues)) {
        const challenge = readChallenge(value, names.credentials)
        if (challenge === undefined || (challenge.algorithm.hash === 'md5' && !this.#credentials.allowMd5)) continue
        const key = `${kind} ${challenge.realm}`
        if (!found.has(key)) found.set(key, challenge)
      }
    }
    return found
  }

  #answer(protection: Protection, plan: RequestPlan): string {
    const { algorithm, realm, nonce, cnonce, opaque, qop, wantsHash } = protection
    const { username, password } = this.#credentials
    protection.uses += 1
    const nonceCount = protection.uses.toString(16).padStart(8, '0')
    const { method, uri } = plan
    const body = plan.options.body?.content ?? NO_BODY
    const input = { algorithm, username, realm, password, nonce, cnonce, nonceCount, qop, method, uri, body }
    const shownName = wantsHash ? hashedUsername(algorithm, username, realm) : username.replace(/["\\]/g, '\\$&')
    return digestText(
      [
        ['username', shownName],
        ['realm', realm],
        ['nonce', nonce],
        ['uri', uri],
        ['response', digestResponse(input)],
        ['cnonce', cnonce],
        ...(opaque === undefined ? [] : [['opaque', opaque] as const]),
      ],
      [
        ['algorithm', algorithm.name],
        ['qop', qop],
        ['nc', nonceCount],
        ...(wantsHash ? [['userhash', 'true'] as const] : []),
      ],
    )
  }
}

/** Undefined for what is no Digest challenge, or one of an algorithm or protection that we do not know. */
function readChallenge({ scheme, params }: AuthValue, header: string): Challenge | undefined {
  const realm = params.get('realm')
  const nonce = params.get('nonce')
  const algorithm = digestAlgorithm(params.get('algorithm'))
  const qop = chosenQop(params.get('qop'))
  if (scheme !== 'digest' || realm === undefined || nonce === undefined) return undefined
  if (algorithm === undefined || qop === undefined) return undefined
  return {
    header,
    algorithm,
    realm,
    nonce,
    opaque: params.get('opaque'),
    qop,
    wantsHash: params.get('userhash')?.toLowerCase() === 'true',
    isStale: params.get('stale')?.toLowerCase() === 'true',
  }
}

/** `auth` if offered or if nothing is said (RFC 8760 section 2.6, item 8), `auth-int` if that is all there is. */
function chosenQop(offered: string | undefined): DigestQop | undefined {
  const items = qopItems(offered ?? 'auth')
  if (items.includes('auth')) return 'auth'
  return items.includes('auth-int') ? 'auth-int' : undefined
}
