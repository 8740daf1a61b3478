import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixture } from '../../test/harness/fixtures.ts'
import type { RecordingMetadata } from './metadata.ts'
import { parseMetadata } from './metadata-reader.ts'
import { validateMetadata } from './metadata-rules.ts'

function document(file = 'call-complete'): RecordingMetadata {
  const { metadata } = parseMetadata(fixture(`metadata/${file}.xml`))
  assert.ok(metadata)
  return metadata
}

function problems(change: Partial<RecordingMetadata>, labels?: string[]): string {
  return validateMetadata({ ...document(), ...change }, labels).join('\n')
}

test('our examples have no problems', () => {
  assert.deepEqual(validateMetadata(document(), ['1', '2']), [])
  assert.deepEqual(validateMetadata(document('call-hold')), [])
  assert.deepEqual(validateMetadata(document('call-transfer'), ['1', '2', '3']), [])
})

test('META-05, META-08: malformed ids and an id for two elements are named', () => {
  const [first, second] = document().streams
  assert.match(problems({ groups: [{ groupId: 'text', extensions: [] }], sessions: [] }), /id text is not base64/)
  assert.match(problems({ streams: [first!, second!, { ...first!, label: '3' }] }), /names two elements/)
  const shared = document().sessions[0]!.sessionId
  assert.match(problems({ groups: [{ groupId: shared, extensions: [] }] }), /names two elements/)
})

test('META-09: a participant needs an address', () => {
  const participants = document().participants.map((each) => ({ ...each, nameIds: [] }))
  assert.match(problems({ participants }), /has no address/)
})

test('META-11: a time without zone is refused, and an end before its beginning', () => {
  const session = document().sessions[0]!
  assert.match(problems({ sessions: [{ ...session, startTime: '2026-03-02T10:00:00' }] }), /not RFC 3339/)
  assert.match(problems({ sessions: [{ ...session, stopTime: '2026-03-02T09:00:00Z' }] }), /is before/)
})

test('META-12, META-13: a Call-ID as session identifier and a cause beyond a short are named', () => {
  const session = document().sessions[0]!
  assert.match(problems({ sessions: [{ ...session, sipSessionIds: ['abc@host'] }] }), /not RFC 7989/)
  const reasons = [{ protocol: 'SIP', cause: 40_000, text: '' }]
  assert.match(problems({ sessions: [{ ...session, reasons }] }), /cause 40000/)
})

test('META-15, META-16, META-17: references of a complete document resolve', () => {
  assert.match(problems({ groups: [] }), /no group/)
  assert.match(problems({ sessions: [] }), /no session/)
  assert.match(problems({ participants: [] }), /no participant/)
  assert.match(problems({ streams: [] }), /no stream/)
  assert.doesNotMatch(problems({ streams: [], dataMode: 'partial' }), /no stream/)
})

test('META-20, SRC-27: labels are tokens, of one stream each, and those of the SDP', () => {
  const [first, second] = document().streams
  assert.match(problems({ streams: [first!, { ...second!, label: '1' }] }), /label 1 names two streams/)
  assert.match(problems({ streams: [first!, { ...second!, label: 'a b' }] }), /no token/)
  assert.match(problems({}, ['1']), /label 2 has no m-line/)
  assert.match(problems({}, ['1', '2', '3']), /m-line 3 has no stream/)
})

test('META-18: two senders of one stream are shown, a leaver is no sender', () => {
  const [first, second] = document().participantStreamAssocs
  const doubled = { ...second!, send: first!.send }
  assert.match(problems({ participantStreamAssocs: [first!, doubled] }), /two senders/)
  const left = { ...doubled, disassociateTime: '2026-03-02T10:05:00.000Z' }
  assert.doesNotMatch(problems({ participantStreamAssocs: [first!, left] }), /two senders/)
})

test('META-23: extensions in the recording namespace or in none are named', () => {
  for (const namespace of ['', 'urn:ietf:params:xml:ns:recording:1']) {
    const extensions = [{ namespace, name: 'x', attributes: [], children: [] }]
    assert.match(problems({ extensions }), /not in a namespace of its own/)
  }
})

test('AMB-13: a stream that names no session, as one mixed of several calls, is no problem', () => {
  const streams = document().streams.map(({ sessionId: _sessionId, ...stream }) => stream)
  assert.equal(problems({ streams }), '')
})
