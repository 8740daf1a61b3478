// Tests of recorders, in types.

import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false }

/** What to test. */
export const testBody = Type.Object(
  {
    uri: Type.String({ minLength: 5, maxLength: 1_024, description: 'a sip or sips URI on `destinations.record`' }),
    seconds: Type.Integer({ minimum: 0, maximum: 30, default: 8, description: 'how long a tone is sent' }),
  },
  closed,
)

/** A test and what it has shown. */
export const recorderTest = Type.Object(
  {
    id: Type.String(),
    uri: Type.String(),
    state: Type.Enum(['running', 'done', 'failed'], { description: '`failed`: it could not be carried out here' }),
    startedAt: Type.String(),
    finishedAt: Type.Optional(Type.String()),
    failure: Type.Optional(Type.String()),
    report: Type.Optional(
      Type.Object(
        {
          isRecorder: Type.Boolean({ description: 'a recording session came about' }),
          items: Type.Array(
            Type.Object(
              { name: Type.String(), verdict: Type.Enum(['yes', 'no', 'unknown']), detail: Type.String() },
              closed,
            ),
          ),
          notes: Type.Array(Type.String()),
          profile: Type.Record(Type.String(), Type.Unknown(), {
            description: 'what to set in gateway.recording.profiles',
          }),
        },
        closed,
      ),
    ),
  },
  closed,
)
/** Path parameter of a test. */
export const recorderTestParams = Type.Object({ testId: Type.String({ pattern: '^[0-9a-f]{1,32}$' }) }, closed)

/** See `recorderTest`. */
export type RecorderTest = Static<typeof recorderTest>

/** Tests of recorders. */
export interface RecorderTestsView {
  /** Begins one; says why not when it may not or cannot be. */
  begin(uri: string, seconds: number): RecorderTestBegin
  get(testId: string): RecorderTest | undefined
}

/** A test that was begun, or why there is none. */
export type RecorderTestBegin =
  | { readonly id: string; readonly finished: Promise<void> }
  | 'invalid'
  | 'forbidden'
  | 'busy'
  | 'no-address'
