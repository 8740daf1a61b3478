// The layer table as data: rank, what of the outside world a layer may touch, and where.

/** One layer: imports go to lower ranks only. */
export interface LayerRule {
  readonly rank: number
  /** Outside modules, each with the file or folder it is confined to (a path prefix below src), or all of the layer. */
  readonly outside: 'everything' | ReadonlyArray<readonly [module: string, only?: string]>
  /** Where clocks, timers, randomness, console and process may be used: path prefixes below src. */
  readonly globals: 'all' | readonly string[]
}

/** The table of ARCHITECTURE.md. */
export const layers: Readonly<Record<string, LayerRule>> = {
  kernel: { rank: 0, outside: [['node:diagnostics_channel', 'kernel/trace.ts']], globals: ['kernel/settle.ts'] },
  sip: {
    rank: 1,
    outside: [
      ['node:crypto', 'sip/auth'],
      ['node:crypto', 'sip/session-id.ts'],
    ],
    globals: [],
  },
  sdp: { rank: 1, outside: [], globals: [] },
  rtp: { rank: 1, outside: [['node:crypto', 'rtp/srtp']], globals: [] },
  audio: { rank: 1, outside: [['@evan/opus/wasm/index.js', 'audio/opus']], globals: [] },
  flow: { rank: 1, outside: [['yaml'], ['typebox'], ['typebox/value'], ['acorn']], globals: [] },
  sealing: { rank: 1, outside: [['node:crypto']], globals: [] },
  media: { rank: 2, outside: [], globals: [] },
  siprec: { rank: 2, outside: [['saxes', 'siprec/']], globals: [] },
  store: {
    rank: 2,
    outside: [
      ['node:fs'],
      ['node:fs/promises'],
      ['node:path'],
      ['node:sqlite'],
      ['@photostructure/sqlite'],
      ['libflacjs/dist/libflac.min.js', 'store/derived/flac.ts'],
      ['kysely'],
      ['pg', 'store/catalogue/'],
      ['s3mini', 'store/upload/s3-storage.ts'],
      ['node:crypto', 'store/upload/'],
      ['node:crypto', 'store/evidence/'],
      ['node:crypto', 'store/sealing/'],
    ],
    globals: [],
  },
  net: {
    rank: 3,
    outside: [
      ['node:dgram'],
      ['node:net'],
      ['node:tls'],
      ['node:dns'],
      ['node:dns/promises'],
      ['node:crypto'],
      ['node:fs'],
    ],
    globals: 'all',
  },
  engine: {
    rank: 3,
    outside: [['node:dgram'], ['node:worker_threads'], ['node:os'], ['node:crypto']],
    globals: ['engine/worker/'],
  },
  lint: { rank: 3, outside: [], globals: [] },
  call: { rank: 4, outside: [], globals: [] },
  spool: {
    rank: 4,
    outside: [['node:fs'], ['node:path'], ['node:worker_threads'], ['node:crypto']],
    globals: [],
  },
  'recording-client': { rank: 5, outside: [], globals: [] },
  'recording-server': {
    rank: 5,
    outside: [['node:worker_threads'], ['node:child_process', 'recording-server/ffmpeg-decoder.ts']],
    globals: ['recording-server/worker/'],
  },
  'recorder-check': { rank: 5, outside: [], globals: [] },
  'chaos-recorder': { rank: 5, outside: [['typebox'], ['typebox/value']], globals: [] },
  control: {
    rank: 6,
    outside: [
      ['fastify'],
      ['@fastify/static', 'control/console-files.ts'],
      ['typebox'],
      ['@fastify/type-provider-typebox'],
      ['@fastify/swagger', 'control/openapi.ts'],
      ['@fastify/cookie', 'control/access/gate.ts'],
      ['@fastify/rate-limit', 'control/access/rate-limits.ts'],
      ['openid-client', 'control/access/oidc/provider.ts'],
      ['@fastify/websocket', 'control/web-socket.ts'],
      ['ws', 'control/events/event-socket.ts'],
      ['ws', 'control/live/listen-socket.ts'],
      ['ws', 'control/socket-pulse.ts'],
      ['prom-client'],
      ['modern-tar'],
      ['node:fs'],
      ['node:stream'],
      ['node:crypto', 'control/access/'],
      ['node:crypto', 'control/audit/'],
      ['node:crypto', 'control/webhooks/'],
      ['node:fs/promises', 'control/webhooks/'],
      ['node:path', 'control/webhooks/'],
      ['node:fs/promises', 'control/audit/'],
      ['node:fs/promises', 'control/call-records/'],
      ['node:fs/promises', 'control/line-files.ts'],
      ['node:path', 'control/audit/'],
      ['node:path', 'control/call-records/'],
      ['node:path', 'control/line-files.ts'],
      ['node:util', 'control/access/password.ts'],
      ['node:tls', 'control/http-server.ts'],
      ['node:fs/promises', 'control/access/token-file.ts'],
      ['node:path', 'control/access/token-file.ts'],
      ['typebox/value', 'control/access/token-file.ts'],
    ],
    globals: [],
  },
  app: { rank: 7, outside: 'everything', globals: 'all' },
}

/** Globals that bring in time, chance or the process. */
export const forbiddenGlobals: readonly string[] = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'Date\\.now',
  'new Date\\(\\)',
  'performance',
  'Math\\.random',
  'console',
  'process',
]

/** Above this a file fails the build. */
export const sizeLimitLines = 450

/** Files that are tables of data, exempt from the size limit. */
export const tableFiles: readonly string[] = []

/** Module names of all static and dynamic imports and re-exports in a source text. */
export function importsOf(text: string): string[] {
  const found: string[] = []
  for (const match of text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^'";]*?\bfrom\s*'([^']+)'|(?:^|\n)\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'/g,
  )) {
    found.push(match[1] ?? match[2] ?? match[3] ?? '')
  }
  return found
}
