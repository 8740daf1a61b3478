// What is kept of a recording beside its audio, in types: the ledger of its time, and the history of its metadata.

import { type Static, Type } from 'typebox'
import { alarm, gap, participant, pause } from './recording-contract.ts'

const closed = { additionalProperties: false }
const says = (description: string) => ({ description })

/** Where the time of every stream went; gaps and pauses in milliseconds from the start of the recording. */
export const ledgerView = Type.Object(
  {
    recordingId: Type.String(),
    state: Type.String(),
    isRecovered: Type.Boolean(says('the recorder died meanwhile')),
    notResumed: Type.Optional(
      Type.String(
        says(
          'why the recorder closed it then instead of going on: `too-old`, `no-session`, `session-unreadable`, `session-foreign`, `keys-not-kept`, `indices-unreadable` or `not-reopened`',
        ),
      ),
    ),
    startedAt: Type.String(),
    endedAt: Type.Optional(Type.String()),
    durationMs: Type.Number(),
    streams: Type.Array(
      Type.Object(
        {
          channel: Type.Integer(),
          kind: Type.String(says('`audio`, `video` or `text`')),
          label: Type.Optional(Type.String()),
          speakers: Type.Array(Type.String()),
          audioMs: Type.Optional(Type.Number(says('of audio, video or text that came; with `missingMs` the duration'))),
          missingMs: Type.Record(Type.String(), Type.Number(), says('by cause, of all gaps')),
          gaps: Type.Array(gap, says('the first 10,000')),
          unlistedMs: Type.Optional(Type.Number(says('of the gaps behind those, which are in the sums only'))),
          pauses: Type.Array(pause, says('the last 1,000, with the proof of each')),
          pausesForgotten: Type.Integer(says('pauses before those')),
        },
        closed,
      ),
    ),
    alarms: Type.Array(alarm),
  },
  closed,
)

const change = Type.Object(
  {
    kind: Type.String(says('`joined`, `left`, `held` or `resumed`')),
    participant: Type.Optional(Type.String(says('name or address of record'))),
    channel: Type.Optional(Type.Integer()),
  },
  closed,
)

/** What the metadata said, document by document, and what of it was new. */
export const historyView = Type.Object(
  {
    total: Type.Integer(),
    items: Type.Array(
      Type.Object(
        {
          number: Type.Integer(says('from 1, in the order of arrival')),
          receivedAt: Type.String(),
          atMs: Type.Number(),
          transaction: Type.String(says('method and CSeq number, as `UPDATE 4`')),
          isKept: Type.Boolean(says('false: the document itself is not kept, and changed nothing here')),
          warnings: Type.Array(Type.String()),
          participants: Type.Array(participant, says('who takes part from then on')),
          speakers: Type.Array(Type.Array(Type.String()), says('by channel')),
          changes: Type.Array(change, says('against the document before')),
        },
        closed,
      ),
      says('the first 500'),
    ),
  },
  closed,
)

/** manifest.json of the recording's folder. */
export const manifestView = Type.Record(Type.String(), Type.Unknown())

/** Path parameters of a metadata document. */
export const documentParams = Type.Object(
  { recordingId: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$' }), number: Type.Integer({ minimum: 1 }) },
  closed,
)

/** See `ledgerView`. */
export type LedgerView = Static<typeof ledgerView>
/** See `historyView`. */
export type HistoryView = Static<typeof historyView>
