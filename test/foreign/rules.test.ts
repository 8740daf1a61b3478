// Each rule of the strict recorder, provoked: a clean text passes, the same text with one slip is objected to.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkRecordingSession, checkRequest, readBody } from './message-rules.ts'
import { CallStory } from './metadata-documents.ts'
import { MetadataReader } from './metadata-rules.ts'
import { checkOffer } from './offer-rules.ts'
import { parseSdp } from './sdp-text.ts'
import type { Flow } from './sip-flow.ts'
import { buildSip, type Header, parseSip, type SipText, StreamFramer } from './sip-text.ts'

type Slip = readonly [what: string, from: string | RegExp, to: string, expected: RegExp]

function slip(clean: string, from: string | RegExp, to: string): string {
  const changed = clean.replace(from, to)
  assert.notEqual(changed, clean, 'the slip changes the text')
  return changed
}

const OFFER = [
  'v=0',
  'o=gw 77 3 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 40000 RTP/AVP 0 101',
  'a=rtpmap:101 telephone-event/8000',
  'a=sendonly',
  'a=label:1',
  'm=audio 40002 RTP/AVP 8',
  'a=sendonly',
  'a=label:2',
  '',
].join('\r\n')

describe('the rules of offers', () => {
  it('an offer of two labelled sendonly streams passes, and so does the same offer again', () => {
    assert.deepEqual(checkOffer(parseSdp(OFFER), undefined), [])
    assert.deepEqual(checkOffer(parseSdp(OFFER), parseSdp(OFFER)), [])
  })

  it('a pause passes when the version goes up by one', () => {
    const paused = slip(slip(OFFER, /sendonly/g, 'inactive'), ' 77 3 ', ' 77 4 ')
    assert.deepEqual(checkOffer(parseSdp(paused), parseSdp(OFFER)), [])
  })

  it('a removed stream keeps its slot with port 0 and its label', () => {
    const removed = slip(slip(OFFER, '40002', '0'), ' 77 3 ', ' 77 4 ')
    assert.deepEqual(checkOffer(parseSdp(removed), parseSdp(OFFER)), [])
  })

  const slips: readonly Slip[] = [
    ['bare line feeds', /\r\n/g, '\n', /does not end in CRLF/],
    ['no t= line', 't=0 0\r\n', '', /no t= line/],
    ['s= before o=', /(o=.*\r\n)(s=-\r\n)/, '$2$1', /out of place: o=/],
    ['no c= line', /c=.*\r\n/, '', /without a c= line/],
    ['a short o= line', 'IN IP4 127.0.0.1\r\ns', 'IN IP4\r\ns', /not six fields/],
    ['a dynamic type without rtpmap', /a=rtpmap.*\r\n/, '', /101 has no rtpmap/],
    ['one port twice', '40002', '40000', /share the port 40000/],
    ['a payload type twice', 'AVP 0 101', 'AVP 0 0', /names a payload type twice/],
    ['a lost label on a removed stream', /40002([\s\S]*)a=label:2\r\n/, '0$1', /m-line 1 has no label/],
  ]
  for (const [what, from, to, expected] of slips) {
    it(what, () => assert.match(checkOffer(parseSdp(slip(OFFER, from, to)), undefined).join('\n'), expected))
  }

  const reoffers: readonly Slip[] = [
    ['a changed offer with the old version', 'sendonly', 'inactive', /raised the o= version by 0/],
    ['a new version without a change', ' 77 3 ', ' 77 4 ', /unchanged offer raised the o= version by 1/],
    ['a version that jumps', /77 3 ([\s\S]*)sendonly/, '77 9 $1inactive', /raised the o= version by 6/],
    ['another session id', ' 77 3 ', ' 78 3 ', /differs in more than its version/],
    ['a dropped m-line', /m=audio 40002[\s\S]*$/, '', /1 m-lines after 2/],
    ['a relabelled m-line', 'label:2', 'label:3', /label of m-line 1 changed/],
    ['a kind that changed', 'm=audio 40002', 'm=video 40002', /changed from audio to video/],
    ['a payload type with a new meaning', '101 telephone-event', '101 opus', /changed its meaning/],
  ]
  for (const [what, from, to, expected] of reoffers) {
    it(`re-offer: ${what}`, () => {
      assert.match(checkOffer(parseSdp(slip(OFFER, from, to)), parseSdp(OFFER)).join('\n'), expected)
    })
  }
})

describe('the rules of metadata', () => {
  const story = new CallStory(['1', '2'])
  const clean = story.document('rfc8068') ?? ''
  const read = (...documents: string[]) => {
    const reader = new MetadataReader()
    return documents.flatMap((xml) => reader.read(xml, ['1', '2']))
  }

  it('start, hold, resume and end of RFC 8068 pass one after the other', () => {
    const documents = (['rfc8068', 'hold', 'resume', 'end'] as const).map((choice) => story.document(choice) ?? '')
    assert.deepEqual(read(...documents), [])
    assert.deepEqual(read(story.document('empty') ?? ''), [])
  })

  it('labels without an SDP offer', () => {
    assert.match(new MetadataReader().read(clean, undefined).join('\n'), /travels without an SDP offer/)
  })

  it('a partial document that names what nobody defined', () => {
    const other = new CallStory(['1', '2']).document('hold') ?? ''
    assert.match(read(clean, other).join('\n'), /refers to a participant that is not defined/)
    assert.match(read(clean, other).join('\n'), /send refers to a stream that is not defined/)
  })

  const slips: readonly Slip[] = [
    ['a draft namespace', 'ns:recording:1', 'ns:recording', /the root is/],
    ['dataMode', /datamode/g, 'dataMode', /a child dataMode/],
    ['another mode', '>complete<', '>full<', /datamode is full/],
    ['no XML declaration', /<\?xml.*\?>/, '', /no XML declaration/],
    ['an id as text', story.groupId, '6f9619ff-8b86-4011-b42d-00c04fc964ff', /not base64 of 16 octets/],
    ['a UUID of version 1', story.groupId, 'Z9QF2cOEEe6zyAJCrBIAAg==', /UUID of version 1/],
    ['one id for two things', story.streamIds[0] ?? '', story.sessionId, /an id of a session names a stream/],
    ['a time without a zone', /(associate-time>[^<]*)Z</, '$1<', /no RFC 3339 time with a zone/],
    ['an offset without a colon', /(start-time>[^<]*)Z</, '$1+0300<', /no RFC 3339 time with a zone/],
    ['a Call-ID as sipSessionID', story.sipSessionId, 'abc@host', /no RFC 7989 value/],
    ['a label that no m-line has', '<label>2<', '<label>7<', /no m-line has the label 7/],
    ['a participant without nameID', /<nameID[\s\S]*?<\/nameID>/, '', /participant without nameID/],
    [
      'streams before participants',
      /(<participant [\s\S]*<\/participant>\r\n)(<stream [\s\S]*<\/stream>\r\n)/,
      '$2$1',
      /participant in recording is out of order/,
    ],
    [
      'the time before send',
      /(<send>.*?<\/recv>)(<associate-time>.*?<\/associate-time>)/,
      '$2$1',
      /send in participantstreamassoc is out of order/,
    ],
    ['an unknown attribute', '<stream ', '<stream mode="x" ', /stream has an attribute mode/],
    ['an extension in the recording namespace', '<group-ref>', '<extensiondata/><group-ref>', /a child extensiondata/],
    [
      'an extension in no namespace',
      ' xmlns="urn:example:foreign:desk"',
      ' xmlns=""',
      /desk in group has no namespace/,
    ],
    ['an element that is not closed', '</session>', '', /not well-formed/],
    ['an ampersand', '&amp;', '&', /not well-formed/],
    ['a DTD', '<recording', '<!DOCTYPE x><recording', /not well-formed/],
  ]
  for (const [what, from, to, expected] of slips) {
    it(what, () => assert.match(read(slip(clean, from, to)).join('\n'), expected))
  }
})

const XML = new CallStory(['1', '2']).document('rfc8068') ?? ''
const BODY = [
  '--b1',
  'Content-Type: application/sdp',
  '',
  OFFER,
  '--b1',
  'Content-Type: application/rs-metadata+xml',
  'Content-Disposition: recording-session',
  '',
  XML,
  '--b1--',
  '',
].join('\r\n')
const HEADERS: readonly Header[] = [
  ['Via', 'SIP/2.0/TCP 127.0.0.1:5071;branch=z9hG4bK77;rport'],
  ['Max-Forwards', '70'],
  ['From', '<sip:src@127.0.0.1>;tag=a1'],
  ['To', '<sip:rec@127.0.0.1>'],
  ['Call-ID', 'c1@foreign.example'],
  ['CSeq', '1 INVITE'],
  ['Contact', '<sip:src@127.0.0.1:5071;transport=tcp>;+sip.src'],
  ['Require', 'siprec'],
  ['Content-Type', 'multipart/mixed;boundary=b1'],
]
const FLOW: Flow = { kind: 'tcp', local: { host: '', port: 1 }, remote: { host: '', port: 2 }, send: () => {} }

function invite(body: string = BODY, headers: readonly Header[] = HEADERS): string {
  return buildSip('INVITE sip:rec@127.0.0.1 SIP/2.0', headers, Buffer.from(body)).toString('utf8')
}

function judge(raw: string, kind: 'tcp' | 'udp' = 'tcp'): string {
  const message: SipText | undefined = parseSip(Buffer.from(raw))
  assert.ok(message)
  const found = [
    ...checkRequest(message, { ...FLOW, kind }, true).objections,
    ...checkRecordingSession(message, '+sip.src', true),
    ...readBody(message).found,
  ]
  return found.join('\n')
}

describe('the rules of messages and bodies', () => {
  it('an exact INVITE passes', () => assert.equal(judge(invite()), ''))

  const headerSlips: readonly Slip[] = [
    ['Via of another transport', 'SIP/2.0/TCP', 'SIP/2.0/UDP', /Via says/],
    ['an old branch', 'z9hG4bK77', '77', /lacks z9hG4bK/],
    ['no Max-Forwards', /Max-Forwards.*\r\n/, '', /needs one Max-Forwards/],
    ['no From tag', ';tag=a1', '', /From without tag/],
    ['CSeq of another method', '1 INVITE\r', '1 UPDATE\r', /CSeq of INVITE is/],
    ['a Content-Length that counts characters', /Content-Length: \d+/, 'Content-Length: 17', /Content-Length is 17/],
    ['no Content-Length', /Content-Length: \d+\r\n/, '', /Content-Length is missing/],
    ['two contacts', '+sip.src\r', '+sip.src, <sip:b@h>;+sip.src\r', /needs one Contact/],
    ['a tag with a value', '+sip.src', '+sip.src="TRUE"', /carries a value/],
    ['no boundary', ';boundary=b1', '', /boundary is missing/],
    ['multipart/related', 'multipart/mixed', 'multipart/related', /not mixed/],
  ]
  for (const [what, from, to, expected] of headerSlips) {
    it(what, () => assert.match(judge(slip(invite(), from, to)), expected))
  }

  const bodySlips: readonly Slip[] = [
    ['no close delimiter', '--b1--', '--b2--', /close delimiter is missing/],
    ['bare line feeds', /\r\n/g, '\n', /no delimiter line|does not end in CRLF/],
    [
      'no empty line behind the part headers',
      'recording-session\r\n\r\n',
      'recording-session\r\n',
      /empty line|not a field/,
    ],
    ['a part header that is no field', 'Content-Disposition: ', 'Content-Disposition ', /not a field/],
    ['a part without type', 'Content-Type: application/sdp\r\n', '', /part without Content-Type/],
    ['another disposition', 'recording-session', 'session', /Content-Disposition "session"/],
    ['two SDP parts', 'application/rs-metadata+xml', 'application/sdp', /two SDP parts/],
  ]
  for (const [what, from, to, expected] of bodySlips) {
    it(what, () => assert.match(judge(invite(slip(BODY, from, to))), expected))
  }

  it('UDP without rport', () => {
    const raw = slip(slip(invite(), ';rport', ''), '/TCP', '/UDP')
    assert.match(judge(raw, 'udp'), /Via without rport/)
  })

  it('a stream is cut by the bytes of Content-Length, wherever its chunks end', () => {
    const raw = Buffer.from(`${invite()}\r\n\r\n${invite('Zoë')}`)
    const framer = new StreamFramer()
    const messages = [...raw].flatMap((_, i) => framer.push(raw.subarray(i, i + 1)))
    assert.deepEqual(
      messages.map((one) => parseSip(one)?.body.toString('utf8')),
      [BODY, 'Zoë'],
    )
  })
})
