// Requests and responses as this core writes them (RFC 3261 sections 8.1.1, 8.2.6, 12.1.1, 20).

import type { Ids } from '#kernel'
import type { SipCoreOptions } from './core-options.ts'
import { SipHeaders } from './message/headers.ts'
import { request, response, type SipRequest } from './message/message.ts'
import { parseNameAddr } from './message/name-addr.ts'
import { serializeMessage } from './message/serializer.ts'
import { hostPortText } from './message/uri.ts'
import type { Retrying } from './retry/amendment.ts'
import type { MessageOptions, SipBody } from './session.ts'
import { type DialogSessionIds, echoedSessionId } from './session-id.ts'
import type { SipTarget, TransportName } from './transport-port.ts'
import type { Wire } from './wire.ts'

/** Contact of one dialog, without the address, which depends on the transport. */
export interface ContactShape {
  readonly user: string
  /** Header parameters, without leading semicolon. */
  readonly params?: string | undefined
}

/** All of a request but what depends on the target. */
export interface RequestPlan {
  readonly method: string
  readonly uri: string
  readonly routes: readonly string[]
  /** Header value with tag. */
  readonly from: string
  /** Header value, with tag inside a dialog. */
  readonly to: string
  readonly callId: string
  readonly cseqNumber: number
  readonly contact: ContactShape
  /** Absent outside of calls. */
  readonly sessionIds?: DialogSessionIds
  readonly maxForwards?: number | undefined
  readonly options: MessageOptions
  /** Absent: a refusal is never put right. */
  readonly retrying?: Retrying
}

/** A request ready to send to one target. */
export interface BuiltRequest {
  readonly request: SipRequest
  /** Branch of its topmost Via. */
  readonly branch: string
  readonly bytes: Uint8Array
}

/** What a response has beyond what is copied from the request. */
export interface ResponsePlan {
  /** Used when the request's To has none and the status is not 100. */
  readonly toTag?: string
  readonly contact?: ContactShape
  /** Absent for an answer that no dialog gives. */
  readonly sessionIds?: DialogSessionIds
  readonly transport: TransportName
  readonly options?: MessageOptions
}

/** Methods with Contact, Allow and Supported: those that make, refresh or probe dialogs. */
const INTRODUCING = new Set(['INVITE', 'UPDATE', 'OPTIONS', 'REFER', 'SUBSCRIBE', 'NOTIFY'])

/** Writes messages; knows our name, our addresses and what we can do. */
export class MessageBuilder {
  readonly #options: SipCoreOptions
  readonly #wire: Wire
  readonly #ids: Ids
  readonly #allow: string
  readonly #supported: string

  constructor(options: SipCoreOptions, wire: Wire) {
    this.#options = options
    this.#wire = wire
    this.#ids = options.ids
    this.#allow = options.allow.join(', ')
    this.#supported = options.supported.join(', ')
  }

  newTag(): string {
    return this.#ids.hex(8)
  }

  newCallId(): string {
    return this.#ids.hex(16)
  }

  /** A request for one target, with a new branch. */
  request(plan: RequestPlan, target: SipTarget): BuiltRequest {
    const branch = `z9hG4bK${this.#ids.hex(8)}`
    const local = this.#wire.localAddress(target.transport)
    const sentBy = hostPortText(local.host, local.port)
    const headers = SipHeaders.of([
      ['Via', `SIP/2.0/${target.transport.toUpperCase()} ${sentBy};branch=${branch};rport`],
      ...plan.routes.map((route) => ['Route', route] as const),
      ['Max-Forwards', String(plan.maxForwards ?? 70)],
      ['From', plan.from],
      ['To', plan.to],
      ['Call-ID', plan.callId],
      ['CSeq', `${plan.cseqNumber} ${plan.method}`],
    ])
    if (INTRODUCING.has(plan.method)) {
      headers.append('Contact', this.#contact(plan.contact, target.transport, isSecure(plan.uri)))
      headers.append('Allow', this.#allow)
      if (this.#supported !== '') headers.append('Supported', this.#supported)
    }
    headers.append('User-Agent', this.#options.product)
    addSessionId(headers, plan.sessionIds?.requestValue())
    addOptions(headers, plan.options)
    const message = request(plan.method, plan.uri, headers, plan.options.body?.content)
    return { request: message, branch, bytes: serializeMessage(message) }
  }

  /** A response to a request; Via, From, To, Call-ID and CSeq are copied, Record-Route where a dialog may form. */
  response(to: SipRequest, status: number, plan: ResponsePlan): Uint8Array {
    const options = plan.options ?? {}
    const headers = SipHeaders.of([])
    for (const via of to.headers.all('via')) headers.append('Via', via)
    copy(to.headers, headers, 'From')
    headers.append('To', toWithTag(to.headers.get('to') ?? '', status === 100 ? undefined : plan.toTag))
    copy(to.headers, headers, 'Call-ID')
    copy(to.headers, headers, 'CSeq')
    if (status === 100) copy(to.headers, headers, 'Timestamp')
    if (plan.contact !== undefined && status > 100 && status < 300) this.#addDialogHeaders(to, headers, plan)
    if (introduces(to.method, status)) {
      headers.append('Allow', this.#allow)
      if (this.#supported !== '' && status !== 405) headers.append('Supported', this.#supported)
    }
    if (status !== 100) headers.append('Server', this.#options.product)
    addSessionId(headers, plan.sessionIds === undefined ? echoedSessionId(to) : plan.sessionIds.responseValue(to))
    addOptions(headers, options)
    return serializeMessage(response(status, options.reason, headers, options.body?.content))
  }

  #addDialogHeaders(to: SipRequest, headers: SipHeaders, plan: ResponsePlan): void {
    if (to.method === 'INVITE') {
      for (const route of to.headers.all('record-route')) headers.append('Record-Route', route)
    }
    if (plan.contact !== undefined) {
      headers.append('Contact', this.#contact(plan.contact, plan.transport, isSecure(to.uri)))
    }
  }

  #contact(shape: ContactShape, transport: TransportName, secure: boolean): string {
    const local = this.#wire.localAddress(transport)
    const address = `${shape.user === '' ? '' : `${shape.user}@`}${hostPortText(local.host, local.port)}`
    const uri = secure ? `sips:${address}` : `sip:${address}${transport === 'udp' ? '' : `;transport=${transport}`}`
    return shape.params === undefined || shape.params === '' ? `<${uri}>` : `<${uri}>;${shape.params}`
  }
}

/** A header value of From or To with a tag added. */
export function withTag(address: string, tag: string): string {
  const parsed = parseNameAddr(address)
  return parsed.ok && address.includes('<') ? `${address};tag=${tag}` : `<${address}>;tag=${tag}`
}

/** To of a response: that of the request, with our tag unless it has one. */
export function toWithTag(to: string, tag: string | undefined): string {
  if (tag === undefined) return to
  const parsed = parseNameAddr(to)
  return parsed.ok && parsed.value.params.has('tag') ? to : `${to};tag=${tag}`
}

/** Adds the caller's headers and body; a header given there replaces the core's own of that name. */
export function addOptions(headers: SipHeaders, options: MessageOptions): void {
  const replaced = new Set<string>()
  for (const [name, value] of options.headers ?? []) {
    const key = name.toLowerCase()
    if (!replaced.has(key)) headers.remove(name)
    replaced.add(key)
    headers.append(name, value)
  }
  if (options.body !== undefined) addBody(headers, options.body)
}

function addSessionId(headers: SipHeaders, value: string | undefined): void {
  if (value !== undefined) headers.append('Session-ID', value)
}

function addBody(headers: SipHeaders, body: SipBody): void {
  headers.set('Content-Type', body.contentType)
  if (body.disposition !== undefined) headers.set('Content-Disposition', body.disposition)
}

function introduces(method: string, status: number): boolean {
  // What is allowed in a dialog is told as early as it begins (RFC 3311 section 5.1).
  const least = method === 'INVITE' ? 101 : 200
  return status === 405 || (status >= least && status < 300 && INTRODUCING.has(method))
}

function copy(from: SipHeaders, to: SipHeaders, name: string): void {
  const value = from.get(name)
  if (value !== undefined) to.append(name, value)
}

function isSecure(uri: string): boolean {
  return uri.slice(0, 5).toLowerCase() === 'sips:'
}
