// Applies documents to the known state of a recording session (RFC 7865 section 5.1, with merge rules of our own for partials).

import {
  emptyMetadata,
  type Interval,
  type MetadataSession,
  type ParticipantStreamAssoc,
  type RecordingMetadata,
} from './metadata.ts'

/**
 * State after a document. A complete one replaces the state; of a partial one each element replaces, whole, the stored one
 * with the same key, and what it leaves out is unchanged. The result is `partial` while no complete document has been seen.
 */
export function applyMetadata(state: RecordingMetadata | undefined, document: RecordingMetadata): RecordingMetadata {
  if (document.dataMode === 'complete') return document
  const from = state ?? emptyMetadata('partial')
  const sessions = document.sessions.map((session) => keepingOrigin(session, from.sessions))
  const streamSession = sessionsOfStreams(from, document)
  const flowKey = (each: ParticipantStreamAssoc): string => key(each.participantId, streamSession(each))
  return {
    dataMode: from.dataMode,
    groups: replaced(from.groups, document.groups, (each) => each.groupId),
    sessions: replaced(from.sessions, sessions, (each) => each.sessionId),
    participants: replaced(from.participants, document.participants, (each) => each.participantId),
    streams: replaced(from.streams, document.streams, (each) => each.streamId),
    sessionRecordingAssocs: associated(
      from.sessionRecordingAssocs,
      document.sessionRecordingAssocs,
      (each) => each.sessionId,
    ),
    participantSessionAssocs: associated(from.participantSessionAssocs, document.participantSessionAssocs, (each) =>
      key(each.participantId, each.sessionId),
    ),
    participantStreamAssocs: flows(from.participantStreamAssocs, document.participantStreamAssocs, flowKey),
    extensions: replaced(from.extensions, document.extensions, (each) => key(each.namespace, each.name)),
  }
}

// Senders of partials leave out what did not change; these two never do during the life of a session.
function keepingOrigin(session: MetadataSession, stored: readonly MetadataSession[]): MetadataSession {
  const known = stored.find((each) => each.sessionId === session.sessionId)
  const startTime = session.startTime ?? known?.startTime
  const groupRef = session.groupRef ?? known?.groupRef
  return {
    ...session,
    ...(startTime === undefined ? {} : { startTime }),
    ...(groupRef === undefined ? {} : { groupRef }),
  }
}

function replaced<Item>(stored: readonly Item[], changed: readonly Item[], keyOf: (item: Item) => string): Item[] {
  const byKey = new Map(stored.map((item) => [keyOf(item), item]))
  for (const item of changed) byKey.set(keyOf(item), item)
  return [...byKey.values()]
}

// One pair may be associated again and again: the associate-time tells the times apart, a bare disassociate-time ends the last.
function associated<Item extends Interval>(
  stored: readonly Item[],
  changed: readonly Item[],
  keyOf: (item: Item) => string,
): Item[] {
  const result = [...stored]
  for (const item of changed) {
    const isSamePair = (each: Item): boolean => keyOf(each) === keyOf(item)
    const { disassociateTime } = item
    const isBareEnd = item.associateTime === undefined && disassociateTime !== undefined
    const index = result.findLastIndex(
      (each) =>
        isSamePair(each) &&
        (isBareEnd ? each.disassociateTime === undefined : each.associateTime === item.associateTime),
    )
    if (index < 0) result.push(item)
    else result[index] = isBareEnd ? { ...result[index]!, disassociateTime } : item
  }
  return result
}

// Send and receive lists are absolute. One that names no stream means all that the participant had.
function flows(
  stored: readonly ParticipantStreamAssoc[],
  changed: readonly ParticipantStreamAssoc[],
  keyOf: (item: ParticipantStreamAssoc) => string,
): ParticipantStreamAssoc[] {
  let result = [...stored]
  for (const item of changed) {
    const namesNone = item.send.length + item.recv.length === 0
    const isReplaced = (each: ParticipantStreamAssoc): boolean => {
      if (each.participantId !== item.participantId) return false
      return namesNone || each.send.length + each.recv.length === 0 || keyOf(each) === keyOf(item)
    }
    const index = result.findIndex(isReplaced)
    if (index < 0) result.push(item)
    else result = result.flatMap((each, at) => (at === index ? [item] : isReplaced(each) ? [] : [each]))
  }
  return result
}

function sessionsOfStreams(
  state: RecordingMetadata,
  document: RecordingMetadata,
): (each: ParticipantStreamAssoc) => string {
  const streams = [...state.streams, ...document.streams]
  const sessionOf = new Map(streams.map((stream) => [stream.streamId, stream.sessionId ?? '']))
  return (each) => [...each.send, ...each.recv].map((id) => sessionOf.get(id) ?? '').find((id) => id !== '') ?? ''
}

function key(...parts: readonly string[]): string {
  return parts.join(' ')
}
