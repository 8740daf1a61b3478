// What is known of the recording clients of our recorder, in types.

import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false }

const refusalFields = {
  refusalId: Type.String(),
  at: Type.String(),
  /** Address and port that it came from. */
  source: Type.String(),
  transport: Type.String(),
  status: Type.Integer(),
  reason: Type.String(),
}
/** A refused INVITE. */
export const refusalView = Type.Object(refusalFields, closed)
/** The same, as it came. */
export const refusedMessage = Type.Object({ ...refusalFields, message: Type.String() }, closed)
/** Newest first. */
export const refusalList = Type.Object({ total: Type.Integer(), items: Type.Array(refusalView) }, closed)
/** Path parameter of one. */
export const refusalParams = Type.Object({ refusalId: Type.String({ pattern: '^[0-9]{1,9}$' }) }, closed)

/** Whom to ask to be recorded. */
export const invitationBody = Type.Object(
  { target: Type.String({ minLength: 5, maxLength: 512, pattern: '^sips?:' }) },
  closed,
)
/** The recording that came of it. */
export const invitationView = Type.Object({ recordingId: Type.String() }, closed)

/** What a client does, and what that costs. */
export const verdictView = Type.Object(
  {
    vendor: Type.String(),
    vendorEvidence: Type.Array(Type.String()),
    kind: Type.String(),
    outcome: Type.String(),
    deviations: Type.Array(
      Type.Object(
        {
          code: Type.String(),
          severity: Type.String(),
          section: Type.String(),
          advice: Type.String(),
          seen: Type.String(),
          transaction: Type.String(),
          times: Type.Integer(),
        },
        closed,
      ),
    ),
    costs: Type.Array(Type.String()),
    /** For the vendor's ticket. */
    text: Type.String(),
  },
  closed,
)

/** See `refusalView`. */
export type Refusal = Static<typeof refusalView>
/** See `refusedMessage`. */
export type RefusedMessage = Static<typeof refusedMessage>
/** See `verdictView`. */
export type Verdict = Static<typeof verdictView>

/** What became of an INVITE to a client. */
export type InvitationOutcome =
  | { readonly recordingId: string }
  /** Status 403: the target may not be invited. */
  | { readonly status: number; readonly reason: string }

/** The clients of the recorder. */
export interface RecorderClientsView {
  /** Refused INVITEs, newest first. */
  refusals(): readonly Refusal[]
  refusal(refusalId: string): RefusedMessage | undefined
  /** Asks a client to be recorded; resolves when its session is up, or not to be. */
  invite(target: string): Promise<InvitationOutcome>
  /** Undefined for an unknown recording, or one without a verdict. */
  verdict(recordingId: string): Promise<Verdict | undefined>
}
