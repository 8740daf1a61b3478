// The extension data of our documents: what identifies the call, in our namespace and as jambonz spells it (RFC 7865 section 6.x).

import type { CallParty, CallSnapshot } from '#call'
import { parseSipUri } from '#sip'
import { rfc3339, type XmlElement } from '#siprec'
import type { ApplicationIds } from './command.ts'
import type { Replayed } from './fork-binding.ts'
import type { SpooledSpan } from './spool-port.ts'

const JAMBONZ_NAMESPACE = 'http://jambonz.org/siprec'

/** The call's Call-IDs, the recording id, and what the caller's INVITE said. */
export function callElement(snapshot: CallSnapshot, recordingId: string, namespace: string): XmlElement {
  const callIds = new Map(snapshot.parties.map((party) => [`${party.leg} ${party.sipCallId}`, party]))
  const children = [...callIds.values()]
    .filter((party) => party.sipCallId !== '')
    .map((party) => element(namespace, 'sipCallId', [party.sipCallId], { leg: party.leg }))
  if (recordingId !== '') children.push(element(namespace, 'recordingRef', [recordingId]))
  for (const [name, text] of Object.entries(snapshot.facts ?? {})) {
    children.push(element(namespace, 'fact', [text], { name }))
  }
  return element(namespace, 'call', children, { direction: snapshot.direction })
}

/** Whether a participant called, was called, or is a machine. */
export function roleElement({ role }: CallParty, namespace: string): XmlElement {
  return element(namespace, 'role', [role])
}

/** From when to when a stream carries what was said before the session. */
export function replayedElement({ fromMs, toMs }: Replayed, namespace: string): XmlElement {
  return element(namespace, 'replayed', [], { from: rfc3339(fromMs), to: rfc3339(toMs) })
}

/** What was spooled arrives later than it was said, and what was paused is missing. */
export function spooledElement(spooled: SpooledSpan, namespace: string): XmlElement {
  const span = ({ fromMs, toMs }: { readonly fromMs: number; readonly toMs?: number }): Record<string, string> => ({
    from: rfc3339(fromMs),
    ...(toMs === undefined ? {} : { to: rfc3339(Math.max(fromMs, toMs)) }),
  })
  const gaps = spooled.gaps.map((gap) => element(namespace, 'gap', [], { reason: gap.reason, ...span(gap) }))
  return element(namespace, 'spooled', gaps, span(spooled))
}

/** Names as jambonz spells them; its recorders key on callsid and recordingid. */
export function jambonzElements(
  snapshot: CallSnapshot,
  recordingId: string,
  { callSid, accountSid = '', applicationSid = '' }: ApplicationIds = {},
): XmlElement[] {
  const caller = snapshot.parties.find((party) => party.role === 'caller')
  const called =
    snapshot.parties.find((party) => party.role === 'automaton') ??
    snapshot.parties.find((party) => party.role === 'callee')
  const values = {
    callsid: callSid ?? snapshot.callId,
    direction: snapshot.direction,
    accountsid: accountSid,
    applicationsid: applicationSid,
    recordingid: recordingId,
    callednumber: numberOf(called),
    callingnumber: numberOf(caller),
  }
  return Object.entries(values)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => ({ ...element(JAMBONZ_NAMESPACE, name, [value]), prefix: 'jb' }))
}

/** An element of some namespace. */
export function element(
  namespace: string,
  name: string,
  children: readonly (XmlElement | string)[],
  attributes: Readonly<Record<string, string>> = {},
): XmlElement {
  const entries = Object.entries(attributes).map(([attribute, value]) => ({ name: attribute, value }))
  return { namespace, name, attributes: entries, children }
}

function numberOf(party: CallParty | undefined): string {
  const parsed = parseSipUri(party?.aors[0] ?? '')
  return parsed.ok ? (parsed.value.user ?? '') : ''
}
