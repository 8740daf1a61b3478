// Writes documents in the vocabulary of the drafts before RFC 7865, as legacy AudioCodes and SmartTAP recorders read it.

import type { Interval, MetadataParticipant, RecordingMetadata } from './metadata.ts'
import type { XmlElement } from './xml-element.ts'
import { leaf, node, optional, xmlDocument } from './xml-node.ts'
import { elementText } from './xml-writer.ts'

const DRAFT_NAMESPACE = 'urn:ietf:params:xml:ns:recording'

/**
 * Serialises a document with `id` and `session` for ids and references, and with the streams and times of a participant within it.
 * A participant of several sessions is named with the last.
 */
export function writeDraftMetadata(metadata: RecordingMetadata): Uint8Array {
  return xmlDocument(
    node('recording', { xmlns: DRAFT_NAMESPACE }, [
      leaf('datamode', metadata.dataMode),
      ...metadata.groups.map((each) =>
        node('group', { id: each.groupId }, [...interval(each), ...wrapped(each.extensions)]),
      ),
      ...metadata.sessions.map((each) =>
        node('session', { id: each.sessionId }, [
          ...optional('group-ref', each.groupRef),
          ...interval({
            ...(each.startTime === undefined ? {} : { associateTime: each.startTime }),
            ...(each.stopTime === undefined ? {} : { disassociateTime: each.stopTime }),
          }),
          ...wrapped(each.extensions),
        ]),
      ),
      ...metadata.participants.map((each) => participant(each, metadata)),
      ...metadata.streams.map((each) =>
        node('stream', { id: each.streamId, session: each.sessionId }, [
          ...optional('label', each.label),
          ...wrapped(each.extensions),
        ]),
      ),
      ...wrapped(metadata.extensions),
    ]),
  )
}

function participant(each: MetadataParticipant, metadata: RecordingMetadata): string {
  const isSame = ({ participantId }: { readonly participantId: string }): boolean =>
    participantId === each.participantId
  const presence = metadata.participantSessionAssocs.findLast(isSame)
  const flows = metadata.participantStreamAssocs.filter(isSame)
  return node('participant', { id: each.participantId, session: presence?.sessionId }, [
    ...each.nameIds.map(({ aor, name }) => node('nameID', { aor }, optional('name', name))),
    ...interval(presence ?? {}),
    ...flows.flatMap(({ send }) => send.map((id) => leaf('send', id))),
    ...flows.flatMap(({ recv }) => recv.map((id) => leaf('recv', id))),
    ...wrapped(each.extensions),
  ])
}

function interval({ associateTime, disassociateTime }: Interval): string[] {
  return [...optional('associate-time', associateTime), ...optional('disassociate-time', disassociateTime)]
}

// The drafts had a container of their own for what others add.
function wrapped(extensions: readonly XmlElement[]): string[] {
  if (extensions.length === 0) return []
  const scope = new Map([['', DRAFT_NAMESPACE]])
  return [
    node(
      'extensiondata',
      {},
      extensions.map((extension) => elementText(extension, scope)),
    ),
  ]
}
