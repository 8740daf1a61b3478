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

/** Where to send a browser, and the cookie that it is to bring back. */
export interface Onward {
  readonly url: URL
  readonly cookie: string
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

  /** Sends a browser on; `origin` is that of its request. */
  async begin(
    origin: string,
    { place, other }: { readonly place: string; readonly other: boolean },
  ): Promise<Result<Onward, SignInTrouble>> {
    const redirectUri = `${this.#options.redirectBase ?? origin}${OIDC_PATH}/callback`
    return await this.#send({ redirectUri, place, ...(other && { prompt: 'select_account' }) })
  }

  /** Who came back with this cookie and this query, or where the browser is to go once more. */
  async finish(cookie: string | undefined, query: string): Promise<Result<SignedIn | Onward, SignInTrouble>> {
    const pending = cookie === undefined ? undefined : this.#pending.open(cookie)
    if (pending === undefined || !isOf(pending, query)) return err('expired')
    if (pending.prompt === 'select_account' && isInvalidRequest(query)) {
      // A provider need not know that prompt, and may not know another: each knows one of the two.
      return await this.#send({ redirectUri: pending.redirectUri, place: pending.place, prompt: 'login' })
    }
    const rules = this.#options
    const redeemed = await this.#provider.redeem(pending, query, (claims) => isShort(claims, rules))
    if (!redeemed.ok) return redeemed
    const { claims, signOutUrl } = redeemed.value
    const found = identityOf(claims, rules)
    if (!found.ok) return found
    const identity = signOutUrl === undefined ? found.value : { ...found.value, signOutUrl }
    return ok({ identity, subject: String(claims['sub']), place: pending.place })
  }

  async #send(about: Pick<PendingSignIn, 'redirectUri' | 'place' | 'prompt'>): Promise<Result<Onward, SignInTrouble>> {
    const pending = this.#pending.begin(about)
    const found = await this.#provider.addressFor(pending)
    return found.ok ? ok({ url: found.value, cookie: this.#pending.seal(pending) }) : found
  }
}

function isInvalidRequest(query: string): boolean {
  return new URLSearchParams(query).get('error') === 'invalid_request'
}

function isOf({ state }: PendingSignIn, query: string): boolean {
  const given = new URLSearchParams(query).getAll('state')
  return given.length === 1 && given[0] === state
}
