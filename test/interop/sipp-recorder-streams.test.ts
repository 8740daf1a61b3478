// A recorder of SIPp that takes any number of streams and reads each m-line of each offer; what only its log of all offers shows is read there.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { goertzelPower } from '#audio'
import type { MediaLine } from '../foreign/sdp-text.ts'
import { headerOf } from '../foreign/sip-text.ts'
import { parseXml } from '../foreign/xml-tree.ts'
import { bodiesIn, type LoggedOffer, messagesIn, offersIn } from '../harness/sipp-log.ts'
import { openSippRecorder, packetsDuring, type SippRecorder, untilHeard } from '../harness/sipp-recorder.ts'
import {
  CALLEE_HZ,
  CALLER_HZ,
  joinTalk,
  openPhone,
  openSharedTalks,
  openTalk,
  openTestGateway,
  placeTalk,
} from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('sipp')

const MOST_LINES = 16
/** Half a second. */
const SAMPLES = 4_000
const DEADLINE_MS = 30_000

function openRecorder(t: TestContext, lines: number, labels = 'fresh'): Promise<SippRecorder> {
  return openSippRecorder(t, 'recorder-streams', { most_lines: `${lines}`, labels }, 1, lines)
}

async function offersAt(recorder: SippRecorder): Promise<LoggedOffer[]> {
  return offersIn(await recorder.messages())
}

const running = ({ sdp }: LoggedOffer): string[] =>
  sdp.media.filter(({ port }) => port !== 0).map(({ label = '' }) => label)

/** Waits until the last offer has so many streams; resolves with it. */
async function offerOf(recorder: SippRecorder, streams: number): Promise<LoggedOffer> {
  let last: LoggedOffer | undefined
  const isThere = async (): Promise<boolean> => {
    last = (await offersAt(recorder)).at(-1)
    return last !== undefined && running(last).length === streams
  }
  await until(`the last offer has ${streams} streams`, isThere, DEADLINE_MS)
  return last!
}

test('SRC-27, SRC-28, SRC-30, SRC-34, SRC-35: third parties come and go: an m-line and a label for each, port 0 and silence after it, and never more than 16', async (t) => {
  const recorder = await openRecorder(t, MOST_LINES)
  const carol = await openPhone(t, 'carol', 'udp')
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  await untilHeard(recorder)
  const labels = running(await offerOf(recorder, 2))
  const comings = MOST_LINES - 2 + 2
  for (let coming = 1; coming <= comings; coming += 1) {
    const third = await joinTalk(talk, carol)
    const { sdp } = await offerOf(recorder, 3)
    assert.equal(
      sdp.media.length,
      Math.min(2 + coming, MOST_LINES),
      'appended while there is room, then put into a slot',
    )
    const line = sdp.media.findIndex(({ port, label = '' }) => port !== 0 && !labels.includes(label))
    assert.notEqual(line, -1, 'a label of its own')
    labels.push(sdp.media[line]!.label!)
    const before = recorder.packets(line)
    await until('the third is heard', () => recorder.packets(line) >= before + 5, DEADLINE_MS)
    await third.hangup()
    const left = await offerOf(recorder, 2)
    assert.equal(left.sdp.media[line]!.port, 0)
    assert.equal(left.sdp.media.length, sdp.media.length)
    if (coming > 1 && coming < comings) continue
    // What was under way when the stream was removed has come by then.
    await packetsDuring(recorder, () => talk.caller.heard().length)
    const silent = recorder.packets(line)
    await packetsDuring(recorder, () => talk.caller.heard().length)
    assert.equal(recorder.packets(line), silent, 'nothing comes for a stream that was removed')
  }
  assert.equal(new Set(labels).size, 2 + comings)
  assert.equal((await talk.rest('stop')).status, 200)
  await recorder.succeeded()
  await talk.assertUndisturbed()
  await talk.end()
})

/** The m-lines of the last offer. */
const lastLines = async (recorder: SippRecorder): Promise<MediaLine[]> => [
  ...((await offersAt(recorder)).at(-1)?.sdp.media ?? []),
]

/** The session of each stream by its label, over all documents that came. */
async function sessionsByLabel(recorder: SippRecorder): Promise<Map<string, string>> {
  const streams = bodiesIn(await recorder.messages()).flatMap(({ xml }) =>
    xml === undefined ? [] : parseXml(xml).children,
  )
  return new Map(
    streams
      .filter(({ name }) => name === 'stream')
      .map(({ attributes, children }) => [
        children.find(({ name }) => name === 'label')?.text.trim() ?? '',
        attributes.get('session_id') ?? '',
      ]),
  )
}

/** Fails unless each line of a list has the one voice that is told. */
async function assertVoices(recorder: SippRecorder, voices: Readonly<Record<number, number>>): Promise<void> {
  for (const [line, wanted] of Object.entries(voices)) {
    const last = (): Int16Array => recorder.audio(Number(line)).subarray(-SAMPLES)
    await untilHeard(recorder, 25, Number(line))
    await until(
      `line ${line} has ${wanted} Hz`,
      () => last().length === SAMPLES && goertzelPower(last(), 8000, wanted) > 0.9,
      DEADLINE_MS,
    )
  }
}

test('SRC-71: a second call comes into the session with streams and a session element of its own; pause and end of one leave the other', async (t) => {
  const recorder = await openRecorder(t, 4)
  const talks = await openSharedTalks(t)
  const first = await talks.first()
  assert.equal((await first.rest('start', recorder.uri)).status, 200, await recorder.messages())
  const second = await talks.second()
  assert.equal((await second.rest('start', recorder.uri)).status, 200)
  const offer = await offerOf(recorder, 4)
  await assertVoices(recorder, { 0: CALLER_HZ, 1: CALLEE_HZ, 2: CALLER_HZ, 3: CALLEE_HZ })
  const byLabel = await sessionsByLabel(recorder)
  const sessions = offer.sdp.media.map(({ label = '' }) => byLabel.get(label))
  assert.deepEqual(sessions, [sessions[0], sessions[0], sessions[2], sessions[2]])
  assert.notEqual(sessions[0], sessions[2])

  assert.equal((await first.rest('pause')).status, 200)
  await until(
    'the pause is told',
    async () =>
      (await lastLines(recorder)).map(({ direction }) => direction).join() === 'inactive,inactive,sendonly,sendonly',
    DEADLINE_MS,
  )
  await packetsDuring(recorder, () => second.caller.heard().length)
  const paused = [recorder.packets(0), recorder.packets(1)]
  await assertVoices(recorder, { 2: CALLER_HZ, 3: CALLEE_HZ })
  assert.deepEqual([recorder.packets(0), recorder.packets(1)], paused)
  assert.equal((await first.rest('resume')).status, 200)
  await assertVoices(recorder, { 0: CALLER_HZ, 1: CALLEE_HZ })

  await first.caller.hangup()
  await first.callee.ended
  await until(
    'the end is told',
    async () => (await lastLines(recorder)).map(({ port }) => port !== 0).join() === 'false,false,true,true',
    DEADLINE_MS,
  )
  await packetsDuring(recorder, () => second.caller.heard().length)
  const over = [recorder.packets(0), recorder.packets(1)]
  await assertVoices(recorder, { 2: CALLER_HZ, 3: CALLEE_HZ })
  assert.deepEqual([recorder.packets(0), recorder.packets(1)], over)
  await second.assertUndisturbed()
  await second.end()
  await recorder.succeeded()
})

test('SRC-70: a session outlasts its call with no stream left, and the next call comes into the same dialog', async (t) => {
  const recorder = await openRecorder(t, 2, 'any')
  const [alice, bob] = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')]
  const opened = await openTestGateway(t, {
    gateway: {
      routes: [{ match: 'bob', callee: bob.uri }],
      recording: { profiles: [{ name: 'persistent', idleSessionMs: 600_000 }] },
    },
  })
  const documents: string[] = []
  for (const call of [1, 2]) {
    const talk = await placeTalk(opened, alice, bob)
    assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
    await assertVoices(recorder, { 0: CALLER_HZ, 1: CALLEE_HZ })
    documents.push((await offersAt(recorder)).at(-1)?.xml ?? '')
    await talk.caller.hangup()
    await talk.callee.ended
    const ends = async (): Promise<number> => (await recorder.messages()).split('<stop-time>').length - 1
    await until('the end is told', async () => (await ends()) === call, DEADLINE_MS)
    assert.deepEqual(running((await offersAt(recorder)).at(-1)!), [], 'no stream is left')
    // The document of a session without a call, and its answer: a BYE may cross nothing.
    const isEmpty = async (): Promise<boolean> => {
      const log = await recorder.messages()
      return (
        !(bodiesIn(log).at(-1)?.xml ?? '<session ').includes('<session ') &&
        messagesIn(log).at(-1)?.isReceived === false
      )
    }
    await until('the session is told to be empty', isEmpty, DEADLINE_MS)
    assert.doesNotMatch(await recorder.messages(), /^BYE /m)
  }
  const [first, second] = documents.map((xml) =>
    [...xml.matchAll(/<session session_id="([^"]+)"/g)].map(([, id]) => id),
  )
  assert.deepEqual([first?.length, second?.length], [1, 1], 'each call is a session')
  assert.notEqual(first?.[0], second?.[0])
  await opened.program.gateway?.drain()
  await recorder.succeeded()
  const dialogs = messagesIn(await recorder.messages()).map(({ message }) => headerOf(message, 'Call-ID'))
  assert.equal(new Set(dialogs).size, 1)
})

/** How many streams somebody hears, by the last document. */
async function heardStreams(recorder: SippRecorder): Promise<number> {
  const xml = bodiesIn(await recorder.messages()).findLast((body) => body.xml !== undefined)?.xml
  const told = xml === undefined ? [] : parseXml(xml).children.filter(({ name }) => name === 'participantstreamassoc')
  return told.flatMap(({ children }) => children.filter(({ name }) => name === 'recv')).length
}

test('SRC-46: while the caller holds, the recorder is told so and goes on hearing what is said, since no policy pauses it', async (t) => {
  const recorder = await openRecorder(t, 2)
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  await assertVoices(recorder, { 0: CALLER_HZ, 1: CALLEE_HZ })
  const told = async (): Promise<number> => bodiesIn(await recorder.messages()).length
  const heldBack = async (): Promise<number | undefined> => (await talk.view()).recording?.ledger[0]?.packetsHeld
  const held = await heldBack()
  assert.notEqual(held, undefined)
  for (const isHeld of [true, false]) {
    const before = await told()
    assert.equal(await talk.caller.hold(isHeld), true)
    await until('the hold is told', async () => (await told()) > before, DEADLINE_MS)
    await until('who holds hears nothing', async () => (await heardStreams(recorder)) === (isHeld ? 1 : 2), DEADLINE_MS)
    await assertVoices(recorder, isHeld ? { 0: CALLER_HZ } : { 0: CALLER_HZ, 1: CALLEE_HZ })
  }
  assert.equal(await heldBack(), held, 'not a packet was held back')
  for (const { sdp } of await offersAt(recorder)) {
    assert.deepEqual(
      sdp.media.map(({ direction }) => direction),
      ['sendonly', 'sendonly'],
    )
  }
  assert.equal((await talk.rest('stop')).status, 200)
  await recorder.succeeded()
  await talk.assertUndisturbed()
  await talk.end()
})
