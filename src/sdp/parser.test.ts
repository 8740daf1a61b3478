import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as oracle from 'sdp-transform'
import { parseSdp } from './parser.ts'
import { serializeSdp } from './serializer.ts'
import type { SdpAttribute, SessionDescription } from './session-description.ts'

const COMPLETE = [
  'v=0',
  'o=gw 3981 1 IN IP4 192.0.2.10',
  's=-',
  'i=about',
  'c=IN IP4 192.0.2.10',
  'b=AS:84',
  't=0 0',
  'a=tool:x',
  'm=audio 40000/2 RTP/AVP 0 101',
  'i=caller',
  'c=IN IP6 2001:db8::1',
  'b=TIAS:64000',
  'a=rtpmap:0 PCMU/8000',
  'a=x-unknown:some thing: else',
  'a=sendonly',
  'a=label:1',
  '',
].join('\r\n')

function parsed(text: string): SessionDescription & { warnings: string[] } {
  const result = parseSdp(text)
  assert.ok(result.ok, result.ok ? '' : result.error.message)
  return result.value
}

test('SIP-20: a description is written back byte for byte, unknown attributes included', () => {
  const description = parsed(COMPLETE)
  assert.deepEqual(description.warnings, [])
  assert.equal(new TextDecoder().decode(serializeSdp(description)), COMPLETE)
})

test('SIP-20: lines ended by LF alone mean the same as lines ended by CRLF', () => {
  assert.deepEqual(parsed(COMPLETE.replaceAll('\r\n', '\n')), parsed(COMPLETE))
})

test('SIP-20: missing s=, t= and c= are tolerated, named in the warnings and written back legally', () => {
  const description = parsed('v=0\no=- 1 1 IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\n')
  assert.deepEqual(description.warnings, ['s= is missing or empty', 't= is missing', 'c= is missing'])
  assert.match(new TextDecoder().decode(serializeSdp(description)), /\r\ns=-\r\nt=0 0\r\nm=audio/)
})

test('SIP-20: k= is dropped at both levels', () => {
  const description = parsed(COMPLETE.replace('a=tool:x', 'k=clear:key').replace('a=sendonly', 'k=prompt'))
  assert.equal(new TextDecoder().decode(serializeSdp(description)).includes('k='), false)
  assert.ok(description.warnings.includes('k= was dropped'))
})

test('a missing c= is no fault where every media description has its own or is refused', () => {
  const text =
    'v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\nm=video 0 RTP/AVP 31\r\n'
  assert.deepEqual(parsed(text).warnings, [])
})

test('unusable text is refused with the number of its line', () => {
  const head = 'v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n'
  const cases: [string, number][] = [
    ['', 1],
    ['o=- 1 1 IN IP4 h\r\nv=0\r\n', 1],
    ['v=1\r\n', 1],
    ['v=0\r\ns=-\r\n', 3],
    [`${head}m=audio RTP/AVP 0\r\n`, 5],
    [`${head}m=audio 70000 RTP/AVP 0\r\n`, 5],
    [`${head}c=IN IP4\r\n`, 5],
    [`${head}a=tool:\0\r\n`, 5],
  ]
  for (const [text, line] of cases) {
    const result = parseSdp(text)
    assert.equal(result.ok, false, text)
    assert.equal(!result.ok && result.error.line, line, text)
  }
})

test('limits hold: 64 kB, 128 media descriptions, 4096 attributes', () => {
  const head = 'v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n'
  const media = (count: number): string => head + 'm=audio 0 X 0\r\n'.repeat(count)
  const attributes = (count: number): string => head + 'a=b\r\n'.repeat(count)
  assert.equal(parseSdp(media(128)).ok, true)
  assert.equal(parseSdp(media(129)).ok, false)
  assert.equal(parseSdp(attributes(4096)).ok, true)
  assert.equal(parseSdp(attributes(4097)).ok, false)
  assert.equal(parseSdp(head.padEnd(65_536, '\n')).ok, true)
  assert.equal(parseSdp(head.padEnd(65_537, '\n')).ok, false)
})

const token = fc.stringMatching(/^[a-zA-Z0-9.-]{1,12}$/)
const text = fc.string({ maxLength: 20 }).map((value) => value.replace(/[\r\n\0]/g, '_'))
const attribute: fc.Arbitrary<SdpAttribute> = fc.oneof(
  token.map((name) => ({ name })),
  fc.record({ name: token, value: text }),
)
const connection = fc.record({ addressType: fc.constantFrom('IP4' as const, 'IP6' as const), address: token })
const word = fc.stringMatching(/^[a-zA-Z]{1,8}$/)
const media = fc.record(
  {
    kind: word,
    port: fc.nat(65_535),
    portCount: fc.integer({ min: 1, max: 9 }),
    protocol: word,
    formats: fc.array(token, { minLength: 1, maxLength: 5 }),
    title: text,
    connection,
    bandwidth: fc.array(text, { maxLength: 2 }),
    attributes: fc.array(attribute, { maxLength: 6 }),
    other: fc.array(
      text.map((value) => `y=${value}`),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ['kind', 'port', 'protocol', 'formats', 'bandwidth', 'attributes', 'other'] },
)
const description: fc.Arbitrary<SessionDescription> = fc.record({
  origin: fc.record({
    username: token,
    sessionId: fc.nat().map(String),
    sessionVersion: fc.nat().map(String),
    addressType: fc.constantFrom('IP4' as const, 'IP6' as const),
    address: token,
  }),
  sessionName: token,
  connection,
  timing: fc.array(fc.constantFrom('0 0', '1 2'), { minLength: 1, maxLength: 2 }),
  attributes: fc.array(attribute, { maxLength: 4 }),
  media: fc.array(media, { maxLength: 4 }),
  other: fc.array(
    text.map((value) => `i=${value}`),
    { maxLength: 2 },
  ),
})

test('what is written reads back equal', () => {
  fc.assert(
    fc.property(description, (value) => {
      const result = parseSdp(serializeSdp(value))
      assert.ok(result.ok)
      assert.deepEqual(result.value, JSON.parse(JSON.stringify({ ...value, warnings: [] })))
    }),
  )
})

test('an independent parser sees the same media, ports, formats and labels', () => {
  fc.assert(
    fc.property(description, token, (value, label) => {
      const labelled = {
        ...value,
        media: value.media.map(({ portCount: _, ...each }) => ({
          ...each,
          attributes: [{ name: 'label', value: label }],
        })),
      }
      const seen = oracle.parse(new TextDecoder().decode(serializeSdp(labelled)))
      assert.deepEqual(
        seen.media.map((each) => [each.type, each.port, String(each.payloads), String(each.label)]),
        labelled.media.map((each) => [each.kind, each.port, each.formats.join(' '), label]),
      )
    }),
  )
})

test('no input makes the parser throw', () => {
  const line = fc.tuple(fc.constantFrom(...'vosctmabkxiz='), fc.string()).map(([type, value]) => `${type}=${value}`)
  const soup = fc.array(fc.oneof(line, fc.constantFrom(...COMPLETE.split('\r\n'))), { maxLength: 30 })
  fc.assert(fc.property(soup, (lines) => void parseSdp(lines.join('\n'))))
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseSdp(bytes)))
})
