// The HTTP server: composition of the routes, limits, errors and request metrics.

import { Server as TlsServer } from 'node:tls'
import Fastify from 'fastify'

import type { Clock, Endpoint, Logger } from '#kernel'
import type { Access } from './access/access.ts'
import { guardRoutes, identifyCallers, refuseRecordingCommands } from './access/gate.ts'
import { endWithAccess } from './access/lasting-requests.ts'
import { oidcRoutes } from './access/oidc/oidc-routes.ts'
import { limitRates, type RateLimits } from './access/rate-limits.ts'
import { sessionRoutes } from './access/session-routes.ts'
import { tokenRoutes } from './access/token-routes.ts'
import type { AuditLog } from './audit/audit-log.ts'
import { auditRoutes } from './audit/audit-routes.ts'
import { keepAuditTrail } from './audit/audit-trail.ts'
import type { CallRecordLog } from './call-records/call-record-log.ts'
import { callRecordRoutes } from './call-records/call-record-routes.ts'
import { callRoutes } from './call-routes.ts'
import { captureRoutes } from './capture-routes.ts'
import { type ConsoleFiles, consoleFiles } from './console-files.ts'
import type { EventLog } from './events/event-log.ts'
import { eventRoutes } from './events/event-routes.ts'
import type { FlowsView } from './flow-contract.ts'
import { flowRoutes } from './flow-routes.ts'
import { healthRoutes } from './health-routes.ts'
import type { HttpApp } from './http-app.ts'
import { errorAnswer, HttpError, notFound } from './http-error.ts'
import { jambonzCallRoutes } from './jambonz-call-routes.ts'
import { type CallListening, callListeningRoutes } from './live/call-listening-routes.ts'
import { type LiveSessionsView, liveSessionRoutes } from './live/live-session-routes.ts'
import { createMetrics } from './metrics.ts'
import { describeRoutes, openApiRoute } from './openapi.ts'
import type { RecorderClientsView } from './recorder-client-contract.ts'
import { recorderClientRoutes } from './recorder-client-routes.ts'
import { recorderRoutes, spoolRoutes } from './recorder-routes.ts'
import type { RecorderTestsView } from './recorder-test-contract.ts'
import { recorderTestRoutes } from './recorder-test-routes.ts'
import { archiveRoutes } from './recordings/archive-routes.ts'
import { curationRoutes } from './recordings/curation-routes.ts'
import { documentRoutes } from './recordings/document-routes.ts'
import { evidenceRoutes } from './recordings/evidence-routes.ts'
import { listExportRoutes } from './recordings/list-export.ts'
import { logicalRecordingRoutes } from './recordings/logical-recording-routes.ts'
import { recordingRoutes } from './recordings/recording-routes.ts'
import { vconRoutes } from './recordings/vcon-routes.ts'
import { tellRefusedCommands } from './refused-commands.ts'
import { setSecurityHeaders } from './security-headers.ts'
import type { SetUpView } from './set-up-contract.ts'
import { setUpRoutes } from './set-up-routes.ts'
import type { TestCallsView } from './test-call-contract.ts'
import { testCallRoutes } from './test-call-routes.ts'
import { type TracesView, traceRoutes } from './trace-routes.ts'
import type {
  CallsView,
  CapturesView,
  HealthView,
  MetricsView,
  RecordersView,
  RecordingsView,
  SpoolView,
} from './views.ts'
import { acceptWebSockets } from './web-socket.ts'
import { webhookRoutes } from './webhooks/webhook-routes.ts'
import type { Webhooks } from './webhooks/webhooks.ts'

/** What the server is made of; routes of views left out do not exist. */
export interface HttpServerOptions {
  /** Who may use it. */
  readonly access: Access
  readonly limits: RateLimits
  /** Proxies whose X-Forwarded-For is believed; nobody unless given. */
  readonly proxies?: readonly string[]
  /** Loopback unless given. */
  readonly host?: string
  /** 0: any free port. */
  readonly port: number
  /** Of the program. */
  readonly version: string
  readonly log: Logger
  readonly clock: Clock
  readonly health: HealthView
  readonly metrics: MetricsView
  readonly calls?: CallsView
  readonly callRecords?: CallRecordLog
  readonly recordings?: RecordingsView
  readonly captures?: CapturesView
  readonly traces?: TracesView
  readonly recorders?: RecordersView
  readonly flows?: FlowsView
  readonly spool?: SpoolView
  readonly clients?: RecorderClientsView
  readonly sessions?: LiveSessionsView
  readonly listening?: CallListening
  readonly events?: EventLog
  readonly audit?: AuditLog
  readonly webhooks?: Webhooks
  readonly recorderTests?: RecorderTestsView
  readonly testCalls?: TestCallsView
  readonly setUp?: SetUpView
  /** False: recordings are not commanded by the API; they are unless given. */
  readonly recordingControl?: boolean
  /** PEM texts for HTTPS; plain HTTP when left out. */
  readonly tls?: HttpTls
  /** The web console; left out, there is none. */
  readonly console?: ConsoleFiles
}

/** Certificate and key, as PEM texts. */
export interface HttpTls {
  readonly cert: string
  readonly key: string
}

/** A listening server. */
export interface HttpServer {
  readonly address: Endpoint
  /** Shows another certificate to those who connect from now on; throws when it is none. */
  renewTls(tls: HttpTls): void
  /** Stops listening and drops open connections. */
  close(): Promise<void>
}

const BODY_LIMIT_BYTES = 16_384
const RECEIVE_TIMEOUT_MS = 10_000
const LOOPBACK_HOST = '127.0.0.1'
const LOOPBACK_NAMES = new Set(['localhost', LOOPBACK_HOST, '::1', '[::1]'])

/** Builds the application without listening. */
export async function buildHttpApp(options: HttpServerOptions): Promise<HttpApp> {
  const { access, limits, log, clock, calls, recordings, captures, recorders, spool } = options
  const { tls } = options
  const app: HttpApp = Fastify({
    ...(tls === undefined ? {} : { https: tls }),
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: RECEIVE_TIMEOUT_MS,
    forceCloseConnections: true,
    trustProxy: options.proxies === undefined ? false : [...options.proxies],
    ajv: { customOptions: { removeAdditional: false, allErrors: false } },
  })
  const metrics = createMetrics(options.metrics)
  const startedAtMs = new WeakMap<object, number>()

  // A page from elsewhere may point a name of its own at loopback; its requests carry that name, but no cookie of ours.
  const isLocalOnly = access.isOpen && LOOPBACK_NAMES.has(options.host ?? LOOPBACK_HOST)

  app.addHook('onRequest', async (request, reply) => {
    startedAtMs.set(request, clock.nowMs())
    setSecurityHeaders(reply, request.protocol === 'https')
    if (isLocalOnly && !LOOPBACK_NAMES.has(request.hostname)) {
      throw new HttpError(403, 'forbidden-host', 'this server answers to loopback names only')
    }
  })
  app.addHook('onResponse', async (request, reply) => {
    const durationMs = clock.nowMs() - (startedAtMs.get(request) ?? clock.nowMs())
    const route = request.routeOptions.url ?? 'unmatched'
    metrics.onHttpRequest(request.method, route, reply.statusCode, durationMs)
    log.debug('http request', { method: request.method, route, status: reply.statusCode, durationMs })
  })
  app.addHook('onClose', async () => metrics.close())
  app.setErrorHandler((error, _request, reply) => {
    const { status, body } = errorAnswer(error, log)
    return reply.code(status).type('application/json').send(body)
  })
  app.setNotFoundHandler((_request, reply) => {
    const { status, body } = errorAnswer(notFound('resource'), log)
    return reply.code(status).send(body)
  })

  await acceptWebSockets(app, log)
  await identifyCallers(app, access)
  await limitRates(app, limits)
  guardRoutes(app)
  if (options.recordingControl === false) refuseRecordingCommands(app)
  endWithAccess(app, access, clock)
  if (options.audit !== undefined) keepAuditTrail(app, options.audit, clock, log)
  if (calls !== undefined) tellRefusedCommands(app, calls)
  await describeRoutes(app, options.version)
  sessionRoutes(app, access, limits)
  if (access.oidc !== undefined) oidcRoutes(app, access, access.oidc, limits)
  tokenRoutes(app, access.tokens, clock)
  openApiRoute(app)
  healthRoutes(app, options.health, metrics)
  if (calls !== undefined) {
    callRoutes(app, calls)
    jambonzCallRoutes(app, calls, log)
  }
  if (options.callRecords !== undefined) callRecordRoutes(app, options.callRecords, captures)
  if (recordings !== undefined) {
    recordingRoutes(app, recordings)
    curationRoutes(app, recordings)
    documentRoutes(app, recordings)
    logicalRecordingRoutes(app, recordings)
    evidenceRoutes(app, recordings)
    vconRoutes(app, recordings)
    listExportRoutes(app, recordings)
    archiveRoutes(app, { recordings, audit: options.audit, log })
  }
  if (captures !== undefined) captureRoutes(app, captures)
  if (options.traces !== undefined) traceRoutes(app, options.traces)
  if (recorders !== undefined) recorderRoutes(app, recorders)
  if (options.recorderTests !== undefined) recorderTestRoutes(app, options.recorderTests, clock)
  if (options.flows !== undefined) flowRoutes(app, options.flows)
  if (options.testCalls !== undefined) testCallRoutes(app, options.testCalls)
  if (options.setUp !== undefined) setUpRoutes(app, options.setUp)
  if (options.webhooks !== undefined) webhookRoutes(app, options.webhooks)
  if (spool !== undefined) spoolRoutes(app, spool)
  if (options.clients !== undefined) recorderClientRoutes(app, options.clients)
  if (options.listening !== undefined) callListeningRoutes(app, options.listening, clock)
  if (options.sessions !== undefined) liveSessionRoutes(app, options.sessions, clock)
  if (options.audit !== undefined) auditRoutes(app, options.audit)
  if (options.events !== undefined) eventRoutes(app, options.events, clock)
  if (options.console !== undefined) consoleFiles(app, options.console)
  return app
}

/** Listens; rejects when the address cannot be bound. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const app = await buildHttpApp(options)
  const host = options.host ?? LOOPBACK_HOST
  try {
    await app.listen({ host, port: options.port })
  } catch (fault) {
    await app.close()
    throw fault
  }
  const bound = app.server.address()
  const port = bound !== null && typeof bound === 'object' ? bound.port : options.port
  const address = { host, port }
  options.log.info('http server listening', address)
  return {
    address,
    renewTls: ({ cert, key }) => {
      if (app.server instanceof TlsServer) app.server.setSecureContext({ cert, key })
    },
    close: () => app.close(),
  }
}
