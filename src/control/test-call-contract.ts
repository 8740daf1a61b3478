// Test calls, in types.

import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false }

/** What test call to place. */
export const testCallBody = Type.Object(
  {
    seconds: Type.Integer({ minimum: 5, maximum: 600, default: 60, description: 'after which it hangs up' }),
    recorder: Type.Optional(
      Type.String({
        minLength: 5,
        maxLength: 1_024,
        description: 'URI of one recorder; those of gateway.recording.recorders when left out, else our own',
      }),
    ),
  },
  closed,
)

/** A test call and how far it is. */
export const testCallView = Type.Object(
  {
    testCallId: Type.String(),
    state: Type.Enum(['calling', 'talking', 'ended', 'failed']),
    startedAt: Type.String(),
    /** By which it is among the calls. */
    callId: Type.Optional(Type.String()),
    /** By which its recording is known to its recorders. */
    callRecordingId: Type.String(),
    recorders: Type.Array(Type.String()),
    recordingId: Type.Optional(Type.String({ description: "in our own recorder's store" })),
    failure: Type.Optional(Type.String()),
  },
  closed,
)

/** Path parameter of a test call. */
export const testCallParams = Type.Object({ testCallId: Type.String({ pattern: '^[0-9a-f]{1,32}$' }) }, closed)

/** See `testCallBody`. */
export type TestCallOrder = Static<typeof testCallBody>
/** See `testCallView`. */
export type TestCall = Static<typeof testCallView>

/** Calls between a caller and a callee of ours, through the gateway. */
export interface TestCallsView {
  /** Places one, or says why there is none. */
  begin(order: TestCallOrder): Promise<{ readonly testCallId: string } | 'busy' | 'no-recorder' | 'no-listener'>
  get(testCallId: string): Promise<TestCall | undefined>
  /** Hangs up; false when there is no such call. */
  end(testCallId: string): boolean
}
