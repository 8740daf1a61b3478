// A sign-in that was begun: what its answer has to fit, kept by the browser in a cookie that only we can have made.

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock, Ids } from '#kernel'

/** How the provider is to ask by which account, whoever is signed in there (OpenID Connect Core section 3.1.2.1). */
type Prompt = 'select_account' | 'login'

/** What is known of a sign-in until its answer comes. */
export interface PendingSignIn {
  readonly state: string
  readonly nonce: string
  /** Of PKCE (RFC 7636). */
  readonly verifier: string
  /** Where the redirect was told to lead. */
  readonly redirectUri: string
  /** Where in the console the reader was. */
  readonly place: string
  /** Absent: the provider takes who is signed in there. */
  readonly prompt?: Prompt
}

/** How long an answer may take. */
export const PENDING_SECONDS = 600
const SECRET_BYTES = 32
const MILLIS = 1_000

/** Signs and reads the cookies; a restart makes those before it worthless. */
export class PendingSignIns {
  readonly #key: string
  readonly #clock: Clock
  readonly #ids: Ids

  constructor(clock: Clock, ids: Ids) {
    this.#key = ids.hex(SECRET_BYTES)
    this.#clock = clock
    this.#ids = ids
  }

  begin(about: Pick<PendingSignIn, 'redirectUri' | 'place' | 'prompt'>): PendingSignIn {
    const secret = () => this.#ids.hex(SECRET_BYTES)
    return { state: secret(), nonce: secret(), verifier: secret(), ...about }
  }

  /** The text of the cookie. */
  seal(pending: PendingSignIn): string {
    const endsAtMs = this.#clock.wallMs() + PENDING_SECONDS * MILLIS
    const text = Buffer.from(JSON.stringify({ ...pending, endsAtMs })).toString('base64url')
    return `${text}.${this.#sign(text).toString('base64url')}`
  }

  /** Undefined for a cookie that is not ours, was changed, or is too old. */
  open(cookie: string): PendingSignIn | undefined {
    const [text = '', signature = ''] = cookie.split('.', 2)
    const [given, own] = [Buffer.from(signature, 'base64url'), this.#sign(text)]
    if (given.length !== own.length || !timingSafeEqual(given, own)) return undefined
    const { endsAtMs, ...pending } = JSON.parse(Buffer.from(text, 'base64url').toString()) as PendingSignIn & {
      endsAtMs: number
    }
    return this.#clock.wallMs() < endsAtMs ? pending : undefined
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest()
  }
}
