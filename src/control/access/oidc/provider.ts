// The OpenID provider: found when first needed and looked for again after a failure, so that one that is down stops nothing but itself.

import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  ResponseBodyError,
} from 'openid-client'
import { type Clock, err, type Logger, messageOf, ok, type Result } from '#kernel'
import type { Claims } from './claims.ts'
import type { PendingSignIn } from './pending-sign-in.ts'
import type { SignInTrouble } from './trouble.ts'

/** The provider, and who we are to it. */
export interface ProviderOptions {
  readonly issuer: string
  readonly clientId: string
  /** Absent: a public client, which PKCE alone protects. */
  readonly clientSecret?: string
  readonly scopes: readonly string[]
  /** Of each request to the provider. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly log: Logger
}

/** What a code was worth. */
export interface Redeemed {
  readonly claims: Claims
  /** Where signing out goes on, if the provider offers that. */
  readonly signOutUrl?: string
}

const KNOWN_FOR_MS = 3_600_000
const MILLIS = 1_000
/** A longer one does not fit into the address that it would be part of. */
const MOST_HINT = 4_000

/** One provider. */
export class Provider {
  readonly #options: ProviderOptions
  #known: { readonly configuration: Configuration; readonly atMs: number } | undefined
  #finding: Promise<Configuration> | undefined

  constructor(options: ProviderOptions) {
    this.#options = options
  }

  /** Where the browser is sent to sign in. */
  async addressFor(pending: PendingSignIn): Promise<Result<URL, SignInTrouble>> {
    return await this.#tried(async () => {
      const { state, nonce, verifier, redirectUri, prompt } = pending
      return buildAuthorizationUrl(await this.#find(), {
        redirect_uri: redirectUri,
        scope: this.#options.scopes.join(' '),
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(prompt === undefined ? {} : { prompt }),
      })
    })
  }

  /** What the answer in the query of our redirect address says; `isShort` tells that claims are missing that userinfo may have. */
  async redeem(
    pending: PendingSignIn,
    query: string,
    isShort: (claims: Claims) => boolean,
  ): Promise<Result<Redeemed, SignInTrouble>> {
    return await this.#tried(async () => {
      const configuration = await this.#find()
      const tokens = await authorizationCodeGrant(configuration, new URL(`${pending.redirectUri}?${query}`), {
        expectedState: pending.state,
        expectedNonce: pending.nonce,
        pkceCodeVerifier: pending.verifier,
        idTokenExpected: true,
      })
      const { userinfo_endpoint: more, end_session_endpoint: end } = configuration.serverMetadata()
      const own = tokens.claims()
      let claims: Claims = { ...own }
      if (own !== undefined && more !== undefined && isShort(claims)) {
        claims = { ...(await fetchUserInfo(configuration, tokens.access_token, own.sub)), ...claims }
      }
      const hint = tokens.id_token ?? ''
      if (end === undefined || hint.length > MOST_HINT) return { claims }
      const signOut = buildEndSessionUrl(configuration, {
        post_logout_redirect_uri: `${new URL(pending.redirectUri).origin}/`,
        id_token_hint: hint,
      })
      return { claims, signOutUrl: signOut.href }
    })
  }

  async #find(): Promise<Configuration> {
    const now = this.#options.clock.nowMs()
    const known = this.#known
    if (known !== undefined && now < known.atMs + KNOWN_FOR_MS) return known.configuration
    this.#finding ??= this.#discover()
    try {
      const configuration = await this.#finding
      this.#known = { configuration, atMs: now }
      return configuration
    } catch (fault) {
      if (known === undefined) throw fault
      return known.configuration
    } finally {
      this.#finding = undefined
    }
  }

  async #discover(): Promise<Configuration> {
    const { issuer, clientId, clientSecret, timeoutMs } = this.#options
    const server = new URL(issuer)
    return await discovery(server, clientId, undefined, authenticationBy(clientSecret), {
      timeout: timeoutMs / MILLIS,
      execute: [enableNonRepudiationChecks, ...(server.protocol === 'http:' ? [allowInsecureRequests] : [])],
    })
  }

  async #tried<T>(act: () => Promise<T>): Promise<Result<T, SignInTrouble>> {
    try {
      return ok(await act())
    } catch (fault) {
      const trouble = troubleOf(fault)
      const { log, issuer } = this.#options
      log.warn('sign-in by the provider failed', { issuer, trouble, code: codeOf(fault), fault: messageOf(fault) })
      return err(trouble)
    }
  }
}

/** As the provider says that it takes a secret; by HTTP Basic where it does not say. */
function authenticationBy(clientSecret: string | undefined): ClientAuth {
  if (clientSecret === undefined) return None()
  const [basic, post] = [ClientSecretBasic(clientSecret), ClientSecretPost(clientSecret)]
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const isPost = methods.includes('client_secret_post') && !methods.includes('client_secret_basic')
    return (isPost ? post : basic)(server, client, body, headers)
  }
}

function troubleOf(fault: unknown): SignInTrouble {
  if (fault instanceof AuthorizationResponseError) return fault.error === 'access_denied' ? 'denied' : 'refused'
  if (fault instanceof ResponseBodyError) return fault.error === 'invalid_grant' ? 'expired' : 'refused'
  if (fault instanceof TypeError) return 'away'
  switch ((fault as { readonly code?: unknown }).code) {
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return 'clock'
    case 'OAUTH_TIMEOUT':
    case 'OAUTH_PARSE_ERROR':
    case 'OAUTH_RESPONSE_IS_NOT_CONFORM':
    case 'OAUTH_RESPONSE_IS_NOT_JSON':
    case 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED':
    case 'OAUTH_MISSING_SERVER_METADATA':
      return 'away'
    default:
      return 'not-believed'
  }
}

/** A word for the log: what OAuth, the library or the socket calls the fault. */
function codeOf(fault: unknown): string {
  const { error, code, cause } = fault as {
    readonly error?: unknown
    readonly code?: unknown
    readonly cause?: unknown
  }
  const { code: below } = (cause ?? {}) as { readonly code?: unknown }
  const word = [error, below, code].find((one): one is string => typeof one === 'string')
  return word !== undefined && /^\w{1,64}$/.test(word) ? word : 'unknown'
}
