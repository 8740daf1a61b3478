// How the legs of a call are protected: which keys may be exchanged with whom, and how strong the weakest leg is (RFC 4568, SEC-06).

import { type SrtpSuite, srtpSuites } from '#rtp'
import { parseSipUri } from '#sip'
import type { LegSecurity } from './leg-keys.ts'
import type { CallSnapshot } from './recordable-call.ts'

/** What of SRTP the calls of a gateway may do. */
export interface SrtpPolicy {
  /** Suites that are answered and offered, best first; empty: plain RTP only. */
  readonly suites: readonly SrtpSuite[]
  /** Who is called with SRTP: nobody, those called by somebody who uses it, everybody. */
  readonly callees: 'plain' | 'as-caller' | 'always'
  /** Keys are exchanged with peers whose signalling is not TLS, too (RFC 4568 section 5.1.1 wants it protected). */
  readonly keysWithoutTls: boolean
}

/** Protection of a leg's signalling on the hop next to us. */
export type SignallingProtection = NonNullable<CallSnapshot['protection']>['signalling']

/** Protection of the hop to a URI, as far as the URI itself says. */
export function signallingTo(target: string): SignallingProtection {
  const uri = parseSipUri(target)
  if (!uri.ok) return 'none'
  return uri.value.scheme === 'sips' || uri.value.params.get('transport')?.toLowerCase() === 'tls' ? 'tls' : 'none'
}

/** What a leg may do by policy. */
export function securityOf(policy: SrtpPolicy, signalling: SignallingProtection, isOffered: boolean): LegSecurity {
  const suites = signalling === 'tls' || policy.keysWithoutTls ? policy.suites : []
  return { suites, isOffered: isOffered && suites.length > 0 }
}

/** A leg, as far as its protection goes. */
export interface ProtectedLeg {
  readonly signalling: SignallingProtection
  readonly sdp: { readonly suite: SrtpSuite | undefined }
}

/** The weakest of each kind among the legs; undefined without legs. */
export function weakestOf(legs: readonly ProtectedLeg[]): CallSnapshot['protection'] {
  if (legs.length === 0) return undefined
  const suites = legs.map(({ sdp }) => sdp.suite)
  const weakest = srtpSuites.findLast((suite) => suites.includes(suite))
  return {
    signalling: legs.every(({ signalling }) => signalling === 'tls') ? 'tls' : 'none',
    media: weakest === undefined || suites.includes(undefined) ? 'none' : weakest,
  }
}
