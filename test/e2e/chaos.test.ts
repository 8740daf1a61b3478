// A call between two phones while its recorder misbehaves, over real sockets: what the parties send arrives unchanged.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ChaosSessionView, presets } from '#chaos-recorder'
import { systemClock } from '#net'
import { newRtpView, parseRtp } from '#rtp'
import type { OpenChaos } from '../../src/app/chaos.ts'
import { openFault, uriOf } from '../harness/open-chaos.ts'
import { PhoneTrace } from '../harness/phone-trace.ts'
import type { SoftCall } from '../harness/softphone.ts'
import { openTalk, type Talk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

/** One packet without what each call chooses at random: SSRC and the first sequence number and timestamp. */
interface Packet {
  readonly sequence: number
  readonly timestamp: number
  readonly payload: string
  readonly atMs: number
}

/** A sender that stood still for so long has its clock tied anew by the relay, recording or not. */
const STALL_MS = 300

/** Packets of one direction, as sent by one phone and as heard by the other. */
interface Direction {
  readonly sent: Packet[]
  readonly heard: Packet[]
}

function keep(into: Packet[]): (bytes: Uint8Array) => void {
  const view = newRtpView()
  let first: { readonly sequence: number; readonly timestamp: number } | undefined
  return (bytes) => {
    if (!parseRtp(bytes, view)) return
    const { sequence, timestamp, payloadOffset, payloadLength } = view
    first ??= { sequence, timestamp }
    into.push({
      sequence: (sequence - first.sequence) & 0xffff,
      timestamp: (timestamp - first.timestamp) >>> 0,
      payload: Buffer.from(bytes.subarray(payloadOffset, payloadOffset + payloadLength)).toString('base64'),
      atMs: systemClock.nowMs(),
    })
  }
}

function watch(from: SoftCall, to: SoftCall): Direction {
  const direction: Direction = { sent: [], heard: [] }
  from.audio.onSent = keep(direction.sent)
  to.audio.onHeard = keep(direction.heard)
  return direction
}

/** Fails unless what was heard is what was sent, packet by packet, from the first that was heard on. */
function assertUnchanged({ sent, heard }: Direction, side: string): void {
  assert.ok(heard.length > 50, `${side} heard ${heard.length} packets`)
  const isFirst = (at: number): boolean => [0, 1, 2].every((i) => sent[at + i]?.payload === heard[i]?.payload)
  const start = sent.findIndex((_, at) => isFirst(at))
  assert.ok(start >= 0, 'the first packets heard were sent')
  // The first that was heard may have been sent before anybody looked.
  const length = Math.min(heard.length, sent.length - start)
  assert.deepEqual(stepsOf(heard.slice(0, length), heard), stepsOf(sent.slice(start, start + length), heard), side)
}

/** Payloads with the steps of sequence number and timestamp before them; `pace` says where somebody stood still. */
function stepsOf(packets: readonly Packet[], pace: readonly Packet[]): unknown[] {
  return packets.map(({ sequence, timestamp, payload }, at) => {
    const before = packets[at - 1]
    const hasStalled = (pace[at]?.atMs ?? 0) - (pace[at - 1]?.atMs ?? 0) > STALL_MS
    if (before === undefined) return { payload }
    const sequenceStep = (sequence - before.sequence) & 0xffff
    return { payload, sequenceStep, timestampStep: hasStalled ? 'any' : (timestamp - before.timestamp) >>> 0 }
  })
}

function packetsOf(sessions: readonly ChaosSessionView[]): number {
  return sessions.flatMap(({ streams }) => streams).reduce((sum, { active, paused }) => sum + active + paused, 0)
}

/** Talks for a while, with pause, resume and stop where there are recorders. */
async function conversation(talk: Talk, recorders: readonly OpenChaos[]): Promise<readonly number[]> {
  const directions = [watch(talk.caller, talk.callee), watch(talk.callee, talk.caller)]
  const heard = (count: number): Promise<void> =>
    until('more is heard', () => directions.every((direction) => direction.heard.length >= count))
  const statuses: number[] = []
  const command = async (activity: 'start' | 'pause' | 'resume' | 'stop'): Promise<void> => {
    if (recorders.length > 0) statuses.push((await talk.rest(activity, recorders.map(uriOf).join(','))).status)
  }
  await heard(20)
  await command('start')
  await heard(80)
  await command('pause')
  await heard(100)
  const arrived = (): number[] => recorders.map(({ recorder }) => packetsOf(recorder.sessions))
  const before = arrived()
  await heard(150)
  assert.deepEqual(arrived(), before, 'nothing arrives while paused')
  await command('resume')
  await heard(180)
  await command('stop')
  await heard(200)
  assertUnchanged(directions[0]!, 'callee')
  assertUnchanged(directions[1]!, 'caller')
  return statuses
}

const names = Object.keys(presets)
// A start asks sixteen recorders at most.
const GROUPS = 5
let unrecorded: readonly string[] | undefined

// Every fault there is, many of them on the same call at a time: none of them may be felt, nor all together.
for (let group = 0; group < GROUPS; group += 1) {
  const faults = names.filter((_, at) => Math.floor((at * GROUPS) / names.length) === group)
  test(`field 23, field 36: payload, sequence, timestamps and SIP of the parties are unchanged while recorders fail by ${faults.join(', ')}`, async (t) => {
    if (unrecorded === undefined) {
      const trace = new PhoneTrace(t)
      const talk = await openTalk(t)
      await conversation(talk, [])
      await talk.end()
      unrecorded = trace.lines
    }
    const recorders = await Promise.all([...new Set([...faults, 'polite'])].map((fault) => openFault(t, fault)))
    const trace = new PhoneTrace(t)
    const talk = await openTalk(t)
    assert.deepEqual(await conversation(talk, recorders), [200, 200, 200, 200])
    for (const [at, fault] of faults.entries()) {
      assert.ok((recorders[at]?.recorder.sessions.length ?? 0) > 0, `${fault} was invited`)
    }
    await talk.end()
    assert.deepEqual(trace.lines, unrecorded, 'the phones see the same messages')
  })
}

test('a recorder that closes its connection mid-call is reached over a new one', async (t) => {
  const chaos = await openFault(t, 'closes-connection')
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', uriOf(chaos))).status, 200)
  await until('the connection is closed', () => talk.callee.audio.packetsHeard > 150)
  assert.equal((await talk.rest('pause')).status, 200)
  await until(
    'the pause has arrived',
    () => chaos.recorder.sessions[0]?.requests.filter((each) => each === 'INVITE').length === 2,
  )
  await talk.end()
  await until('the BYE has arrived', () => chaos.recorder.sessions[0]?.requests.includes('BYE') === true)
})
