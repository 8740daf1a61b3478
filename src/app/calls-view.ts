// The calls and their recordings as the HTTP API and the metrics show them.

import type { Call, CallService } from '#call'
import type { CallsView, CallView, CommandResult, MetricsSnapshot } from '#control'
import type { Listeners } from '#kernel'
import type {
  CommandOutcome,
  RecorderRegistry,
  RecordingClient,
  RecordingEvent,
  RecordingView,
} from '#recording-client'
import { callRecordingOf, receiptOf, type SessionAlarms } from './call-recording-view.ts'
import type { CallSids } from './call-sids.ts'
import type { CommandReport, CommandReports } from './command-reports.ts'
import type { FlowPlace } from './gateway/flow-runs.ts'
import type { RecordingCommands } from './recording-commands.ts'

/** Views over a gateway. */
export interface GatewayViews {
  readonly calls: CallsView
  /** A call as the API shows it. */
  viewOf(call: Call): CallView
  /** The call that a recording session is of, by SIP Call-ID and, where calls share the session, by the label of a stream. */
  callOfSession(sipCallId: string, label: string | undefined): string | undefined
  readonly events: Listeners<RecordingEvent>
  metrics(): MetricsSnapshot
}

/** What the views are made of. */
export interface CallsViewParts {
  readonly service: CallService
  readonly client: RecordingClient
  readonly commands: RecordingCommands
  readonly reports: CommandReports
  readonly recorders: RecorderRegistry
  readonly sids: CallSids
  /** Where a call is in its flow. */
  readonly flowOf: (callId: string) => FlowPlace | undefined
  readonly alarmsOf: SessionAlarms
}

/** Builds the views. */
export function createCallsView(parts: CallsViewParts): GatewayViews {
  const { service, client, commands, recorders, sids } = parts
  const viewOf = (call: Call): CallView => callViewOf(call, parts)
  const outcomes: Record<string, number> = {}
  client.events.add((event) => {
    const outcome = sessionOutcomes[event.type]
    if (outcome !== undefined) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  })
  return {
    calls: {
      list: () => service.calls().map(viewOf),
      get: async (callId) => {
        await client.refresh(callId)
        const call = service.call(callId)
        return call === undefined ? undefined : viewOf(call)
      },
      join: (callId, options) => service.call(callId)?.join(options),
      leave: (callId, leg) => service.call(callId)?.dismiss(leg) ?? false,
      record: (callId, command) => {
        const call = service.call(callId) ?? sids.find(callId)
        if (call === undefined) return undefined
        const { headers } = command
        const context = { origin: 'rest', ...(headers === undefined ? {} : { headers }) } as const
        return commands.execute(call, command, context).then(withProof)
      },
      refused: (callId, refusal) => {
        const call = service.call(callId) ?? sids.find(callId)
        if (call !== undefined) parts.reports.add(call, { ...refusal, by: 'rest' })
      },
    },
    viewOf,
    callOfSession: (sipCallId, label) => client.callOfSession(sipCallId, label),
    events: client.events,
    metrics: () => {
      const recordings: Record<string, number> = {}
      const recordingSessions: Record<string, number> = {}
      for (const call of service.calls()) {
        for (const recording of client.recordingsOf(call.callId)) count(recording, recordings, recordingSessions)
      }
      return {
        activeCalls: service.calls().length,
        recordings,
        recordingSessions,
        recorders: recorderStates(recorders),
        ...spoolNumbers(client),
        recordingSessionOutcomes: outcomes,
        ...client.totals(),
      }
    },
  }
}

function withProof({ receipts, ...outcome }: CommandOutcome): CommandResult {
  return receipts === undefined ? outcome : { ...outcome, receipts: receipts.map(receiptOf) }
}

const sessionOutcomes: Readonly<Partial<Record<RecordingEvent['type'], string>>> = {
  'recorder.closed': 'closed',
  'recorder.failed': 'failed',
  'recorder.lost': 'lost',
}

function recorderStates(recorders: RecorderRegistry): Record<string, number> {
  const states: Record<string, number> = {}
  for (const { state } of recorders.list()) states[state] = (states[state] ?? 0) + 1
  return states
}

function spoolNumbers({ spooled: waiting }: RecordingClient): Pick<MetricsSnapshot, 'spooled' | 'spooledBytes'> {
  const spooled: Record<string, number> = {}
  for (const { state } of waiting) spooled[state] = (spooled[state] ?? 0) + 1
  return { spooled, spooledBytes: waiting.reduce((sum, { bytes }) => sum + bytes, 0) }
}

function count(recording: RecordingView, recordings: Record<string, number>, sessions: Record<string, number>): void {
  recordings[recording.state] = (recordings[recording.state] ?? 0) + 1
  for (const { state } of recording.sessions) sessions[state] = (sessions[state] ?? 0) + 1
}

function callViewOf(call: Call, { client, reports, flowOf, alarmsOf }: CallsViewParts): CallView {
  const { callId, direction, state, startedAtMs, answeredAtMs, parties } = call.snapshot()
  const recording = client.recordingsOf(callId).at(-1)
  const flow = flowOf(callId)
  const refusal = reports.refusalOf(call)
  return {
    callId,
    direction,
    state,
    startedAt: iso(startedAtMs),
    ...(answeredAtMs === undefined ? {} : { answeredAt: iso(answeredAtMs) }),
    parties: parties.map((party) => ({
      leg: party.leg,
      role: party.role,
      aors: [...party.aors],
      ...(party.displayName === undefined ? {} : { displayName: party.displayName }),
      joinedAt: iso(party.joinedAtMs),
      ...(party.leftAtMs === undefined ? {} : { leftAt: iso(party.leftAtMs) }),
      hold: party.hold,
    })),
    ...(flow === undefined ? {} : { flow: flowPlaceOf(flow) }),
    ...(recording === undefined ? {} : { recording: callRecordingOf(recording, alarmsOf) }),
    ...(refusal === undefined ? {} : { refusal: refusalOf(refusal) }),
  }
}

function flowPlaceOf({ title, name, node, type, sinceMs }: FlowPlace): NonNullable<CallView['flow']> {
  return { title, ...(name === undefined ? {} : { name }), node, type, since: iso(sinceMs) }
}

function refusalOf({ callId: _, atMs, ...report }: CommandReport): NonNullable<CallView['refusal']> {
  return { at: iso(atMs), ...report }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
