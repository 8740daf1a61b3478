// Session-ID: the two endpoints of a dialog, named alike all the way between them (RFC 7989).

import { createHash } from 'node:crypto'
import type { SipHeaders } from './message/headers.ts'
import type { SipRequest } from './message/message.ts'
import type { SessionIds } from './session.ts'

/** UUID of an endpoint that is not known (section 5). */
const NIL = '0'.repeat(32)
// Section 4.1.
const NAMESPACE = Uint8Array.from('a58587dac93d11e2ae90f4ea67801e29'.match(/../g) ?? [], (byte) =>
  Number.parseInt(byte, 16),
)

/** What a dialog knows of its endpoints. */
export class DialogSessionIds implements SessionIds {
  readonly #callId: string
  readonly #own: string
  readonly #remoteTag: string
  #represented: (() => string | undefined) | undefined
  #heard: string | undefined

  /** `remoteTag` is empty as long as the peer has none. */
  constructor(callId: string, localTag: string, remoteTag: string) {
    this.#callId = callId
    this.#own = versionFive(callId, localTag)
    this.#remoteTag = remoteTag
  }

  get remote(): string | undefined {
    if (this.#heard !== undefined) return this.#heard
    const isNamedByUs = this.#represented !== undefined && this.#remoteTag !== ''
    return isNamedByUs ? versionFive(this.#callId, this.#remoteTag) : undefined
  }

  /** What was heard before a restart. */
  restore(remoteUuid: string | undefined): void {
    this.#heard = remoteUuid
  }

  represent(endpoint: () => string | undefined): void {
    this.#represented = endpoint
  }

  /** Takes note of the UUID of the peer in a message that counts (section 8); one without, or malformed, changes nothing. */
  hear(headers: SipHeaders): void {
    this.#heard = uuidsOf(headers).local ?? this.#heard
  }

  /** Header value of a request. */
  requestValue(): string | undefined {
    return pairText(this.#local, this.remote)
  }

  /** Header value of a response: the peer is who the request says it is, even if that is not taken (section 8). */
  responseValue(request: SipRequest): string | undefined {
    return pairText(this.#local, uuidsOf(request.headers).local ?? this.remote)
  }

  get #local(): string | undefined {
    return this.#represented === undefined ? this.#own : this.#represented()
  }
}

/** Header value of a response that is of no dialog, as far as the request itself names the endpoints. */
export function echoedSessionId({ headers }: SipRequest): string | undefined {
  const { local, remote } = uuidsOf(headers)
  return pairText(remote, local)
}

function pairText(local: string | undefined, remote: string | undefined): string | undefined {
  if (local === undefined && remote === undefined) return undefined
  return `${local ?? NIL};remote=${remote ?? NIL}`
}

/** The UUIDs of a message, from its sender's side. */
function uuidsOf(headers: SipHeaders): { readonly local?: string; readonly remote?: string } {
  const value = headers.get('Session-ID')
  if (value === undefined) return {}
  const [local, ...params] = value.split(';', 8).map((part) => part.trim())
  const remote = params.find((param) => param.startsWith('remote='))?.slice('remote='.length)
  return { ...(isUuid(local) && { local }), ...(isUuid(remote) && { remote }) }
}

function isUuid(text: string | undefined): text is string {
  return text !== undefined && text !== NIL && /^[0-9a-f]{32}$/.test(text)
}

/** A version 5 UUID, the same whoever makes it of the same dialog (section 4.1). */
function versionFive(callId: string, tag: string): string {
  const hash = createHash('sha1').update(NAMESPACE).update(callId).update(tag).digest()
  hash[6] = (hash[6]! & 0x0f) | 0x50
  hash[8] = (hash[8]! & 0x3f) | 0x80
  return hash.toString('hex', 0, 16)
}
