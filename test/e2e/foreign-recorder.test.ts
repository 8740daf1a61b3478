// Our recording client towards a strict recorder that was written from the RFCs alone.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tone } from '#audio'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { shareOfTone } from '../foreign/g711-tones.ts'
import type { RecorderScript } from '../foreign/recorder-session.ts'
import { headerOf } from '../foreign/sip-text.ts'
import { openResources } from '../harness/open-resources.ts'
import {
  CALLEE_HZ,
  CALLER_HZ,
  openPhone,
  openTalk,
  openTestGateway,
  placeTalk,
  type Talk,
  untilIdle,
} from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const DEADLINE_MS = 10_000
const LINES = [0, 1] as const
const TEXT_ENCODED_IDS = /(?:session_id|participant_id|stream_id)="([^"]+)"/g

async function openRecorder(
  t: { after(act: () => void): void },
  script: RecorderScript = {},
): Promise<ForeignRecorder> {
  const recorder = await ForeignRecorder.open(script)
  t.after(() => recorder.close())
  return recorder
}

/** Waits until so many more packets have come on both m-lines. */
async function morePackets(recorder: ForeignRecorder, count: number): Promise<void> {
  const wanted = LINES.map((line) => recorder.rtp(line).length + count)
  const isThere = (): boolean => LINES.every((line) => recorder.rtp(line).length >= wanted[line]!)
  await recorder.waitFor(isThere, DEADLINE_MS, 'RTP on both m-lines')
}

function assertOwnTones(recorder: ForeignRecorder): void {
  for (const [line, own, other] of [
    [0, CALLER_HZ, CALLEE_HZ],
    [1, CALLEE_HZ, CALLER_HZ],
  ] as const) {
    const audio = recorder.audio(line).subarray(-3200)
    assert.ok(shareOfTone(audio, own) > 0.9, `m-line ${line} holds ${own} Hz`)
    assert.ok(shareOfTone(audio, other) < 0.01, `m-line ${line} does not hold ${other} Hz`)
  }
}

/** Checks a pause that was answered: the receipt names the last packet that came, and nothing follows while RTCP goes on. */
async function assertPauseHolds(talk: Talk, recorder: ForeignRecorder): Promise<void> {
  const receipts = (await talk.view()).recording?.receipts ?? []
  assert.equal(receipts.length, 2)
  const counts: number[] = []
  for (const line of LINES) {
    const last = recorder.rtp(line).at(-1)!
    const receipt = receipts.find((one) => one.ssrc === last.ssrc)
    await recorder.waitFor(() => recorder.rtp(line).at(-1)?.sequence === receipt?.lastSequence, 1000, 'the last packet')
    counts.push(recorder.rtp(line).length)
  }
  const reports = LINES.map((line) => recorder.rtcp(line).length)
  await recorder.waitFor(
    () => LINES.every((line) => recorder.rtcp(line).length > reports[line]!),
    DEADLINE_MS,
    'RTCP while paused',
  )
  await talk.assertUndisturbed()
  assert.deepEqual(
    LINES.map((line) => recorder.rtp(line).length),
    counts,
    'no packet comes while paused',
  )
}

for (const control of ['rest', 'info'] as const) {
  test(`SRC-29, SRC-36, RTP-05, SEC-28: by ${control}, a strict recorder gets each side on its line, nothing in the pause, and objects to nothing`, async (t) => {
    const recorder = await openRecorder(t)
    const talk = await openTalk(t)
    const started = await talk[control]('start', recorder.uri(), 'case-17')
    assert.deepEqual([started.status, await talk.state()], [200, 'recording'])
    await morePackets(recorder, 40)
    assertOwnTones(recorder)
    assert.match(recorder.documents()[0] ?? '', /case-17/)

    assert.equal((await talk[control]('pause')).status, 200)
    assert.equal(await talk.state(), 'paused')
    await assertPauseHolds(talk, recorder)
    assert.deepEqual(
      recorder.sessions[0]?.offers.at(-1)?.media.map((line) => line.direction),
      ['inactive', 'inactive'],
    )

    assert.equal((await talk[control]('resume')).status, 200)
    assert.equal(await talk.state(), 'recording')
    await morePackets(recorder, 40)
    assertOwnTones(recorder)

    assert.equal((await talk[control]('stop')).status, 200)
    await recorder.waitFor(() => recorder.requests('BYE').length === 1, DEADLINE_MS, 'BYE')
    // What was sent before is read meanwhile.
    await talk.assertUndisturbed()
    const counts = LINES.map((line) => recorder.rtp(line).length)
    await talk.assertUndisturbed()
    assert.deepEqual(
      LINES.map((line) => recorder.rtp(line).length),
      counts,
    )
    await talk.end()
    recorder.close()
    assert.deepEqual(recorder.violations, [])
    assert.deepEqual(recorder.advice, [])
  })
}

test('RTP-07, RTP-10, RTP-16: the copies have SSRCs and random CNAMEs of their own, and end with RTCP BYE', async (t) => {
  const recorder = await openRecorder(t)
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await morePackets(recorder, 20)
  const spoken = new Set([talk.caller.audio.ssrc, talk.callee.audio.ssrc])
  const copied = LINES.map((line) => new Set(recorder.rtp(line).map((packet) => packet.ssrc)))
  assert.deepEqual(
    copied.map((ssrcs) => ssrcs.size),
    [1, 1],
  )
  const [first, second] = copied.map((ssrcs) => [...ssrcs][0]!)
  assert.notEqual(first, second)
  assert.ok(!spoken.has(first!) && !spoken.has(second!))
  assert.equal((await talk.rest('stop')).status, 200)
  const isBye = (line: number): boolean => recorder.rtcp(line).some((compound) => compound.types.includes(203))
  await recorder.waitFor(() => LINES.every(isBye), DEADLINE_MS, 'RTCP BYE')
  for (const line of LINES) {
    const cnames = new Set(recorder.rtcp(line).map((compound) => compound.cname))
    assert.equal(cnames.size, 1)
    assert.match([...cnames][0] ?? '', /^[A-Za-z0-9+/=_-]{16,}$/)
  }
  await talk.end()
})

test('SRC-12, SRC-52: the last document comes before the BYE, which carries a Date', async (t) => {
  const recorder = await openRecorder(t)
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await talk.end()
  await recorder.waitFor(() => recorder.requests('BYE').length === 1, DEADLINE_MS, 'BYE')
  assert.match(recorder.documents().at(-1) ?? '', /<stop-time>/)
  assert.ok(headerOf(recorder.requests('BYE')[0]!, 'Date') !== undefined)
  assert.deepEqual(recorder.violations, [])
})

test('SRC-11: a recorder without TCP is reached by UDP', async (t) => {
  const recorder = await openRecorder(t, { dropTcp: true })
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await morePackets(recorder, 20)
  assert.equal(recorder.sessions[0]?.flow.kind, 'udp')
  assert.equal((await talk.rest('pause')).status, 200)
  assert.equal((await talk.rest('resume')).status, 200)
  await morePackets(recorder, 20)
  await talk.end()
  await recorder.waitFor(() => recorder.requests('BYE').length === 1, DEADLINE_MS, 'BYE')
  assert.deepEqual(recorder.violations, [])
})

test('SRC-32: packets carry the payload types of the answer', async (t) => {
  const recorder = await openRecorder(t, { payloadTypes: { 0: 110, 101: 97 } })
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await morePackets(recorder, 20)
  assertOwnTones(recorder)
  await talk.caller.sendDigits('5')
  const typesOf = (line: number): Set<number> => new Set(recorder.rtp(line).map((packet) => packet.payloadType))
  await recorder.waitFor(() => typesOf(0).has(97), DEADLINE_MS, 'a telephone-event')
  assert.deepEqual([...typesOf(0)].sort(), [110, 97].sort())
  assert.deepEqual([...typesOf(1)], [110])
  await talk.end()
  assert.deepEqual(recorder.violations, [])
})

test('field 17: audio and RTCP come from the addresses and ports that the offer names, after a change of the call too', async (t) => {
  const recorder = await openRecorder(t)
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await morePackets(recorder, 10)
  assert.equal(await talk.caller.hold(true), true)
  assert.equal(await talk.caller.hold(false), true)
  await morePackets(recorder, 40)
  await recorder.waitFor(() => LINES.every((line) => recorder.rtcp(line).length > 0), DEADLINE_MS, 'RTCP')
  const offer = recorder.sessions[0]?.offers.at(-1)
  for (const line of LINES) {
    const { address: host, port, rtcpPort } = offer!.media[line]!
    assert.ok(recorder.rtp(line).every(({ from }) => from.host === host && from.port === port))
    assert.ok(recorder.rtcp(line).every(({ from }) => from.host === host && from.port === rtcpPort))
  }
  await talk.end()
  assert.deepEqual(recorder.violations, [])
})

test('a call in A-law is copied in A-law', async (t) => {
  const recorder = await openRecorder(t)
  const talk = await openTalk(t, { transport: 'tcp', codec: 'PCMA' })
  assert.equal((await talk.rest('start', recorder.uri('tcp'))).status, 200)
  await morePackets(recorder, 20)
  assertOwnTones(recorder)
  assert.deepEqual(
    new Set(LINES.flatMap((line) => recorder.rtp(line).map((packet) => packet.payloadType))),
    new Set([8]),
  )
  await talk.end()
  assert.deepEqual(recorder.violations, [])
})

test('SRC-18: two recorders get the same ids in dialogs of their own, and one that refuses leaves the other alone', async (t) => {
  const [one, two] = [await openRecorder(t), await openRecorder(t)]
  const refusing = await openRecorder(t, { answer: 486 })
  const talk = await openTalk(t)
  const servers = [one.uri(), refusing.uri(), two.uri()]
  assert.equal((await talk.rest('start', servers.join(', '))).status, 200)
  await Promise.all([morePackets(one, 20), morePackets(two, 20)])
  for (const recorder of [one, two]) assertOwnTones(recorder)
  const idsOf = (recorder: ForeignRecorder): string[] =>
    [...(recorder.documents()[0] ?? '').matchAll(TEXT_ENCODED_IDS)].map((match) => match[1]!)
  assert.ok(idsOf(one).length > 4)
  assert.deepEqual(idsOf(one), idsOf(two))
  assert.notEqual(one.sessions[0]?.callId, two.sessions[0]?.callId)
  assert.notEqual(one.rtp(0)[0]?.ssrc, two.rtp(0)[0]?.ssrc)
  const sessions = (await talk.view()).recording?.sessions ?? []
  assert.deepEqual(
    servers.map((uri) => sessions.find((session) => session.uri === uri)?.result),
    ['accepted', 'failed(486)', 'accepted'],
  )
  await talk.assertUndisturbed()
  await talk.end()
  for (const recorder of [one, two, refusing]) assert.deepEqual(recorder.violations, [])
})

test('field 37: hold and its end are told in documents, and the copies go on', async (t) => {
  const recorder = await openRecorder(t)
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await morePackets(recorder, 10)
  for (const isHeld of [true, false]) {
    const count = recorder.documents().length
    assert.equal(await talk.caller.hold(isHeld), true)
    await recorder.waitFor(() => recorder.documents().length > count, DEADLINE_MS, 'a document')
  }
  await morePackets(recorder, 40)
  assertOwnTones(recorder)
  await talk.end()
  assert.deepEqual(recorder.violations, [])
})

test('SRC-51: a recording that a flow starts before there is a callee tells of the callee when it answers, and of the end', async (t) => {
  const recorder = await openRecorder(t)
  const [alice, bob] = [await openPhone(t, 'alice', 'tcp'), await openPhone(t, 'bob', 'udp')]
  bob.onIncoming = (call) => {
    call.say(tone(CALLEE_HZ, 20_000))
    call.accept()
  }
  const start = { type: 'callRecording', activity: 'start', callRecordingServer: recorder.uri(), wait: true }
  const dial = { type: 'dial', target: bob.uri, into: 'context.dial' }
  const flow = JSON.stringify({ name: 'early', nodes: [{ type: 'answer' }, start, dial, { type: 'hangup' }] })
  const opened = await openTestGateway(t, { flow })
  const uri = `sip:flow@127.0.0.1:${opened.port('gateway', 'tcp')};transport=tcp`
  const call = await alice.call(uri, { audio: tone(CALLER_HZ, 20_000) })
  assert.equal(await call.answered, true)
  await recorder.waitFor(() => recorder.documents().length >= 2, DEADLINE_MS, 'a document with the callee')
  await morePackets(recorder, 40)
  assertOwnTones(recorder)
  await call.hangup()
  await recorder.waitFor(() => recorder.requests('BYE').length === 1, DEADLINE_MS, 'BYE')
  const documents = recorder.documents()
  assert.doesNotMatch(documents[0] ?? '', new RegExp(bob.uri.replace(/;.*/, '')))
  assert.match(documents[1] ?? '', /bob@/)
  assert.match(documents.at(-1) ?? '', /<stop-time>/)
  for (const document of documents) assert.match(document, /<datamode>complete</)
  assert.deepEqual(recorder.violations, [])
})

test('FAQ: with a limit of one, a call with two recorders is one active session, and a second call gets 503', async (t) => {
  const recorders = [await openRecorder(t), await openRecorder(t)]
  const talk = await openTalk(t, { gateway: { limits: { activeCalls: 1 } } })
  assert.equal((await talk.rest('start', recorders.map((one) => one.uri()).join(','))).status, 200)
  await Promise.all(recorders.map((recorder) => morePackets(recorder, 10)))
  const sessions = (await talk.view()).recording?.sessions ?? []
  assert.deepEqual(
    sessions.map((session) => session.result),
    ['accepted', 'accepted'],
  )
  const carol = await openPhone(t, 'carol', 'udp')
  const second = await carol.call(`sip:bob@127.0.0.1:${talk.opened.port('gateway', 'udp')}`)
  assert.deepEqual([await second.answered, second.failedStatus], [false, 503])
  await talk.assertUndisturbed()
  await talk.end()
})

test('nothing is left of recorded calls: counters, active resources and open files are back to the start', async (t) => {
  const recorders = [await ForeignRecorder.open(), await ForeignRecorder.open()]
  t.after(() => {
    for (const recorder of recorders) recorder.close()
  })
  const [alice, bob] = [await openPhone(t, 'alice', 'tcp'), await openPhone(t, 'bob', 'udp')]
  const round = async (opened: Talk['opened']): Promise<void> => {
    const talk = await placeTalk(opened, alice, bob)
    assert.equal((await talk.rest('start', recorders.map((one) => one.uri()).join(','))).status, 200)
    assert.equal((await talk.rest('pause')).status, 200)
    assert.equal((await talk.rest('resume')).status, 200)
    await talk.end()
    await until('the recorders close', () => recorders.every((one) => one.sessions.every((session) => session.isEnded)))
    for (const recorder of recorders) for (const session of recorder.sessions.splice(0)) session.close()
  }
  const opened = await openTestGateway(t, { gateway: { routes: [{ match: 'bob', callee: bob.uri }] } })
  // The first round opens what stays: threads of the pool, loaded modules, connections that are kept.
  await round(opened)
  const before = await openResources()
  for (let calls = 0; calls < 3; calls++) await round(opened)
  let now = before
  await until('resources are back', async () => {
    now = await openResources()
    return now.files <= before.files && now.active.length <= before.active.length
  }).catch(() => assert.deepEqual(now, before))
  await Promise.all([alice.close(), bob.close()])
  for (const recorder of recorders) recorder.close()
  await untilIdle(opened, new Set(), 45_000)
})

for (const [omit, told] of [
  [['names'], ['alice@', 'bob@']],
  [['numbers'], ['Alice in Town']],
  [['names', 'numbers'], []],
] as const) {
  test(`SRC-59, SEC-25: a recorder that is not told ${omit.join(' and ')} hears both, and no message to it has them`, async (t) => {
    const recorder = await openRecorder(t)
    const [alice, bob] = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')]
    alice.displayName = 'Alice in Town'
    const opened = await openTestGateway(t, {
      gateway: {
        routes: [{ match: 'bob', callee: bob.uri }],
        recording: { profiles: [{ name: 'discreet', metadata: { omit } }] },
      },
    })
    const talk = await placeTalk(opened, alice, bob)
    assert.equal((await talk.rest('start', recorder.uri())).status, 200)
    await morePackets(recorder, 60)
    assertOwnTones(recorder)
    await talk.end()
    await recorder.waitFor(() => recorder.requests('BYE').length === 1, DEADLINE_MS, 'BYE')
    const sent = recorder.arrivals.map(({ message }) => message.raw.toString('utf8'))
    assert.ok(sent.some((text) => text.includes('<participant ')))
    const people = ['Alice in Town', 'alice@', 'bob@', '"alice"', '"bob"']
    assert.deepEqual(
      people.filter((person) => sent.some((text) => text.includes(person))),
      told,
    )
    assert.deepEqual(recorder.violations, [])
  })
}
