// The HTTP API over views that the test controls: one call, three recordings, numbers.

import { Readable } from 'node:stream'
import type { RecordingCommand, RecordingResult } from '#flow'
import { type Clock, ManualClock, MemoryLogger, seededIds } from '#kernel'
import { Access, type AccessOptions } from '../../src/control/access/access.ts'
import { TokenFile } from '../../src/control/access/token-file.ts'
import type { CallView, RecordingView } from '../../src/control/contract.ts'
import type { HttpApp } from '../../src/control/http-app.ts'
import { buildHttpApp, type HttpServerOptions } from '../../src/control/http-server.ts'
import type { MetricsSnapshot } from '../../src/control/views.ts'

/** The one call. */
export const call: CallView = {
  callId: 'call-1',
  direction: 'inbound',
  state: 'answered',
  startedAt: '2026-01-05T09:00:00.000Z',
  parties: [{ leg: 'caller', role: 'caller', aors: ['sip:a@x'], joinedAt: '2026-01-05T09:00:00.000Z', hold: 'none' }],
  recording: {
    state: 'recording',
    recordingId: 'r-1',
    sessions: [{ uri: 'sip:srs', state: 'active', result: 'accepted' }],
    receipts: [],
    policy: 'met',
    ledger: [],
  },
}

/** Audio of the first recording. */
export const audio = Buffer.from('RIFF0123456789')

function recording(recordingId: string): RecordingView {
  return {
    recordingId,
    state: 'published',
    startedAt: '2026-01-05T09:00:00.000Z',
    durationMs: 1_000,
    callRecordingId: 'order-7',
    participants: [{ aor: 'sip:a@x' }],
    streams: [{ channel: 0, label: '1', speakers: ['sip:a@x'], gaps: [{ fromMs: 1, toMs: 2, cause: 'paused' }] }],
    hasAudio: true,
    warnings: [],
  }
}

/** Newest first. */
export const recordings = [recording('rec-1'), recording('rec-2'), recording('rec-3')]

const numbers: MetricsSnapshot = {
  activeCalls: 3,
  recordings: { recording: 2, paused: 1 },
  recordingSessions: { active: 4 },
  recorders: { up: 2, down: 1 },
  spooled: { waiting: 2 },
  spooledBytes: 4_096,
  recordingSessionOutcomes: { closed: 7, failed: 1 },
  packetsForked: 1_000,
  packetsHeld: 50,
}

/** What the API is made of, and what it was told. */
export interface HttpFixture {
  readonly options: HttpServerOptions
  readonly log: MemoryLogger
  readonly commands: [string, RecordingCommand][]
  ready: boolean
  result: RecordingResult | Error
}

/** Access for everybody, unless changed. */
export function openAccess(clock: Clock, change: Partial<AccessOptions> = {}): Access {
  const ids = seededIds(5)
  const session = { idleMs: 3_600_000, longestMs: 43_200_000 }
  return new Access({
    isOpen: true,
    tokens: new TokenFile('/nowhere/tokens.json', ids),
    session,
    clock,
    ids,
    ...change,
  })
}

/** Makes it. */
export function httpFixture(): HttpFixture {
  const log = new MemoryLogger()
  const own: HttpFixture = {
    log,
    commands: [],
    ready: true,
    result: { status: 200, text: '', results: { 'sip:srs': 'accepted' } },
    options: {
      access: openAccess(new ManualClock()),
      limits: { perMinute: 1_000, signInsPerMinute: 10 },
      port: 0,
      version: '1.2.3',
      log,
      clock: new ManualClock(),
      health: { readiness: () => ({ ready: own.ready, checks: { sip: own.ready } }) },
      metrics: { snapshot: () => numbers },
      calls: {
        list: () => [call],
        get: async (callId) => (callId === call.callId ? call : undefined),
        join: (callId, options) => {
          if (callId !== call.callId) return undefined
          const isKnown = options.target === 'sip:carol@x'
          return Promise.resolve(isKnown ? { result: 'answered', leg: 'callee-2' } : { result: 'busy', sipStatus: 486 })
        },
        leave: (callId, leg) => callId === call.callId && leg === 'callee-2',
        record: (callId, command) => {
          if (callId !== call.callId) return undefined
          own.commands.push([callId, command])
          return own.result instanceof Error ? Promise.reject(own.result) : Promise.resolve(own.result)
        },
      },
      recordings: {
        list: async ({ offset, limit }) => ({ total: 3, items: recordings.slice(offset, offset + limit) }),
        get: async (id) => recordings.find((one) => one.recordingId === id),
        audio: async (id) =>
          id === 'rec-1'
            ? {
                sizeBytes: audio.length,
                etag: 'v1',
                open: (start, end) =>
                  Readable.from([audio.subarray(start, start + 2), audio.subarray(start + 2, end + 1)]),
              }
            : undefined,
        peaks: async (id, { fromMs = 0, toMs = 40, buckets }) =>
          id === 'rec-1' ? { channels: 1, fromMs, toMs, values: [[-5, 5, -9, 9].slice(0, 2 * buckets)] } : undefined,
        metadata: async (id) =>
          id === 'rec-1'
            ? { contentType: 'application/rs-metadata+xml', content: Buffer.from('<recording/>') }
            : undefined,
      },
    },
  }
  return own
}

/** Lends an application that does not listen. */
export async function withApp(
  use: (app: HttpApp, own: HttpFixture) => Promise<void>,
  change: Partial<HttpServerOptions> = {},
): Promise<void> {
  const own = httpFixture()
  const app = await buildHttpApp({ ...own.options, ...change })
  try {
    await use(app, own)
  } finally {
    await app.close()
  }
}
