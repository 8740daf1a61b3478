// Turns what the roles tell into events of the API.

import type { Call } from '#call'
import type { EventLog, EventNews, EventType } from '#control'
import { flowErrorText } from '#flow'
import { assertNever } from '#kernel'
import type { RecordingEvent } from '#recording-client'
import type { RecordingServerEvent } from '#recording-server'
import { ledgerRowOf, pauseEndOf, receiptOf } from './call-recording-view.ts'
import type { FlowChange } from './flow-library.ts'
import type { FlowRunEvent } from './gateway/flow-runs.ts'
import type { Gateway } from './gateway.ts'
import type { Recorder } from './recorder.ts'

/** Tells the log of what the gateway does; the returned function ends it. */
export function tapGateway(gateway: Gateway, log: EventLog): () => void {
  const ends = [
    gateway.onCall((event) => {
      if (event.type === 'call-started') tapCall(event.call, log)
    }),
    gateway.events.add((event) => log.add(recordingNews(event))),
    gateway.recordingCommands.add(({ callId, atMs: _, ...data }) =>
      log.add({ type: 'recording.command', callId, data }),
    ),
    gateway.flowRuns.add((event) => log.add(flowRunNews(event))),
    gateway.flowChanges.add((change) => log.add(flowNews(change))),
    gateway.recorderEvents.add(({ type, recorder }) => log.add({ type, recorder, data: {} })),
  ]
  return () => {
    for (const end of ends) end()
  }
}

/** Tells the log of what our recorder does, and of which call of our gateway it is; the returned function ends it. */
export function tapRecorder(
  { server, alarmBoard }: Pick<Recorder, 'server' | 'alarmBoard'>,
  gateway: Pick<Gateway, 'callOfSession'> | undefined,
  log: EventLog,
): () => void {
  return server.events.add((event) => {
    const sipCallId = alarmBoard.sessionOf(event)
    const label = 'alarm' in event ? event.alarm.label : undefined
    const callId = sipCallId === undefined ? undefined : gateway?.callOfSession(sipCallId, label)
    log.add({ ...sessionNews(event), ...(callId === undefined ? {} : { callId }) })
  })
}

function flowRunNews(event: FlowRunEvent): EventNews {
  const { callId, title: flow } = event
  if (event.type === 'ended') return { type: 'call.flow-ended', callId, data: { flow, end: event.end } }
  const { node, nodeType: type } = event
  return { type: 'call.flow-node', callId, data: { flow, node, type } }
}

function flowNews({ type, file, mistakes }: FlowChange): EventNews {
  if (type === 'flow.reloaded') return { type, data: { file } }
  return { type, data: { file, mistakes: mistakes.map(flowErrorText) } }
}

function tapCall(call: Call, log: EventLog): void {
  const { callId } = call
  const { direction, parties } = call.snapshot()
  const from = parties[0]?.aors[0]
  log.add({
    type: 'call.started',
    callId,
    data: { direction, ...(from === undefined ? {} : { from }), to: call.dialledUri },
  })
  call.onEvent((event) => {
    switch (event.type) {
      case 'answered':
        log.add({ type: 'call.answered', callId, data: {} })
        break
      case 'party-joined':
      case 'party-left':
      case 'hold-changed': {
        const same = (id: Uint8Array): boolean => Buffer.compare(id, event.participantId) === 0
        const party = call.snapshot().parties.find(({ participantId }) => same(participantId))
        if (party === undefined) break
        const { leg, role, aors, hold } = party
        const data = { leg, role, aors: [...aors] }
        if (event.type === 'hold-changed') log.add({ type: 'call.hold-changed', callId, data: { ...data, hold } })
        else log.add({ type: `call.${event.type}`, callId, data })
        break
      }
      case 'ended': {
        const { startedAtMs, endedAtMs = startedAtMs, endReason } = call.snapshot()
        const reason = endReason === undefined ? {} : { reason: endReason.text }
        log.add({ type: 'call.ended', callId, data: { durationMs: endedAtMs - startedAtMs, ...reason } })
        break
      }
      default:
    }
  })
}

/** The event of a recording or of one of its recorders. */
function recordingNews({ callId, recording, recorder, ...happening }: RecordingEvent): EventNews {
  const subject = { callId, recording, ...(recorder === undefined ? {} : { recorder }) }
  switch (happening.type) {
    case 'recording.paused': {
      const { type, receipts, end } = happening
      return { ...subject, type, data: { receipts: receipts.map(receiptOf), ...pauseEndOf(end) } }
    }
    case 'recording.closed':
      return { ...subject, type: happening.type, data: { ledger: happening.ledger.map(ledgerRowOf) } }
    default: {
      const { type, ...data } = happening
      const known: EventType = type
      return { ...subject, type: known, data } as EventNews
    }
  }
}

function sessionNews(event: RecordingServerEvent): EventNews {
  const { recordingId } = event
  switch (event.type) {
    case 'started':
    case 'restarted':
    case 'metadata': {
      const participants = event.facts.participants.map(({ aor, name }) => ({
        ...(aor === undefined ? {} : { aor }),
        ...(name === undefined ? {} : { name }),
      }))
      return { type: `session.${event.type}`, recordingId, data: { participants } }
    }
    case 'first-packet': {
      const { channel } = event
      return { type: 'session.first-packet', recordingId, data: { channel } }
    }
    case 'paused':
    case 'resumed':
      return { type: `session.${event.type}`, recordingId, data: {} }
    case 'paused-here': {
      const { untilMs } = event
      const until = untilMs === undefined ? {} : { until: new Date(untilMs).toISOString() }
      return { type: 'session.paused-here', recordingId, data: until }
    }
    case 'resumed-here': {
      const { by } = event
      return { type: 'session.resumed-here', recordingId, data: { by } }
    }
    case 'alarm':
    case 'alarm-cleared': {
      const { code, ...data } = event.alarm
      return { type: `session.${event.type}`, recordingId, data: { alarm: code, ...data } }
    }
    case 'ended': {
      const { state, cause, durationMs } = event.manifest
      const why = cause === undefined ? {} : { cause }
      return { type: 'session.ended', recordingId, data: { state, ...why, durationMs } }
    }
    default:
      return assertNever(event)
  }
}
