// The HTTP API over views that the test controls: one call, three recordings, numbers.

import { Readable } from 'node:stream'
import type { RecordingCommand, RecordingResult } from '#flow'
import { type Clock, err, ManualClock, MemoryLogger, ok, seededIds } from '#kernel'
import type { CatalogueQuery } from '#store'
import { Access, type AccessOptions } from '../../src/control/access/access.ts'
import { TokenFile } from '../../src/control/access/token-file.ts'
import type { CallView } from '../../src/control/contract.ts'
import type { HttpApp } from '../../src/control/http-app.ts'
import { buildHttpApp, type HttpServerOptions } from '../../src/control/http-server.ts'
import type { RecordingSummary, RecordingView } from '../../src/control/recordings/recording-contract.ts'
import type { CommandRefusal, MetricsSnapshot } from '../../src/control/views.ts'

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

function recording(recordingId: string): RecordingSummary {
  return {
    recordingId,
    state: 'published',
    isRecovered: false,
    startedAt: '2026-01-05T09:00:00.000Z',
    durationMs: 1_000,
    callRecordingId: 'order-7',
    sipCallId: 'rs-1',
    participants: [{ aor: 'sip:a@x' }],
    hasAudio: true,
    streamCount: 1,
    packets: 50,
    warningCount: 0,
    tags: ['vip'],
    isHeld: false,
    upload: 'none',
    custom: {},
  }
}

/** Newest first. */
export const recordings = [recording('rec-1'), recording('rec-2'), recording('rec-3')]

/** What there is to know of one of them. */
export function recordingDetail(summary: RecordingSummary): RecordingView {
  const totals = { packets: 50, bytes: 8_000, lost: 0, late: 0, duplicates: 0, wrongSource: 0, refused: 0 }
  const gaps = [{ fromMs: 1, toMs: 2, cause: 'hold' }]
  const codecs = [{ encoding: 'PCMU/8000', startMs: 0, bytes: 8_000, isDecoded: true }]
  const named = { channel: 0, kind: 'audio', label: '1', speakers: ['sip:a@x'] }
  const stream = { ...named, codecs, gaps, events: [], pauses: [], totals }
  return {
    ...summary,
    sessionIds: ['cs-1'],
    groupIds: [],
    streams: [stream],
    alarms: [],
    holds: [],
    documents: 1,
    isMetadataInvalid: false,
    formats: ['wav'],
    warnings: [],
  }
}

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
  /** Of commands that no call was asked for. */
  readonly refusals: [string, CommandRefusal][]
  readonly searches: CatalogueQuery[]
  /** Who held, released or deleted recordings, and why. */
  readonly doings: { readonly actor: string; readonly reason: string }[]
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

/** The second recording is held, the third under way. */
function curated(recordingId: string) {
  const found = recordings.find((one) => one.recordingId === recordingId)
  if (found === undefined) return err('unknown' as const)
  if (recordingId === 'rec-1') return ok(found)
  return err(recordingId === 'rec-2' ? ('held' as const) : ('receiving' as const))
}

/** Makes it. */
export function httpFixture(): HttpFixture {
  const log = new MemoryLogger()
  const curatedBy = (recordingId: string, doing: HttpFixture['doings'][number]) => {
    own.doings.push(doing)
    return curated(recordingId)
  }
  const own: HttpFixture = {
    log,
    commands: [],
    refusals: [],
    searches: [],
    doings: [],
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
        refused: (callId, refusal) => {
          own.refusals.push([callId, refusal])
        },
      },
      recordings: {
        search: async (query) => {
          own.searches.push(query)
          const from = query.after?.rowNo ?? query.offset ?? 0
          const to = from + query.limit
          const next = to < recordings.length ? { next: { startedAtMs: 1_767_603_600_000, rowNo: to } } : {}
          return { items: recordings.slice(from, to), ...next }
        },
        count: async ({ text }) => (text === 'common' ? 10_001 : recordings.length),
        facets: async () => ({
          counted: recordings.length,
          isComplete: true,
          kinds: {
            state: [{ value: 'published', count: 3 }],
            store: [],
            vendor: [],
            verdict: [],
            codec: [{ value: 'PCMU', count: 3 }],
            tag: [{ value: 'vip', count: 3 }],
            upload: [{ value: 'none', count: 3 }],
            held: [{ value: 'no', count: 3 }],
            day: [{ value: '2026-01-05', count: 3 }],
            caller: [],
            called: [],
          },
          fields: [],
        }),
        get: async (id) => {
          const found = recordings.find((one) => one.recordingId === id)
          return found && recordingDetail(found)
        },
        session: async () => undefined,
        group: async () => undefined,
        tag: async (id) => curated(id),
        hold: async (id, doing) => curatedBy(id, doing),
        release: async (id, doing) => curatedBy(id, doing),
        delete: async (id, doing) => curatedBy(id, doing),
        audio: async (id) =>
          id === 'rec-1'
            ? {
                mediaType: 'audio/wav',
                extension: 'wav',
                sizeBytes: audio.length,
                etag: 'v1',
                open: (start, end) =>
                  Readable.from([audio.subarray(start, start + 2), audio.subarray(start + 2, end + 1)]),
              }
            : undefined,
        peaks: async (id, { fromMs = 0, toMs = 40, buckets }) =>
          id === 'rec-1' ? { channels: 1, fromMs, toMs, values: [[-5, 5, -9, 9].slice(0, 2 * buckets)] } : undefined,
        text: async (id) => (id === 'rec-1' ? '0:00:01.2 sip:a@x: hello\n' : undefined),
        metadata: async (id, number = 1) => (id === 'rec-1' && number === 1 ? Buffer.from('<recording/>') : undefined),
        metadataHistory: async () => undefined,
        ledger: async () => undefined,
        manifest: async () => undefined,
        archive: async () => undefined,
        evidence: async () => undefined,
        verify: async () => undefined,
        vcon: async (id) => (id === 'rec-1' ? 'too-large' : undefined),
      },
    },
  }
  return own
}

/** The views that the fixture has nothing for: their routes are there, and fail when they are asked. */
export const emptyViews = {
  captures: {},
  traces: {},
  recorders: {},
  flows: {},
  spool: {},
  clients: {},
  sessions: {},
  listening: {},
  events: {},
  audit: { append: async () => undefined },
  webhooks: {},
  recorderTests: {},
  testCalls: {},
  setUp: {},
} as unknown as Partial<HttpServerOptions>

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
