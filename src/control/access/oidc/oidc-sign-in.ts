// Sign-in by an OpenID provider: authorization code with PKCE (RFC 6749 section 4.1, RFC 7636), for people in a browser.

import { type Clock, err, type Ids, type Logger, ok, type Result } from '#kernel'
import type { Identity } from '../sign-in.ts'
import { type ClaimRules, identityOf, isShort } from './claims.ts'
import { type PendingSignIn, PendingSignIns } from './pending-sign-in.ts'
import { Provider, type ProviderOptions } from './provider.ts'
import type { SignInTrouble } from './trouble.ts'

/** What sign-in by a provider is made of. */
export interface OidcOptions extends ClaimRules, Omit<ProviderOptions, 'clock' | 'log'> {
  /** What the button of the console says. */
  readonly label: string
  /** Origin that the provider sends people back to; that of the request unless given. */
  readonly redirectBase?: string
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
}

/** Somebody who has signed in. */
export interface SignedIn {
  readonly identity: Identity
  /** What the provider calls them, for ever. */
  readonly subject: string
  /** Where in the console they were. */
  readonly place: string
}

/** Path below which the cookie of a sign-in that was begun is sent. */
export const OIDC_PATH = '/api/session/oidc'

/** Sign-in by one provider. */
export class OidcSignIn {
  readonly label: string
  readonly #options: OidcOptions
  readonly #provider: Provider
  readonly #pending: PendingSignIns

  constructor(options: OidcOptions) {
    this.label = options.label
    this.#options = options
    this.#provider = new Provider(options)
    this.#pending = new PendingSignIns(options.clock, options.ids)
  }

  /** Where to send a browser, and the cookie that it is to bring back; `origin` is that of its request. */
  async begin(
    origin: string,
    { place, other }: { readonly place: string; readonly other: boolean },
  ): Promise<Result<{ readonly url: URL; readonly cookie: string }, SignInTrouble>> {
    const pending = this.#pending.begin(`${this.#options.redirectBase ?? origin}${OIDC_PATH}/callback`, place)
    const found = await this.#provider.addressFor(pending, other)
    return found.ok ? ok({ url: found.value, cookie: this.#pending.seal(pending) }) : found
  }

  /** Who came back with this cookie and this query. */
  async finish(cookie: string | undefined, query: string): Promise<Result<SignedIn, SignInTrouble>> {
    const pending = cookie === undefined ? undefined : this.#pending.open(cookie)
    if (pending === undefined || !isOf(pending, query)) return err('expired')
    const rules = this.#options
    const redeemed = await this.#provider.redeem(pending, query, (claims) => isShort(claims, rules))
    if (!redeemed.ok) return redeemed
    const { claims, signOutUrl } = redeemed.value
    const found = identityOf(claims, rules)
    if (!found.ok) return found
    const identity = signOutUrl === undefined ? found.value : { ...found.value, signOutUrl }
    return ok({ identity, subject: String(claims['sub']), place: pending.place })
  }
}

function isOf({ state }: PendingSignIn, query: string): boolean {
  const given = new URLSearchParams(query).getAll('state')
  return given.length === 1 && given[0] === state
}
