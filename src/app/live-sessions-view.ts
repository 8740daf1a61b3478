// The recording sessions under way as the HTTP API shows them.

import type { LiveSessionsView, LiveSessionView } from '#control'
import type { LiveSession, LiveStream, RecordingServer } from '#recording-server'

/** Builds the view. */
export function createLiveSessionsView(server: Pick<RecordingServer, 'sessions' | 'listen'>): LiveSessionsView {
  return {
    list: async () => (await server.sessions()).map(viewOf),
    get: async (recordingId) => {
      const session = (await server.sessions()).find((one) => one.recordingId === recordingId)
      return session && viewOf(session)
    },
    listen: (recordingId, hearer) => server.listen(recordingId, hearer),
  }
}

function viewOf({ recordingId, startedAtMs, isPaused, facts, streams, alarms = [] }: LiveSession): LiveSessionView {
  return {
    recordingId,
    startedAt: new Date(startedAtMs).toISOString(),
    isPaused,
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
  const { channel, label, rtpPort, encodings, isRemoved, totals, reading } = stream
  const level = reading?.level
  return {
    channel,
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
