// CANCEL of an INVITE that has been answered provisionally: RFC 3261 section 9.1.

import type { CoreParts } from './core-parts.ts'
import { cancelFor } from './hop-requests.ts'
import { serializeMessage } from './message/serializer.ts'
import { addOptions } from './message-builder.ts'
import type { MessageOptions } from './session.ts'
import type { ClientTransaction } from './transaction/client-transaction.ts'
import { timeoutMs } from './transaction/timer-values.ts'

/** Sends CANCEL; without a final response to the INVITE within 64*T1 its transaction is given up. */
export function cancelInvite(parts: CoreParts, invite: ClientTransaction, options: MessageOptions = {}): void {
  if (invite.ended) return
  const request = cancelFor(invite.request)
  addOptions(request.headers, options)
  parts.transactions.open(
    { branch: invite.branch, request, bytes: serializeMessage(request), target: invite.target },
    { onResponse: () => {}, onFailure: () => {} },
  )
  parts.clock.after(timeoutMs(parts.timers), 'cancelled-invite', () => invite.abandon())
}
