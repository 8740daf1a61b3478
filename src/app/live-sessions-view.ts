// The recording sessions under way as the HTTP API shows them.

import type { LiveSessionsView, LiveSessionView, PauseOutcome } from '#control'
import type { LiveSession, LiveStream, PauseResult, RecordingServer } from '#recording-server'

type LiveServer = Pick<RecordingServer, 'sessions' | 'listen' | 'pauseHere' | 'resumeHere' | 'dropStream'>

/** Builds the view. */
export function createLiveSessionsView(server: LiveServer): LiveSessionsView {
  const streamAt = async (recordingId: string, channel: number): Promise<LiveStream | undefined> => {
    const session = (await server.sessions()).find((one) => one.recordingId === recordingId)
    return session?.streams.find((one) => one.channel === channel)
  }
  return {
    list: async () => (await server.sessions()).map(viewOf),
    get: async (recordingId) => {
      const session = (await server.sessions()).find((one) => one.recordingId === recordingId)
      return session && viewOf(session)
    },
    pause: async (recordingId, { maxSeconds, signal }) => {
      const order = { signal, ...(maxSeconds !== undefined && { maxMs: 1000 * maxSeconds }) }
      return outcomeOf(await server.pauseHere(recordingId, order))
    },
    resume: async (recordingId) => outcomeOf(await server.resumeHere(recordingId)),
    dropStream: async (recordingId, channel) => {
      const before = await streamAt(recordingId, channel)
      if (before === undefined) return undefined
      if (before.isRemoved) return { isRemoved: true }
      const outcome = await server.dropStream(recordingId, channel)
      const after = await streamAt(recordingId, channel)
      if (outcome === undefined || after === undefined) return undefined
      return { isRemoved: after.isRemoved, clientStatus: outcome.status }
    },
    listen: (recordingId, hearer) => server.listen(recordingId, hearer),
  }
}

function outcomeOf(result: PauseResult | undefined): PauseOutcome | undefined {
  if (result === undefined) return undefined
  const { pause, clientStatus } = result
  return { ...(pause && { pausedHere: pauseOf(pause) }), ...(clientStatus !== undefined && { clientStatus }) }
}

function pauseOf({ sinceMs, untilMs, isSignalled }: NonNullable<PauseResult['pause']>) {
  const until = untilMs === undefined ? {} : { until: new Date(untilMs).toISOString() }
  return { since: new Date(sinceMs).toISOString(), ...until, isSignalled }
}

function viewOf(session: LiveSession): LiveSessionView {
  const { recordingId, startedAtMs, isPaused, pausedHere, facts, streams, alarms = [] } = session
  return {
    recordingId,
    startedAt: new Date(startedAtMs).toISOString(),
    isPaused,
    ...(pausedHere && { pausedHere: pauseOf(pausedHere) }),
    callId: facts.sip.callId,
    source: facts.sip.source,
    participants: facts.participants.map(({ aor, name }) => ({
      ...(aor === undefined ? {} : { aor }),
      ...(name === undefined ? {} : { name }),
    })),
    streams: streams.map((stream) => streamOf(stream, facts.speakers[stream.channel] ?? [])),
    alarms: alarms.map((alarm) => ({ ...alarm })),
  }
}

function streamOf(stream: LiveStream, speakers: readonly string[]): LiveSessionView['streams'][number] {
  const { channel, kind, label, rtpPort, encodings, isRemoved, totals, reading } = stream
  const level = reading?.level
  return {
    channel,
    kind,
    ...(label === undefined ? {} : { label }),
    speakers: [...speakers],
    state: isRemoved ? 'removed' : reading?.isExpected === true ? 'due' : 'quiet',
    port: rtpPort,
    encodings: [...encodings],
    packets: totals?.packets ?? 0,
    packetsPerSecond: reading?.packetsPerSecond ?? 0,
    lost: totals?.lost ?? 0,
    refused: totals?.refused ?? 0,
    wrongSource: totals?.wrongSource ?? 0,
    ...(reading?.lastPacketAgoMs === undefined ? {} : { lastPacketAgoMs: reading.lastPacketAgoMs }),
    ...(level === undefined ? {} : { level: { rmsDbfs: tenths(level.rmsDbfs), peakDbfs: tenths(level.peakDbfs) } }),
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}
