// A recording session of a recorder that died, taken up by the next one: nobody is asked, the dialog is there already.

import {
  type DialogHandlers,
  type DialogSnapshot,
  type InviteDialog,
  request,
  type SipCore,
  SipHeaders,
  type SipMessage,
} from '#sip'
import type { SipFacts } from '#store'
import type { KeptRecording } from './kept-session.ts'
import type { SessionOpening } from './session-opening.ts'

/** The opening of a session that was up before. */
export class RestoredOpening implements SessionOpening {
  readonly message: SipMessage
  readonly sip: SipFacts
  readonly isCancelled = false
  readonly kept: KeptRecording
  readonly #core: SipCore

  constructor(kept: KeptRecording, core: SipCore) {
    const { sip } = kept.manifest.facts
    this.kept = kept
    this.sip = sip
    this.#core = core
    // What the client sent is gone; who it is, is not.
    const headers = SipHeaders.of([
      ['From', kept.session.dialog.remoteAddress],
      ['To', kept.session.dialog.localAddress],
      ['Call-ID', sip.callId],
      ...(sip.userAgent === undefined ? [] : [['User-Agent', sip.userAgent] as const]),
    ])
    this.message = request('INVITE', sip.requestUri, headers)
  }

  accept(handlers: DialogHandlers): InviteDialog {
    return this.#core.restore(this.kept.session.dialog, handlers)
  }

  reject(): void {
    void this.#core.restore(this.kept.session.dialog, { onEnd: () => {} }).bye()
  }

  snapshot(): DialogSnapshot {
    return this.kept.session.dialog
  }
}
