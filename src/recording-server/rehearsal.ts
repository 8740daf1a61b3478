// Reads an invitation that nobody sent, so that the first one that somebody sends does not wait for our code to be compiled.

import { lintMessage } from '#lint'
import { parseMessage } from '#sip'
import { planAnswer } from './answer-plan.ts'
import { readBodies } from './recording-request.ts'
import { SessionMetadata } from './session-metadata.ts'

const ROUNDS = 25
const BOUNDARY = 'rehearsal'

const STREAMS = ['1', '2']
const OFFER = [
  'v=0',
  'o=- 1 1 IN IP4 192.0.2.1',
  's=-',
  'c=IN IP4 192.0.2.1',
  't=0 0',
  ...STREAMS.flatMap((label) => [
    `m=audio 400${label} RTP/AVP 0 8`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=sendonly',
    `a=label:${label}`,
  ]),
]
const SESSION = 'cmVoZWFyc2Fsc2Vzc2lvbg=='
const PARTIES = ['cmVoZWFyc2FsLXBhcnR5MQ==', 'cmVoZWFyc2FsLXBhcnR5Mg==']
const STREAM_IDS = ['cmVoZWFyc2Fsc3RyZWFtMQ==', 'cmVoZWFyc2Fsc3RyZWFtMg==']
const METADATA = [
  '<?xml version="1.0" encoding="UTF-8"?>',
  '<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>',
  `<session session_id="${SESSION}"><start-time>2026-01-01T00:00:00Z</start-time></session>`,
  ...PARTIES.map((id) => `<participant participant_id="${id}"><nameID aor="sip:party@example.invalid"/></participant>`),
  ...STREAM_IDS.map((id, at) => {
    return `<stream stream_id="${id}" session_id="${SESSION}"><label>${STREAMS[at]}</label></stream>`
  }),
  ...PARTIES.map((id) => `<participantsessionassoc participant_id="${id}" session_id="${SESSION}"/>`),
  ...PARTIES.map((id, at) => {
    return `<participantstreamassoc participant_id="${id}"><send>${STREAM_IDS[at]}</send></participantstreamassoc>`
  }),
  '</recording>',
]
const BODY = [
  `--${BOUNDARY}`,
  'Content-Type: application/sdp',
  '',
  ...OFFER,
  `--${BOUNDARY}`,
  'Content-Type: application/rs-metadata+xml',
  'Content-Disposition: recording-session',
  '',
  ...METADATA,
  `--${BOUNDARY}--`,
  '',
].join('\r\n')
const INVITATION = [
  'INVITE sip:srs@192.0.2.2 SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKrehearsal;rport',
  'From: <sip:src@192.0.2.1>;tag=rehearsal',
  'To: <sip:srs@192.0.2.2>',
  'Call-ID: rehearsal@192.0.2.1',
  'CSeq: 1 INVITE',
  'Max-Forwards: 70',
  'Contact: <sip:src@192.0.2.1:5060>;+sip.src',
  'Require: siprec',
  'Accept: application/sdp, application/rs-metadata+xml',
  'Date: Thu, 01 Jan 2026 00:00:00 GMT',
  `Content-Type: multipart/mixed;boundary=${BOUNDARY}`,
  `Content-Length: ${BODY.length}`,
  '',
  BODY,
].join('\r\n')

/** Reads it again and again, in some tens of milliseconds; false if it was not understood. */
export function rehearse(): boolean {
  const bytes = Buffer.from(INVITATION)
  let isUnderstood = true
  for (let round = 0; round < ROUNDS; round++) isUnderstood &&= isReadable(bytes)
  return isUnderstood
}

function isReadable(bytes: Buffer): boolean {
  const parsed = parseMessage(bytes)
  if (!parsed.ok) return false
  const bodies = readBodies(parsed.value)
  if (!bodies.ok || bodies.value.offer === undefined) return false
  const metadata = new SessionMetadata()
  const warnings = bodies.value.metadata.flatMap((part) => metadata.apply(part.content, part.contentType, STREAMS))
  const plan = planAnswer(bodies.value.offer, [])
  const isAccepted = plan.length === STREAMS.length && plan.every(({ kind }) => kind === 'stream')
  return isAccepted && warnings.length === 0 && lintMessage(parsed.value).length === 0
}
