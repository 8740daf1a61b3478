// Never weaker than the call: what protection a recorder must be given, and whether it can be (RFC 7866 section 12, SEC-06).

import type { CallSnapshot } from '#call'
import { err, ok, type Result } from '#kernel'
import { type SrtpSuite, srtpSuites } from '#rtp'
import { parseSipUri, type TransportName } from '#sip'
import type { RecorderProfile } from './recorder-profile.ts'

/** Whether every hop that the URI and the profile decide on is TLS. */
function isSignallingProtected(uri: string, profile: RecorderProfile): boolean {
  const parsed = parseSipUri(uri)
  if (!parsed.ok) return false
  if (parsed.value.scheme === 'sips') return true
  return (parsed.value.params.get('transport')?.toLowerCase() ?? profile.transport) === 'tls'
}

/** A recorder and the way to it. */
export interface RecorderWay {
  readonly uri: string
  readonly profile: RecorderProfile
  /** What its own INVITE came over, and goes back by: its URI may promise more. */
  readonly invitedOver?: TransportName | undefined
}

/**
 * Those of `srtp` that may be offered to a recorder, or go on in use; none means plain RTP. The error says why the call may not be recorded there: unless its network
 * is trusted, a recorder gets nothing over a way that is weaker than the call's, and no keys over signalling that anybody reads (SEC-12).
 */
export function suitesFor(
  protection: CallSnapshot['protection'],
  { uri, profile, invitedOver = 'tls' }: RecorderWay,
  srtp: readonly SrtpSuite[] = profile.media.srtp,
): Result<readonly SrtpSuite[], string> {
  if (profile.trustedNetwork) return ok(srtp)
  const isProtected = invitedOver === 'tls' && isSignallingProtected(uri, profile)
  if (srtp.length > 0 && !isProtected) return err('SRTP keys would go over signalling without TLS')
  if (protection?.signalling === 'tls' && !isProtected)
    return err('the call is signalled over TLS, the recorder is not')
  const media = protection?.media ?? 'none'
  if (media === 'none') return ok(srtp)
  const strongEnough = srtp.filter((suite) => srtpSuites.indexOf(suite) <= srtpSuites.indexOf(media))
  return strongEnough.length > 0
    ? ok(strongEnough)
    : err('the media of the call is protected better than the recorder allows')
}
