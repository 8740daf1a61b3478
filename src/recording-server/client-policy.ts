// What is asked of a recording client, by where it comes from: how strictly it is judged, and whether plain calls are taken.

import type { SipMessage } from '#sip'
import type { RequestBodies } from './recording-request.ts'
import type { Judgement } from './session-context.ts'

/** What is expected of a client. */
export interface ClientPolicy {
  /**
   * `off`: what a client does against the RFCs is tolerated, and told. `report`: it is answered the same, but counted as
   * violations. `refuse`: its INVITE is refused with the status that the RFCs have for it.
   */
  readonly strict: 'off' | 'report' | 'refuse'
  /** What becomes of an ordinary call without any sign of SIPREC. */
  readonly plainCalls: 'record' | 'refuse'
  /** Codes that even `refuse` tolerates. */
  readonly tolerate: readonly string[]
}

/** Everybody is recorded. */
export const LENIENT: ClientPolicy = { strict: 'off', plainCalls: 'record', tolerate: [] }

/** Why an INVITE is refused. */
export interface PolicyRefusal {
  readonly status: number
  readonly reason: string
}

/** Deviations for which an RFC has a refusal, or allows one (RFC 7866 sections 6.2 and 9.2, RFC 3264 section 6). */
const STATUS_OF: Readonly<Record<string, number>> = {
  'no-require-siprec': 403,
  'no-sip-src': 403,
  'feature-tag-in-uri': 403,
  'body-form': 400,
  'not-well-formed': 400,
  'unknown-root': 400,
  namespace: 400,
  'unknown-element': 400,
  'missing-element': 400,
  'repeated-element': 400,
  'element-order': 400,
  'unknown-attribute': 400,
  'missing-attribute': 400,
  'value-form': 400,
  'id-form': 400,
  'id-repeated': 400,
  'time-form': 400,
  'time-zone': 400,
  'label-unknown': 400,
  'sdp-malformed': 400,
  'no-label': 488,
  'sdp-label-form': 488,
  'sdp-label-repeated': 488,
  'source-direction': 488,
}

/** Codes that `strict: refuse` refuses, with their status. */
export const refusedCodes: Readonly<Record<string, number>> = STATUS_OF

/** Why a policy refuses an INVITE; undefined if it does not. */
export function policyRefusal(
  { policy, isPlain, bodies, findings, marks }: Judgement,
  message: SipMessage,
): PolicyRefusal | undefined {
  if (policy.plainCalls === 'refuse' && isPlain) return { status: 403, reason: 'plain-call' }
  if (policy.strict !== 'refuse') return undefined
  // Who is not a recording client by its head is told so before its body is judged.
  const missing = marks.filter(
    (mark) => !policy.tolerate.includes(mark.includes('Require') ? 'no-require-siprec' : 'no-sip-src'),
  )
  if (missing.length > 0) return { status: 403, reason: missing.join(', ') }
  if (message.kind === 'request' && bodies.unknownTypes.length > 0 && !policy.tolerate.includes('unknown-part')) {
    return { status: 415, reason: `unknown-part ${bodies.unknownTypes.join(', ')}` }
  }
  const refused = findings.filter(({ code }) => (STATUS_OF[code] ?? 403) !== 403 && !policy.tolerate.includes(code))
  const status = refused[0] && STATUS_OF[refused[0].code]
  return status === undefined ? undefined : { status, reason: [...new Set(refused.map(({ code }) => code))].join(', ') }
}

/** Whether an INVITE is an ordinary call: no option tag, no feature tag in any spelling, no metadata. */
export function isPlainCall({ kind, headers }: SipMessage, { metadata }: RequestBodies): boolean {
  if (kind === 'response' || metadata.length > 0) return false
  const options = [...headers.list('Require'), ...headers.list('Supported')]
  const hasTag = /;\s*(?:\+sip[.-])?src\b/i.test(headers.get('Contact') ?? '')
  return !hasTag && !options.some((tag) => tag.trim().toLowerCase() === 'siprec')
}
