// Inspection of a received request: RFC 3261 sections 8.2.1 to 8.2.3, in that order.

import { ACCEPTED_ENCODING } from './answer.ts'
import type { SipCoreOptions } from './core-options.ts'
import type { SipRequest } from './message/message.ts'
import { parseSipUri } from './message/uri.ts'
import type { MessageOptions } from './session.ts'

/** Why a request is refused. */
export interface Refusal {
  readonly status: number
  readonly options?: MessageOptions
}

/** Methods that exist only within a dialog, or within another transaction. */
export const WITHIN_DIALOG: ReadonlySet<string> = new Set(['BYE', 'INFO', 'UPDATE', 'PRACK'])

/** Checks what every request must pass; made once per core. */
export class IncomingChecks {
  readonly #options: SipCoreOptions
  readonly #methods: ReadonlySet<string>
  readonly #understood: ReadonlySet<string>
  readonly #accept: ReadonlySet<string>

  constructor(options: SipCoreOptions) {
    this.#options = options
    this.#methods = new Set([...options.allow, 'BYE', 'CANCEL', 'OPTIONS'])
    this.#understood = new Set([...options.supported, ...(options.understood ?? [])].map((tag) => tag.toLowerCase()))
    this.#accept = new Set(options.accept.map((type) => type.toLowerCase()))
  }

  /** The first thing to refuse the request for. */
  refuse(request: SipRequest): Refusal | undefined {
    return (
      this.#refuseUri(request) ??
      this.#refuseMethod(request) ??
      this.#refuseRequire(request) ??
      this.#refuseBody(request)
    )
  }

  #refuseUri(request: SipRequest): Refusal | undefined {
    const uri = parseSipUri(request.uri)
    if (uri.ok) return undefined
    return { status: uri.error.code === 'unsupported-scheme' ? 416 : 400 }
  }

  #refuseMethod(request: SipRequest): Refusal | undefined {
    return this.#methods.has(request.method) ? undefined : { status: 405 }
  }

  /** Require is ignored in CANCEL (section 8.2.2.3). */
  #refuseRequire(request: SipRequest): Refusal | undefined {
    if (request.method === 'CANCEL') return undefined
    const unsupported = request.headers.list('require').filter((tag) => !this.#understood.has(tag.toLowerCase()))
    if (unsupported.length === 0) return undefined
    return { status: 420, options: { headers: [['Unsupported', unsupported.join(', ')]] } }
  }

  #refuseBody(request: SipRequest): Refusal | undefined {
    const { headers } = request
    if (request.body.length === 0 || isOptional(headers.get('content-disposition'))) return undefined
    const accept: readonly [string, string] = ['Accept', this.#options.accept.join(', ')]
    const encodings = headers.list('content-encoding')
    if (encodings.some((encoding) => encoding.toLowerCase() !== 'identity')) {
      return { status: 415, options: { headers: [accept, ...ACCEPTED_ENCODING] } }
    }
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') return undefined
    const mediaType = (headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase()
    if (mediaType === '' || mediaType.startsWith('multipart/') || this.#accept.has(mediaType)) return undefined
    return { status: 415, options: { headers: [accept] } }
  }
}

function isOptional(disposition: string | undefined): boolean {
  return disposition !== undefined && /;\s{0,8}handling\s{0,8}=\s{0,8}"?optional/i.test(disposition)
}
