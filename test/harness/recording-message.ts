// Messages of recording sessions taken apart for assertions: header text, SDP lines, the document.

import { labelOf, parseSdp, type SessionDescription } from '#sdp'
import { parseMessage, type SipMessage } from '#sip'
import { isMetadata, isSdp, parseBody, parseMetadata, type RecordingMetadata, validateMetadata } from '#siprec'
import { schemaProblems } from './recording-schema.ts'

/** A message of a recording session, read. */
export interface RecordingMessage {
  readonly message: SipMessage
  /** `INVITE`, `UPDATE`…, or the status. */
  readonly label: string
  /** Text of its SDP; empty when it has none. */
  readonly sdp: string
  readonly document?: RecordingMetadata
  readonly documentText?: string
}

/** Reads a message. */
export function readRecordingMessage(message: SipMessage): RecordingMessage {
  const { headers, body } = message
  const parts =
    body.length === 0 ? [] : parseBody(headers.get('content-type'), headers.get('content-disposition'), body).parts
  const sdp = parts.find(isSdp)?.content
  const xml = parts.find(isMetadata)?.content
  const document = xml === undefined ? undefined : parseMetadata(xml).metadata
  return {
    message,
    label: message.kind === 'request' ? message.method : `${message.status}`,
    sdp: new TextDecoder().decode(sdp),
    ...(document === undefined ? {} : { document }),
    ...(xml === undefined ? {} : { documentText: new TextDecoder().decode(xml) }),
  }
}

/** Reads the text of a message as it went over the wire. */
export function readWire(text: string): RecordingMessage {
  const parsed = parseMessage(new TextEncoder().encode(text), { transport: 'stream' })
  if (!parsed.ok) throw new Error(`message does not parse: ${parsed.error.message}`)
  return readRecordingMessage(parsed.value)
}

/** The description of a message; fails when there is none. */
export function descriptionOf({ label, sdp }: RecordingMessage): SessionDescription {
  const parsed = parseSdp(sdp)
  if (!parsed.ok) throw new Error(`${label} has no SDP: ${parsed.error.message}`)
  return parsed.value
}

/** `port direction label` of each m-line. */
export function mediaLines(message: RecordingMessage): string[] {
  return descriptionOf(message).media.map((media) => {
    const direction = media.attributes.find(({ name }) => /^(sendrecv|sendonly|recvonly|inactive)$/.test(name))?.name
    return `${media.port === 0 ? 0 : 'port'} ${direction ?? '-'} ${labelOf(media) ?? '-'}`
  })
}

/** What is wrong with the document of a message, by schema and by sense; its labels must be those of the SDP beside it, none without. */
export function documentProblems(message: RecordingMessage): string[] {
  const { document, documentText } = message
  if (document === undefined || documentText === undefined) return ['no document']
  const media = message.sdp === '' ? [] : descriptionOf(message).media
  const labels = media.flatMap((each) => labelOf(each) ?? [])
  return [...schemaProblems(documentText), ...validateMetadata(document, labels)]
}
