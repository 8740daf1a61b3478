// Who may take the place of whom (RFC 3891 section 3): the dialog that is meant, and who may say so.

import { type InviteDialog, parseNameAddr, type Replaces, type ServerInvite } from '#sip'
import { aorOf } from './identity.ts'
import type { Leg } from './leg.ts'

/** Whether it is this dialog of ours that is meant. */
export function isReplaced(dialog: InviteDialog | undefined, replaced: Replaces): boolean {
  return (
    dialog?.callId === replaced.callId && dialog.localTag === replaced.toTag && dialog.remoteTag === replaced.fromTag
  )
}

/** Whether two legs lead to the same phone or person. */
export function isSameAuthority(a: Leg, b: Leg): boolean {
  if (a.peerHost !== undefined && a.peerHost === b.peerHost) return true
  return isSameParty(a.dialog?.remoteUri, b)
}

/** Whether an INVITE may replace a leg: it comes from the host or the person on it, or that person referred its sender to us. */
export function mayReplace(invite: ServerInvite, leg: Leg): boolean {
  if (leg.peerHost !== undefined && invite.flow.remote.host === leg.peerHost) return true
  return ['From', 'Referred-By'].some((name) => {
    const named = parseNameAddr(invite.request.headers.get(name) ?? '')
    return named.ok && isSameParty(named.value.uri, leg)
  })
}

function isSameParty(uri: string | undefined, leg: Leg): boolean {
  const aor = aorOf(uri ?? '')
  return aor !== undefined && aor === aorOf(leg.dialog?.remoteUri ?? '')
}
