// The console over the HTTP API with as many calls as a test wants, and no telephony.

import { join } from 'node:path'
import { systemClock } from '#net'
import type { CallView } from '../../src/control/contract.ts'
import { EventLog } from '../../src/control/events/event-log.ts'
import type { HttpServerOptions } from '../../src/control/http-server.ts'
import { httpFixture } from './http-fixture.ts'

const consoleFolder = join(import.meta.dirname, '..', '..', 'console')

/** A server to be, and what it shows. */
export interface ConsoleFixture {
  readonly options: HttpServerOptions
  readonly events: EventLog
  /** The calls under way; tests change them. */
  readonly calls: CallView[]
}

/** Makes it, with `count` calls. */
export function consoleFixture(count = 3): ConsoleFixture {
  const events = new EventLog({ clock: systemClock, keep: 5_000 })
  const calls = Array.from({ length: count }, (_, at) => callAt(at))
  const own = httpFixture().options
  return {
    events,
    calls,
    options: {
      ...own,
      clock: systemClock,
      events,
      limits: { perMinute: 1_000_000, signInsPerMinute: 1_000 },
      calls: {
        ...(own.calls as NonNullable<typeof own.calls>),
        list: () => calls,
        get: async (callId) => calls.find((call) => call.callId === callId),
      },
      console: { folder: consoleFolder, nonce: () => 'c0ffee' },
    },
  }
}

const states = ['recording', 'paused', 'recording', 'none'] as const
const recorder = 'sip:srs@192.0.2.10;transport=tcp'

/** Call number `at`: one in four is paused, one is not recorded, one in ten has an alarm. */
function callAt(at: number): CallView {
  const startedAt = new Date(Date.UTC(2026, 0, 5, 9, 0, 0) + at * 1_000).toISOString()
  const state = states[at % states.length] ?? 'none'
  const isAlarm = at % 10 === 0
  const noAudio = 'no sign of audio at the recorder: allow RTP from 192.0.2.1:20000 to 192.0.2.10:30000'
  const party = (role: string, aor: string) => ({ leg: role, role, aors: [aor], joinedAt: startedAt, hold: 'none' })
  return {
    callId: `call-${at}`,
    direction: 'inbound',
    state: 'answered',
    startedAt,
    parties: [party('caller', `sip:caller${at}@example.com`), party('callee', `sip:agent${at % 50}@example.com`)],
    ...(state === 'none'
      ? {}
      : {
          recording: {
            state,
            recordingId: `order-${at}`,
            policy: 'met',
            sessions: [
              {
                uri: recorder,
                state: state === 'paused' ? 'gated' : 'active',
                result: 'accepted',
                ...(isAlarm ? { noAudio } : {}),
              },
            ],
            receipts: [],
            ledger: [],
          },
        }),
  }
}
