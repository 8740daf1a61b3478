// What is needed to send a request within a dialog.

import type { DigestClient } from './auth/digest-client.ts'
import type { CoreParts } from './core-parts.ts'
import type { DialogState } from './dialog/dialog-state.ts'
import type { ContactShape, RequestPlan } from './message-builder.ts'
import type { NextHop } from './next-hop.ts'
import type { MessageOptions } from './session.ts'

/** One dialog with the means to send on it. */
export interface DialogContext {
  readonly parts: CoreParts
  readonly state: DialogState
  readonly hop: NextHop
  readonly contact: ContactShape
  /** Answers challenges, when the user gave credentials. */
  readonly digest: DigestClient | undefined
}

/** The plan of a request within the dialog, and the URI to resolve for it (RFC 3261 section 12.2.1.1). */
export function planWithin(
  context: DialogContext,
  method: string,
  cseqNumber: number,
  options: MessageOptions,
): { plan: RequestPlan; hop: string } {
  const { state, contact, digest } = context
  const { uri, routes, hop } = state.route()
  const from = state.local.address
  const to = state.remote.address
  const plan = { method, uri, routes, from, to, callId: state.callId, cseqNumber, contact, options }
  if (digest === undefined) return { plan, hop }
  return { plan: { ...plan, retrying: { amendments: [digest.amendment()], nextCSeq: () => state.nextCSeq() } }, hop }
}
