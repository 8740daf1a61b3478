// Requests within a call that change nothing of its session: INFO, OPTIONS, the requests of a transfer, and what we do not do.

import type { IncomingRequest, SipBody } from '#sip'
import { digitOfInfo, isDigitInfo } from './dtmf-info.ts'

/** What an in-dialog request can lead to. */
export interface InDialogActions {
  /** A digit came by INFO; `body` is for the other party. */
  onDigit(digit: string, body: SipBody): void
  /** Asks for a transfer; it must be answered there. */
  onRefer(incoming: IncomingRequest): void
  /** Tells how a transfer goes; it must be answered there. */
  onNotify(incoming: IncomingRequest): void
  /** Any other INFO; true when it was, or will be, answered there. */
  handleInfo(incoming: IncomingRequest): boolean
}

/** Answers a request of a confirmed leg other than INVITE, UPDATE, ACK and BYE. */
export function answerInDialog(incoming: IncomingRequest, actions: InDialogActions): void {
  switch (incoming.request.method) {
    case 'INFO':
      answerInfo(incoming, actions)
      break
    case 'OPTIONS':
      incoming.respond(200)
      break
    case 'REFER':
      actions.onRefer(incoming)
      break
    case 'NOTIFY':
      actions.onNotify(incoming)
      break
    default:
      incoming.respond(501)
  }
}

function answerInfo(incoming: IncomingRequest, actions: InDialogActions): void {
  const { request } = incoming
  if (isDigitInfo(request)) {
    const digit = digitOfInfo(request)
    incoming.respond(digit === undefined ? 400 : 200)
    if (digit !== undefined)
      actions.onDigit(digit, { contentType: request.headers.get('Content-Type') ?? '', content: request.body })
    return
  }
  if (actions.handleInfo(incoming)) return
  // An empty legacy INFO is harmless; the core has refused packages (RFC 6086 section 4.2.2).
  if (request.body.length === 0) incoming.respond(200)
  else incoming.respond(415, { headers: [['Accept', 'application/sdp, application/dtmf-relay, application/dtmf']] })
}
