import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CallParty, CallSnapshot } from '#call'
import { seededIds } from '#kernel'
import {
  applyMetadata,
  callingParticipant,
  lineSpeakers,
  parseMetadata,
  type RecordingMetadata,
  textOf,
  uuidBase64,
  validateMetadata,
  writeMetadata,
  type XmlElement,
} from '#siprec'
import { schemaProblems } from '../../test/harness/recording-schema.ts'
import { buildMetadata, type MetadataFacts } from './metadata-builder.ts'
import { defaultProfile } from './recorder-profile.ts'
import { CallStreams } from './streams.ts'

const START_MS = Date.UTC(2026, 2, 2, 10, 0, 0, 120)
const ids = seededIds(11)
const STREAMS = new CallStreams(ids)
const SESSION = ids.uuid()
const GROUP = ids.uuid()

function party(role: CallParty['role'], over: Partial<CallParty> = {}): CallParty {
  const leg = role === 'callee' ? 'b' : 'a'
  return {
    participantId: ids.uuid(),
    leg,
    role,
    aors: [`sip:${role}@voice.example`],
    sipCallId: `${leg}-call@voice.example`,
    joinedAtMs: START_MS,
    hold: 'none',
    ...over,
  }
}

const ALICE = party('caller', {
  aors: ['sip:+15550101@carrier.example:5060;user=phone;transport=tcp', 'tel:+15550101'],
  displayName: 'Alice <"&\u0007">',
})
const BOB = party('callee', { aors: ['sip:bob@desk.example'], displayName: 'Bob' })

function snapshot(over: Partial<CallSnapshot> = {}): CallSnapshot {
  return {
    callId: 'c-1',
    sessionId: SESSION,
    groupId: GROUP,
    direction: 'inbound',
    state: 'answered',
    startedAtMs: START_MS,
    parties: [ALICE, BOB],
    encodings: ['PCMU/8000'],
    ...over,
  }
}

function built(over: Partial<CallSnapshot> = {}, facts: Partial<MetadataFacts> = {}): RecordingMetadata {
  const moment = snapshot(over)
  const streams = STREAMS.now(moment, defaultProfile.media)
  const associatedAtMs = START_MS + 220
  return buildMetadata({
    snapshot: moment,
    streams,
    recordingId: 'case-17',
    associatedAtMs,
    jambonzWrapper: false,
    ...facts,
  })
}

function assertSound(metadata: RecordingMetadata): void {
  const bytes = writeMetadata(metadata)
  assert.deepEqual(schemaProblems(bytes), [])
  assert.deepEqual(validateMetadata(metadata, ['1', '2']), [])
  assert.deepEqual(parseMetadata(bytes).warnings, [])
}

function flow(metadata: RecordingMetadata, who: CallParty): [send: string[], recv: string[]] {
  const found = metadata.participantStreamAssocs.find((each) => each.participantId === uuidBase64(who.participantId))
  const labels = (list: readonly string[]): string[] =>
    list.map((id) => metadata.streams.find((stream) => stream.streamId === id)?.label ?? '')
  return [labels(found?.send ?? []), labels(found?.recv ?? [])]
}

function named(elements: readonly XmlElement[], name: string): string | undefined {
  const found = elements.find((each) => each.name === name)
  return found && textOf(found)
}

test('META-17, META-18, SRC-69: the last document says who spoke where until the end, and nothing of those who had left before', () => {
  const endedAtMs = START_MS + 90_000
  const metadata = built({ parties: [ALICE, BOB], state: 'ended', endedAtMs })
  assertSound(metadata)
  assert.deepEqual(
    [flow(metadata, ALICE), flow(metadata, BOB)],
    [
      [['1'], ['2']],
      [['2'], ['1']],
    ],
  )
  assert.ok(metadata.participantStreamAssocs.every((each) => each.disassociateTime === '2026-03-02T10:01:30.120Z'))
  assert.deepEqual(
    lineSpeakers(metadata, ['1', '2']).map((line) => line.participantIds),
    [[uuidBase64(ALICE.participantId)], [uuidBase64(BOB.participantId)]],
  )
  const gone = built({ parties: [ALICE, { ...BOB, leftAtMs: START_MS + 60_000 }], state: 'ended', endedAtMs })
  assert.deepEqual(flow(gone, BOB), [[], []])
})

test('META-12: Session-ID of the call, and of a session before a transfer, is told; without any, none is made up', () => {
  const [now, before] = [`${'a'.repeat(32)};remote=${'c'.repeat(32)}`, `${'a'.repeat(32)};remote=${'b'.repeat(32)}`]
  const earlier = {
    sessionId: GROUP,
    sipSessionIds: [before],
    startedAtMs: START_MS,
    endedAtMs: START_MS + 60_000,
    participantIds: [],
  }
  const metadata = built({ sipSessionIds: [now], earlierSessions: [earlier] })
  assert.deepEqual(
    metadata.sessions.map((session) => session.sipSessionIds),
    [[before], [now]],
  )
})

test('META-01, META-15, META-16, META-17, META-20: a call of two parties', () => {
  const metadata = built()
  assertSound(metadata)
  assert.equal(metadata.sessions[0]?.groupRef, metadata.groups[0]?.groupId)
  assert.equal(metadata.sessions[0]?.startTime, '2026-03-02T10:00:00.120Z')
  assert.deepEqual(metadata.sessions[0]?.sipSessionIds, [])
  assert.equal(metadata.sessionRecordingAssocs[0]?.associateTime, '2026-03-02T10:00:00.340Z')
  assert.deepEqual(
    metadata.streams.map((stream) => stream.label),
    ['1', '2'],
  )
  assert.deepEqual(flow(metadata, ALICE), [['1'], ['2']])
  assert.deepEqual(flow(metadata, BOB), [['2'], ['1']])
  assert.deepEqual(
    lineSpeakers(metadata, ['1', '2']).map((line) => line.participantIds),
    [[uuidBase64(ALICE.participantId)], [uuidBase64(BOB.participantId)]],
  )
  assert.equal(callingParticipant(metadata), uuidBase64(ALICE.participantId))
})

test('META-05, META-06, META-08: ids are version 4 UUIDs in base64, no two the same', () => {
  const metadata = built()
  const all = [
    ...metadata.groups.map((each) => each.groupId),
    ...metadata.sessions.map((each) => each.sessionId),
    ...metadata.participants.map((each) => each.participantId),
    ...metadata.streams.map((each) => each.streamId),
  ]
  assert.equal(new Set(all).size, 6)
  for (const id of all) assert.equal(Buffer.from(id, 'base64')[6]! >> 4, 4)
})

test('META-09, META-10: every address is a nameID, without port and parameters other than user=phone', () => {
  const [alice, bob] = built().participants
  assert.deepEqual(alice?.nameIds, [
    { aor: 'sip:+15550101@carrier.example;user=phone', name: ALICE.displayName },
    { aor: 'tel:+15550101' },
  ])
  assert.deepEqual(bob?.nameIds, [{ aor: 'sip:bob@desk.example', name: 'Bob' }])
  assert.equal(named(alice?.extensions ?? [], 'role'), 'caller')
})

test('META-18: a party that holds hears nothing, and the held one is heard by nobody', () => {
  const music = built({ parties: [ALICE, { ...BOB, hold: 'sendonly' }] })
  assertSound(music)
  assert.deepEqual(flow(music, ALICE), [[], ['2']])
  assert.deepEqual(flow(music, BOB), [['2'], []])
  const silence = built({ parties: [ALICE, { ...BOB, hold: 'inactive' }] })
  assertSound(silence)
  assert.deepEqual(flow(silence, BOB), [[], []])
  assert.equal(music.participantStreamAssocs[0]?.associateTime, built().participantStreamAssocs[0]?.associateTime)
})

test('META-24: a leaver stays in the document with its time of leaving and without streams', () => {
  const carol = party('callee', { leg: 'c', joinedAtMs: START_MS + 9_000 })
  const metadata = built({ parties: [ALICE, { ...BOB, leftAtMs: START_MS + 9_000 }, carol] })
  assertSound(metadata)
  assert.equal(metadata.participants.length, 3)
  assert.equal(metadata.participantSessionAssocs[1]?.disassociateTime, '2026-03-02T10:00:09.120Z')
  assert.deepEqual(flow(metadata, BOB), [[], []])
  assert.deepEqual(flow(metadata, carol), [['2'], ['1']])
})

test('META-13, META-14: the end of the call gives stop-time, reason and the leaving of all', () => {
  const endedAtMs = START_MS + 60_000
  const endReason = { protocol: 'Q.850', cause: 16, text: 'Normal call clearing' }
  const metadata = built({ state: 'ended', endedAtMs, endReason })
  assertSound(metadata)
  assert.equal(metadata.sessions[0]?.stopTime, '2026-03-02T10:01:00.120Z')
  assert.deepEqual(metadata.sessions[0]?.reasons, [endReason])
  const ends = [...metadata.participantSessionAssocs, ...metadata.sessionRecordingAssocs, ...metadata.groups]
  assert.deepEqual(new Set(ends.map((each) => each.disassociateTime)), new Set(['2026-03-02T10:01:00.120Z']))
})

test('META-13: a cause that the schema cannot hold is left out', () => {
  const endReason = { protocol: 'SIP', cause: 99_999, text: '' }
  const metadata = built({ state: 'ended', endedAtMs: START_MS + 1, endReason })
  assertSound(metadata)
  assert.deepEqual(metadata.sessions[0]?.reasons, [])
})

test('META-16: a recording that stops before the call unties the session at that time', () => {
  const metadata = built({}, { disassociatedAtMs: START_MS + 5_000 })
  assertSound(metadata)
  assert.equal(metadata.sessionRecordingAssocs[0]?.disassociateTime, '2026-03-02T10:00:05.120Z')
  assert.equal(metadata.participantSessionAssocs[0]?.disassociateTime, undefined)
})

test('META-23: our extension names direction, dialogs and the recording; role is that of the party', () => {
  const call = built().sessions[0]?.extensions.find((each) => each.name === 'call')
  assert.deepEqual(call?.attributes, [{ name: 'direction', value: 'inbound' }])
  const children = (call?.children ?? []).filter((child) => typeof child !== 'string')
  assert.deepEqual(
    children.map((each) => [each.name, each.attributes[0]?.value, textOf(each)]),
    [
      ['sipCallId', 'a', 'a-call@voice.example'],
      ['sipCallId', 'b', 'b-call@voice.example'],
      ['recordingRef', undefined, 'case-17'],
    ],
  )
})

test('META-23, peer defect 4: called and calling number of the jambonz elements are not swapped', () => {
  const extensions = built().sessions[0]?.extensions ?? []
  const values = ['callsid', 'direction', 'recordingid', 'callednumber', 'callingnumber'].map((name) =>
    named(extensions, name),
  )
  assert.deepEqual(values, ['c-1', 'inbound', 'case-17', 'bob', '+15550101'])
  const automaton = party('automaton', { aors: ['sip:8000@gw.example'] })
  const toFlow = built({ parties: [ALICE, automaton, BOB] }).sessions[0]?.extensions ?? []
  assert.equal(named(toFlow, 'callednumber'), '8000')
})

test("META-23: the asker's ids of the call stand in the jambonz elements, where there are none our own id does", () => {
  const application = { callSid: 'call-1', accountSid: 'account-2', applicationSid: 'application-3' }
  const extensions = built({}, { application }).sessions[0]?.extensions ?? []
  const values = ['callsid', 'accountsid', 'applicationsid'].map((name) => named(extensions, name))
  assert.deepEqual(values, ['call-1', 'account-2', 'application-3'])
  const own = built({}, { application: { accountSid: 'account-2' } }).sessions[0]?.extensions ?? []
  assert.deepEqual([named(own, 'callsid'), named(own, 'accountsid')], ['c-1', 'account-2'])
  assert.ok(!own.some(({ name }) => name === 'applicationsid'))
})

test('an empty recording id leaves no element at all', () => {
  const metadata = built({}, { recordingId: '' })
  assertSound(metadata)
  assert.doesNotMatch(new TextDecoder().decode(writeMetadata(metadata)), /recordingid|recordingRef/)
})

test('the jambonz profile wraps its elements, as the original does, outside the schema', () => {
  const metadata = built({}, { jambonzWrapper: true })
  const bytes = writeMetadata(metadata)
  assert.match(
    new TextDecoder().decode(bytes),
    /<extensiondata xmlns:jb="http:\/\/jambonz.org\/siprec"><jb:callsid>c-1<\/jb:callsid><jb:direction>inbound<\/jb:direction><jb:recordingid>case-17<\/jb:recordingid>/,
  )
  assert.notDeepEqual(schemaProblems(bytes), [])
  const read = parseMetadata(bytes)
  assert.equal(named(read.metadata?.extensions ?? [], 'recordingid'), 'case-17')
  assert.deepEqual(
    read.metadata?.sessions[0]?.extensions.map((each) => each.name),
    ['call'],
  )
})

type Step = 'hold-a' | 'hold-b' | 'silence-b' | 'resume' | 'leave' | 'join' | 'automaton' | 'end'

function played(steps: readonly Step[], names: readonly string[]): CallSnapshot[] {
  let now = START_MS
  let current = snapshot({
    parties: [
      { ...ALICE, aors: names.map((name) => `sip:${encodeURIComponent(name)}@x.example`), displayName: names[0]! },
      BOB,
    ],
  })
  const history = [current]
  const change = (side: 'caller' | 'far', over: Partial<CallParty>): readonly CallParty[] =>
    current.parties.map((each) =>
      (each.role === 'caller') === (side === 'caller') && each.leftAtMs === undefined ? { ...each, ...over } : each,
    )
  const add = (role: CallParty['role']): readonly CallParty[] => [
    ...change('far', { leftAtMs: now }),
    party(role, { joinedAtMs: now }),
  ]
  for (const step of steps) {
    now += 1_000
    if (step === 'hold-a') current = { ...current, parties: change('caller', { hold: 'sendonly' }) }
    else if (step === 'hold-b') current = { ...current, parties: change('far', { hold: 'sendonly' }) }
    else if (step === 'silence-b') current = { ...current, parties: change('far', { hold: 'inactive' }) }
    else if (step === 'resume')
      current = { ...current, parties: current.parties.map((each) => ({ ...each, hold: 'none' })) }
    else if (step === 'leave') current = { ...current, parties: change('far', { leftAtMs: now }) }
    else if (step === 'join') current = { ...current, parties: add('callee') }
    else if (step === 'automaton') current = { ...current, parties: add('automaton') }
    else
      current = {
        ...current,
        state: 'ended',
        endedAtMs: now,
        endReason: { protocol: 'SIP', cause: 200, text: names[0]! },
      }
    history.push(current)
    if (step === 'end') break
  }
  return history
}

test('META-04, META-18, META-25: over any history of a call each document is valid, and a recorder follows it', () => {
  const step = fc.constantFrom<Step[]>('hold-a', 'hold-b', 'silence-b', 'resume', 'leave', 'join', 'automaton', 'end')
  const names = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 2 })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), names, fc.string({ maxLength: 10 }), (steps, texts, recordingId) => {
      let state: RecordingMetadata | undefined
      for (const moment of played(steps, texts)) {
        const streams = STREAMS.now(moment, defaultProfile.media)
        const metadata = buildMetadata({
          snapshot: moment,
          streams,
          recordingId,
          associatedAtMs: START_MS,
          jambonzWrapper: false,
        })
        assertSound(metadata)
        state = applyMetadata(state, parseMetadata(writeMetadata(metadata)).metadata!)
        const merged = applyMetadata(state, { ...state, dataMode: 'partial' })
        assert.deepEqual(merged, state)
      }
    }),
    { numRuns: 60 },
  )
})
