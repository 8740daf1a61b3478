// One id, one element (RFC 7865 section 6.10): the later of two that share one is ignored.

import type { RecordingMetadata } from './metadata.ts'

/** Two elements under one id. */
export interface IdConflict {
  readonly id: string
  /** What the id named first, and what is ignored, such as `participant` and `stream`. */
  readonly kept: string
  readonly ignored: string
}

type Kind = 'group' | 'session' | 'participant' | 'stream'

/**
 * A document without elements whose id already names another one, in the document or in `state`. An element that is only
 * written twice, or that a partial document replaces by one of its kind, is no conflict.
 */
export function withoutIdConflicts(
  document: RecordingMetadata,
  state?: RecordingMetadata,
): { readonly metadata: RecordingMetadata; readonly conflicts: readonly IdConflict[] } {
  const names = new Map<string, Kind>()
  if (state !== undefined && document.dataMode === 'partial') noteKinds(state, names)
  const conflicts: IdConflict[] = []
  const kept = <Item>(kind: Kind, items: readonly Item[], idOf: (item: Item) => string): Item[] => {
    const here = new Map<string, string>()
    return items.filter((item) => {
      const id = idOf(item)
      const text = JSON.stringify(item)
      const known = names.get(id)
      const earlier = here.get(id)
      if (id === '' || ((known === undefined || known === kind) && earlier === undefined)) {
        names.set(id, kind)
        here.set(id, text)
        return true
      }
      if (earlier !== text) conflicts.push({ id, kept: known ?? kind, ignored: kind })
      return false
    })
  }
  const metadata = {
    ...document,
    groups: kept('group', document.groups, (each) => each.groupId),
    sessions: kept('session', document.sessions, (each) => each.sessionId),
    participants: kept('participant', document.participants, (each) => each.participantId),
    streams: kept('stream', document.streams, (each) => each.streamId),
  }
  return { metadata, conflicts }
}

function noteKinds(state: RecordingMetadata, names: Map<string, Kind>): void {
  for (const { groupId } of state.groups) names.set(groupId, 'group')
  for (const { sessionId } of state.sessions) names.set(sessionId, 'session')
  for (const { participantId } of state.participants) names.set(participantId, 'participant')
  for (const { streamId } of state.streams) names.set(streamId, 'stream')
}
