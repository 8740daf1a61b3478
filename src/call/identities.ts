// What is believed and told of who calls whom: asserted identities (RFC 3325), privacy (RFC 3323), history (RFC 7044), signatures (RFC 8224).

import { type HeaderList, parseNameAddr, parseSipUri, type ServerInvite, type SipHeaders, type SipRequest } from '#sip'
import type { DestinationPolicy } from './destinations.ts'
import type { Answer } from './dialler.ts'
import { ANONYMOUS_FROM, answererOf, type Identity, identityOf, onwardFrom, privacyOf } from './identity.ts'
import type { Joining } from './parties.ts'

// More of these than any honest call collects is not carried.
const MAX_VALUES = 16
const MAX_FACT_LENGTH = 1024

/** The identities of calls, by who is trusted with them. */
export class Identities {
  readonly #trusted: DestinationPolicy
  readonly #domain: string

  /** `trusted` are the peers whose assertions are believed, and who are told ours; `domain` stands in the From that we write. */
  constructor(trusted: DestinationPolicy, domain: string) {
    this.#trusted = trusted
    this.#domain = domain
  }

  /** Who calls. */
  callerOf({ request, flow }: ServerInvite): Identity {
    return identityOf(request.headers, 'From', this.#trusts(flow.remote.host))
  }

  /** Who joins by an INVITE of its own. */
  joiningOf(invite: ServerInvite): Joining {
    return { ...this.callerOf(invite), sipCallId: invite.request.headers.get('Call-ID') ?? '' }
  }

  /** Who joins by answering a call to `target`. */
  answererOf(target: string, { response, sipCallId }: Answer): Joining {
    return { ...answererOf(target, response.headers, this.#trusts(hostOf(target))), sipCallId }
  }

  /** From and further headers of a call that goes on to `target`. */
  onward(
    { request, flow }: Pick<ServerInvite, 'request' | 'flow'>,
    target: string,
  ): { from: string; headers: HeaderList } {
    const { headers } = request
    const privacy = privacyOf(headers)
    const isTold = this.#trusts(flow.remote.host) && this.#trusts(hostOf(target))
    const isHidden = privacy.has('user') || privacy.has('header')
    return {
      from: isHidden && !isTold ? ANONYMOUS_FROM : onwardFrom(headers, this.#domain),
      headers: [
        ...(isTold ? copied(headers, ['P-Asserted-Identity', 'Privacy']) : []),
        ...(isTold || !(isHidden || privacy.has('history')) ? copied(headers, ['History-Info', 'Diversion']) : []),
        ...(isSignatureKept(request, target) ? signatureOf(headers) : []),
      ],
    }
  }

  /** What the caller's INVITE tells beside who calls, for the metadata of recordings. */
  factsOf({ request, flow }: ServerInvite): Readonly<Record<string, string>> {
    const { headers } = request
    const facts: Record<string, string> = {}
    for (const name of ['History-Info', 'Diversion']) {
      const text = headers.list(name).slice(0, MAX_VALUES).join(', ').slice(0, MAX_FACT_LENGTH)
      if (text !== '' && !privacyOf(headers).has('history')) facts[name] = text
    }
    if (headers.has('Identity')) facts['Identity'] = 'not verified'
    const verstat = this.#trusts(flow.remote.host) ? verstatOf(headers) : undefined
    if (verstat !== undefined) facts['verstat'] = verstat
    return facts
  }

  #trusts(host: string | undefined): boolean {
    return host !== undefined && this.#trusted.allows({ scheme: 'sip', host, params: new Map() })
  }
}

/**
 * A signature covers the numbers of From and To, Date, and the keys of the media (RFC 8224 section 4). We write hosts anew and end
 * DTLS: it stays true only between telephone numbers that stay the same, without fingerprints.
 */
function isSignatureKept({ headers, body }: SipRequest, target: string): boolean {
  if (!headers.has('Identity') || !headers.has('Date')) return false
  const [from, to] = (['From', 'To'] as const).map((name) => {
    const named = parseNameAddr(headers.get(name) ?? '')
    return named.ok ? numberOf(named.value.uri) : undefined
  })
  const hasKeys = new TextDecoder().decode(body).includes('a=fingerprint:')
  return !hasKeys && from !== undefined && to !== undefined && to === numberOf(target)
}

function numberOf(uri: string): string | undefined {
  const parsed = parseSipUri(uri)
  const user = parsed.ok ? parsed.value.user : undefined
  return user !== undefined && /^\+?[0-9]{3,15}$/.test(user) ? user : undefined
}

/** What a trusted peer says of its check of the caller's number (3GPP TS 24.229 section 7.2A.20). */
function verstatOf(headers: SipHeaders): string | undefined {
  for (const value of [...headers.list('P-Asserted-Identity'), headers.get('From') ?? ''].slice(0, MAX_VALUES)) {
    const named = parseNameAddr(value)
    const found = named.ok ? /[;]verstat=([A-Za-z-]{1,40})/.exec(named.value.uri)?.[1] : undefined
    if (found !== undefined) return found
  }
  return undefined
}

function signatureOf(headers: SipHeaders): HeaderList {
  const signatures = headers.list('Identity').slice(0, MAX_VALUES)
  return [...signatures.map((value) => ['Identity', value] as const), ['Date', headers.get('Date') ?? '']]
}

function copied(headers: SipHeaders, names: readonly string[]): HeaderList {
  return names.flatMap((name) =>
    headers
      .list(name)
      .slice(0, MAX_VALUES)
      .map((value) => [name, value] as const),
  )
}

function hostOf(uri: string): string | undefined {
  const parsed = parseSipUri(uri)
  return parsed.ok ? parsed.value.host : undefined
}
