// The gateway role: calls, flows and the recording client over one SIP core and one media engine.

import {
  type Call,
  type CallService,
  createCallService,
  createDestinationPolicy,
  createRouter,
  type RecordableCall,
  type RouteRule,
} from '#call'
import type { CallListening, FlowsView, RecordersView, RecorderTestsView, SpoolView } from '#control'
import { createWorkerEngine, type MediaEngine } from '#engine'
import { runFlow } from '#flow'
import { AppError } from '#kernel'
import type { BoundListener } from '#net'
import {
  CaptureCollector,
  defaultPolicy,
  parsePolicy,
  type RecorderDirectory,
  type RecorderProbes,
  type RecorderRegistry,
  RecordingClient,
} from '#recording-client'
import type { SipCore } from '#sip'
import { Spool } from '#spool'
import { listenToCalls } from './call-ears.ts'
import { createCallsView, type GatewayViews } from './calls-view.ts'
import { CaptureShelf } from './capture-shelf.ts'
import type { GatewayConfig } from './config-schema.ts'
import { FlowCallControl } from './flow-call-control.ts'
import type { FlowLibrary } from './flow-library.ts'
import { FlowRequests } from './flow-requests.ts'
import { createFlowsView } from './flows-view.ts'
import { createInfoControl, type InfoControl } from './info-control.ts'
import { createInvitations } from './invitations.ts'
import { listenBeforeStart } from './pre-start.ts'
import type { PromptLibrary } from './prompt-library.ts'
import { createRecorderTests } from './recorder-tests.ts'
import { openRecorders, recordersView, spoolView, startProbes } from './recorders.ts'
import { Notices, RecordingCommands } from './recording-commands.ts'
import { RecordingIndicator } from './recording-indicator.ts'
import { SandboxPool } from './sandbox/sandbox-pool.ts'
import { openSipRole, product, type SipRole, type Surroundings, sessionTimerOf } from './sip-role.ts'
import { createSourceList } from './source-list.ts'
import { Speech } from './speech.ts'
import { TestCallLines } from './test-calls/test-call-lines.ts'
import { TestCalls } from './test-calls/test-calls.ts'
import { readTls } from './tls-files.ts'
import { toneRules } from './tone-rules.ts'

/** Name of the gateway's SIP core, by which its messages are known in traces. */
export const gatewayCore = 'gateway'

/** A running gateway. */
export interface Gateway extends GatewayViews {
  readonly listeners: readonly BoundListener[]
  /** Calls as they come. */
  readonly onCall: CallService['onCall']
  readonly recordingClient: RecordingClient
  readonly recorders: RecordersView
  readonly recorderTests: RecorderTestsView
  readonly testCalls: TestCalls
  readonly spool: SpoolView
  /** Recording commands by INFO, once they are answered. */
  readonly infoCommands: InfoControl['answered']
  readonly flows: FlowsView
  readonly flowChanges: FlowLibrary['changes']
  /** Changes of what is known of recorders' health. */
  readonly recorderEvents: RecorderRegistry['events']
  readonly captures: CaptureShelf
  readonly listening: CallListening
  /** Counters that return to zero when nobody talks. */
  census(): Promise<Readonly<Record<string, number>>>
  /** Reads the certificates anew; those that cannot be used leave the old ones in force. */
  renewTls(): Promise<void>
  /** Refuses new calls and waits for those under way. */
  drain(): Promise<void>
  close(): Promise<void>
}

/** Opens the gateway; rejects with an AppError that says which key is wrong or which port is taken. */
export async function openGateway(
  config: GatewayConfig,
  library: { readonly flows: FlowLibrary; readonly prompts: PromptLibrary },
  around: Surroundings,
): Promise<Gateway> {
  const { clock, ids } = around
  const log = around.log.child({ role: 'gateway' })
  const domain = config.sip.advertisedHost ?? config.media.advertisedHost ?? config.media.host
  const recorders = await openRecorders(config, around)
  const engine = await createWorkerEngine({
    ...config.media,
    log,
    clock,
    ids,
    lowerMainPriority: true,
  })
  const spool = await openSpool(config).catch(async (fault: unknown) => {
    await engine.close()
    throw fault
  })
  const sandbox = new SandboxPool({ clock, log })
  if (library.flows.list().some(({ flow }) => flow.needsSandbox)) sandbox.warm()
  const speech = new Speech(config.speech, clock)
  const requests = new FlowRequests(config.destinations.http, clock)
  const notices = new Notices()
  const testLines = new TestCallLines()
  let role: SipRole | undefined
  let client: RecordingClient | undefined
  const honoursPreferences = config.awareness.preferences === 'honour'
  const commands = new RecordingCommands({
    client: () => ready(client),
    notices,
    prompts: library.prompts,
    log,
    notice: config.awareness.notice,
    honoursPreferences,
    unmetPrompt: config.recording.unmetPrompt,
  })
  const infoControl = createInfoControl(config.info, commands, log)

  const invitations = createInvitations(config, {
    service: () => service,
    client: () => ready(client),
    commands,
    log,
  })
  const service: CallService = createCallService({
    engine,
    clock,
    ids,
    log,
    domain,
    ownAddresses: () => role?.listeners ?? [],
    router: testLines.router(createRouter(routeRules(config))),
    destinations: testLines.destinations(createDestinationPolicy(config.destinations.dial)),
    trustedIdentities: createDestinationPolicy(config.trustedIdentities),
    transfer: config.transfer,
    srtp: config.media.srtp,
    tones: toneRules(config.awareness),
    limits: { ...config.limits, silenceMs: config.media.silentAfterMs },
    sessionTimer: sessionTimerOf(config.sip),
    info: infoControl.handle,
    recordingSession: (invite) => invitations.handle(invite),
    flows: (call, flowName) => startFlow(call, flowName),
  })

  const startFlow = (call: Call, flowName: string): void => {
    const route = config.routes[Number(flowName)]
    const trial = testLines.begin(call, flowName)
    const flow = trial?.flow ?? library.flows.get(route?.flow ?? '')
    if (flow === undefined) {
      log.error('flow of a route is not loaded', { callId: call.callId, flow: route?.flow })
      call.refuse(500)
      return
    }
    const { prompts } = library
    const control = new FlowCallControl({ call, commands, prompts, speech, requests, notices, clock, log })
    const configured = config.recording.recorders
    const input = { ...partiesOf(call), callId: call.callId, recorders: configured, ...route?.input, ...trial?.input }
    void runFlow(flow, { call: control, input, sandbox, log: log.child({ callId: call.callId }) })
  }

  const admits = admission(config.sources)
  try {
    role = await openSipRole(
      {
        name: gatewayCore,
        sip: config.sip,
        contactUser: 'gateway',
        supported: ['replaces', 'timer', '100rel', 'record-aware'],
        // A recorder's own requests require it (RFC 7866 section 6.2).
        understood: ['siprec'],
        allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'UPDATE', 'PRACK', 'REFER', 'NOTIFY'],
        accept: [
          'application/sdp',
          'application/rs-metadata+xml',
          'application/rs-metadata',
          'application/json',
          'application/dtmf-relay',
        ],
        admit: (flow) => admits(flow) || testLines.admits(flow),
        handlers: service.handlers,
      },
      around,
    )
  } catch (fault) {
    await spool?.close()
    await sandbox.close()
    await engine.close()
    throw fault
  }
  const { core } = role
  service.attach(core)
  const announce = ({ callId }: RecordableCall): void => {
    const call = service.call(callId)
    if (call !== undefined) commands.announce(call)
  }
  const { transcodes } = engine.capabilities
  const recordingClient = createRecordingClient(config, core, domain, recorders, announce, spool, transcodes, around)
  client = recordingClient
  recorders.events.add(({ type }) => {
    if (type === 'recorder.up') recordingClient.deliverSpooled()
  })
  const evidence = openEvidence(config, client, { clock, ids, log })
  const indicator = new RecordingIndicator({ service, client, clock, log, honoursPreferences })
  if (config.recording.preStart.seconds > 0) {
    listenBeforeStart({ service, client, notices, withoutNotice: config.recording.preStart.withoutNotice })
  }
  const recorderTests = createRecorderTests({ config, tls: await readTls(config.sip.tls), clock, ids })
  const testCalls = new TestCalls({ config, lines: testLines, listeners: role.listeners, clock, ids })
  const probes = startProbes(config, { core, recorders, from: fromOf(domain) }, around)
  return assemble({
    service,
    client,
    commands,
    infoCommands: infoControl.answered,
    engine,
    role,
    evidence,
    indicator,
    recorders,
    recorderTests,
    testCalls,
    probes,
    spool,
    listening: listenToCalls(service, client, clock),
    sandbox,
    flows: createFlowsView(config, library.flows, sandbox),
    flowChanges: library.flows.changes,
  })
}

/** From of what is sent to recorders. */
function fromOf(domain: string): string {
  return `<sip:src@${domain}>`
}

function createRecordingClient(
  config: GatewayConfig,
  core: SipCore,
  domain: string,
  recorders: RecorderDirectory,
  announce: (call: RecordableCall) => void,
  spool: Spool | undefined,
  transcodes: readonly string[],
  around: Surroundings,
): RecordingClient {
  const { answerDeadlineMs, lateAnswerMs, firstResponseMs, replaySeconds } = config.recording
  const policy = parsePolicy(config.recording.policy)
  return new RecordingClient({
    core,
    clock: around.clock,
    ids: around.ids,
    log: around.log.child({ role: 'recording-client' }),
    from: fromOf(domain),
    times: { answerDeadlineMs, lateAnswerMs, firstResponseMs, signalWaitMs: 1_500, farewellMs: 2_000 },
    destinations: createDestinationPolicy(config.destinations.record),
    recorders,
    policy: policy.ok ? policy.value : defaultPolicy,
    replayMs: replaySeconds * 1_000,
    preStartMs: config.recording.preStart.seconds * 1_000,
    transcodes,
    announce,
    ...(spool === undefined ? {} : { spool }),
  })
}

/** The spool, if there is to be one; rejects with AppError `spool.unusable`. */
async function openSpool({ recording, media }: GatewayConfig): Promise<Spool | undefined> {
  if (recording.spool === undefined) return undefined
  const { folder, keyFile, deliverySpeed, ...limits } = recording.spool
  return await Spool.open({ folder, keyFile, limits, deliverySpeed, media })
}

/** Evidence of recording sessions that fail. */
interface Evidence {
  readonly shelf: CaptureShelf
  close(): Promise<void>
}

function openEvidence(
  config: GatewayConfig,
  client: RecordingClient,
  around: Pick<Surroundings, 'clock' | 'ids' | 'log'>,
): Evidence {
  const { keep, folder } = config.recording.captures
  const shelf = new CaptureShelf({ keep, folder, log: around.log })
  if (keep === 0) return { shelf, close: async () => {} }
  const collector = new CaptureCollector({
    clock: around.clock,
    ids: around.ids,
    product,
    core: gatewayCore,
    events: client.events,
    recordingsOf: (callId) => client.recordingsOf(callId),
    onCapture: (bundle) => shelf.add(bundle),
  })
  return {
    shelf,
    close: async () => {
      collector.close()
      await shelf.close()
    },
  }
}

function assemble(parts: {
  readonly service: ReturnType<typeof createCallService>
  readonly client: RecordingClient
  readonly engine: MediaEngine
  readonly role: SipRole
  readonly commands: RecordingCommands
  readonly infoCommands: InfoControl['answered']
  readonly evidence: Evidence
  readonly indicator: RecordingIndicator
  readonly recorders: RecorderRegistry
  readonly recorderTests: RecorderTestsView
  readonly testCalls: TestCalls
  readonly probes: RecorderProbes | undefined
  readonly spool: Spool | undefined
  readonly listening: CallListening
  readonly sandbox: SandboxPool
  readonly flows: FlowsView
  readonly flowChanges: FlowLibrary['changes']
}): Gateway {
  const { service, client, commands, engine, role, evidence, indicator, recorders, recorderTests, probes } = parts
  const { spool, sandbox, flows, flowChanges } = parts
  return {
    ...createCallsView(service, client, commands, recorders),
    recorders: recordersView(recorders),
    listening: parts.listening,
    recorderTests,
    testCalls: parts.testCalls,
    spool: spoolView(client),
    infoCommands: parts.infoCommands,
    flows,
    flowChanges,
    recorderEvents: recorders.events,
    listeners: role.listeners,
    onCall: (listener) => service.onCall(listener),
    recordingClient: client,
    captures: evidence.shelf,
    census: async () => ({
      ...role.census(),
      ...service.census(),
      ...prefixed('recorded', client.census()),
      ...prefixed('media', await engine.census()),
    }),
    renewTls: () => role.renewTls(),
    drain: () => {
      client.close()
      return service.drain()
    },
    close: async () => {
      await parts.testCalls.close()
      client.close()
      for (const call of service.calls()) call.hangup('shutdown')
      indicator.close()
      probes?.close()
      client.close()
      await evidence.close()
      await role.close()
      await spool?.close()
      await sandbox.close()
      await engine.close()
    },
  }
}

/** Flows are named by the index of their route, so that each route has its own input. */
function routeRules(config: GatewayConfig): RouteRule[] {
  return config.routes.map(({ match, flow, callee, ringTimeoutMs }, index) => ({
    match,
    ...(flow === undefined ? {} : { flow: `${index}` }),
    ...(callee === undefined ? {} : { callee }),
    ...(ringTimeoutMs === undefined ? {} : { ringTimeoutMs }),
  }))
}

function partiesOf(call: Call): { readonly from: string; readonly to: string } {
  return { from: call.snapshot().parties[0]?.aors[0] ?? '', to: call.dialledUri }
}

/** Whether a source may send SIP to this role; an empty list admits all. */
export function admission(
  sources: readonly string[],
): (flow: { readonly remote: { readonly host: string } }) => boolean {
  if (sources.length === 0) return () => true
  const list = createSourceList(sources)
  return (flow) => list.has(flow.remote.host)
}

function prefixed(prefix: string, counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [`${prefix}.${name}`, count]))
}

function ready<T>(part: T | undefined): T {
  if (part === undefined)
    throw new AppError('app.not-ready', 'the gateway is not open yet', {
      result: 'server',
      reason: 'not-ready',
      sipStatus: 503,
    })
  return part
}
