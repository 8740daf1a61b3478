// The resolved next hop of a dialog, asked for once per URI, so that requests leave in the order they were made.

import { err, type Logger, messageOf, ok, type Result } from '#kernel'
import { parseSipUri, type SipUri } from './message/uri.ts'
import type { HopChoice } from './session.ts'
import type { LocateError, SipFlow, SipLocator, SipTarget } from './transport-port.ts'

/** What a URI resolved to. */
export type Located = Result<readonly SipTarget[], LocateError>

interface LocateParts {
  readonly options: { readonly locator: SipLocator }
  readonly log: Logger
}

interface Entry {
  readonly uri: string
  located?: Located
  readonly waiting: Array<(located: Located) => void>
}

/** Resolves URI text (RFC 3263); text that is no URI is an error as any other. What `use` throws is logged. */
export function locate(parts: LocateParts, uri: string, choice: HopChoice, use: (located: Located) => void): void {
  const parsed = parseSipUri(uri)
  const located: Promise<Located> = parsed.ok
    ? parts.options.locator.locate(withTransport(parsed.value, choice.transport)).then((found) => shown(found, choice))
    : Promise.resolve(err({ code: 'bad-uri', message: parsed.error.message }))
  located.then(use).catch((fault) => parts.log.error('fault after a lookup', { fault: messageOf(fault) }))
}

function withTransport(uri: SipUri, transport: string | undefined): SipUri {
  if (transport === undefined || uri.scheme !== 'sip' || uri.params.has('transport')) return uri
  return { ...uri, params: new Map([...uri.params, ['transport', transport]]) }
}

function shown(located: Located, { tlsIdentity }: HopChoice): Located {
  if (!located.ok || tlsIdentity === undefined) return located
  return ok(located.value.map((target) => (target.transport === 'tls' ? { ...target, tlsIdentity } : target)))
}

/** Remembers the targets of the current next hop. */
export class NextHop {
  readonly #parts: LocateParts
  readonly #choice: HopChoice
  #flow: SipFlow | undefined
  #entry: Entry | undefined

  /** `flow`: how the peer that made the dialog reaches us. */
  constructor(parts: LocateParts, choice: HopChoice, flow?: SipFlow) {
    this.#flow = flow
    this.#parts = parts
    this.#choice = choice
  }

  /** How the peer reaches us; undefined where it never did. */
  get flow(): SipFlow | undefined {
    return this.#flow
  }

  /** Calls `use` with the targets of `uri`, at once when they are known. */
  resolve(uri: string, use: (located: Located) => void): void {
    if (this.#entry?.uri !== uri) this.#ask(uri)
    const entry = this.#entry!
    if (entry.located === undefined) entry.waiting.push((located) => use(this.#overFlow(located)))
    else use(this.#overFlow(entry.located))
  }

  /** A request of the peer came by this flow: it is where the peer is now. */
  heardFrom(flow: SipFlow): void {
    if (this.#flow !== undefined) this.#flow = flow
  }

  /** Asks again next time, after the targets have failed. */
  forget(): void {
    if (this.#entry?.located !== undefined) this.#entry = undefined
  }

  /** The peer's own connection leads to it even where its address does not (RFC 5923 section 5). */
  #overFlow(located: Located): Located {
    const { transport, connectionId } = this.#flow ?? {}
    if (!located.ok || connectionId === undefined) return located
    return ok(located.value.map((target) => (target.transport === transport ? { ...target, connectionId } : target)))
  }

  #ask(uri: string): void {
    const entry: Entry = { uri, waiting: [] }
    this.#entry = entry
    locate(this.#parts, uri, this.#choice, (located) => {
      entry.located = located
      if (!located.ok) this.forget()
      for (const use of entry.waiting.splice(0)) use(located)
    })
  }
}
