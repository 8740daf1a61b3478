// What a schema cannot check: ids, times, references, labels (RFC 7865 section 6, RFC 4574).

import { isToken } from '#sdp'
import { extensiblesOf, type Interval, RECORDING_NAMESPACE, type RecordingMetadata } from './metadata.ts'
import { isSipSessionId, isUuidBase64, readTime } from './values.ts'

/**
 * Semantic problems of a document; empty if there are none. `labels` are those of the SDP in the same message.
 * References are checked in complete documents only, a partial one may refer to what was sent before.
 */
export function validateMetadata(metadata: RecordingMetadata, labels?: readonly string[]): string[] {
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

function idProblems(metadata: RecordingMetadata): string[] {
  const ids = [
    ...metadata.groups.map((group) => group.groupId),
    ...metadata.sessions.map((session) => session.sessionId),
    ...metadata.participants.map((participant) => participant.participantId),
    ...metadata.streams.map((stream) => stream.streamId),
  ]
  const malformed = ids.filter((id) => !isUuidBase64(id)).map((id) => `id ${id} is not base64 of 16 bytes`)
  return [...malformed, ...repeated(ids).map((id) => `id ${id} names two elements`)]
}

function timeProblems(metadata: RecordingMetadata): string[] {
  const problems: string[] = []
  const check = (from: string | undefined, to: string | undefined): void => {
    const times = [from, to].map((text) => (text === undefined ? undefined : readTime(text)))
    for (const [index, text] of [from, to].entries()) {
      const time = times[index]
      if (text !== undefined && (time === undefined || time.fault !== undefined))
        problems.push(`time ${text} is not RFC 3339`)
    }
    if (times[0] !== undefined && times[1] !== undefined && times[1].ms < times[0].ms) {
      problems.push(`${to} is before ${from}`)
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

function contentProblems(metadata: RecordingMetadata): string[] {
  const problems: string[] = []
  for (const participant of metadata.participants) {
    const hasAddress = participant.nameIds.some((nameId) => nameId.aor !== '')
    if (!hasAddress) problems.push(`participant ${participant.participantId} has no address`)
  }
  for (const session of metadata.sessions) {
    for (const id of session.sipSessionIds) if (!isSipSessionId(id)) problems.push(`sipSessionID ${id} is not RFC 7989`)
    for (const { cause } of session.reasons) {
      if (!Number.isInteger(cause) || cause < -32_768 || cause > 32_767) problems.push(`cause ${cause} is no short`)
    }
  }
  return problems
}

function labelProblems(metadata: RecordingMetadata, labels: readonly string[] | undefined): string[] {
  const used = metadata.streams.flatMap((stream) => stream.label ?? [])
  const problems = [
    ...used.filter((label) => !isToken(label)).map((label) => `label ${label} is no token`),
    ...repeated(used).map((label) => `label ${label} names two streams`),
  ]
  if (labels === undefined) return problems
  const unknown = used.filter((label) => !labels.includes(label)).map((label) => `label ${label} has no m-line`)
  const isComplete = metadata.dataMode === 'complete'
  const unused = isComplete ? labels.filter((label) => !used.includes(label)) : []
  return [...problems, ...unknown, ...unused.map((label) => `m-line ${label} has no stream`)]
}

// Two senders are legal for a mixed stream; with separate streams they are a mistake worth showing.
function senderProblems(metadata: RecordingMetadata): string[] {
  const active = metadata.participantStreamAssocs.filter((each) => each.disassociateTime === undefined)
  const sent = active.flatMap((each) => [...new Set(each.send)])
  return repeated(sent).map((id) => `stream ${id} has two senders`)
}

function extensionProblems(metadata: RecordingMetadata): string[] {
  return extensiblesOf(metadata)
    .flatMap((holder) => holder.extensions)
    .filter((element) => element.namespace === '' || element.namespace === RECORDING_NAMESPACE)
    .map((element) => `extension ${element.name} is not in a namespace of its own`)
}

function referenceProblems(metadata: RecordingMetadata): string[] {
  const groups = new Set(metadata.groups.map((group) => group.groupId))
  const sessions = new Set(metadata.sessions.map((session) => session.sessionId))
  const participants = new Set(metadata.participants.map((participant) => participant.participantId))
  const streams = new Set(metadata.streams.map((stream) => stream.streamId))
  const dangling = (kind: string, known: ReadonlySet<string>, refs: readonly (string | undefined)[]): string[] =>
    refs.flatMap((ref) => (ref === undefined || known.has(ref) ? [] : [`no ${kind} ${ref}`]))
  return [
    ...dangling(
      'group',
      groups,
      metadata.sessions.map((session) => session.groupRef),
    ),
    ...dangling('session', sessions, [
      ...metadata.streams.map((stream) => stream.sessionId),
      ...metadata.sessionRecordingAssocs.map((each) => each.sessionId),
      ...metadata.participantSessionAssocs.map((each) => each.sessionId),
    ]),
    ...dangling('participant', participants, [
      ...metadata.participantSessionAssocs.map((each) => each.participantId),
      ...metadata.participantStreamAssocs.map((each) => each.participantId),
    ]),
    ...dangling(
      'stream',
      streams,
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
