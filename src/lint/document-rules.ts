// The catalogue of what can be wrong with a metadata document (RFC 7865).

import type { DocumentFaultCode } from '#siprec'
import type { Rule } from './finding.ts'

const error = (section: string, advice: string): Rule => ({ severity: 'error', section, advice })
const warning = (section: string, advice: string): Rule => ({ severity: 'warning', section, advice })

/** One rule per kind of fault. */
export const documentRules: Readonly<Record<DocumentFaultCode, Rule>> = {
  'not-well-formed': error(
    'RFC 7865 section 5.1',
    'Write the document with an XML writer: escape & < > in names and addresses.',
  ),
  'unknown-root': error('RFC 7865 section 5.1.2', 'The root is <recording>, or <requestsnapshot> from a recorder.'),
  namespace: error(
    'RFC 7865 section 5.1.1',
    'Use xmlns="urn:ietf:params:xml:ns:recording:1"; namespaces of drafts are refused by strict recorders.',
  ),
  'unknown-element': error('RFC 7865 section 9', 'Remove the element, or put it last and in a namespace of its own.'),
  'missing-element': error('RFC 7865 section 9', 'Add the element; the schema requires it even in partial documents.'),
  'repeated-element': error('RFC 7865 section 9', 'Keep one of them.'),
  'element-order': error(
    'RFC 7865 section 9',
    'Keep the order of the schema: datamode, group, session, participant, stream, sessionrecordingassoc, participantsessionassoc, participantstreamassoc, extensions.',
  ),
  'stray-text': error('RFC 7865 section 9', 'Remove the text; only elements may stand here.'),
  'unknown-attribute': error(
    'RFC 7865 section 9',
    'Remove the attribute; the schema has no room for foreign attributes.',
  ),
  'missing-attribute': error('RFC 7865 section 9', 'Add the attribute.'),
  'value-form': error('RFC 7865 section 9', 'Write a value of the type that the schema names.'),
  'id-form': error(
    'RFC 7865 section 6.10',
    'Write ids as padded standard base64 of the 16 bytes of a UUID: 24 characters that end in ==.',
  ),
  'id-repeated': error('RFC 7865 section 6.10', 'Give every element a UUID of its own.'),
  'time-form': error('RFC 7865 section 6.9', 'Write times as RFC 3339 says: 2026-03-02T10:00:00.000Z.'),
  'time-zone': error('RFC 7865 section 6.9', 'Add the zone, best Z.'),
  'time-order': error(
    'RFC 7865 section 6.9',
    'An end is not before its beginning; compare the clocks that the two come from.',
  ),
  'no-address': error(
    'RFC 7865 section 6.5.1',
    'Give every nameID an aor; for an unknown party sip:anonymous@anonymous.invalid.',
  ),
  'address-scheme': warning('RFC 7865 section 6.5.1', 'Write the address as a sip, sips or tel URI.'),
  'session-id-form': warning(
    'RFC 7865 section 6.3.1',
    'sipSessionID holds an RFC 7989 pair, 32hex;remote=32hex, not a Call-ID.',
  ),
  'cause-range': error('RFC 7865 section 9', 'Write the cause as a short integer.'),
  'label-form': error('RFC 4574 section 4', 'Use an SDP token as label, such as 1.'),
  'label-repeated': error('RFC 7866 section 7.1.1', 'Give every stream a label of its own.'),
  'label-unknown': error(
    'RFC 7866 section 9.1',
    'A label of the metadata names an m-line of the SDP in the same message: add a=label there or correct the label here.',
  ),
  'label-unclaimed': error(
    'RFC 7866 section 7.1.1',
    'Describe the m-line by a stream element with its label, or nobody knows who speaks there.',
  ),
  'ambiguous-sender': warning(
    'RFC 7865 section 6.8.1',
    'Two parties send one stream: right for a mixed stream only. Otherwise end the association of the one that left.',
  ),
  'extension-namespace': error('RFC 7865 section 9', 'Put extension data in a namespace of its own.'),
  // Never an error: another client may describe what is referred to.
  'dangling-reference': warning(
    'RFC 7866 section 9.2',
    'Add the element that is referred to, unless another client of the same recorder describes it.',
  ),
  'no-participant': warning('RFC 7865 section 6.5', 'List the participants of the session.'),
  'participant-without-session': warning('RFC 7865 section 6.6', 'Add a participantsessionassoc for the participant.'),
  'participant-without-stream': warning(
    'RFC 7865 section 6.8',
    'Add a participantstreamassoc; one without send and recv says that the party is on hold.',
  ),
  'stream-without-sender': warning(
    'RFC 7865 section 6.8',
    'Say by a participantstreamassoc with send whose voice this is.',
  ),
  'stream-without-label': warning(
    'RFC 7865 section 6.7.1',
    'Add the label of the m-line, or recorders have to guess by order.',
  ),
}
