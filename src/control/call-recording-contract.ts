// The recording of a call in the HTTP API: its recorders, the proof of its latest pause, its ledger. Times are ISO 8601, UTC.

import { Type } from 'typebox'

const closed = { additionalProperties: false }

/** Something that is wrong at our recorder with a session under way. */
export const standingAlarm = Type.Object(
  {
    code: Type.String({ description: 'docs/recorder-alarms.md lists them' }),
    severity: Type.String({ description: '`error` or `warning`' }),
    channel: Type.Optional(Type.Integer()),
    label: Type.Optional(Type.String()),
    cause: Type.String({ description: 'the likely cause' }),
    fix: Type.String({ description: 'what helps' }),
  },
  closed,
)

const session = Type.Object(
  {
    uri: Type.String(),
    state: Type.String(),
    result: Type.String(),
    sipCallId: Type.Optional(Type.String({ description: 'SIP Call-ID of the recording session, once invited' })),
    /** Why no audio may arrive there, as long as nothing says that it does. */
    noAudio: Type.Optional(Type.String()),
    missing: Type.Optional(
      Type.Object(
        { labels: Type.Array(Type.String()), reason: Type.String() },
        { ...closed, description: 'streams that there is no copy of for it, and why; it is tried again' },
      ),
    ),
    alarms: Type.Optional(
      Type.Array(standingAlarm, { description: 'that stand there now, where the recorder is our own' }),
    ),
  },
  closed,
)

/** Proof of a pause for one stream to one recorder. */
export const receipt = Type.Object(
  {
    recorder: Type.String(),
    ssrc: Type.Integer(),
    lastSequence: Type.Optional(Type.Integer()),
    lastSentAt: Type.Optional(Type.String()),
    packetsSent: Type.Integer(),
    packetsHeld: Type.Integer(),
  },
  closed,
)

const gap = Type.Object(
  {
    reason: Type.String(),
    streams: Type.Optional(Type.Array(Type.String(), { description: 'labels of those not sent; absent: all of them' })),
    from: Type.String(),
    to: Type.Optional(Type.String()),
  },
  closed,
)

/** What one recorder was asked and sent. */
export const ledgerRow = Type.Object(
  {
    recorder: Type.String(),
    askedAt: Type.String(),
    answeredAt: Type.Optional(Type.String()),
    firstPacketAt: Type.Optional(Type.String()),
    lastPacketAt: Type.Optional(Type.String()),
    invitations: Type.Integer(),
    packetsSent: Type.Integer(),
    packetsHeld: Type.Integer(),
    packetsMasked: Type.Integer(),
    packetsReplayed: Type.Integer(),
    sendErrors: Type.Integer(),
    tookOverFrom: Type.Optional(Type.String()),
    tookOverAfterMs: Type.Optional(Type.Integer({ description: 'Since the start, or since that recorder was lost.' })),
    takenOverBy: Type.Optional(Type.String()),
    noAudio: Type.Optional(
      Type.Object(
        {
          cause: Type.String({ description: 'the likely one' }),
          from: Type.String({ description: 'when it was told' }),
          to: Type.Optional(Type.String({ description: 'when the recorder gave a sign of life after all' })),
        },
        { ...closed, description: 'nothing said that audio arrived; of several times the last' },
      ),
    ),
    gaps: Type.Array(gap),
    gapMs: Type.Number(),
    outcome: Type.String(),
  },
  closed,
)

/** The recording of a call as the recording client reports it. */
export const callRecordingView = Type.Object(
  {
    state: Type.String(),
    recordingId: Type.Optional(Type.String()),
    /** Whether the recorders of this moment are what the policy wants: `met` or `unmet`. */
    policy: Type.String(),
    pausedUntil: Type.Optional(Type.String({ description: 'when its pause ends by itself' })),
    next: Type.Optional(Type.String({ description: 'what comes then: `resume` or `stop`' })),
    resumeFailure: Type.Optional(
      Type.String({
        description: 'why nobody resumed at the deadline of a pause or after a notice, as long as that is tried',
      }),
    ),
    /** Whether keys are left out of what every recorder gets; absent: as their profiles say. */
    maskDtmf: Type.Optional(Type.Boolean()),
    /** One for each recorder. */
    sessions: Type.Array(session),
    /** One for each stream to each recorder, of the latest pause. */
    receipts: Type.Array(receipt),
    /** One for each recorder that was asked. */
    ledger: Type.Array(ledgerRow),
  },
  closed,
)
