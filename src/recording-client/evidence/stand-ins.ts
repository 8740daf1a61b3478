// Stand-ins for people within one capture: the same person is the same stand-in throughout, and nobody can be told from it.

import type { StandIns } from '#siprec'

/** A user may have commas: those of a dial string stand for waiting. */
const URI_USER = /\b(sips?:)([^\s@<>"]{1,256})@/gi
const TEL_NUMBER = /\b(tel:)([^\s<>,;"]{1,64})/gi
/** Further digits of a number (RFC 3966 section 5, RFC 2806). */
const TEL_DIGITS = /(;(?:ext|isub|postd|phone-context)=)[^\s<>,;"]{1,64}/gi

/** Replaces addresses and names; our own service names stay. */
export class CaptureStandIns implements StandIns {
  readonly #known = new Map<string, string>()
  readonly #kept: ReadonlySet<string>

  /** `kept`: user parts that are no person, such as our own. */
  constructor(kept: readonly string[]) {
    this.#kept = new Set(kept)
  }

  /** A URI, its host and parameters untouched; whatever is no SIP or tel URI is replaced as a whole. */
  address(uri: string): string {
    return /^\s*(?:sips?|tel):/i.test(uri) ? this.inText(uri) : this.#standIn('address', uri.trim())
  }

  /** Every SIP and tel URI within a text. */
  inText(text: string): string {
    return text
      .replace(URI_USER, (_whole, scheme: string, user: string) => `${scheme}${this.#user(user)}@`)
      .replace(TEL_NUMBER, (_whole, scheme: string, number: string) => `${scheme}${this.#standIn('number', number)}`)
      .replace(TEL_DIGITS, '$1***')
  }

  name(text: string): string {
    return this.#standIn('name', text.trim())
  }

  #user(user: string): string {
    const [name = ''] = user.split(':')
    return this.#kept.has(name) ? name : this.#standIn('user', name)
  }

  #standIn(kind: string, text: string): string {
    const key = `${kind} ${text}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const made = `${kind}${this.#known.size + 1}`
    this.#known.set(key, made)
    return made
  }
}
