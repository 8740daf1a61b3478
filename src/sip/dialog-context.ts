// What is needed to send a request within a dialog.

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
}

/** The plan of a request within the dialog, and the URI to resolve for it (RFC 3261 section 12.2.1.1). */
export function planWithin(
  context: DialogContext,
  method: string,
  cseqNumber: number,
  options: MessageOptions,
): { plan: RequestPlan; hop: string } {
  const { state, contact } = context
  const { uri, routes, hop } = state.route()
  const from = state.local.address
  const to = state.remote.address
  return { plan: { method, uri, routes, from, to, callId: state.callId, cseqNumber, contact, options }, hop }
}
