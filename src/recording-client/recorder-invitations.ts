// Recorders that ask for a call by themselves: who may, and for which calls (RFC 7866 sections 6.2, 7.2 and 9.1; SRC-43, FLOW-15).

import type { RecordableCall } from '#call'
import { err, type Logger, messageOf, ok, type Result, redactUri } from '#kernel'
import { parseNameAddr, parseSipUri, type ServerInvite } from '#sip'
import type { CommandOutcome } from './command.ts'
import type { RecordingClient } from './recording-client.ts'

/** What recorders from some addresses may ask for. */
export interface InvitationRule {
  /** Whether an INVITE from that address is theirs. */
  readonly isFrom: (host: string) => boolean
  /** For a call that nobody records: a recording starts, or they are refused. */
  readonly unrecorded: 'start' | 'refuse'
  /** For a call that is recorded: they get it too, or they are refused. */
  readonly recorded: 'join' | 'refuse'
}

/** What invitations work with. */
export interface RecorderInvitationsOptions {
  /** The first that fits holds; nobody may ask whom none fits. */
  readonly rules: readonly InvitationRule[]
  readonly client: () => Pick<RecordingClient, 'stateOf' | 'join'>
  /** Calls that are not ended. */
  readonly calls: () => readonly RecordableCall[]
  /** Starts a recording at the recorder alone, with all that has to be heard and asked before. */
  readonly start: (call: RecordableCall, uri: string, invitation: ServerInvite) => Promise<CommandOutcome>
  readonly log: Logger
}

interface Refused {
  readonly status: number
  readonly reason: string
}

interface Asked {
  readonly call: RecordableCall
  readonly uri: string
  readonly rule: InvitationRule
}

/** What the user part of the Request-URI begins with; the id of the call, or the SIP Call-ID of one of its legs, follows. */
const userPrefix = 'record-'

/** Answers the INVITEs of recorders. */
export class RecorderInvitations {
  readonly #options: RecorderInvitationsOptions

  constructor(options: RecorderInvitationsOptions) {
    this.#options = options
  }

  /** Takes an INVITE that asks for a recording session; every outcome is an answer to it. */
  handle(invitation: ServerInvite): void {
    const asked = this.#read(invitation)
    if (!asked.ok) {
      this.#refuse(invitation, asked.error)
      return
    }
    const { call, uri, rule } = asked.value
    const { client, start, log } = this.#options
    log.info('recorder asks for a call', { callId: call.callId, recorder: redactUri(uri) })
    if (client().stateOf(call.callId) === 'none') {
      if (rule.unrecorded === 'refuse') {
        this.#refuse(invitation, { status: 403, reason: 'The Call Is Not Recorded' })
        return
      }
      start(call, uri, invitation).then(
        ({ status, text }) => status >= 300 && this.#refuse(invitation, { status: 403, reason: text }),
        (fault: unknown) => {
          log.error('fault while a recorder was given a call', { callId: call.callId, fault: messageOf(fault) })
          this.#refuse(invitation, { status: 500, reason: 'Server Internal Error' })
        },
      )
      return
    }
    if (rule.recorded === 'refuse') {
      this.#refuse(invitation, { status: 403, reason: 'The Call Is Recorded' })
      return
    }
    const joined = client().join(call, uri, invitation)
    if (!joined.ok) this.#refuse(invitation, { status: 403, reason: joined.error })
  }

  #read({ request, flow }: ServerInvite): Result<Asked, Refused> {
    const contact = request.headers.get('contact') ?? ''
    const address = parseNameAddr(contact)
    const rule = this.#options.rules.find(({ isFrom }) => isFrom(flow.remote.host))
    if (rule === undefined || !address.ok || !address.value.params.has('+sip.srs')) {
      return err({ status: 403, reason: 'Recording Sessions Not Taken' })
    }
    // A recorder knows neither the streams nor their labels (section 7.2).
    if (request.body.length > 0) return err({ status: 488, reason: 'Recorders Invite Without An Offer' })
    const uri = parseSipUri(request.uri)
    const id = uri.ok ? askedId(uri.value.user ?? '') : undefined
    const call = id === undefined ? undefined : this.#callOf(id)
    if (call === undefined) return err({ status: 404, reason: 'No Such Call' })
    if (call.snapshot().state !== 'answered') return err({ status: 480, reason: 'Call Not Answered' })
    return ok({ call, uri: address.value.uri, rule })
  }

  #callOf(id: string): RecordableCall | undefined {
    return this.#options
      .calls()
      .find((call) => call.callId === id || call.snapshot().parties.some(({ sipCallId }) => sipCallId === id))
  }

  #refuse(invitation: ServerInvite, { status, reason }: Refused): void {
    this.#options.log.info('recorder refused', { status, reason })
    invitation.reject(status, { reason })
  }
}

function askedId(user: string): string | undefined {
  if (!user.startsWith(userPrefix)) return undefined
  try {
    return decodeURIComponent(user.slice(userPrefix.length))
  } catch {
    return undefined
  }
}
