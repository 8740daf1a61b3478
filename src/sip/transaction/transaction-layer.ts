// Matching of messages to transactions: RFC 3261 sections 17.1.3 and 17.2.3, merged requests of 8.2.2.2.

import { type Essentials, replyPathOf } from '../essentials.ts'
import type { SipRequest, SipResponse } from '../message/message.ts'
import { viaText } from '../message/via.ts'
import type { SipFlow, SipTarget } from '../transport-port.ts'
import { ClientTransaction, type ClientTransactionUser, type TransactionLink } from './client-transaction.ts'
import { ServerTransaction } from './server-transaction.ts'

const MAGIC_COOKIE = 'z9hG4bK'

/** What became of an incoming request. */
export type Arrival =
  | { readonly kind: 'absorbed' | 'unmatched-ack' | 'overload' }
  | { readonly kind: 'new' | 'merged'; readonly transaction: ServerTransaction }

/** All transactions of one core, found by hash. */
export class TransactionLayer {
  readonly #link: TransactionLink
  readonly #maxServers: number
  readonly #clients = new Map<string, ClientTransaction>()
  readonly #servers = new Map<string, ServerTransaction>()
  readonly #firstPaths = new Map<string, ServerTransaction>()

  constructor(link: TransactionLink, maxServers: number) {
    this.#link = link
    this.#maxServers = maxServers
  }

  get size(): number {
    return this.#clients.size + this.#servers.size
  }

  /** Starts a client transaction; `branch` is that of the request's topmost Via. */
  open(
    parts: { branch: string; request: SipRequest; bytes: Uint8Array; target: SipTarget },
    user: ClientTransactionUser,
  ): ClientTransaction {
    const key = clientKey(parts.branch, parts.request.method)
    const transaction = new ClientTransaction(this.#link, { ...parts, key }, user, () => void this.#clients.delete(key))
    this.#clients.set(key, transaction)
    transaction.start()
    return transaction
  }

  /** Gives a response to its transaction; false when there is none. */
  receiveResponse(response: SipResponse, facts: Essentials): boolean {
    const transaction = this.#clients.get(clientKey(facts.branch, facts.cseqMethod))
    transaction?.receive(response)
    return transaction !== undefined
  }

  /** Gives a request to its transaction, or opens one. */
  receiveRequest(request: SipRequest, facts: Essentials, flow: SipFlow): Arrival {
    if (request.method === 'ACK') {
      const acknowledged = this.#servers.get(serverKey(request, facts, 'INVITE'))
      acknowledged?.acknowledge(request)
      return { kind: acknowledged === undefined ? 'unmatched-ack' : 'absorbed' }
    }
    const key = serverKey(request, facts, request.method)
    const known = this.#servers.get(key)
    if (known !== undefined) {
      known.repeat()
      return { kind: 'absorbed' }
    }
    if (this.#servers.size >= this.#maxServers) return { kind: 'overload' }
    return this.#openServer(request, facts, flow, key)
  }

  /** The INVITE transaction that a CANCEL means (section 9.2). */
  findCancelled(cancel: SipRequest, facts: Essentials): ServerTransaction | undefined {
    return this.#servers.get(serverKey(cancel, facts, 'INVITE'))
  }

  /** Forgets everything. */
  close(): void {
    this.#clients.clear()
    this.#servers.clear()
    this.#firstPaths.clear()
  }

  #openServer(request: SipRequest, facts: Essentials, flow: SipFlow, key: string): Arrival {
    const mergeKey =
      facts.toTag === '' && request.method !== 'CANCEL'
        ? `${facts.callId}\n${facts.fromTag}\n${facts.cseqNumber} ${request.method}`
        : undefined
    const isMerged = mergeKey !== undefined && this.#firstPaths.has(mergeKey)
    const path = replyPathOf(facts.via, flow)
    const transaction = new ServerTransaction(this.#link, { key, method: request.method, path }, () => {
      this.#servers.delete(key)
      if (mergeKey !== undefined && !isMerged) this.#firstPaths.delete(mergeKey)
    })
    this.#servers.set(key, transaction)
    if (mergeKey !== undefined && !isMerged) this.#firstPaths.set(mergeKey, transaction)
    transaction.start()
    return { kind: isMerged ? 'merged' : 'new', transaction }
  }
}

function clientKey(branch: string, method: string): string {
  return `${branch}\n${method}`
}

/** Branch, sent-by and method; without the cookie the fields that RFC 2543 offers, To tag left out so that ACK matches. */
function serverKey(request: SipRequest, facts: Essentials, method: string): string {
  if (facts.branch.startsWith(MAGIC_COOKIE) && facts.branch.length > MAGIC_COOKIE.length) {
    return `${facts.branch}\n${facts.via.host.toLowerCase()}:${facts.via.port ?? ''}\n${method}`
  }
  return `${request.uri}\n${facts.fromTag}\n${facts.callId}\n${facts.cseqNumber} ${method}\n${viaText(facts.via)}`
}
