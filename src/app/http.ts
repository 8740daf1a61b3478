// The HTTP API over the roles of the program.

import { join } from 'node:path'
import {
  AuditLog,
  CallRecordLog,
  type CallsView,
  createHttpServer,
  EventLog,
  type HttpServer,
  type MetricsSnapshot,
  NO_CALLS,
  type Readiness,
  type SetUpView,
  type TestCallsView,
  type WebhookOrder,
  Webhooks,
} from '#control'
import type { Clock } from '#kernel'
import { diskConditions } from '#store'
import { keepCallRecords } from './call-records.ts'
import type { HttpConfig } from './config-schema.ts'
import { tapGateway, tapRecorder } from './event-tap.ts'
import { gatewayCore } from './gateway/gateway-sip.ts'
import type { Gateway } from './gateway.ts'
import { openAccess } from './http-access.ts'
import { requireSecret } from './http-secret.ts'
import { auditInfo } from './info-audit.ts'
import type { Recorder } from './recorder.ts'
import { ownRecorderOf } from './set-up.ts'
import { productVersion, type Surroundings } from './sip-role.ts'
import { readCertificate } from './tls-files.ts'
import { TlsRenewal } from './tls-renewal.ts'
import { CallTraces } from './trace/call-traces.ts'

/** Where the build puts the web console, beside the compiled sources. */
const consoleFolder = join(import.meta.dirname, '..', '..', 'console')
const NONCE_BYTES = 16
const MINUTE_MS = 60_000

/** What the API shows and steers. */
export interface HttpRoles {
  readonly gateway?: Gateway
  readonly recorder?: Recorder
  readonly setUp: SetUpView
}

/** The open API. */
export interface Http extends Pick<HttpServer, 'address' | 'close'> {
  /** Reads the certificate anew; one that cannot be used leaves the old one in force. */
  renewTls(): Promise<void>
}

/** Opens the API; rejects when the address cannot be bound. */
export async function openHttp(
  config: HttpConfig,
  { gateway, recorder, setUp }: HttpRoles,
  around: Surroundings,
  readiness: () => Readiness,
): Promise<Http> {
  const { clock, log } = around
  const { host, port, proxies, recordingControl, rateLimits: limits } = config
  const access = await openAccess(config, around, (text) => process.stderr.write(text))
  const tls = config.tls === undefined ? undefined : await readCertificate(config.tls)
  const events = new EventLog({ clock, keep: config.events.keep })
  const audit = new AuditLog({
    folder: join(config.folder, 'audit'),
    maxBytes: config.audit.maxFileBytes,
    keepFiles: config.audit.keepFiles,
    clock,
  })
  const webhooks = await openWebhooks(config, events, around)
  const records = openCallRecords(config, gateway, around)
  const taps = [
    ...(gateway === undefined ? [] : [tapGateway(gateway, events), auditInfo(gateway, audit, log)]),
    ...(gateway === undefined || records === undefined ? [] : [followCalls(gateway, records, clock)]),
    ...(recorder === undefined ? [] : [tapRecorder(recorder, gateway, events)]),
  ]
  const traces = openTraces(config, gateway, around)
  const server = await createHttpServer({
    host,
    port,
    access,
    limits,
    proxies,
    recordingControl,
    ...(tls === undefined ? {} : { tls }),
    version: productVersion,
    log,
    clock,
    events,
    audit,
    webhooks,
    health: { readiness },
    setUp,
    metrics: {
      snapshot: () => ({
        ...(gateway?.metrics() ?? NO_CALLS),
        deviations: recorder?.server.deviations() ?? {},
        alarms: recorder?.server.alarms() ?? {},
        ...diskOf(recorder),
      }),
    },
    ...(gateway === undefined
      ? {}
      : {
          calls: withRecords(gateway.calls, records),
          ...(records === undefined ? {} : { callRecords: records }),
          listening: gateway.listening,
          captures: gateway.captures,
          ...(traces === undefined ? {} : { traces }),
          flows: gateway.flows,
          recorders: gateway.recorders,
          recorderTests: gateway.recorderTests,
          testCalls: testCallsOf(gateway, recorder, setUp),
          spool: gateway.spool,
        }),
    ...(recorder === undefined
      ? {}
      : { recordings: recorder.recordings, clients: recorder.clients, sessions: recorder.sessions }),
    ...(config.console ? { console: { folder: consoleFolder, nonce: () => around.ids.hex(NONCE_BYTES) } } : {}),
  })
  const renewal = config.tls === undefined ? undefined : renewalOf(config.tls, server, around)
  if (tls !== undefined) await renewal?.start(tls)
  return {
    address: server.address,
    renewTls: async () => renewal?.renew(),
    close: async () => {
      renewal?.close()
      for (const end of taps) end()
      traces?.close()
      await server.close()
      await webhooks.close()
      await audit.close()
      await records?.close()
    },
  }
}

/** Test calls, with their recordings where these are in our own recorder. */
function testCallsOf(gateway: Gateway, recorder: Recorder | undefined, setUp: SetUpView): TestCallsView {
  return gateway.testCalls.view(ownRecorderOf(setUp), async (id) => {
    const found = await recorder?.recordings.search({ id, limit: 1 }).catch(() => undefined)
    return found?.items[0]?.recordingId
  })
}

/** The traces of the gateway's calls, unless none are kept. */
function openTraces(
  { trace }: HttpConfig,
  gateway: Gateway | undefined,
  { clock, log }: Surroundings,
): CallTraces | undefined {
  if (gateway === undefined || trace.mostCalls === 0) return undefined
  const { recordingClient: client, recordingCommands: commands, onCall, viewOf } = gateway
  return new CallTraces({
    core: gatewayCore,
    clock,
    log,
    onCall,
    client,
    commands,
    viewOf,
    keepMs: trace.keepMinutes * MINUTE_MS,
    mostCalls: trace.mostCalls,
  })
}

function openCallRecords(
  { folder, callRecords }: HttpConfig,
  gateway: Gateway | undefined,
  { clock, log }: Surroundings,
): CallRecordLog | undefined {
  if (gateway === undefined || callRecords.keepDays === 0) return undefined
  const { maxFileBytes: maxBytes, ...limits } = callRecords
  return new CallRecordLog({ folder: join(folder, 'calls'), maxBytes, ...limits, clock, log })
}

function followCalls(gateway: Gateway, records: CallRecordLog, clock: Clock): () => void {
  const { recordingClient: client, recordingCommands: commands, onCall, viewOf } = gateway
  return keepCallRecords({ records, clock, onCall, client, commands, viewOf })
}

/** A call that is over is shown by its record. */
function withRecords(calls: CallsView, records: CallRecordLog | undefined): CallsView {
  const over = async (callId: string) => {
    const record = await records?.find(callId)
    const recording = record?.recordings.at(-1)?.recording
    return record && { ...record.call, ...(recording && { recording }) }
  }
  return { ...calls, get: async (callId) => (await calls.get(callId)) ?? (await over(callId)) }
}

async function openWebhooks(config: HttpConfig, events: EventLog, around: Surroundings): Promise<Webhooks> {
  const targets = config.webhooks.map(async (webhook): Promise<WebhookOrder> => {
    return { ...webhook, secret: await requireSecret('http.webhooks', webhook) }
  })
  const folder = join(config.folder, 'webhooks')
  return await Webhooks.open({ targets: await Promise.all(targets), folder, events, ...around })
}

function renewalOf(
  files: NonNullable<HttpConfig['tls']>,
  server: HttpServer,
  { clock, log }: Surroundings,
): TlsRenewal {
  return new TlsRenewal({
    tls: { ...files, allowWildcard: false, verifyClient: false },
    clock,
    log: log.child({ role: 'http' }),
    apply: (tls) => server.renewTls(tls),
  })
}

/** The disk of the recorder for the metrics. */
function diskOf(recorder: Recorder | undefined): Pick<MetricsSnapshot, 'disk'> {
  const state = recorder?.server.diskState
  return state === undefined ? {} : { disk: { ...state, conditions: diskConditions } }
}
