// Our recording client at our own recorder, over real sockets: what lies in its folder of a conversation of three, and of one out of the spool.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { correlateAt, encodePcmu, goertzelPower, rmsDbfs, tone } from '#audio'
import { seededIds } from '#kernel'
import { newRtpView, parseRtp } from '#rtp'
import { DnsServer } from '../harness/dns-server.ts'
import { type KeptRecording, keptRecording } from '../harness/kept-recording.ts'
import type { SoftCall } from '../harness/softphone.ts'
import { CALLEE_HZ, CALLER_HZ, openPhone, openTalk, openTestGateway, type Talk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const HOST = '127.0.0.1'
const THIRD_HZ = 1500
const PER_MS = 8
/** A part of what was kept that is judged at once. */
const PART = 100 * PER_MS
const FRAME = 160
const MARK_FRAMES = 5
const DEADLINE_MS = 20_000
/** What ends, begins and hangs on a busy machine. */
const SLACK_MS = 600

/** For each 100 ms of a channel, the tone that it is of, `silence`, or `both` at a seam. */
function heard(samples: Int16Array, frequenciesHz: readonly number[]): string[] {
  return Array.from({ length: Math.floor(samples.length / PART) }, (_unused, index) => {
    const part = samples.subarray(index * PART, (index + 1) * PART)
    if (rmsDbfs(part) < -50) return 'silence'
    return `${frequenciesHz.find((frequencyHz) => goertzelPower(part, 8000, frequencyHz) > 0.9) ?? 'seam'}`
  })
}

/** Lets the call go on for so long, by what the caller hears. */
async function talkOn(talk: Talk, ms: number): Promise<void> {
  const from = talk.caller.heard().length
  await until('the talk goes on', () => talk.caller.heard().length >= from + ms * PER_MS, DEADLINE_MS)
}

/** Stretches of a tone, each as long as it is, in ms; seams and single parts of silence within them are part of them. */
function stretches(parts: readonly string[], wanted: number): number[] {
  const runs: number[] = []
  let gap = 3
  for (const part of parts) {
    if (part === `${wanted}`) {
      if (gap >= 3) runs.push(0)
      runs[runs.length - 1]! += 100 * (gap < 3 ? gap + 1 : 1)
      gap = 0
    } else gap += 1
  }
  return runs
}

test('FLOW-07, META-18: of a conversation of three our recorder keeps a channel for each, named by who speaks in it', async (t) => {
  const carol = await openPhone(t, 'carol', 'udp')
  const talk = await openTalk(t, { recorder: true })
  assert.equal((await talk.rest('start', talk.opened.recorderUri('tcp'))).status, 200)
  const incoming = new Promise<SoftCall>((resolve) => {
    carol.onIncoming = resolve
  })
  const joined = talk.join(carol.uri)
  const third = await incoming
  third.say(tone(THIRD_HZ, 60_000))
  third.accept()
  await joined
  await talkOn(talk, 1_500)
  await talk.end()
  const { manifest, channels } = await keptRecording(talk.opened.store)
  const voices = [CALLER_HZ, CALLEE_HZ, THIRD_HZ]
  assert.equal(channels.length, 3)
  for (const [at, samples] of channels.entries()) {
    const [longest] = stretches(heard(samples, voices), voices[at]!).sort((a, b) => b - a)
    assert.ok((longest ?? 0) > 900, `channel ${at} has ${longest} ms of ${voices[at]} Hz`)
  }
  for (const [at, user] of ['alice', 'bob', 'carol'].entries()) {
    const { participants } = manifest.streams[at]!
    assert.equal(participants.length, 1, `${participants}`)
    assert.match(participants[0]!, new RegExp(user), `the speaker of channel ${at}`)
  }
})

for (const [how, isStopped] of [
  ['whose call ends', false],
  ['that is stopped in mid-call', true],
] as const) {
  test(`a recording ${how} and that was never paused has no pause in our recorder`, async (t) => {
    const talk = await openTalk(t, { recorder: true })
    assert.equal((await talk.rest('start', talk.opened.recorderUri('tcp'))).status, 200)
    await talkOn(talk, 1_000)
    if (isStopped) assert.equal((await talk.rest('stop')).status, 200)
    await talk.end()
    const { manifest } = await keptRecording(talk.opened.store)
    for (const { totals, gaps } of manifest.streams) {
      assert.ok(totals.packets > 25)
      assert.deepEqual(totals.pauses, [])
      const paused = gaps.filter(({ cause }) => /pause|hold/.test(cause))
      assert.deepEqual(paused, [], 'no gap is called a pause')
    }
  })
}

/** A sound in what a phone says, in the place of what it would say; and when that is by the phone's own clock. */
interface Mark {
  readonly samples: Int16Array
  readonly saidMs: number
}

/** Marks what a phone says from now on for 100 ms. */
async function mark(call: SoftCall, seed: number): Promise<Mark> {
  const ids = seededIds(seed)
  const samples = Int16Array.from({ length: MARK_FRAMES * FRAME }, () => ids.integer(30_000) - 15_000)
  const payload = encodePcmu(samples)
  const view = newRtpView()
  let first: number | undefined
  let frames = 0
  let startMs = Number.POSITIVE_INFINITY
  call.audio.onSent = (packet) => {
    assert.ok(parseRtp(packet, view))
    first ??= view.timestamp
    // A frame leaves when it is due, or later.
    startMs = Math.min(startMs, performance.now() - (view.timestamp - first) / PER_MS)
    if (frames < MARK_FRAMES) packet.set(payload.subarray(frames * FRAME, (frames + 1) * FRAME), view.payloadOffset)
    frames += 1
  }
  await until('the mark is said, and more', () => frames > 10 * MARK_FRAMES, DEADLINE_MS)
  call.audio.onSent = undefined
  return { samples, saidMs: startMs }
}

/** Where a mark lies in a channel, in milliseconds. */
function placeOf(heard: Int16Array, { samples }: Mark): number {
  let best = { coefficient: 0, at: 0 }
  for (let at = 0; at + samples.length <= heard.length; at++) {
    const coefficient = correlateAt(samples, heard.subarray(at, at + samples.length), 0)
    if (coefficient > best.coefficient) best = { coefficient, at }
  }
  assert.ok(best.coefficient > 0.9, `the mark is there: ${best.coefficient}`)
  return best.at / PER_MS
}

interface DeliveredCall extends KeptRecording {
  /** Of the caller and the callee, before and after the pause. */
  readonly marks: readonly (readonly Mark[])[]
}

/** A call that is spooled, since the name of its recorder is not known yet, with a pause in the middle; the recorder is known after it. */
async function deliveredCall(t: TestContext): Promise<DeliveredCall> {
  // A failure of the name server is not remembered.
  const dns = await DnsServer.open({ 'later.test': { broken: true }, '_sip._tcp.later.test': { broken: true } })
  t.after(() => dns.close())
  const root = await mkdtemp(join(tmpdir(), 'spool-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  const spool = { folder: join(root, 'spool'), keyFile: join(root, 'spool.key'), minFreeBytes: 0 }
  const recording = { spool, health: { intervalMs: 0 } }
  const talk = await openTalk(t, { dnsServers: [dns.address], gateway: { recording } })
  const there = await openTestGateway(t, { gateway: false, recorder: true })
  const sides = [talk.caller, talk.callee]
  const marked = (seed: number): Promise<Mark[]> => Promise.all(sides.map((side, at) => mark(side, seed + at)))
  assert.equal((await talk.rest('start', 'sip:srs@later.test;transport=tcp')).status, 200)
  await talkOn(talk, 500)
  const before = marked(1)
  await talkOn(talk, 1_000)
  assert.equal((await talk.rest('pause')).status, 200)
  await talkOn(talk, 1_500)
  assert.equal((await talk.rest('resume')).status, 200)
  await talkOn(talk, 500)
  const after = marked(3)
  await talkOn(talk, 1_000)
  const marks = [await before, await after]
  await talk.end()
  const isTried = (): boolean => talk.opened.log.lines.some(({ fields }) => fields['event'] === 'spool.undelivered')
  await until('it was tried in vain', isTried, DEADLINE_MS)
  const port = there.port('recorder', 'tcp')
  dns.zone.set('_sip._tcp.later.test', { srv: [{ priority: 1, weight: 0, port, target: 'host.later.test' }] })
  dns.zone.set('host.later.test', { a: [HOST] })
  talk.opened.program.gateway?.recordingClient.deliverSpooled()
  return { ...(await keptRecording(there.store)), marks }
}

test('SRC-63, FLOW-13: what was spooled with a pause in it is delivered eight times faster, and our recorder has every part as long as it was, each voice beside the other', async (t) => {
  const { manifest, channels, marks } = await deliveredCall(t)
  assert.equal(channels.length, 2)
  for (const [at, own] of [CALLER_HZ, CALLEE_HZ].entries()) {
    const parts = heard(channels[at]!, [CALLER_HZ, CALLEE_HZ])
    const said = stretches(parts, own)
    assert.equal(said.length, 2, `channel ${at}: ${parts}`)
    for (const ms of said) assert.ok(Math.abs(ms - 1_500) < SLACK_MS, `channel ${at} has ${said} ms`)
    const first = parts.lastIndexOf(`${own}`, parts.indexOf('silence', parts.indexOf(`${own}`)))
    const second = parts.indexOf(`${own}`, first + 3)
    const pausedMs = (second - first - 1) * 100
    assert.ok(Math.abs(pausedMs - 1_500) < SLACK_MS, `channel ${at} pauses ${pausedMs} ms: ${parts}`)
    assert.equal(parts.includes(`${[CALLEE_HZ, CALLER_HZ][at]}`), false, 'the other voice is on the other channel')
  }
  for (const [one, other] of marks) {
    const apartMs = placeOf(channels[1]!, other!) - placeOf(channels[0]!, one!) - (other!.saidMs - one!.saidMs)
    assert.ok(Math.abs(apartMs) <= 20, `${apartMs} ms apart`)
  }
  assert.ok(Math.abs(manifest.durationMs - 4_500) < 2 * SLACK_MS, `${manifest.durationMs} ms`)
})
