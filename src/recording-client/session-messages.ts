// Headers and bodies of the messages of a recording session (RFC 7866 sections 6.1.1 and 9.1, RFC 9806).

import type { Ids } from '#kernel'
import type { HeaderList, SipBody, SipMessage } from '#sip'
import { isSdp, LEGACY_METADATA_TYPE, METADATA_TYPE, parseBody, recordingBody, rfc3339 } from '#siprec'
import type { OutgoingDocument } from './document.ts'
import { filledHeaders } from './recorders/profile-headers.ts'
import type { SessionPlan } from './session-port.ts'

const sdpType = 'application/sdp'
const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const
const dayMs = 86_400_000

// What makes the message and the dialog, compact forms included: neither asker nor profile has a say in it.
const ownNames = new Set(
  `accept allow authorization call-id contact content-disposition content-encoding content-length content-type cseq date from
  max-forwards mime-version min-se proxy-authorization proxy-require record-route require route rseq session-expires supported to via
  c e f i k l m t v x`.split(/\s+/),
)

// Where SmartTAP recorders look for the id of the recording.
const smartTapHeaders: HeaderList = [['X-Audc-Call-Id', '{recordingId}']]

/** Headers of every offer: what the session is, and what a recorder may send back (RFC 7866 figure 12). */
export const offerHeaders: HeaderList = [
  ['Require', 'siprec'],
  ['Accept', 'application/sdp, application/rs-metadata+xml, application/rs-metadata'],
]

/**
 * Headers of the initial INVITE; `wallMs` becomes Date, from which a recorder derives the start (RFC 7865 section 6.1.1). Those of
 * the asker come first and replace those of the profile; neither replaces ours.
 */
export function inviteHeaders(wallMs: number, { headers, profile, recordingId, call }: SessionPlan): HeaderList {
  const askedNames = new Set(headers.map(([name]) => name.toLowerCase()))
  const own = profile.metadata.dialect === 'smarttap' ? smartTapHeaders : []
  const sessionId = hexText(call.snapshot().sessionId)
  const configured = filledHeaders([...profile.headers, ...own], { recordingId, callId: call.callId, sessionId })
  const foreign = [...headers, ...configured.filter(([name]) => !askedNames.has(name.toLowerCase()))]
  return [...foreignHeaders(foreign), ...offerHeaders, ...withDate(wallMs)]
}

/** Those that neither replace ours nor are part of the protocol. */
export function foreignHeaders(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => !ownNames.has(name.toLowerCase()))
}

/** A Date header (RFC 3261 section 20.17). */
export function withDate(wallMs: number): HeaderList {
  return [['Date', sipDate(wallMs)]]
}

/** Offer and document in one body; the offer alone when there is no document (RFC 7866 section 9.1). */
export function offerBody(sdp: Uint8Array, document: OutgoingDocument | undefined, ids: Ids): SipBody {
  const metadata = document && { metadata: document.content, metadataType: document.type }
  return recordingBody({ sdp, ...metadata }, ids) ?? { contentType: sdpType, content: sdp }
}

/** The SDP of a message, alone or within a multipart body. */
export function sdpOf(message: SipMessage): Uint8Array | undefined {
  if (message.body.length === 0) return undefined
  const { headers, body } = message
  return parseBody(headers.get('content-type') ?? sdpType, headers.get('content-disposition'), body).parts.find(isSdp)
    ?.content
}

/** Whether a 415 says that the old type of metadata would be taken and the registered one not (SRC-66, AMB-01). */
export function wantsLegacyType(refusal: SipMessage): boolean {
  const types = refusal.headers.list('accept').map((type) => type.split(';')[0]!.trim().toLowerCase())
  return types.includes(LEGACY_METADATA_TYPE) && !types.includes(METADATA_TYPE)
}

function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** RFC 1123 date in GMT, out of the RFC 3339 text since this layer has no calendar. */
function sipDate(wallMs: number): string {
  const iso = rfc3339(wallMs)
  const weekday = days[(((Math.floor(wallMs / dayMs) + 4) % 7) + 7) % 7]
  return `${weekday}, ${iso.slice(8, 10)} ${months[Number(iso.slice(5, 7)) - 1]} ${iso.slice(0, 4)} ${iso.slice(11, 19)} GMT`
}
