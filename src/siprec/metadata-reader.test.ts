import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fixture, fixtureText } from '../../test/harness/fixtures.ts'
import { schemaProblems } from '../../test/harness/recording-schema.ts'
import { parseMetadata, type ReadMetadata } from './metadata-reader.ts'
import { textOf } from './xml-element.ts'

const NAMESPACE = 'urn:ietf:params:xml:ns:recording:1'

function read(xml: string, contentType?: string): ReadMetadata {
  return parseMetadata(new TextEncoder().encode(xml), contentType)
}

function recording(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><recording xmlns="${NAMESPACE}">${content}</recording>`
}

test('META-01: the examples of RFC 7865 and our own are valid and read without warnings', () => {
  const files = [
    'rfc7865/complete',
    'rfc7865/partial',
    'metadata/call-complete',
    'metadata/call-hold',
    'metadata/call-transfer',
  ]
  for (const file of files) {
    assert.deepEqual(schemaProblems(fixture(`${file}.xml`)), [], file)
    const result = parseMetadata(fixture(`${file}.xml`))
    assert.deepEqual(
      [result.root, result.dialect, result.warnings, result.invalid],
      ['recording', 'rfc7865', [], false],
    )
  }
})

test('META-15, META-17, META-18, META-20: the complete example yields every element with its references', () => {
  const { metadata } = parseMetadata(fixture('rfc7865/complete.xml'))
  assert.ok(metadata)
  assert.equal(metadata.sessions[0]?.groupRef, metadata.groups[0]?.groupId)
  assert.deepEqual(metadata.sessions[0]?.sipSessionIds, [
    'ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2',
  ])
  assert.deepEqual(
    metadata.groups[0]?.extensions.map((each) => each.namespace),
    ['urn:ietf:params:xml:ns:callcenter', 'http://example.com/my'],
  )
  assert.deepEqual(metadata.participants[0]?.nameIds, [{ aor: 'sip:bob@biloxi.com', name: 'Bob', language: 'it' }])
  assert.deepEqual(
    metadata.streams.map((stream) => stream.label),
    ['96', '97', '98', '99'],
  )
  assert.deepEqual(metadata.participantStreamAssocs[0]?.send, ['i1Pz3to5hGk8fuXl+PbwCw==', 'UAAMm5GRQKSCMVvLyl4rFw=='])
  assert.equal(metadata.participantSessionAssocs[1]?.associateTime, '2010-12-16T23:41:07Z')
})

test('a snapshot request is told apart by its root', () => {
  for (const file of ['rfc7865/snapshot-request.xml', 'metadata/snapshot-request.xml']) {
    const result = parseMetadata(fixture(file))
    assert.deepEqual([result.root, result.metadata, result.invalid], ['requestsnapshot', undefined, false])
  }
})

test('META-02: datamode is complete unless it says partial, in either spelling', () => {
  const modeOf = (content: string): string | undefined => read(recording(content)).metadata?.dataMode
  assert.equal(modeOf(''), 'complete')
  assert.equal(modeOf('<datamode>complete</datamode>'), 'complete')
  assert.equal(modeOf('<datamode> partial </datamode>'), 'partial')
  assert.equal(modeOf('<dataMode>Partial</dataMode>'), 'partial')
  assert.deepEqual(read(recording('<dataMode>partial</dataMode>')).warnings, ['datamode not as in the schema'])
})

test('META-03: a charset parameter beats the declaration, which beats the default', () => {
  const xml = (encoding: string): Uint8Array =>
    Buffer.from(
      `<?xml version="1.0" encoding="${encoding}"?><recording xmlns="${NAMESPACE}"><participant participant_id="a"><nameID aor="sip:z"><name>Zo\u00eb</name></nameID></participant></recording>`,
      'latin1',
    )
  const nameOf = (bytes: Uint8Array, type?: string): string | undefined =>
    parseMetadata(bytes, type).metadata?.participants[0]?.nameIds[0]?.name
  assert.equal(nameOf(xml('UTF-8'), 'application/rs-metadata+xml; charset="iso-8859-1"'), 'Zo\u00eb')
  assert.equal(nameOf(xml('iso-8859-1')), 'Zo\u00eb')
  assert.equal(nameOf(xml('UTF-8')), 'Zo\ufffd')
  assert.equal(nameOf(xml('x-none')), 'Zo\ufffd')
})

test('META-04, META-19: any order of elements is read, and named', () => {
  const content =
    '<participantstreamassoc participant_id="p"><associate-time>2026-01-01T00:00:00Z</associate-time><recv>b</recv><send>a</send></participantstreamassoc>' +
    '<stream stream_id="a"><label>1</label></stream><session session_id="s"/>'
  const { metadata, warnings, invalid } = read(recording(content))
  assert.deepEqual(metadata?.participantStreamAssocs[0], {
    participantId: 'p',
    send: ['a'],
    recv: ['b'],
    associateTime: '2026-01-01T00:00:00Z',
    extensions: [],
  })
  assert.equal(metadata?.sessions.length, 1)
  assert.deepEqual([warnings, invalid], [['elements out of schema order'], false])
})

test('META-05: ids are read without the white space that base64 may hold, and are opaque', () => {
  const { metadata } = read(recording('<stream stream_id=" AAAA&#10;BBBB== "/><stream stream_id="plain-text"/>'))
  assert.deepEqual(
    metadata?.streams.map((stream) => stream.streamId),
    ['AAAABBBB==', 'plain-text'],
  )
})

test('META-11: a time without zone is taken as UTC with a warning, an unreadable one is left out', () => {
  const { metadata, warnings } = read(
    recording(
      '<session session_id="s"><start-time>2026-01-01T10:00:00</start-time><stop-time>later</stop-time></session>',
    ),
  )
  assert.equal(metadata?.sessions[0]?.startTime, '2026-01-01T10:00:00Z')
  assert.equal(metadata?.sessions[0]?.stopTime, undefined)
  assert.deepEqual(warnings, ['time without zone', 'unreadable stop-time in session'])
})

test('META-13: the protocol of a reason is SIP by default; a reason without cause is dropped', () => {
  const { metadata, warnings } = read(
    recording(
      '<session session_id="s"><reason cause="200">OK</reason><reason protocol="Q.850" cause="16"/><reason>x</reason></session>',
    ),
  )
  assert.deepEqual(metadata?.sessions[0]?.reasons, [
    { protocol: 'SIP', cause: 200, text: 'OK' },
    { protocol: 'Q.850', cause: 16, text: '' },
  ])
  assert.deepEqual(warnings, ['reason without cause was dropped'])
})

test('META-33: a document type declaration ends reading, so no entity is ever expanded', () => {
  const laughs = `<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>`
  const external = `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>`
  for (const doctype of [laughs, external]) {
    const result = read(`${doctype}<recording xmlns="${NAMESPACE}"><stream stream_id="&b;&x;"/></recording>`)
    assert.deepEqual([result.root, result.invalid, result.metadata], ['unknown', true, undefined])
  }
  const undeclared = read(recording('<stream stream_id="&x;"/>'))
  assert.deepEqual([undeclared.invalid, undeclared.metadata?.streams[0]?.streamId], [true, '&x;'])
})

test('META-33: depth, size and number of elements are limited, and what came before the limit is kept', () => {
  const nested = (depth: number): string => recording(`${'<x xmlns="urn:x">'.repeat(depth)}${'</x>'.repeat(depth)}`)
  assert.equal(read(nested(31)).invalid, false)
  assert.equal(read(nested(32)).invalid, true)
  const many = (count: number): ReadMetadata => read(recording('<stream stream_id="a"/>'.repeat(count)))
  assert.equal(many(9_999).invalid, false)
  assert.equal(many(10_000).invalid, true)
  assert.equal(many(10_000).metadata?.streams.length, 9_999)
  const sized = (size: number): boolean =>
    parseMetadata(new TextEncoder().encode(recording('').padEnd(size, ' '))).invalid
  assert.equal(sized(1_048_576), false)
  assert.equal(sized(1_048_577), true)
})

test('META-33: NUL and other forbidden characters spoil nothing but themselves', () => {
  const { metadata, invalid } = read(
    recording('<stream stream_id="a"><label>1\0</label></stream><stream stream_id="b"/>'),
  )
  assert.equal(invalid, true)
  assert.equal(metadata?.streams.length, 2)
})

test('broken XML yields what could be read', () => {
  const whole = fixtureText('metadata/call-complete.xml')
  const cut = read(whole.slice(0, whole.indexOf('<stream ')))
  assert.equal(cut.invalid, true)
  assert.equal(cut.metadata?.participants.length, 2)
  const unescaped = read(whole.replace('Alice Jones', 'Jones & Sons'))
  assert.equal(unescaped.invalid, true)
  assert.deepEqual(
    unescaped.metadata?.streams.map((stream) => stream.label),
    ['1', '2'],
  )
  assert.equal(unescaped.metadata?.participantStreamAssocs.length, 2)
})

test('a BOM and white space before the declaration are no fault', () => {
  assert.deepEqual(read(`\ufeff \r\n${recording('')}`).invalid, false)
})

test('an unknown root is told and yields nothing', () => {
  for (const xml of ['', 'v=0', '<other/>', '<html><body/></html>']) {
    const result = read(xml)
    assert.deepEqual([result.root, result.invalid, result.metadata], ['unknown', true, undefined])
  }
})

test('extensions keep their structure, attributes and order', () => {
  const { metadata } = parseMetadata(fixture('metadata/call-complete.xml'))
  const call = metadata?.sessions[0]?.extensions[0]
  assert.equal(call?.name, 'call')
  assert.deepEqual(call?.attributes, [{ name: 'direction', value: 'inbound' }])
  assert.equal(call && textOf(call).includes('case-88213'), true)
})

test('no bytes make the reader throw', () => {
  const whole = fixtureText('metadata/call-transfer.xml')
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseMetadata(bytes)))
  fc.assert(
    fc.property(fc.nat(whole.length), fc.nat(60), fc.string({ maxLength: 8 }), (at, length, put) => {
      const result = read(whole.slice(0, at) + put + whole.slice(at + length))
      assert.ok(result.warnings.length <= 101)
    }),
    { numRuns: 300 },
  )
})
