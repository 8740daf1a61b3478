// The catalogue of what can be wrong with a message of a recording session: head, body and SDP (RFC 7866, 3264, 4574).

import type { Rule } from './finding.ts'

const error = (section: string, advice: string): Rule => ({ severity: 'error', section, advice })
const warning = (section: string, advice: string): Rule => ({ severity: 'warning', section, advice })
const note = (section: string, advice: string): Rule => ({ severity: 'note', section, advice })

/** Rules of the head and the structure of the body. */
export const headRules = {
  'sip-malformed': error('RFC 3261 section 7', 'Correct the head: nothing below can be trusted until it parses.'),
  'content-length': warning(
    'RFC 3261 section 20.14',
    'Content-Length counts the bytes of the whole body, with CRLF line ends.',
  ),
  'line-ends': note('RFC 3261 section 7', 'Lines of a SIP message end in CRLF; the file was read as if they did.'),
  'no-require-siprec': error('RFC 7866 section 6.1.1', 'Add Require: siprec to the INVITE.'),
  'no-sip-src': error('RFC 7866 section 6.1.1', 'Add ;+sip.src to Contact, outside the angle brackets.'),
  'no-sip-srs': error('RFC 7866 section 6.2', 'Add ;+sip.srs to Contact, outside the angle brackets.'),
  'feature-tag-in-uri': warning('RFC 3840 section 9', 'Move the feature tag behind the closing angle bracket.'),
  'no-contact': error('RFC 3261 section 8.1.1.8', 'Add a Contact.'),
  'no-accept': note(
    'RFC 7866 section 9.1',
    'Say Accept: application/sdp, application/rs-metadata+xml, so that the recorder may send snapshot requests.',
  ),
  'no-date': note('RFC 7865 section 6.1.1', 'Add Date: recorders derive the beginning of the recording from it.'),
  'no-sdp': warning('RFC 7866 section 7.1.1', 'Offer SDP in the INVITE; few recorders make the offer themselves.'),
  'no-metadata': error('RFC 7866 section 9.1', 'Add a metadata part to the INVITE.'),
  'body-form': warning(
    'RFC 2046 section 5.1',
    'Repair the multipart: CRLF, the boundary of Content-Type, a blank line after part headers, a closing delimiter.',
  ),
  'not-multipart-mixed': error('RFC 7866 section 9.1', 'SDP and metadata travel in multipart/mixed.'),
  'metadata-disposition': error(
    'RFC 7866 section 9.1',
    'Add Content-Disposition: recording-session to the metadata part.',
  ),
  'metadata-type': warning(
    'RFC 9806 section 2',
    'Send application/rs-metadata+xml; the older type was never registered.',
  ),
  'partial-first': error('RFC 7866 section 9.1', 'The first document of a session is complete.'),
  'labels-without-sdp': error('RFC 7866 section 9.1', 'Send the SDP that defines the labels in the same message.'),
  'snapshot-with-sdp': error('RFC 7866 section 9.2', 'A snapshot request carries no SDP.'),
} satisfies Readonly<Record<string, Rule>>

/** Rules of the session description. */
export const sdpRules = {
  'sdp-malformed': error('RFC 8866 section 5', 'Correct the description: it cannot be read.'),
  'sdp-form': warning('RFC 8866 section 5', 'Correct the description; readers less patient than this one refuse it.'),
  'no-media': error('RFC 7866 section 7.1.1', 'Describe at least one stream.'),
  'no-label': error('RFC 7866 section 7.1.1', 'Add a=label to every m-line.'),
  'answer-without-label': note(
    'RFC 7866 section 7.2',
    'Echo the label of the offer; clients that match by label need it.',
  ),
  'sdp-label-form': error('RFC 4574 section 4', 'Use an SDP token as label, such as 1.'),
  'sdp-label-repeated': error('RFC 4574 section 4', 'Give every m-line a label of its own.'),
  'source-direction': error(
    'RFC 7866 section 7.1.1',
    'A recording client only sends: a=sendonly, or a=inactive while paused. Without a direction attribute sendrecv is meant.',
  ),
  'recorder-direction': error(
    'RFC 7866 section 7.2',
    'A recorder only receives: a=recvonly, or a=inactive. Without a direction attribute sendrecv is meant.',
  ),
  'null-address': warning('RFC 3264 section 8.4', 'Say a=inactive instead of the address 0.0.0.0.'),
  'no-codec': error('RFC 8866 section 6.6', 'Give every dynamic payload type an a=rtpmap.'),
  'no-key': error('RFC 4568 section 5', 'A secure profile needs a=crypto (or a fingerprint).'),
  'key-without-srtp': warning('RFC 4568 section 4', 'a=crypto means nothing with RTP/AVP: offer RTP/SAVP.'),
} satisfies Readonly<Record<string, Rule>>

/** Code of a finding in the head or the body's structure. */
export type HeadCode = keyof typeof headRules
/** Code of a finding in the SDP. */
export type SdpCode = keyof typeof sdpRules
