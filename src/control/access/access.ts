// Who may use the API: finds out who asks, by token, by session, or because the API is open.

import type { Clock, Ids } from '#kernel'
import type { OidcSignIn } from './oidc/oidc-sign-in.ts'
import type { Scope } from './scopes.ts'
import { type Session, type SessionLimits, Sessions } from './sessions.ts'
import type { SignIn } from './sign-in.ts'
import type { TokenFile } from './token-file.ts'

/** Who asks. `open`: nobody has to sign in here. */
export interface Principal {
  readonly kind: 'open' | 'account' | 'token'
  readonly name: string
  /** Tells tokens and sessions of one name apart; opens nothing. */
  readonly id: string
  readonly scopes: readonly Scope[]
}

/** What access is decided by. */
export interface AccessOptions {
  /** Whoever reaches the API may do everything; for loopback only. */
  readonly isOpen: boolean
  /** Absent: there is no way to sign in by password. */
  readonly signIn?: SignIn
  /** Absent: there is no provider to sign in by. */
  readonly oidc?: OidcSignIn
  readonly tokens: TokenFile
  readonly session: SessionLimits
  readonly clock: Clock
  readonly ids: Ids
}

const everybody: Principal = { kind: 'open', name: 'anybody', id: '', scopes: ['admin'] }

/** Access to one server. */
export class Access {
  readonly isOpen: boolean
  readonly signIn: SignIn | undefined
  readonly oidc: OidcSignIn | undefined
  readonly tokens: TokenFile
  readonly sessions: Sessions
  readonly #clock: Clock

  constructor({ isOpen, signIn, oidc, tokens, session, clock, ids }: AccessOptions) {
    this.isOpen = isOpen
    this.signIn = signIn
    this.oidc = oidc
    this.tokens = tokens
    this.sessions = new Sessions(session, clock, ids)
    this.#clock = clock
  }

  /** Who asks; `refused` for a token that is none. */
  async identify(bearer: string | undefined, cookie: string | undefined): Promise<Principal | 'refused' | undefined> {
    if (bearer !== undefined) {
      const token = await this.tokens.find(bearer, this.#clock.wallMs())
      return token === undefined ? 'refused' : { kind: 'token', name: token.name, id: token.id, scopes: token.scopes }
    }
    const session = cookie === undefined ? undefined : this.sessions.find(cookie)
    if (session !== undefined) return principalOf(session)
    return this.isOpen ? everybody : undefined
  }

  /** Whether somebody who was identified would be again; asking keeps no session alive. */
  async isStill({ kind }: Principal, bearer: string | undefined, cookie: string | undefined): Promise<boolean> {
    if (kind === 'open') return true
    if (kind === 'account') return cookie !== undefined && this.sessions.isOpen(cookie)
    return bearer !== undefined && (await this.tokens.find(bearer, this.#clock.wallMs())) !== undefined
  }
}

/** The account of a session. */
export function principalOf({ name, id, scopes }: Session): Principal {
  return { kind: 'account', name, id, scopes }
}
