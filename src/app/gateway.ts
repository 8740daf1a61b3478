// The gateway role: calls, flows and the recording client over one SIP core and one media engine.

import { type CallService, createCallService, createDestinationPolicy, createRouter, type RecordableCall } from '#call'
import type { CallListening, FlowsView, RecordersView, RecorderTestsView, SpoolView } from '#control'
import { createWorkerEngine } from '#engine'
import { AppError } from '#kernel'
import type { BoundListener } from '#net'
import type { RecorderRegistry, RecordingClient } from '#recording-client'
import { listenToCalls } from './call-ears.ts'
import type { SessionAlarms } from './call-recording-view.ts'
import { CallSids } from './call-sids.ts'
import { createCallsView, type GatewayViews } from './calls-view.ts'
import type { CaptureShelf } from './capture-shelf.ts'
import { CommandReports } from './command-reports.ts'
import type { GatewayConfig } from './config-schema.ts'
import type { FlowLibrary } from './flow-library.ts'
import { FlowRequests } from './flow-requests.ts'
import { createFlowsView } from './flows-view.ts'
import { readCalleeCredentials } from './gateway/callee-credentials.ts'
import { openEvidence } from './gateway/evidence.ts'
import { FlowRuns, routeRules } from './gateway/flow-runs.ts'
import { openGatewaySip } from './gateway/gateway-sip.ts'
import { createRecordingClient, fromOf, openSpool } from './gateway/recording-side.ts'
import { RemoteAlarms, readRecorderApis } from './gateway/remote-alarms.ts'
import { createInfoControl } from './info-control.ts'
import { createInvitations } from './invitations.ts'
import { listenBeforeStart } from './pre-start.ts'
import type { PromptLibrary } from './prompt-library.ts'
import { createRecorderTests } from './recorder-tests.ts'
import { openRecorders, recordersView, spoolView, startProbes } from './recorders.ts'
import { Notices, RecordingCommands } from './recording-commands.ts'
import { RecordingIndicator } from './recording-indicator.ts'
import { SandboxPool } from './sandbox/sandbox-pool.ts'
import { type SipRole, type Surroundings, sessionTimerOf } from './sip-role.ts'
import { Speech } from './speech.ts'
import { TestCallLines } from './test-calls/test-call-lines.ts'
import { TestCalls } from './test-calls/test-calls.ts'
import { readTls } from './tls-files.ts'
import { toneRules } from './tone-rules.ts'

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
  /** Recording commands of every side, once they are answered. */
  readonly recordingCommands: CommandReports['told']
  readonly flows: FlowsView
  readonly flowChanges: FlowLibrary['changes']
  /** Where the flows of calls are. */
  readonly flowRuns: FlowRuns['events']
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

/** Opens the gateway, beside a recorder whose alarms `alarmsOf` knows; rejects with an AppError that says which key is wrong or which port is taken. */
export async function openGateway(
  config: GatewayConfig,
  library: { readonly flows: FlowLibrary; readonly prompts: PromptLibrary },
  around: Surroundings,
  alarmsOf: SessionAlarms = () => undefined,
): Promise<Gateway> {
  const { clock, ids } = around
  const log = around.log.child({ role: 'gateway' })
  const domain = config.sip.advertisedHost ?? config.media.advertisedHost ?? config.media.host
  const recorders = await openRecorders(config, around)
  const apis = await readRecorderApis(config)
  const credentialsFor = await readCalleeCredentials(config)
  const engine = await createWorkerEngine({ ...config.media, log, clock, ids, lowerMainPriority: true })
  const spool = await openSpool(config, { clock, log }).catch(async (fault: unknown) => {
    await engine.close()
    throw fault
  })
  const sandbox = new SandboxPool({ clock, log })
  if (library.flows.list().some(({ flow }) => flow.needsSandbox)) sandbox.warm()
  const { prompts } = library
  const notices = new Notices()
  const testLines = new TestCallLines()
  const honoursPreferences = config.awareness.preferences === 'honour'
  let role: SipRole | undefined
  let opened: RecordingClient | undefined
  const openedClient = (): RecordingClient => ready(opened)
  const reports = new CommandReports(clock)
  const commands = new RecordingCommands({
    client: openedClient,
    notices,
    prompts,
    reports,
    log,
    notice: config.awareness.notice,
    honoursPreferences,
    unmetPrompt: config.recording.unmetPrompt,
  })
  const sids = new CallSids()
  const infoControl = createInfoControl(config.info, commands, { reports, sids }, log)
  const invitations = createInvitations(config, { service: () => service, client: openedClient, commands, log })
  const flowRuns = new FlowRuns({
    config,
    library: library.flows,
    testLines,
    commands,
    prompts,
    speech: new Speech(config.speech, clock),
    requests: new FlowRequests(config.destinations.http, clock),
    notices,
    sandbox,
    clock,
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
    credentialsFor,
    transfer: config.transfer,
    srtp: config.media.srtp,
    tones: toneRules(config.awareness),
    announcement: async (file) => {
      const prompt = await prompts.load(file)
      return prompt.ok ? prompt.value : undefined
    },
    limits: { ...config.limits, silenceMs: config.media.silentAfterMs },
    sessionTimer: sessionTimerOf(config.sip),
    info: infoControl.handle,
    recordingSession: (invite) => invitations.handle(invite),
    flows: (call, name) => flowRuns.start(call, name),
  })
  try {
    role = await openGatewaySip(config, service.handlers, testLines, around)
  } catch (fault) {
    await spool?.close()
    await sandbox.close()
    await engine.close()
    throw fault
  }
  const { core, listeners, census, renewTls, close: closeSip } = role
  service.attach(core)
  const announce = ({ callId }: RecordableCall): void => {
    const call = service.call(callId)
    if (call !== undefined) commands.announce(call)
  }
  const { transcodes } = engine.capabilities
  const client = createRecordingClient(config, { core, domain, recorders, spool, transcodes, announce }, around)
  opened = client
  const evidence = openEvidence(config, client, { clock, ids, log })
  const indicator = new RecordingIndicator({ service, client, clock, log, honoursPreferences })
  if (config.recording.preStart.seconds > 0) {
    listenBeforeStart({ service, client, notices, withoutNotice: config.recording.preStart.withoutNotice })
  }
  const testCalls = new TestCalls({ config, lines: testLines, listeners, clock, ids })
  const remoteAlarms = new RemoteAlarms({ apis, isWanted: () => client.census().sessions > 0, clock, log })
  const probes = startProbes(config, { core, recorders, from: fromOf(domain) }, around)
  return {
    ...createCallsView({
      service,
      client,
      commands,
      reports,
      recorders,
      sids,
      flowOf: (callId) => flowRuns.placeOf(callId),
      alarmsOf: (session) => alarmsOf(session) ?? remoteAlarms.alarmsOf(session),
    }),
    listeners,
    onCall: (listener) => service.onCall(listener),
    recordingClient: client,
    recorders: recordersView(recorders),
    recorderTests: createRecorderTests({ config, tls: await readTls(config.sip.tls), clock, ids }),
    testCalls,
    spool: spoolView(client),
    recordingCommands: reports.told,
    flows: createFlowsView(config, library.flows, sandbox),
    flowChanges: library.flows.changes,
    flowRuns: flowRuns.events,
    recorderEvents: recorders.events,
    captures: evidence.shelf,
    listening: listenToCalls(service, client, clock),
    census: async () => ({
      ...census(),
      ...service.census(),
      ...prefixed('recorded', client.census()),
      ...prefixed('media', await engine.census()),
    }),
    renewTls,
    drain: () => {
      client.close()
      return service.drain()
    },
    close: async () => {
      await testCalls.close()
      client.close()
      for (const call of service.calls()) call.hangup('shutdown')
      remoteAlarms.close()
      indicator.close()
      probes?.close()
      await evidence.close()
      await closeSip()
      await spool?.close()
      await sandbox.close()
      await engine.close()
    },
  }
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
