// Asking recording clients for sessions (RFC 7866 section 7.2, SRS-15): an INVITE without an offer; the 200 brings one.

import { err, type Ids, invariant, ok, type Result } from '#kernel'
import { LocalDescription } from '#sdp'
import type { ClientInvite, InviteDialog, SipBody, SipCore, SipResponse } from '#sip'
import { MAX_SDP_SESSION_ID, refuseAll } from './answer-plan.ts'
import { ACCEPTED_TYPES, readBodies } from './recording-request.ts'
import { InvitedOpening, type SessionOpening } from './session-opening.ts'

/** Why there is no session: a SIP status and what it stands for. */
export interface InviteProblem {
  readonly status: number
  readonly reason: string
}

/** What invitations work with. */
export interface ClientInvitationsOptions {
  readonly ids: Ids
  /** IP literal of ours, for From and SDP. */
  readonly address: string
  /** Begins a session, or rejects it: then undefined; otherwise the recording's id. */
  readonly begin: (opening: SessionOpening) => string | undefined
}

/** INVITEs of ours that are not answered yet. */
export class ClientInvitations {
  readonly #options: ClientInvitationsOptions
  readonly #pending = new Set<ClientInvite>()

  constructor(options: ClientInvitationsOptions) {
    this.#options = options
  }

  /** Invites a client; resolves with the id of the recording when the session is up. */
  async send(core: SipCore, uri: string): Promise<Result<string, InviteProblem>> {
    const { address } = this.#options
    const host = address.includes(':') ? `[${address}]` : address
    let resolveAnswer: (body: SipBody | undefined) => void = () => {}
    const answer = new Promise<SipBody | undefined>((resolve) => {
      resolveAnswer = resolve
    })
    let invite: ClientInvite | undefined
    const settled = new Promise<Result<string, InviteProblem>>((resolve) => {
      const headers = [
        ['Require', 'siprec'],
        ['Accept', ACCEPTED_TYPES.join(', ')],
      ] as const
      invite = core.invite(
        { uri, from: `<sip:srs@${host}>`, headers },
        {
          ackBody: () => answer,
          onAccepted: (dialog, response) => this.#onAccepted(dialog, response, resolveAnswer, resolve),
          onFailed: ({ status, reason }) => resolve(err({ status, reason })),
        },
      )
      this.#pending.add(invite)
    })
    const result = await settled
    if (invite !== undefined) this.#pending.delete(invite)
    return result
  }

  /** Takes back what is not answered. */
  cancel(): void {
    for (const invite of this.#pending) invite.cancel()
  }

  #onAccepted(
    dialog: InviteDialog,
    response: SipResponse,
    onAnswer: (body: SipBody | undefined) => void,
    resolve: (result: Result<string, InviteProblem>) => void,
  ): void {
    let recordingId: string | undefined
    const onSettled = (problem: InviteProblem | undefined): void => {
      if (problem !== undefined) {
        resolve(err(problem))
        return
      }
      invariant(recordingId !== undefined, 'a session that is up has a recording')
      resolve(ok(recordingId))
    }
    const opening = new InvitedOpening(dialog, response, { onAnswer, onSettled }, this.#refusalOf(response))
    recordingId = this.#options.begin(opening)
  }

  /** An answer that takes nothing; undefined without an offer that can be read. */
  #refusalOf(response: SipResponse): Uint8Array | undefined {
    const bodies = readBodies(response)
    const offer = bodies.ok ? bodies.value.offer : undefined
    const { ids, address } = this.#options
    const sessionId = String(ids.integer(MAX_SDP_SESSION_ID))
    return offer && new LocalDescription({ sessionId, address }).describe(refuseAll(offer))
  }
}
