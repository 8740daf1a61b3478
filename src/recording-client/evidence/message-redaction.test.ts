import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redactMessage } from './message-redaction.ts'
import { CaptureStandIns } from './stand-ins.ts'

/** Redacts a message of these lines, its length put right. */
function redacted(head: readonly string[], body = '', kept: readonly string[] = []): string {
  const text = [...head, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n')
  return redactMessage(new TextEncoder().encode(text), new CaptureStandIns(kept))
}

const NEEDED = [
  'Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1',
  'From: <sip:gw.example>;tag=f1',
  'To: <sip:gw.example>',
  'Call-ID: 1@10.0.0.1',
  'CSeq: 1 INFO',
]

/** A request with these lines, the first of them first, and what a message needs beside them. */
function withLines(lines: readonly string[], body = ''): string {
  const nameOf = (line: string): string => line.slice(0, line.indexOf(':'))
  const names = lines.map((line) => nameOf(line).replace(/^f$/, 'From'))
  return redacted(
    ['INFO sip:gw.example SIP/2.0', ...lines, ...NEEDED.filter((line) => !names.includes(nameOf(line)))],
    body,
  )
}

const headOf = (text: string): string[] => text.split('\r\n\r\n')[0]!.split('\r\n')
const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4)

const PEOPLE = /erika|mustermann|max|4930|1234|secret|s3cr3t/i

for (const [what, line, kept] of [
  [
    'From',
    'From: "Erika Mustermann" <sip:erika@home.example;user=phone>;tag=a1',
    'From: <sip:user1@home.example;user=phone>;tag=a1',
  ],
  ['To without a display name', 'To: <sip:+493012345@home.example>;tag=b2', 'To: <sip:user1@home.example>;tag=b2'],
  [
    'From with a bare display name',
    'From: Erika Mustermann <sip:erika@home.example>;tag=a1',
    'From: <sip:user1@home.example>;tag=a1',
  ],
  ['From without brackets', 'From: sip:erika@home.example;tag=a1', 'From: sip:user1@home.example;tag=a1'],
  ['a compact From', 'f: "Erika" <sip:erika@home.example>;tag=a1', 'From: <sip:user1@home.example>;tag=a1'],
  [
    'a display name with quotes and brackets',
    'From: "Erika \\" <sip:x> Mustermann" <sip:erika@h.example>;tag=a1',
    'From: <sip:user1@h.example>;tag=a1',
  ],
  ['a password', 'From: <sip:erika:s3cr3t@home.example>;tag=a1', 'From: <sip:user1@home.example>;tag=a1'],
  ['a dial string', 'To: <sip:+49301,,1234@home.example>', 'To: <sip:user1@home.example>'],
  ['a telephone number', 'To: <tel:+493012345>', 'To: <tel:number1>'],
  [
    'an extension of it',
    'To: <tel:+493012345;ext=1234;phone-context=+4930>',
    'To: <tel:number1;ext=***;phone-context=***>',
  ],
  [
    'Contact',
    'Contact: "Erika" <sips:erika@10.0.0.9:5061;transport=tls>;+sip.src;expires=60',
    'Contact: <sips:user1@10.0.0.9:5061;transport=tls>;+sip.src;expires=60',
  ],
  [
    'several in Contact',
    'Contact: "Erika" <sip:erika@a.example>, Max <sip:max@b.example>;q=0.5',
    'Contact: <sip:user1@a.example>, <sip:user2@b.example>;q=0.5',
  ],
  [
    'several identities',
    'P-Asserted-Identity: "Erika, M." <sip:erika@a.example>, tel:+493012345',
    'P-Asserted-Identity: <sip:user1@a.example>, tel:number2',
  ],
  [
    'Record-Route',
    'Record-Route: <sip:erika@proxy.example;lr>,<sip:edge.example;lr>',
    'Record-Route: <sip:user1@proxy.example;lr>, <sip:edge.example;lr>',
  ],
  ['Route', 'Route: <sip:erika@proxy.example;lr>', 'Route: <sip:user1@proxy.example;lr>'],
  ['Referred-By', 'Referred-By: "Max" <sip:max@a.example>', 'Referred-By: <sip:user1@a.example>'],
  ['an address of another scheme', 'From: "Erika" <im:erika@home.example>;tag=a1', 'From: <address1>;tag=a1'],
  ['an address that is none', 'P-Asserted-Identity: Erika Mustermann', 'P-Asserted-Identity: ***'],
  ['every contact', 'Contact: *', 'Contact: *'],
] as const) {
  test(`a kept message names nobody: ${what}`, () => {
    const text = withLines([line])
    assert.equal(headOf(text)[1], kept)
    assert.doesNotMatch(text, PEOPLE)
    const unreadable = withLines([line, 'no header'])
    assert.match(unreadable, /malformed/)
    assert.equal(headOf(unreadable)[1], line.startsWith('f:') ? 'f: ***' : kept)
  })
}

for (const name of [
  'Authorization',
  'Proxy-Authorization',
  'WWW-Authenticate',
  'Proxy-Authenticate',
  'Authentication-Info',
  'Subject',
  'Organization',
  'Call-Info',
  'Alert-Info',
  'Reply-To',
  'Refer-To',
  'Remote-Party-ID',
  'P-Preferred-Identity',
  'P-Called-Party-ID',
  'P-Charging-Vector',
  'Diversion',
  'History-Info',
  'Identity',
  'Geolocation',
  'User-to-User',
  'Replaces',
  'Session-ID',
  'X-Srs-Recording-ID',
  'X-Srs-Url',
  'X-Dtmf',
  'X-Customer',
]) {
  test(`a kept message holds nothing of ${name}`, () => {
    const lines = headOf(withLines([`${name}: "Erika" <sip:erika@h.example>;digits=1234;response="s3cr3t"`]))
    assert.equal(lines[1], `${name}: ***`)
  })
}

test('a kept message keeps what its dialog, its transaction and its structure are', () => {
  const lines = [
    'Via: SIP/2.0/TCP 10.0.0.9:5062;branch=z9hG4bK77;received=10.0.0.10;rport=4711',
    'Max-Forwards: 69',
    'Call-ID: 5a6b@10.0.0.9',
    'CSeq: 7 INVITE',
    'Require: siprec, timer',
    'Supported: 100rel',
    'Allow: INVITE, ACK, BYE',
    'Accept: application/sdp',
    'Session-Expires: 1800;refresher=uac',
    'Min-SE: 90',
    'Retry-After: 30',
    'Reason: SIP;cause=603;text="Decline"',
    'Warning: 305 h.example "incompatible media format"',
    'User-Agent: Recorder/1.0',
    'RSeq: 4',
    'RAck: 4 7 INVITE',
    'Event: refer',
    'Subscription-State: active;expires=60',
  ]
  const dialog = ['From: <sip:gw.example>;tag=f1', 'To: <sip:gw.example>;tag=t1']
  const text = redacted(['SIP/2.0 486 Busy Here', ...lines, ...dialog])
  assert.deepEqual(headOf(text), ['SIP/2.0 486 Busy Here', ...lines, ...dialog, 'Content-Length: 0'])
})

test('the same person is the same stand-in in every header and in the request line, and we keep our own name', () => {
  const head = [
    'BYE sip:erika@10.0.0.9 SIP/2.0',
    'From: <sip:src@gw.example>;tag=1',
    'To: "Erika" <sip:erika@h.example>;tag=2',
    ...NEEDED.filter((line) => !/^(?:From|To|CSeq)/.test(line)),
    'CSeq: 2 BYE',
  ]
  assert.deepEqual(headOf(redacted(head, '', ['src'])).slice(0, 3), [
    'BYE sip:user1@10.0.0.9 SIP/2.0',
    'From: <sip:src@gw.example>;tag=1',
    'To: <sip:user1@h.example>;tag=2',
  ])
})

test('SDP in a kept message has no keys, no credentials, no people; media, labels and directions stay', () => {
  const kept = [
    'c=IN IP4 10.0.0.9',
    't=0 0',
    'm=audio 4000 RTP/SAVP 0 101',
    'a=rtpmap:101 telephone-event/8000',
    'a=label:1',
    'a=sendonly',
  ]
  const sdp = [
    'v=0',
    'o=erika 12 34 IN IP4 10.0.0.9',
    's=Call of Erika',
    'i=with Max',
    'u=http://erika.example',
    'e=erika@h.example (Erika)',
    'p=+49 30 12345',
    'k=base64:c2VjcmV0',
    'a=ice-ufrag:secret',
    'a=ice-pwd:secret',
    'a=key-mgmt:mikey c3MzY3IzdA==s3cr3t',
    ...kept,
    'i=Max',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:s3cr3t|2^20|1:4;inline:s3cr3t2|2^20|2:4 KDR=1',
    'a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 inline:s3cr3t',
    'a=ssrc:1 cname:erika@h.example',
  ].join('\r\n')
  const text = bodyOf(withLines(['Content-Type: application/sdp'], `${sdp}\r\n`))
  assert.doesNotMatch(text, PEOPLE)
  assert.doesNotMatch(text, /c2VjcmV0|c3MzY3IzdA/)
  const lines = text.split('\r\n')
  for (const line of [...kept, 'o=- 12 34 IN IP4 10.0.0.9', 's=-']) assert.ok(lines.includes(line), line)
  assert.ok(lines.includes('a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***'))
  assert.equal(lines.length, sdp.split('\r\n').length + 1, 'no line is lost')
})

for (const [type, body] of [
  ['application/dtmf-relay', 'Signal=1234\r\nDuration=160\r\n'],
  ['application/dtmf', '1234'],
  ['text/plain', 'Erika'],
  ['application/json', '{"name":"Erika"}'],
] as const) {
  test(`of a body of ${type} a kept message has the length alone`, () => {
    const text = withLines([`Content-Type: ${type}`], body)
    assert.equal(bodyOf(text), `[${body.length} bytes left out]`)
    assert.ok(headOf(text).includes(`Content-Length: ${bodyOf(text).length}`))
  })
}

const DOCUMENT = `<?xml version="1.0"?>
<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>
<session session_id="c2Vzc2lvbg=="><sipSessionID>secret</sipSessionID><start-time>2026-01-01T00:00:00Z</start-time></session>
<participant participant_id="cGFydA=="><nameID aor="sip:erika@h.example"><name xml:lang="de">Erika Mustermann</name></nameID></participant>
<stream stream_id="c3RyZWFt" session_id="c2Vzc2lvbg=="><label>1</label></stream>
<x:digits xmlns:x="urn:x" pressed="1234">1234</x:digits></recording>`

test('a recording document in a kept message names nobody, and has its ids, labels and times', () => {
  const body = [
    '--b1',
    'Content-Type: application/sdp',
    'Content-Description: Erika',
    '',
    'v=0\r\no=erika 1 1 IN IP4 10.0.0.9\r\ns=-\r\nt=0 0\r\n',
    '--b1',
    'Content-Type: application/rs-metadata+xml',
    'Content-Disposition: recording-session',
    'Content-ID: <erika@h.example>',
    '',
    DOCUMENT,
    '--b1--',
    '',
  ].join('\r\n')
  const text = withLines(['From: <sip:erika@h.example>;tag=1', 'Content-Type: multipart/mixed;boundary=b1'], body)
  assert.doesNotMatch(text, PEOPLE)
  for (const kept of ['c2Vzc2lvbg==', 'cGFydA==', 'c3RyZWFt', '<label>1</label>', '2026-01-01T00:00:00Z', 'complete']) {
    assert.ok(text.includes(kept), kept)
  }
  assert.match(text, /aor="sip:user1@h\.example"/, 'the same stand-in as in From')
  assert.match(text, /\r\nContent-Disposition: recording-session\r\n/)
  assert.equal(text.match(/--b1\r\n/g)?.length, 2)
})

test('a message that cannot be read loses its body and whatever is not known to be safe', () => {
  const head = [
    'INVITE sip:erika@h.example SIP/2.0',
    'Via SIP/2.0/UDP 10.0.0.9 Erika',
    'From: "Erika" <sip:erika@h.example>;tag=1',
    'CSeq: 1 INVITE',
    'Authorization: s3cr3t',
    '',
    'Signal=1234',
  ]
  const text = redactMessage(new TextEncoder().encode(head.join('\r\n')), new CaptureStandIns([]))
  assert.doesNotMatch(text, PEOPLE)
  assert.deepEqual(text.split('\r\n'), [
    'INVITE sip:user1@h.example SIP/2.0',
    '***',
    'From: <sip:user1@h.example>;tag=1',
    'CSeq: 1 INVITE',
    'Authorization: ***',
    '',
    '[malformed message; 15 bytes left out]',
  ])
})
