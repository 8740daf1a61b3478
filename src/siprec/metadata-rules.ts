// What a schema cannot check: ids, times, references, labels (RFC 7865 section 6, RFC 4574).

import { isToken } from '#sdp'
import { extensiblesOf, type Interval, RECORDING_NAMESPACE, type RecordingMetadata } from './metadata.ts'
import { isSipSessionId, isUuidBase64, readTime } from './values.ts'

/** Kinds of semantic problems. */
export type MetadataProblemCode =
  | 'id-form'
  | 'id-repeated'
  | 'time-form'
  | 'time-order'
  | 'no-address'
  | 'session-id-form'
  | 'cause-range'
  | 'label-form'
  | 'label-repeated'
  | 'label-unknown'
  | 'label-unclaimed'
  | 'ambiguous-sender'
  | 'extension-namespace'
  | 'dangling-reference'

/** One semantic problem. */
export interface MetadataProblem {
  readonly code: MetadataProblemCode
  readonly message: string
  /** The id, time, label or name at fault, as written. */
  readonly subject: string
}

/** The messages of `metadataProblems`. */
export function validateMetadata(metadata: RecordingMetadata, labels?: readonly string[]): string[] {
  return metadataProblems(metadata, labels).map((problem) => problem.message)
}

/**
 * Semantic problems of a document; empty if there are none. `labels` are those of the SDP in the same message.
 * References are checked in complete documents only, a partial one may refer to what was sent before.
 */
export function metadataProblems(metadata: RecordingMetadata, labels?: readonly string[]): MetadataProblem[] {
  const problems = [
    ...idProblems(metadata),
    ...timeProblems(metadata),
    ...contentProblems(metadata),
    ...labelProblems(metadata, labels),
    ...senderProblems(metadata),
    ...extensionProblems(metadata),
  ]
  return metadata.dataMode === 'complete' ? [...problems, ...referenceProblems(metadata)] : problems
}

function problem(code: MetadataProblemCode, subject: string, message: string): MetadataProblem {
  return { code, subject, message }
}

function idProblems(metadata: RecordingMetadata): MetadataProblem[] {
  const ids = [
    ...metadata.groups.map((group) => group.groupId),
    ...metadata.sessions.map((session) => session.sessionId),
    ...metadata.participants.map((participant) => participant.participantId),
    ...metadata.streams.map((stream) => stream.streamId),
  ]
  return [
    ...ids.filter((id) => !isUuidBase64(id)).map((id) => problem('id-form', id, `id ${id} is not base64 of 16 bytes`)),
    ...repeated(ids).map((id) => problem('id-repeated', id, `id ${id} names two elements`)),
  ]
}

function timeProblems(metadata: RecordingMetadata): MetadataProblem[] {
  const problems: MetadataProblem[] = []
  const check = (from: string | undefined, to: string | undefined): void => {
    const times = [from, to].map((text) => (text === undefined ? undefined : readTime(text)))
    for (const [index, text] of [from, to].entries()) {
      const time = times[index]
      if (text !== undefined && (time === undefined || time.fault !== undefined))
        problems.push(problem('time-form', text, `time ${text} is not RFC 3339`))
    }
    if (to !== undefined && times[0] !== undefined && times[1] !== undefined && times[1].ms < times[0].ms) {
      problems.push(problem('time-order', to, `${to} is before ${from}`))
    }
  }
  const intervals: readonly Interval[] = [
    ...metadata.groups,
    ...metadata.sessionRecordingAssocs,
    ...metadata.participantSessionAssocs,
    ...metadata.participantStreamAssocs,
  ]
  for (const interval of intervals) check(interval.associateTime, interval.disassociateTime)
  for (const session of metadata.sessions) check(session.startTime, session.stopTime)
  return problems
}

function contentProblems(metadata: RecordingMetadata): MetadataProblem[] {
  const unnamed = metadata.participants
    .filter((participant) => !participant.nameIds.some((nameId) => nameId.aor !== ''))
    .map(({ participantId: id }) => problem('no-address', id, `participant ${id} has no address`))
  const sessionIds = metadata.sessions
    .flatMap((session) => session.sipSessionIds)
    .filter((id) => !isSipSessionId(id))
    .map((id) => problem('session-id-form', id, `sipSessionID ${id} is not RFC 7989`))
  const causes = metadata.sessions
    .flatMap((session) => session.reasons)
    .filter(({ cause }) => !Number.isInteger(cause) || cause < -32_768 || cause > 32_767)
    .map(({ cause }) => problem('cause-range', `${cause}`, `cause ${cause} is no short`))
  return [...unnamed, ...sessionIds, ...causes]
}

function labelProblems(metadata: RecordingMetadata, labels: readonly string[] | undefined): MetadataProblem[] {
  const used = metadata.streams.flatMap((stream) => stream.label ?? [])
  const problems = [
    ...used
      .filter((label) => !isToken(label))
      .map((label) => problem('label-form', label, `label ${label} is no token`)),
    ...repeated(used).map((label) => problem('label-repeated', label, `label ${label} names two streams`)),
  ]
  if (labels === undefined) return problems
  const unknown = used.filter((label) => !labels.includes(label))
  const isComplete = metadata.dataMode === 'complete'
  const unclaimed = isComplete ? labels.filter((label) => !used.includes(label)) : []
  return [
    ...problems,
    ...unknown.map((label) => problem('label-unknown', label, `label ${label} has no m-line`)),
    ...unclaimed.map((label) => problem('label-unclaimed', label, `m-line ${label} has no stream`)),
  ]
}

// Two senders are legal for a mixed stream; with separate streams they are a mistake worth showing.
function senderProblems(metadata: RecordingMetadata): MetadataProblem[] {
  const active = metadata.participantStreamAssocs.filter((each) => each.disassociateTime === undefined)
  const sent = active.flatMap((each) => [...new Set(each.send)])
  return repeated(sent).map((id) => problem('ambiguous-sender', id, `stream ${id} has two senders`))
}

function extensionProblems(metadata: RecordingMetadata): MetadataProblem[] {
  return extensiblesOf(metadata)
    .flatMap((holder) => holder.extensions)
    .filter((element) => element.namespace === '' || element.namespace === RECORDING_NAMESPACE)
    .map(({ name }) => problem('extension-namespace', name, `extension ${name} is not in a namespace of its own`))
}

function referenceProblems(metadata: RecordingMetadata): MetadataProblem[] {
  const dangling = (
    kind: string,
    known: readonly string[],
    refs: readonly (string | undefined)[],
  ): MetadataProblem[] => {
    const ids = new Set(known)
    return refs.flatMap((ref) =>
      ref === undefined || ids.has(ref) ? [] : [problem('dangling-reference', ref, `no ${kind} ${ref}`)],
    )
  }
  const { groups, sessions, participants, streams } = metadata
  return [
    ...dangling(
      'group',
      groups.map((group) => group.groupId),
      sessions.map((session) => session.groupRef),
    ),
    ...dangling(
      'session',
      sessions.map((session) => session.sessionId),
      [...streams, ...metadata.sessionRecordingAssocs, ...metadata.participantSessionAssocs].map(
        (each) => each.sessionId,
      ),
    ),
    ...dangling(
      'participant',
      participants.map((participant) => participant.participantId),
      [...metadata.participantSessionAssocs, ...metadata.participantStreamAssocs].map((each) => each.participantId),
    ),
    ...dangling(
      'stream',
      streams.map((stream) => stream.streamId),
      metadata.participantStreamAssocs.flatMap((each) => [...each.send, ...each.recv]),
    ),
  ]
}

function repeated(values: readonly string[]): string[] {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const value of values) (seen.has(value) ? twice : seen).add(value)
  return [...twice]
}
