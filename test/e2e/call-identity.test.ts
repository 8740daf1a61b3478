// Two calls of the same seed over real sockets, one recorded by recorders that misbehave and one by nobody: what the parties' sockets get
// is the same, down to SSRC, first sequence number and first timestamp.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { encodePcmu } from '#audio'
import { seededIds, silentLogger } from '#kernel'
import { systemClock } from '#net'
import type { OpenChaos } from '../../src/app/chaos.ts'
import { openFault, uriOf } from '../harness/open-chaos.ts'
import { PhoneTrace } from '../harness/phone-trace.ts'
import { type SoftCall, Softphone } from '../harness/softphone.ts'
import { CallDesk, openTestGateway, untilIdle } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const HOST = '127.0.0.1'
const SEED = 20_261_201
/** Silent, late, gone, wrong in the answer, wrong later; the last is there for the commands to succeed. */
const WORST = [
  ...['silent', 'late', 'vanish-with-200', 'fewer-lines', 'multipart', 'reinvite-at-once', 'snapshot'],
  ...['update-inactive', 'bye-later', 'closes-rtp', 'polite'],
]
/** What is heard when a command is given, in packets. */
const COMMANDS = { 15: 'start', 50: 'pause', 80: 'resume', 105: 'stop' } as const
const PACKETS = 125
const FRAME_SAMPLES = 160
/** Twice what is compared. */
const FRAMES = 2000
const HEADER_BYTES = 12
/** A sender that stood still for so long has its clock tied anew by the relay, recording or not. */
const STALL_MS = 300
const DEADLINE_MS = 30_000

/** What a party says: frames of which no two are alike, as they look on the wire. */
interface Speech {
  readonly samples: Int16Array
  readonly numbers: ReadonlyMap<string, number>
}

function speechOf(seed: number): Speech {
  const random = seededIds(seed)
  const samples = Int16Array.from({ length: FRAMES * FRAME_SAMPLES }, () => random.integer(20_000) - 10_000)
  const frame = (at: number): Int16Array => samples.subarray(FRAME_SAMPLES * at, FRAME_SAMPLES * (at + 1))
  const wire = (at: number): string => Buffer.from(encodePcmu(frame(at))).toString('base64')
  return { samples, numbers: new Map(Array.from({ length: FRAMES }, (_, at) => [wire(at), at])) }
}

const [ALICE, BOB] = [speechOf(1), speechOf(2)]

/** A datagram that came to a party. */
interface Came {
  readonly bytes: Buffer
  readonly atMs: number
}

function listen(call: SoftCall): Came[] {
  const came: Came[] = []
  call.audio.onHeard = (bytes) => void came.push({ bytes: Buffer.from(bytes), atMs: systemClock.nowMs() })
  return came
}

interface Run {
  /** What came to the caller, and to the callee. */
  readonly came: readonly [readonly Came[], readonly Came[]]
  readonly sip: readonly string[]
  readonly statuses: readonly number[]
}

/** Has a call of the seed, with all commands where there are recorders. */
async function play(t: TestContext, recorders: readonly OpenChaos[]): Promise<Run> {
  const open = async (user: string, seed: number): Promise<Softphone> => {
    const around = { clock: systemClock, ids: seededIds(seed), log: silentLogger }
    const phone = await Softphone.open({ host: HOST, transport: 'udp', user, ...around })
    t.after(() => phone.close())
    return phone
  }
  const [alice, bob] = [await open('alice', SEED + 1), await open('bob', SEED + 2)]
  const trace = new PhoneTrace(t, true)
  const opened = await openTestGateway(t, {
    ids: seededIds(SEED),
    gateway: { routes: [{ match: 'bob', callee: bob.uri }] },
  })
  const answered = new Promise<Came[]>((resolve) => {
    bob.onIncoming = (call) => {
      resolve(listen(call))
      call.say(BOB.samples)
      call.accept()
    }
  })
  const caller = await alice.call(`sip:bob@${HOST}:${opened.port('gateway', 'udp')}`, { audio: ALICE.samples })
  const came = [listen(caller), await answered] as const
  assert.equal(await caller.answered, true)
  const desk = new CallDesk(opened, opened.program.gateway?.calls.list()[0]?.callId ?? '')
  const heard = (count: number): Promise<void> =>
    until(`${count} packets are heard`, () => came.every(({ length }) => length >= count), DEADLINE_MS)
  const statuses: number[] = []
  for (const [count, activity] of Object.entries(COMMANDS)) {
    await heard(Number(count))
    if (recorders.length === 0) continue
    statuses.push((await desk.rest(activity, recorders.map(uriOf).join(','))).status)
  }
  await heard(PACKETS)
  await caller.hangup()
  await untilIdle(opened)
  return { came, sip: trace.lines, statuses }
}

/** Fails unless a party got the same in both calls, packet by packet. */
function assertSame(one: readonly Came[], other: readonly Came[], { numbers }: Speech): void {
  const [first, second] = [one, other].map((came) => came.map(({ bytes }) => numbers.get(payloadOf(bytes)))) as [
    (number | undefined)[],
    (number | undefined)[],
  ]
  for (let at = 0; at < PACKETS; at += 1) {
    const [a, b] = [one[at]!, other[at]!]
    // Which frame was the first to get through is a matter of when the call was up; after it comes each in its turn.
    assert.equal(first[at]! - first[0]!, at, `frame ${at} of one`)
    assert.equal(second[at]! - second[0]!, at, `frame ${at} of the other`)
    const hasStalled = at > 0 && [one, other].some((came) => came[at]!.atMs - came[at - 1]!.atMs > STALL_MS)
    assert.deepEqual(headOf(b, other[at - 1], hasStalled), headOf(a, one[at - 1], hasStalled), `packet ${at}`)
  }
}

const payloadOf = (bytes: Buffer): string => bytes.subarray(HEADER_BYTES).toString('base64')

/** The header of a packet, as numbers; the time of the first, and of others what passed since the one before. */
function headOf({ bytes }: Came, before: Came | undefined, hasStalled: boolean): unknown[] {
  const time = bytes.readUInt32BE(4)
  const passed = before === undefined ? time : (time - before.bytes.readUInt32BE(4)) >>> 0
  const second = before === undefined ? bytes[1]! & 0x7f : bytes[1]
  return [bytes[0], second, bytes.readUInt16BE(2), hasStalled ? 'any' : passed, bytes.readUInt32BE(8)]
}

test('field 23, field 36: of two calls of one seed, one recorded by the worst recorders at once and one by nobody, the parties get the same RTP and SIP', async (t) => {
  const plain = await play(t, [])
  const recorders = await Promise.all(WORST.map((fault) => openFault(t, fault)))
  const recorded = await play(t, recorders)
  assert.deepEqual(recorded.statuses, [200, 200, 200, 200])
  for (const [at, { recorder }] of recorders.entries())
    assert.ok(recorder.sessions.length > 0, `${WORST[at]} was invited`)
  assertSame(plain.came[0], recorded.came[0], BOB)
  assertSame(plain.came[1], recorded.came[1], ALICE)
  assert.deepEqual(recorded.sip, plain.sip, 'the phones see the same messages')
})
