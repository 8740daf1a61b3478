// What a client says in its session: judged against the RFCs, and refused where nothing can be made of it.

import { type Finding, lintMessage } from '#lint'
import type { HeaderList, IncomingRequest, SipMessage } from '#sip'
import type { ClientPolicy } from './client-policy.ts'
import { ACCEPTED_TYPES, type RequestBodies, readBodies, transactionOf } from './recording-request.ts'
import type { SessionRecord } from './session-record.ts'
import type { SessionStreams } from './session-streams.ts'
import type { SessionVerdict } from './session-verdict.ts'

const ALLOW: HeaderList = [['Allow', 'INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE']]

/** What requests are judged with. */
export interface SessionRequestsOptions {
  readonly policy: ClientPolicy
  readonly verdict: SessionVerdict
  readonly streams: SessionStreams
  readonly record: SessionRecord
  /** Deviations that the client had not shown before. */
  readonly onDeviations: (codes: readonly string[]) => void
}

/** Reader of one session's requests. */
export class SessionRequests {
  readonly #options: SessionRequestsOptions

  constructor(options: SessionRequestsOptions) {
    this.#options = options
  }

  /** The bodies of a re-INVITE or an UPDATE; undefined when it was refused. */
  read(incoming: IncomingRequest): RequestBodies | undefined {
    const { streams, record, policy } = this.#options
    const { request } = incoming
    if (request.method === 'PRACK') {
      // There is no provisional response of ours that it could be for (RFC 3262 section 3).
      incoming.respond(481)
      return undefined
    }
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') {
      incoming.respond(405, { headers: ALLOW })
      return undefined
    }
    const read = readBodies(request)
    const problem = read.ok ? read.value.offer && streams.problemOf(read.value.offer) : read.error
    if (!read.ok || problem !== undefined) {
      record.warn([`${request.method} refused: ${problem}`])
      incoming.respond(488)
      return undefined
    }
    const bodies = read.value
    this.judge(request, bodies, lintMessage(request))
    if (policy.strict === 'refuse' && bodies.unknownTypes.length > 0) {
      incoming.respond(415, { headers: [['Accept', ACCEPTED_TYPES.join(', ')]] })
      return undefined
    }
    record.warn(bodies.warnings)
    return bodies
  }

  /** Adds what a message shows to the verdict. */
  judge(message: SipMessage, bodies: RequestBodies, findings: readonly Finding[]): void {
    const { verdict, onDeviations } = this.#options
    if (bodies.offer !== undefined) verdict.noteOffer(bodies.offer)
    const added = verdict.note(findings, transactionOf(message), bodies.unknownTypes)
    if (added.length > 0) onDeviations(added)
  }
}
