// The synthetic call: two parties, two streams, a complete document (RFC 7866 sections 7.1.1 and 9.1).

import type { Ids } from '#kernel'
import { type CryptoSuite, cryptoAttribute, type LocalMedia, offeredCryptos, type SdpCodec } from '#sdp'
import { type RecordingMetadata, rfc3339, uuidBase64, writeMetadata } from '#siprec'

/** Codecs that are offered; the tone is sent in G.711. */
export const offeredCodecs: readonly SdpCodec[] = [
  { payloadType: 0, encoding: 'PCMU/8000' },
  { payloadType: 8, encoding: 'PCMA/8000' },
  { payloadType: 9, encoding: 'G722/8000' },
  { payloadType: 111, encoding: 'OPUS/48000/2' },
  { payloadType: 101, encoding: 'TELEPHONE-EVENT/8000', fmtp: '0-15' },
]

/** Labels of the two streams. */
export const labels = ['1', '2'] as const

const parties = ['sip:check-caller@siprec-gateway.invalid', 'sip:check-callee@siprec-gateway.invalid'] as const

/** The m-lines of an offer; suites make it SRTP. */
export function offeredLines(
  ports: readonly number[],
  direction: 'sendonly' | 'inactive',
  suites: readonly CryptoSuite[],
  ids: Ids,
): LocalMedia[] {
  return labels.map((label, index) => ({
    kind: 'audio',
    port: ports[index] ?? 0,
    protocol: suites.length > 0 ? 'RTP/SAVP' : 'RTP/AVP',
    codecs: offeredCodecs,
    direction,
    label,
    extra: offeredCryptos(undefined, suites, ids).map(cryptoAttribute),
  }))
}

/** The document of the call. */
export function checkDocument(ids: Ids, wallMs: number): Uint8Array {
  const id = (): string => uuidBase64(ids.uuid())
  const [groupId, sessionId] = [id(), id()]
  const people = parties.map((aor) => ({
    participantId: id(),
    nameIds: [{ aor, name: 'Recorder check' }],
    extensions: [],
  }))
  const streams = labels.map((label) => ({ streamId: id(), sessionId, label, extensions: [] }))
  const associateTime = rfc3339(wallMs)
  const metadata: RecordingMetadata = {
    dataMode: 'complete',
    groups: [{ groupId, associateTime, extensions: [] }],
    sessions: [
      { sessionId, sipSessionIds: [], reasons: [], groupRef: groupId, startTime: associateTime, extensions: [] },
    ],
    participants: people,
    streams,
    sessionRecordingAssocs: [{ sessionId, associateTime, extensions: [] }],
    participantSessionAssocs: people.map(({ participantId }) => ({
      participantId,
      sessionId,
      associateTime,
      params: [],
      extensions: [],
    })),
    participantStreamAssocs: people.map(({ participantId }, index) => ({
      participantId,
      send: [streams[index]!.streamId],
      recv: [streams[1 - index]!.streamId],
      associateTime,
      extensions: [],
    })),
    extensions: [],
  }
  return writeMetadata(metadata)
}
