// Bodies in the shapes that recording clients in the field send.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labelOf, parseSdp } from '#sdp'
import { fixtureText } from '../../test/harness/fixtures.ts'
import { isMetadata, isSdp, parseBody } from './body.ts'
import { lineSpeakers } from './line-speakers.ts'
import { callingParticipant } from './metadata-parties.ts'
import { parseMetadata, type ReadMetadata } from './metadata-reader.ts'
import { childElements, textOf } from './xml-element.ts'

interface Seen extends ReadMetadata {
  /** Addresses of the senders by label of the SDP. */
  readonly senders: Record<string, (string | undefined)[]>
  readonly caller: string | undefined
  readonly otherParts: number
}

function see(name: string, lineEnd = '\n'): Seen {
  const file = fixtureText(`vendors/${name}.txt`)
  const headerEnd = file.indexOf('\n\n')
  const contentType = file.slice(0, headerEnd).replace('Content-Type: ', '')
  const body = new TextEncoder().encode(file.slice(headerEnd + 2).replaceAll('\n', lineEnd))
  const { parts } = parseBody(contentType, undefined, body)
  const sdp = parseSdp(parts.find(isSdp)?.content ?? '')
  assert.ok(sdp.ok)
  const read = parseMetadata(parts.find(isMetadata)?.content ?? new Uint8Array())
  const { metadata } = read
  assert.ok(metadata, name)
  const aorOf = (id: string): string | undefined =>
    metadata.participants.find((each) => each.participantId === id)?.nameIds[0]?.aor
  const labels = sdp.value.media.map((media) => labelOf(media) ?? '')
  const lines = lineSpeakers(metadata, labels)
  assert.ok(lines.every((line) => line.evidence !== 'inferred'))
  const senders = Object.fromEntries(lines.map((line) => [line.label, line.participantIds.map(aorOf)]))
  const caller = aorOf(callingParticipant(metadata) ?? '')
  return { ...read, senders, caller, otherParts: parts.length - 2 }
}

const EXPECTED: Record<string, { dialect: string; senders: Seen['senders'] }> = {
  cisco: { dialect: 'rfc7865', senders: { 1: ['sip:5101@192.0.2.40'], 2: ['sip:5102@192.0.2.40'] } },
  sems: {
    dialect: 'rfc7865',
    senders: { a_leg: ['sip:015550134@198.51.100.7'], b_leg: ['Line-015550199@voice.example'] },
  },
  ribbon: { dialect: 'late-draft', senders: { 1: ['5551230012@198.51.100.10'], 2: ['5551235201@198.51.100.9'] } },
  oracle: {
    dialect: 'mid-draft',
    senders: { 16777301: ['sip:8100@198.51.100.21'], 16777302: ['sip:8200@198.51.100.22'] },
  },
  broadworks: {
    dialect: 'early-draft',
    senders: { 5: ['sip:02070000001', 'sip:07700900123@voice.example;user=phone'] },
  },
  avaya: { dialect: 'rfc7865', senders: { 10: ['sip:edge@edge.example'], 20: ['sip:6100@edge.example'] } },
  metaswitch: { dialect: 'late-draft', senders: { 0: ['2125550101@198.51.100.30', '2125550102@198.51.100.30'] } },
  jambonz: { dialect: 'rfc7865', senders: { 1: ['sip:+15550100@carrier.example'], 2: ['sip:+15550199@gw.example'] } },
}

for (const [name, expected] of Object.entries(EXPECTED)) {
  test(`SRS-06, SRS-55: the ${name} form gives the sender of each label, with LF and with CRLF`, () => {
    for (const lineEnd of ['\n', '\r\n']) {
      const seen = see(name, lineEnd)
      assert.deepEqual(seen.senders, expected.senders)
      assert.deepEqual([seen.root, seen.dialect, seen.invalid], ['recording', expected.dialect, false])
    }
  })
}

test('a third part is kept apart from SDP and metadata', () => {
  assert.equal(see('cisco').otherParts, 1)
  assert.equal(see('oracle').otherParts, 0)
})

test('META-18: associations without streams say that the party is on hold', () => {
  const seen = see('cisco-hold')
  assert.deepEqual(seen.senders, { 1: [], 2: [] })
  assert.deepEqual(seen.metadata?.participantStreamAssocs, [
    { participantId: 'oL1nGmQXEeyBAQABAgMEBQ==', send: [], recv: [], extensions: [] },
  ])
})

test('META-12: a Call-ID given as session identifier is kept as text', () => {
  assert.deepEqual(see('jambonz').metadata?.sessions[0]?.sipSessionIds, ['d41d8cd9-8f00@198.51.100.40'])
})

test('drafts tell the session of a participant by attribute, and times are repaired', () => {
  const { metadata, warnings } = see('oracle')
  assert.deepEqual(metadata?.participantSessionAssocs[0], {
    participantId: 'cGFydHktb25lLW9yYWNsZQ==',
    sessionId: 'c2Vzc2lvbi1vcmFjbGUwMA==',
    associateTime: '2026-02-11T16:50:20Z',
    params: [],
    extensions: [],
  })
  assert.equal(metadata?.sessions[0]?.startTime, '2026-02-11T16:50:20Z')
  assert.ok(warnings.includes('time without zone'))
})

test('extension data is found wrapped or not, in the element that it belongs to', () => {
  const calling = see('oracle').metadata?.participants[0]?.extensions[0]
  assert.deepEqual([calling?.name, calling && textOf(calling)], ['callingParty', 'true'])
  const broadworks = see('broadworks').metadata
  assert.equal(broadworks?.sessions[0]?.extensions[0]?.name, 'broadWorksRecordingMetadata')
  assert.equal(broadworks?.sessions[0]?.groupRef, broadworks?.groups[0]?.groupId)
  const callData = see('ribbon').metadata?.groups[0]?.extensions[0]
  assert.deepEqual(callData && childElements(callData).map((each) => each.name), ['fromhdr', 'tohdr', 'callid'])
  assert.equal(see('metaswitch').metadata?.extensions[0]?.name, 'metaswitchRecordingMetadata')
  const jambonz = see('jambonz').metadata?.extensions.find((each) => each.name === 'recordingid')
  assert.equal(jambonz && textOf(jambonz), 'case-17')
})

test('L-18: the calling party is found in each form', () => {
  assert.equal(see('oracle').caller, 'sip:8100@198.51.100.21')
  assert.equal(see('broadworks').caller, 'sip:02070000001')
  assert.equal(see('ribbon').caller, '5551235201@198.51.100.9')
  assert.equal(see('cisco').caller, 'sip:5101@192.0.2.40')
  assert.equal(see('jambonz').caller, 'sip:+15550100@carrier.example')
})
