import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { randomMetadata } from '../../test/harness/random-metadata.ts'
import { schemaProblems } from '../../test/harness/recording-schema.ts'
import { emptyMetadata, RECORDING_NAMESPACE, type RecordingMetadata } from './metadata.ts'
import { parseMetadata } from './metadata-reader.ts'
import { writeMetadata, writeSnapshotRequest } from './metadata-writer.ts'
import type { XmlElement } from './xml-element.ts'

const ID = 'AAAAAAAAAAAAAAAAAAAAAA=='

function text(metadata: RecordingMetadata): string {
  return new TextDecoder().decode(writeMetadata(metadata))
}

function foreign(over: Partial<XmlElement> = {}): XmlElement {
  return { namespace: 'urn:example:x', name: 'extra', attributes: [], children: [], ...over }
}

function named(name: string): RecordingMetadata {
  const participant = { participantId: ID, nameIds: [{ aor: 'sip:a@b.example', name }], extensions: [] }
  return { ...emptyMetadata('complete'), participants: [participant] }
}

test('META-01, META-02, META-04, META-19: whatever is written is valid by the schema of RFC 7865 and reads back equal', () => {
  fc.assert(
    fc.property(randomMetadata, (metadata) => {
      const bytes = writeMetadata(metadata)
      assert.deepEqual(schemaProblems(bytes), [])
      const read = parseMetadata(bytes)
      assert.deepEqual(read.warnings, [])
      assert.equal(read.invalid, false)
      assert.equal(read.dialect, 'rfc7865')
      assert.deepEqual(read.metadata, metadata)
    }),
    { numRuns: 60 },
  )
})

test('META-01, META-03: the document begins with its declaration and one root in the namespace', () => {
  assert.equal(
    text(emptyMetadata('complete')),
    `<?xml version="1.0" encoding="UTF-8"?>\n<recording xmlns="${RECORDING_NAMESPACE}">\n<datamode>complete</datamode>\n</recording>\n`,
  )
})

test('META-33: text is escaped and characters that XML forbids are dropped', () => {
  const metadata = named('<&>"\'\0\x07\x1f\ufffe]]>')
  assert.match(text(metadata), /<name>&lt;&amp;&gt;&quot;&apos;\]\]&gt;<\/name>/)
  assert.deepEqual(schemaProblems(writeMetadata(metadata)), [])
})

test('META-33: no name or address can end its element or add one', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', minLength: 1 }), (name, aor) => {
      const participant = { participantId: ID, nameIds: [{ aor: `x${aor}`, name }], extensions: [] }
      const read = parseMetadata(writeMetadata({ ...emptyMetadata('complete'), participants: [participant] }))
      assert.equal(read.invalid, false)
      assert.equal(read.metadata?.participants.length, 1)
      assert.equal(read.metadata?.participants[0]?.nameIds.length, 1)
      assert.deepEqual(read.warnings, [])
    }),
  )
})

test('META-23: capabilities are params, and foreign elements are valid at the end of every element that may have them', () => {
  const extensions = [foreign()]
  const metadata: RecordingMetadata = {
    dataMode: 'complete',
    groups: [{ groupId: ID, extensions }],
    sessions: [{ sessionId: ID, sipSessionIds: [], reasons: [], startTime: '2026-01-01T00:00:00Z', extensions }],
    participants: [{ participantId: ID, nameIds: [{ aor: 'sip:a@b.example' }], extensions }],
    streams: [{ streamId: ID, label: '1', extensions }],
    sessionRecordingAssocs: [{ sessionId: ID, extensions }],
    participantSessionAssocs: [
      { participantId: ID, sessionId: ID, params: [{ name: 'isfocus', value: 'true' }], extensions },
    ],
    participantStreamAssocs: [{ participantId: ID, send: [ID], recv: [ID], extensions }],
    extensions,
  }
  assert.deepEqual(schemaProblems(writeMetadata(metadata)), [])
  assert.equal(text(metadata).split('<extra xmlns="urn:example:x"/>').length - 1, 8)
})

test('META-23: the schema refuses extensions in the recording namespace and in none', () => {
  for (const namespace of [RECORDING_NAMESPACE, '']) {
    const metadata = { ...emptyMetadata('complete'), extensions: [foreign({ namespace })] }
    assert.notDeepEqual(schemaProblems(writeMetadata(metadata)), [], namespace)
  }
})

test('prefixes inside an extension are declared once, on its outermost element', () => {
  const jb = (name: string, content: string): XmlElement =>
    foreign({ namespace: 'urn:example:jb', prefix: 'jb', name, children: [content] })
  const wrapper = foreign({ namespace: RECORDING_NAMESPACE, name: 'wrapper', children: [jb('a', '1'), jb('b', '2')] })
  assert.match(
    text({ ...emptyMetadata('complete'), extensions: [wrapper] }),
    /<wrapper xmlns:jb="urn:example:jb"><jb:a>1<\/jb:a><jb:b>2<\/jb:b><\/wrapper>/,
  )
})

test('a prefix of extension elements is declared on the root, one of two namespaces where it differs', () => {
  const jb = (namespace: string): XmlElement => foreign({ namespace, prefix: 'jb' })
  const metadata = {
    ...emptyMetadata('complete'),
    extensions: [jb('urn:example:jb'), jb('urn:example:jb'), jb('urn:other')],
  }
  assert.match(text(metadata), /<recording xmlns="[^"]*" xmlns:jb="urn:example:jb">/)
  assert.match(text(metadata), /<jb:extra\/>\n<jb:extra\/>\n<jb:extra xmlns:jb="urn:other"\/>/)
  assert.deepEqual(schemaProblems(writeMetadata(metadata)), [])
  assert.deepEqual(parseMetadata(writeMetadata(metadata)).metadata, metadata)
})

test('prefixes, namespaced attributes and elements without namespace survive', () => {
  const inner = foreign({
    namespace: '',
    name: 'plain',
    attributes: [{ name: 'q', namespace: 'urn:example:q', value: '1' }],
  })
  const outer = foreign({
    prefix: 'p',
    attributes: [{ name: 'lang', namespace: 'http://www.w3.org/XML/1998/namespace', value: 'en' }],
    children: ['before', inner, foreign({ namespace: 'urn:example:other', prefix: 'p' }), 'after'],
  })
  const metadata = { ...emptyMetadata('complete'), extensions: [outer] }
  const read = parseMetadata(writeMetadata(metadata))
  assert.deepEqual(read.warnings, [])
  assert.deepEqual(read.metadata?.extensions, [outer])
})

test('a snapshot request is valid and recognised by its root', () => {
  const bytes = writeSnapshotRequest('state <lost>')
  assert.deepEqual(schemaProblems(bytes), [])
  assert.equal(parseMetadata(bytes).root, 'requestsnapshot')
  assert.deepEqual(schemaProblems(writeSnapshotRequest()), [])
})
