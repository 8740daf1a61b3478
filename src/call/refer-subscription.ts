// The subscription that a REFER makes: its sender hears by NOTIFY how the call to the target goes (RFC 3515 section 2.4.4, RFC 6665).

import { type InviteDialog, reasonPhrase, type SipRequest } from '#sip'

const FRAGMENT_TYPE = 'message/sipfrag;version=2.0'
/** Longer than a target may ring. */
const LIFETIME_S = 180

/** NOTIFYs about one REFER, one after another; none once the dialog is over. */
export class ReferSubscription {
  readonly #dialog: InviteDialog
  readonly #event: string
  #last: Promise<unknown> = Promise.resolve()
  #reported = 0

  /** `refer` is the request that was accepted. */
  constructor(dialog: InviteDialog, refer: SipRequest) {
    this.#dialog = dialog
    const [number] = (refer.headers.get('CSeq') ?? '').trim().split(/\s/, 1)
    this.#event = `refer;id=${number}`
  }

  /** Tells of a provisional response; the same once only. */
  progress(status: number): void {
    if (status === this.#reported) return
    this.#reported = status
    void this.#notify(status, `active;expires=${LIFETIME_S}`)
  }

  /** Tells how it ended; resolves when the party has heard it, or is gone. */
  async end(status: number): Promise<void> {
    await this.#notify(status, 'terminated;reason=noresource')
  }

  #notify(status: number, state: string): Promise<unknown> {
    const content = new TextEncoder().encode(`SIP/2.0 ${status} ${reasonPhrase(status)}\r\n`)
    this.#last = this.#last.then(async () => {
      if (this.#dialog.ended) return
      await this.#dialog.request('NOTIFY', {
        headers: [
          ['Event', this.#event],
          ['Subscription-State', state],
        ],
        body: { contentType: FRAGMENT_TYPE, content },
      })
    })
    return this.#last
  }
}
