// Partial documents: what has changed since the recorder was last told (RFC 7865 section 5.1.2, RFC 8068 section 3.2).

import type { ParticipantSessionAssoc, RecordingMetadata, SessionRecordingAssoc } from './metadata.ts'

/**
 * A partial document that brings `known` to `now`: each changed element whole, so that replacing and merging readers come to the same
 * (META-25). Undefined when something is gone, which only a complete document can say.
 */
export function changesOf(known: RecordingMetadata, now: RecordingMetadata): RecordingMetadata | undefined {
  let isGone = false
  const changed = <Item>(before: readonly Item[], after: readonly Item[], keyOf: (item: Item) => string): Item[] => {
    const stored = new Map(before.map((item) => [keyOf(item), JSON.stringify(item)]))
    const kept = new Set(after.map(keyOf))
    if ([...stored.keys()].some((key) => !kept.has(key))) isGone = true
    return after.filter((item) => stored.get(keyOf(item)) !== JSON.stringify(item))
  }
  const changes: RecordingMetadata = {
    dataMode: 'partial',
    groups: changed(known.groups, now.groups, (each) => each.groupId),
    sessions: changed(known.sessions, now.sessions, (each) => each.sessionId),
    participants: changed(known.participants, now.participants, (each) => each.participantId),
    streams: changed(known.streams, now.streams, (each) => each.streamId),
    sessionRecordingAssocs: changed(known.sessionRecordingAssocs, now.sessionRecordingAssocs, timeKey),
    participantSessionAssocs: changed(known.participantSessionAssocs, now.participantSessionAssocs, timeKey),
    participantStreamAssocs: changed(
      known.participantStreamAssocs,
      now.participantStreamAssocs,
      (each) => each.participantId,
    ),
    extensions: changed(known.extensions, now.extensions, (each) => `${each.namespace} ${each.name}`),
  }
  return isGone ? undefined : changes
}

/** Whether a document says nothing. */
export function isEmptyMetadata(metadata: RecordingMetadata): boolean {
  return Object.values(metadata).every((value) => typeof value === 'string' || value.length === 0)
}

// An association may be repeated; the time when it began tells one from the other.
function timeKey(each: SessionRecordingAssoc | ParticipantSessionAssoc): string {
  return `${'participantId' in each ? each.participantId : ''} ${each.sessionId} ${each.associateTime}`
}
