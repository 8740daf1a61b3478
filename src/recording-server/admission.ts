// Whom a recording server takes: limits first, then what is expected of the client that asks.

import { lintMessage } from '#lint'
import type { DiskCondition } from '#store'
import type { InviteProblem } from './client-invitation.ts'
import { type ClientPolicy, isPlainCall, LENIENT, policyRefusal } from './client-policy.ts'
import { missingMarks, readBodies } from './recording-request.ts'
import type { Judgement } from './session-context.ts'
import type { SessionOpening } from './session-opening.ts'

const MAX_SESSIONS = 2000

/** What admission goes by. */
export interface AdmissionOptions {
  /** What is expected of the clients of an address; everybody is recorded unless told. */
  readonly policyFor?: (source: string) => ClientPolicy
  readonly maxSessions?: number
  readonly maxSessionsPerSource?: number
  /** Sources of the sessions there are. */
  readonly sources: () => readonly string[]
}

/** Verdict on an opening: what is known of the client, or why it is refused. */
export type Admitted =
  | { readonly judgement: Judgement; readonly problem?: never }
  | { readonly problem: InviteProblem; readonly judgement?: never }

/** The door of one server. */
export class Admission {
  readonly #options: AdmissionOptions
  /** No new sessions from now on. */
  isDraining = false
  /** What the disk was last said to be. */
  disk: DiskCondition = 'well'

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  policyFor(source: string): ClientPolicy {
    return this.#options.policyFor?.(source) ?? LENIENT
  }

  /** Why no session is begun now, with anybody. */
  refusal(): InviteProblem | undefined {
    const { maxSessions = MAX_SESSIONS, sources } = this.#options
    if (this.isDraining) return { status: 503, reason: 'draining' }
    if (this.disk !== 'well') return { status: 503, reason: `disk ${this.disk}` }
    return sources().length >= maxSessions ? { status: 503, reason: 'too many sessions' } : undefined
  }

  /** Judges who asks. */
  judge(opening: SessionOpening): Admitted {
    const { message, sip } = opening
    const limit = this.refusal() ?? this.#refusalOf(sip.source)
    if (limit !== undefined) return { problem: limit }
    const bodies = readBodies(message)
    if (!bodies.ok) return { problem: { status: 400, reason: bodies.error } }
    const isPlain = isPlainCall(message, bodies.value)
    const findings = isPlain ? [] : lintMessage(message)
    const policy = this.policyFor(sip.source)
    const judgement = { bodies: bodies.value, marks: missingMarks(message), policy, isPlain, findings }
    const problem = policyRefusal(judgement, message)
    return problem === undefined ? { judgement } : { problem }
  }

  #refusalOf(source: string): InviteProblem | undefined {
    const { maxSessionsPerSource = Number.POSITIVE_INFINITY, sources } = this.#options
    if (maxSessionsPerSource === Number.POSITIVE_INFINITY) return undefined
    const ofSource = sources().filter((one) => one === source).length
    return ofSource >= maxSessionsPerSource ? { status: 486, reason: 'too many sessions of this source' } : undefined
  }
}
