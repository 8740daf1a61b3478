// State of a dialog: RFC 3261 section 12. Tags, sequence numbers, route set, remote target.

import type { SipHeaders } from '../message/headers.ts'
import { cseqNumberOf, type SipRequest, type SipResponse } from '../message/message.ts'
import { parseNameAddr } from '../message/name-addr.ts'
import { parseSipUri } from '../message/uri.ts'
import type { DialogSnapshot } from '../session.ts'
import { DialogSessionIds } from '../session-id.ts'

/** Where and how the next request of the dialog goes (section 12.2.1.1). */
export interface RequestRoute {
  /** Request-URI. */
  readonly uri: string
  /** Route header values. */
  readonly routes: readonly string[]
  /** The URI to resolve. */
  readonly hop: string
}

interface Side {
  /** Header value with tag. */
  readonly address: string
  readonly uri: string
  readonly tag: string
}

/** A snapshot keeps not up with each request of ours: a peer takes numbers that leap, and refuses those that it has seen (section 12.2.2). */
const RESTORED_CSEQ_LEAP = 1000

type KeptDialog = Omit<DialogSnapshot, 'transport' | 'local' | 'remote' | 'timer'>

/** One dialog as section 12 describes it. */
export class DialogState {
  readonly callId: string
  readonly local: Side
  readonly remote: Side
  #routeSet: readonly string[]
  /** Whether we chose the Call-ID; decides the wait after 491 (section 14.1). */
  readonly ownsCallId: boolean
  /** Made by a `sips:` INVITE: nothing of it is ever sent in the clear, whatever the peer's Contact says (RFC 5630 section 5). */
  readonly isSecure: boolean
  remoteAllow: ReadonlySet<string> = new Set()
  readonly sessionIds: DialogSessionIds
  #remoteTarget: string
  #localCSeq: number
  #remoteCSeq: number | undefined

  private constructor(parts: {
    callId: string
    local: Side
    remote: Side
    routeSet: readonly string[]
    ownsCallId: boolean
    isSecure: boolean
    remoteTarget: string
    localCSeq: number
    remoteCSeq: number | undefined
  }) {
    this.callId = parts.callId
    this.local = parts.local
    this.remote = parts.remote
    this.#routeSet = parts.routeSet
    this.ownsCallId = parts.ownsCallId
    this.isSecure = parts.isSecure
    this.#remoteTarget = parts.remoteTarget
    this.#localCSeq = parts.localCSeq
    this.#remoteCSeq = parts.remoteCSeq
    this.sessionIds = new DialogSessionIds(parts.callId, parts.local.tag, parts.remote.tag)
  }

  /** From our INVITE and a response to it (section 12.1.2). */
  static ofClient(invite: SipRequest, response: SipResponse): DialogState {
    const state = new DialogState({
      callId: invite.headers.get('call-id') ?? '',
      local: sideOf(invite.headers.get('from') ?? ''),
      remote: sideOf(response.headers.get('to') ?? ''),
      routeSet: response.headers.list('record-route').reverse(),
      ownsCallId: true,
      isSecure: isSips(invite.uri),
      remoteTarget: contactUri(response.headers) ?? invite.uri,
      localCSeq: cseqNumberOf(invite),
      remoteCSeq: undefined,
    })
    state.noteAllow(response.headers)
    return state
  }

  /** From a received INVITE (section 12.1.1); `localAddress` is its To with our tag, `source` is asked where no Contact can be read. */
  static ofServer(invite: SipRequest, localAddress: string, cseqNumber: number, source?: string): DialogState {
    const remote = sideOf(invite.headers.get('from') ?? '')
    const state = new DialogState({
      callId: invite.headers.get('call-id') ?? '',
      local: sideOf(localAddress),
      remote,
      routeSet: invite.headers.list('record-route'),
      ownsCallId: false,
      isSecure: isSips(invite.uri),
      remoteTarget: contactUri(invite.headers) ?? source ?? remote.uri,
      localCSeq: 0,
      remoteCSeq: cseqNumber,
    })
    state.noteAllow(invite.headers)
    state.sessionIds.hear(invite.headers)
    return state
  }

  /** From what was kept over a restart. */
  static ofSnapshot(kept: KeptDialog): DialogState {
    const state = new DialogState({
      ...kept,
      local: sideOf(kept.localAddress),
      remote: sideOf(kept.remoteAddress),
      localCSeq: kept.localCSeq + RESTORED_CSEQ_LEAP,
      remoteCSeq: kept.remoteCSeq,
    })
    state.remoteAllow = new Set(kept.remoteAllow)
    state.sessionIds.restore(kept.remoteUuid)
    return state
  }

  /** What `ofSnapshot` takes. */
  kept(): KeptDialog {
    const { callId, local, remote, ownsCallId, isSecure, remoteAllow } = this
    const remoteUuid = this.sessionIds.remote
    return {
      callId,
      localAddress: local.address,
      remoteAddress: remote.address,
      routeSet: this.#routeSet,
      remoteTarget: this.#remoteTarget,
      ownsCallId,
      isSecure,
      localCSeq: this.#localCSeq,
      ...(this.#remoteCSeq !== undefined && { remoteCSeq: this.#remoteCSeq }),
      remoteAllow: [...remoteAllow],
      ...(remoteUuid !== undefined && { remoteUuid }),
    }
  }

  /** Key of the dialog in a table, from our side. */
  get key(): string {
    return dialogKey(this.callId, this.local.tag, this.remote.tag)
  }

  get remoteTarget(): string {
    return this.#remoteTarget
  }

  /** As client: the 2xx that confirms the dialog settles its route set, and may name another target (section 13.2.2.4). */
  confirm({ headers }: SipResponse): void {
    this.#routeSet = headers.list('record-route').reverse()
    this.refreshTarget(headers)
    this.noteAllow(headers)
    this.sessionIds.hear(headers)
  }

  nextCSeq(): number {
    this.#localCSeq += 1
    return this.#localCSeq
  }

  /** Takes the number of a received request; false when it is lower than one seen before (section 12.2.2). */
  acceptCSeq(number: number): boolean {
    if (this.#remoteCSeq !== undefined && number < this.#remoteCSeq) return false
    this.#remoteCSeq = number
    return true
  }

  /** Target refresh by the Contact of a re-INVITE or UPDATE, or of a 2xx to one. */
  refreshTarget(headers: SipHeaders): void {
    this.#remoteTarget = contactUri(headers) ?? this.#remoteTarget
  }

  noteAllow(headers: SipHeaders | undefined): void {
    const methods = headers?.list('allow') ?? []
    if (methods.length > 0) this.remoteAllow = new Set(methods.map((method) => method.toUpperCase()))
  }

  /** Loose routing, or strict routing when the first proxy has no `lr`. */
  route(): RequestRoute {
    const [first, ...others] = this.#routeSet
    const target = this.#secured(this.#remoteTarget)
    if (first === undefined) return { uri: target, routes: [], hop: target }
    const hop = this.#secured(uriOf(first))
    if (isLoose(hop)) return { uri: target, routes: this.#routeSet, hop }
    return { uri: hop, routes: [...others, `<${target}>`], hop }
  }

  #secured(uri: string): string {
    return this.isSecure ? uri.replace(/^sip:/i, 'sips:') : uri
  }
}

function isSips(uri: string): boolean {
  return /^sips:/i.test(uri)
}

/** Key of a dialog: Call-ID, our tag, the peer's tag. */
export function dialogKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId}\n${localTag}\n${remoteTag}`
}

/** URI of a name-addr header value; the value itself when it is not one. */
export function uriOf(value: string): string {
  const parsed = parseNameAddr(value)
  return parsed.ok ? parsed.value.uri : value
}

function sideOf(address: string): Side {
  const parsed = parseNameAddr(address)
  if (!parsed.ok) return { address, uri: address, tag: '' }
  return { address, uri: parsed.value.uri, tag: parsed.value.params.get('tag') ?? '' }
}

function contactUri(headers: SipHeaders): string | undefined {
  const contact = headers.list('contact')[0]
  const parsed = contact === undefined ? undefined : parseNameAddr(contact)
  return parsed?.ok === true ? parsed.value.uri : undefined
}

function isLoose(uri: string): boolean {
  const parsed = parseSipUri(uri)
  return !parsed.ok || parsed.value.params.has('lr')
}
