// What recording clients in the field send that no RFC has: one INVITE each, and what becomes of its session.

import type { Manifest } from '#store'
import { callXml, idOf, multipart, type RawInvite, sdpPart, sdpText, xmlPart } from './raw-client.ts'

/** What becomes of a session; what is left out is as with a client that keeps the RFC. */
interface Expected {
  readonly labels?: readonly (string | undefined)[]
  readonly speakers?: readonly (readonly string[])[]
  readonly isInferred?: boolean
  readonly isInvalid?: boolean
}

type Case = readonly [what: string, invite: RawInvite, expected?: Expected]

const BOTH = [['Ann'], ['Ben']]
const UNKNOWN = [[], []]
const NO_XML: Expected = { speakers: UNKNOWN }
const header =
  (name: string, line?: string) =>
  (lines: string[]): string[] =>
    lines.flatMap((one) => (one.startsWith(`${name}:`) ? (line === undefined ? [] : [line]) : [one]))

const contact = (value: string): RawInvite => ({ head: header('Contact', `Contact: ${value}`), xml: callXml() })
const xml = (change: (text: string) => string): RawInvite => ({ xml: callXml(change) })
const sdp = (change: (text: string) => string): RawInvite => ({ sdp: change(sdpText()), xml: callXml() })
const mime = (parts: readonly string[], contentType = 'multipart/mixed;boundary=raw', end?: string): RawInvite => ({
  body: { contentType, text: multipart(parts, end) },
})
const typed = (type: string): RawInvite => mime([sdpPart(), xmlPart(callXml(), type)])
const without = (...names: string[]): ((text: string) => string) => {
  const pattern = new RegExp(`<(${names.join('|')})\\b[^>]*>.*?</\\1>\\n?`, 'gs')
  return (text) => text.replace(pattern, '')
}
const labelled = (...labels: string[]): RawInvite => ({
  sdp: sdpText(labels),
  xml: callXml((text) =>
    text.replace('<label>1<', `<label>${labels[0]}<`).replace('<label>2<', `<label>${labels[1]}<`),
  ),
})

const cases: readonly Case[] = [
  ['a client that keeps the RFC', { xml: callXml() }],
  ['oddity 1: no Require: siprec', { head: header('Require'), xml: callXml() }],
  ['oddity 2, L-02: ;src in Contact', contact('<sip:src@192.0.2.60>;src')],
  ['oddity 2: Contact without <>', contact('sip:src@192.0.2.60;+sip.src')],
  ['oddity 2: an unclosed < in Contact', contact('<sip:src@192.0.2.60;+sip.src')],
  ['oddity 2: a Contact that is no URI', contact('src at 192.0.2.60')],
  ['no Contact', { head: header('Contact'), xml: callXml() }],
  ['oddity 3: metadata before SDP', mime([xmlPart(callXml()), sdpPart()])],
  [
    'oddity 3: an extra third part',
    mime([
      sdpPart(),
      xmlPart(callXml()),
      'Content-Type: application/gtd\nContent-Disposition: signal;handling=optional\n\nIAM,\n',
    ]),
  ],
  ['oddity 3: no closing boundary', mime([sdpPart(), xmlPart(callXml())], undefined, '')],
  [
    'oddity 3: trailing spaces after the boundary',
    {
      body: {
        contentType: 'multipart/mixed;boundary=raw',
        text: multipart([sdpPart(), xmlPart(callXml())]).replaceAll('--raw\n', '--raw  \n'),
      },
    },
  ],
  [
    'oddity 3: a quoted boundary that begins with dashes',
    {
      body: {
        contentType: 'multipart/mixed; boundary="--raw x"',
        text: multipart([sdpPart(), xmlPart(callXml())]).replaceAll('--raw', '----raw x'),
      },
    },
  ],
  ['oddity 4: the media type without +xml', typed('application/rs-metadata')],
  ['oddity 4: a media type of garbage', typed('rs metadata ///')],
  ['metadata as text/xml', typed('text/xml')],
  [
    'oddity 5: a raw address in the text of an element',
    xml((text) => text.replace('>Ann<', '>Ann <sip:ann@client.test><')),
    { speakers: [['Ann <sip:ann@client.test>'], ['Ben']], isInvalid: true },
  ],
  ['oddity 5: tags stripped', xml((text) => text.replace(/<[^>]*>/g, '')), { speakers: UNKNOWN, isInvalid: true }],
  ['oddity 5: a document that is cut off', xml((text) => text.slice(0, 700)), { speakers: UNKNOWN, isInvalid: true }],
  [
    'oddity 6: another root',
    xml((text) => text.replaceAll('recording>', 'call>').replace('<recording ', '<call ')),
    { speakers: UNKNOWN, isInvalid: true },
  ],
  ['oddity 6, L-11: a namespace without :1', xml((text) => text.replace('recording:1"', 'recording"'))],
  ['no namespace', xml((text) => text.replace(' xmlns="urn:ietf:params:xml:ns:recording:1"', ''))],
  [
    'oddity 6: a prefix on every element',
    xml((text) => text.replace(/<(\/?)([a-z])/gi, '<$1tns:$2').replace('xmlns=', 'xmlns:tns=')),
  ],
  [
    'oddity 6: camelCase',
    xml((text) =>
      text
        .replaceAll('datamode', 'dataMode')
        .replaceAll('streamassoc', 'StreamAssoc')
        .replaceAll('participantsessionassoc', 'participantSessionAssoc'),
    ),
  ],
  [
    'oddity 7, L-12: id and session attributes, and send and recv inside the participant',
    xml((text) =>
      without(
        'participantstreamassoc',
        'participantsessionassoc',
      )(text)
        .replace('recording:1"', 'recording"')
        .replaceAll('participant_id=', `session="${idOf('c')}" id=`)
        .replaceAll('stream_id=', 'id=')
        .replaceAll(' session_id=', ' session=')
        .replace('<session session=', '<session id=')
        .replace('Ann</name></nameID>', `Ann</name></nameID><send>${idOf('1')}</send>`)
        .replace('Ben</name></nameID>', `Ben</name></nameID><send>${idOf('2')}</send>`),
    ),
  ],
  [
    'L-13: the first draft',
    {
      xml: `<recording_metadata xmlns="urn:ietf:params:xml:ns:siprec"><dataMode>complete</dataMode>
<session id="urn:uuid:1"/>
<participant id="urn:uuid:2" session="urn:uuid:1"><nameID aor="sip:ann@client.test"><name>Ann</name></nameID><send><id>urn:uuid:4</id></send></participant>
<participant id="urn:uuid:3" session="urn:uuid:1"><nameID aor="sip:ben@client.test"><name>Ben</name></nameID><send><id>urn:uuid:5</id></send></participant>
<stream id="urn:uuid:4"><label>1</label></stream><stream id="urn:uuid:5"><label>2</label></stream></recording_metadata>`,
    },
  ],
  [
    'L-10: ids in hexadecimal and as text, in any order of elements',
    xml((text) => {
      const lines = text
        .replaceAll(idOf('a'), '00FA08AA')
        .replaceAll(idOf('1'), 'urn:uuid:11111111-1111-4111-8111-111111111111')
        .split('\n')
      return [...lines.slice(0, 2), ...lines.slice(2, -2).reverse(), ...lines.slice(-2)].join('\n')
    }),
  ],
  [
    'L-10: an empty stream id',
    xml((text) => text.replace(`<stream stream_id="${idOf('2')}"`, '<stream stream_id=""')),
    { speakers: [['Ann'], []] },
  ],
  ['oddity 8: no stream elements', xml(without('stream')), { speakers: UNKNOWN }],
  ['oddity 8, L-16: no participantstreamassoc', xml(without('participantstreamassoc')), { isInferred: true }],
  [
    'oddity 8: an association that names a stream nobody described',
    xml((text) => text.replace(`<send>${idOf('2')}`, `<send>${idOf('9')}`)),
    { speakers: [['Ann'], []] },
  ],
  [
    'an association of a participant nobody described',
    xml((text) => text.replace(/<participant participant_id="Y[^>]*>.*Ben.*\n/, '')),
    { speakers: [['Ann'], []] },
  ],
  [
    'oddity 9: one participant with two send streams beside another without one',
    xml((text) =>
      text
        .replace(`<send>${idOf('2')}</send>`, '')
        .replace(`<send>${idOf('1')}</send>`, `<send>${idOf('1')}</send><send>${idOf('2')}</send>`),
    ),
    { speakers: UNKNOWN },
  ],
  [
    'oddity 9: a stream owned by nobody',
    xml((text) => text.replace(`<send>${idOf('2')}</send>`, '')),
    { speakers: [['Ann'], []] },
  ],
  [
    'oddity 9: five participants on two streams',
    xml((text) =>
      text
        .replace(
          '<stream ',
          `${['d', 'e', 'f'].map((id) => `<participant participant_id="${idOf(id)}"><nameID aor="sip:${id}@client.test"/></participant>`).join('')}<stream `,
        )
        .replace(
          '</recording>',
          `${['d', 'e', 'f'].map((id) => `<participantstreamassoc participant_id="${idOf(id)}"><send>${idOf('2')}</send></participantstreamassoc>`).join('')}</recording>`,
        ),
    ),
    { speakers: [['Ann'], ['Ben', 'sip:d@client.test', 'sip:e@client.test', 'sip:f@client.test']] },
  ],
  [
    'five participants on two streams without associations',
    xml((text) =>
      without('participantstreamassoc')(text).replace(
        '<stream ',
        `${['d', 'e', 'f'].map((id) => `<participant participant_id="${idOf(id)}"><nameID aor="sip:${id}@client.test"/></participant>`).join('')}<stream `,
      ),
    ),
    { speakers: UNKNOWN },
  ],
  [
    'oddity 10: labels of the SDP that differ from those of the XML',
    { sdp: sdpText(['7', '8']), xml: callXml() },
    { labels: ['7', '8'], speakers: UNKNOWN },
  ],
  [
    'one label twice in the SDP',
    { sdp: sdpText(['1', '1']), xml: callXml() },
    { labels: ['1', '1'], speakers: UNKNOWN },
  ],
  ['one label twice in the XML', xml((text) => text.replace('<label>2<', '<label>1<')), { speakers: UNKNOWN }],
  ['L-08: no labels', { sdp: sdpText(['', '']), xml: callXml() }, { labels: [undefined, undefined], isInferred: true }],
  [
    'L-08: no labels for one of three streams',
    {
      sdp: sdpText(['', '']),
      xml: callXml((text) =>
        text.replace('<stream ', `<stream stream_id="${idOf('0')}"><label>0</label></stream><stream `),
      ),
    },
    { labels: [undefined, undefined], speakers: UNKNOWN },
  ],
  ['oddity 11: labels 0 and 16777227', labelled('0', '16777227'), { labels: ['0', '16777227'] }],
  ['oddity 11: labels a_leg and inbound', labelled('a_leg', 'inbound'), { labels: ['a_leg', 'inbound'] }],
  ['sendrecv', { sdp: sdpText(['1', '2'], ['a=sendrecv']), xml: callXml() }],
  ['L-09: no direction', { sdp: sdpText(['1', '2'], []), xml: callXml() }],
  ['oddity 14, L-09: no c= line', sdp((text) => text.replace(/c=.*\n/, ''))],
  [
    'oddity 14: a c= line per m-line that differs from the first',
    sdp((text) => text.replaceAll('a=rtpmap', 'c=IN IP4 127.0.0.2\na=rtpmap')),
  ],
  ['oddity 14: o= with 0.0.0.0', sdp((text) => text.replace(/o=.*/, 'o=- 0 0 IN IP4 0.0.0.0'))],
  ['o= that is not of its form', sdp((text) => text.replace(/o=.*/, 'o=client'))],
  ['no o= line', sdp((text) => text.replace(/o=.*\n/, ''))],
  ['o= of a private network type', sdp((text) => text.replace(/o=.*/, 'o=- 1 1 in ip4 127.0.0.1'))],
  ['L-09: no t= and no s= line', sdp((text) => text.replace(/t=.*\n/, '').replace(/s=.*\n/, ''))],
  ['oddity 15: a=rtpmap:0 pcmu/8000a', sdp((text) => text.replaceAll('PCMU/8000', 'pcmu/8000a'))],
  ['oddity 15: rtpmap in lower case', sdp((text) => text.replaceAll('PCMU', 'pcmu'))],
  ['oddity 15: a static type without rtpmap', sdp((text) => text.replaceAll('a=rtpmap:0 PCMU/8000\n', ''))],
  [
    'oddity 15: fmtp with blanks',
    sdp((text) =>
      text
        .replaceAll('AVP 0', 'AVP 0 101')
        .replaceAll('a=sendonly', 'a=rtpmap:101  telephone-event/8000 \na=fmtp: 101  0 - 15 \na=sendonly'),
    ),
  ],
  [
    'oddity 17: comfort noise 19 and telephone-event',
    sdp((text) =>
      text
        .replaceAll('AVP 0', 'AVP 0 19 101')
        .replaceAll('a=sendonly', 'a=rtpmap:19 CN/8000\na=rtpmap:101 telephone-event/8000\na=sendonly'),
    ),
  ],
  [
    'unknown lines and attributes in the SDP',
    sdp((text) => text.replace('t=0 0', 't=0 0\nz=0 0\nX-vendor=1\na=acme:1\njunk')),
  ],
  ['oddity 18, L-06, SRS-22: a message with bare LF throughout', { xml: callXml(), lineEnd: '\n' }],
  [
    'oddity 19: two blanks around the colon of headers',
    { head: (lines) => lines.map((line, at) => (at === 0 ? line : line.replace(': ', '  :  '))), xml: callXml() },
  ],
  [
    'oddity 19: folded headers',
    { head: header('Contact', 'Contact: <sip:src@192.0.2.60>\r\n ;+sip.src'), xml: callXml() },
  ],
  [
    'oddity 20: Session-Expires and Min-SE in the first INVITE',
    {
      head: (lines) => [...lines, 'Supported: timer', 'Session-Expires: 1800;refresher=uac', 'Min-SE: 90'],
      xml: callXml(),
    },
  ],
  [
    'Supported: 100rel, which we may leave unused',
    { head: (lines) => [...lines, 'Supported: 100rel'], xml: callXml() },
  ],
  ['oddity 22, L-14: a clock in 1970', xml((text) => text.replaceAll('2026-03-02', '1970-01-01'))],
  ['oddity 22, L-14: times without zone', xml((text) => text.replaceAll('00Z', '00'))],
  ['oddity 22, L-14: the zone +0000', xml((text) => text.replaceAll('00Z', '00+0000'))],
  ['oddity 22, L-14: microseconds', xml((text) => text.replaceAll('00Z', '00.123456Z'))],
  ['oddity 22, L-14: a local offset', xml((text) => text.replaceAll('00Z', '00-07:30'))],
  ['a time that is none', xml((text) => text.replaceAll('2026-03-02T10:00:00Z', 'yesterday'))],
  [
    'L-15: addresses without scheme, with display text, and several',
    xml((text) =>
      text
        .replace('"sip:ann@client.test"', '"ann@client.test"')
        .replace('aor="sip:ben@client.test"', 'aor=\'"Ben" &lt;sip:ben@client.test&gt;\'')
        .replace('Ann</name></nameID>', 'Ann</name></nameID><nameID aor="tel:+15550100"/>'),
    ),
  ],
  [
    'L-17: extension elements anywhere',
    xml((text) =>
      text
        .replaceAll('<label>', '<mode>separate</mode><ac:x xmlns:ac="urn:ac">1</ac:x><label>')
        .replace('<session ', '<extensiondata><x xmlns="">7</x></extensiondata><session '),
    ),
  ],
  [
    'oddity 24: a Recording ID in extensiondata under recording',
    xml((text) =>
      text.replace(
        '<session ',
        '<extensiondata xmlns:jb="http://jambonz.org/siprec"><jb:recordingid>r-17</jb:recordingid><jb:callednumber>ann</jb:callednumber></extensiondata><session ',
      ),
    ),
  ],
  ['a stream id used for both streams', xml((text) => text.replaceAll(idOf('2'), idOf('1'))), { speakers: UNKNOWN }],
  ['L-04: no metadata at all', {}, NO_XML],
  ['an empty metadata part', { xml: '' }, { speakers: UNKNOWN, isInvalid: true }],
  ['L-06: a byte order mark and blanks before <?xml', xml((text) => `\uFEFF\n  ${text}`)],
  [
    'SRS-48: a document with nothing in it',
    { xml: '<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode></recording>' },
    { speakers: UNKNOWN },
  ],
  [
    'SRS-49: a stream that is described and not delivered',
    xml((text) => text.replace('<stream ', `<stream stream_id="${idOf('8')}"><label>8</label></stream><stream `)),
  ],
  [
    'SRS-49: an m-line that no stream describes',
    xml((text) => text.replace(/<stream stream_id="M[^>]*><label>2.*\n/, '')),
    { speakers: [['Ann'], []] },
  ],
]

/** What a manifest tells of the speakers of two streams. */
interface SpokenFacts {
  readonly speakers: readonly (readonly string[])[]
  readonly isInferred: boolean
  readonly isInvalid: boolean
}

/** An INVITE of two streams, the labels of its answer, and what its recording says; its name begins with the ids that it shows. */
interface Oddity {
  readonly what: string
  readonly invite: RawInvite
  readonly labels: readonly (string | undefined)[]
  readonly facts: SpokenFacts
}

/** All that is known; the numbers are those of docs/recorder-oddities.tsv. */
export const oddities: readonly Oddity[] = cases.map(([what, invite, expected = {}]) => {
  const { labels = ['1', '2'], speakers = BOTH, isInferred = false, isInvalid = false } = expected
  return { what, invite, labels, facts: { speakers, isInferred, isInvalid } }
})

/** The same of a recording. */
export function spokenFacts({ facts }: Manifest): SpokenFacts {
  return { speakers: facts.speakers, isInferred: facts.speakersInferred, isInvalid: facts.metadataInvalid }
}
