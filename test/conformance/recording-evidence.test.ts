// What a recording can prove: its ledger, the alarm when no audio seems to arrive, the replay memory.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeCommand } from '../harness/fake-engine.ts'
import { profiled } from '../harness/profiles.ts'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { documentProblems } from '../harness/recording-message.ts'

function bench(
  name: string,
  run: (bench: RecordingBench) => Promise<void>,
  over?: Parameters<typeof withBench>[1],
): void {
  test(name, () => withBench(run, over))
}

type Row = NonNullable<ReturnType<RecordingBench['client']['recordingsOf']>[number]>['ledger'][number]

/** The ledger as the event of the end tells it. */
function closedLedger(b: RecordingBench): readonly Row[] {
  const closed = b.events.find((event) => event.type === 'recording.closed')
  assert.ok(closed?.type === 'recording.closed')
  return closed.ledger
}

bench('peer idea 2: the ledger adds up: what was tapped is what was sent and what was held back', async (b) => {
  const recorder = await b.recording()
  await b.audio(10)
  b.pause()
  await b.pass()
  await b.audio(7)
  b.resume()
  await b.pass()
  await b.audio(3)
  b.stop()
  await b.pass(1_000)
  const [row] = closedLedger(b)
  assert.ok(row)
  assert.equal(row.recorder, recorder.uri)
  assert.deepEqual([row.packetsSent, row.packetsHeld], [26, 14])
  assert.equal(row.packetsSent + row.packetsHeld, 2 * (10 + 7 + 3))
  assert.deepEqual([row.invitations, row.outcome], [1, 'accepted'])
})

bench('the ledger has the times of question, answer, first and last packet, in their order', async (b) => {
  await b.recording()
  await b.audio(1)
  await b.pass(1_000)
  await b.audio(1)
  b.stop()
  await b.pass(1_000)
  const [row] = closedLedger(b)
  assert.ok(row?.answeredAtMs && row.firstPacketAtMs && row.lastPacketAtMs)
  assert.ok(row.askedAtMs < row.answeredAtMs && row.answeredAtMs <= row.firstPacketAtMs)
  assert.ok(row.lastPacketAtMs - row.firstPacketAtMs >= 1_000)
})

bench('a pause is a gap with its reason and its length', async (b) => {
  await b.recording()
  b.pause()
  await b.pass(4_000)
  b.resume()
  await b.pass()
  b.stop()
  await b.pass(1_000)
  const [row] = closedLedger(b)
  assert.deepEqual(
    row?.gaps.map(({ reason }) => reason),
    ['pause'],
  )
  assert.ok(row && row.gapMs >= 4_000 && row.gapMs < 4_100, `${row?.gapMs}`)
})

bench('field 22: a loss is a gap until another recorder has taken over; both rows say so', async (b) => {
  const [first, standby] = [b.recorder(11), b.recorder(12)]
  b.start(`${first.uri}|${standby.uri}`)
  await b.pass()
  await b.audio(10)
  standby.onInvite = 503
  first.onInvite = 503
  first.bye()
  await b.pass(500)
  standby.onInvite = 'take'
  await b.pass(5_000)
  await b.audio(5)
  b.stop()
  await b.pass(1_000)
  const [left, taken] = closedLedger(b)
  assert.deepEqual([left?.outcome, left?.takenOverBy, taken?.tookOverFrom], ['failed(503)', standby.uri, first.uri])
  assert.deepEqual(
    left?.gaps.map(({ reason }) => reason),
    ['lost: remote-bye'],
  )
  assert.ok(left && left.gapMs >= 1_000 && left.gapMs < 1_200, `${left?.gapMs}`)
  assert.deepEqual([left.packetsSent, taken?.packetsSent, taken?.gaps], [20, 10, []])
})

bench('a recorder that refused has a row, too', async (b) => {
  const [first, second] = [b.recorder(11), b.recorder(12)]
  first.onInvite = 486
  b.start(`${first.uri}|${second.uri}`)
  await b.pass()
  const rows = b.client.recordingsOf(b.call.callId)[0]?.ledger ?? []
  assert.deepEqual(
    rows.map(({ recorder, outcome, packetsSent }) => [recorder, outcome, packetsSent]),
    [
      [first.uri, 'failed(486)', 0],
      [second.uri, 'accepted', 0],
    ],
  )
})

bench('the ledger of a recording under way has the packets of this moment once it is asked for', async (b) => {
  await b.recording()
  await b.audio(10)
  await b.client.refresh(b.call.callId)
  assert.equal(b.client.recordingsOf(b.call.callId)[0]?.ledger[0]?.packetsSent, 20)
})

bench('no sign of life for 5 s: the alarm names both addresses, once, until audio is confirmed', async (b) => {
  const recorder = await b.recording()
  await b.audio(5)
  const [fork = ''] = b.call.media.forks.keys()
  const port = b.call.media.forks.get(fork)?.local.rtpPort
  b.call.media.emit({ type: 'fork-unheard', fork, forMs: 5_000 })
  b.call.media.emit({ type: 'fork-unheard', fork, forMs: 10_000 })
  const cause = `no sign of audio at the recorder: allow RTP from 192.0.2.10:${port} to 192.0.2.99:40000`
  const alarms = b.events.filter((event) => event.type === 'recorder.no-audio-confirmed')
  assert.deepEqual(
    alarms.map((event) => [event.recorder, event.type === 'recorder.no-audio-confirmed' && event.cause]),
    [[recorder.uri, cause]],
  )
  const noAudio = (): string | undefined => b.client.recordingsOf(b.call.callId)[0]?.sessions[0]?.noAudio
  assert.equal(noAudio(), cause)
  const doubt = () => b.client.recordingsOf(b.call.callId)[0]?.ledger[0]?.noAudio
  const fromMs = b.clock.wallMs()
  assert.deepEqual(doubt(), { cause, fromMs })
  await b.pass(1_000)
  b.call.media.emit({ type: 'fork-heard', fork, atMs: b.clock.wallMs() })
  assert.equal(noAudio(), undefined)
  assert.deepEqual(doubt(), { cause, fromMs, toMs: fromMs + 1_000 })
  assert.equal(b.eventTypes.at(-1), 'recorder.audio-confirmed')
  assert.equal(b.state, 'recording', 'an alarm, not a loss')
})

bench('ICMP: a closed media port raises the alarm at the first refusal', async (b) => {
  await b.recording()
  const [fork = ''] = b.call.media.forks.keys()
  b.call.media.emit({ type: 'fork-refused', fork, reason: 'ECONNREFUSED' })
  assert.equal(b.eventTypes.at(-1), 'recorder.no-audio-confirmed')
})

const replay = { replayMs: 5_000 }

/** Commands about memory and gates, in their order. */
function memoryCommands(commands: readonly FakeCommand[]): string[] {
  return commands
    .map(({ name }) => name)
    .filter((name) => ['remember', 'forget', 'shutGates', 'openGates'].includes(name))
}

/** From when on the latest forks are sent what was said before them. */
function replayed(b: RecordingBench): (number | undefined)[] {
  const added = b.call.media.commands.flatMap((command) => (command.name === 'addFork' ? [command.options] : []))
  return added.slice(-2).map(({ replayFromMs }) => replayFromMs)
}

bench('peer idea 4: without configuration nothing is remembered and nothing is replayed', async (b) => {
  const recorder = await b.recording()
  recorder.bye()
  await b.pass()
  assert.equal(b.call.media.commandNames().includes('remember'), false)
  assert.deepEqual(replayed(b), [undefined, undefined])
})

bench(
  'peer idea 4: a re-homed recorder is sent what the lost one may not have had, never from before the start',
  async (b) => {
    const startedAtMs = b.clock.wallMs()
    const recorder = await b.recording()
    await b.pass(1_000)
    recorder.bye()
    await b.pass()
    assert.deepEqual(replayed(b), [startedAtMs, startedAtMs])
    await b.pass(60_000)
    const lostAtMs = b.clock.wallMs()
    recorder.bye(recorder.session(1))
    await b.pass()
    for (const fromMs of replayed(b)) assert.ok(fromMs && fromMs >= lostAtMs - 5_000 && fromMs <= lostAtMs)
  },
  replay,
)

for (const updates of ['complete', 'partial'] as const) {
  bench(
    `peer idea 4: a document tells which part of each stream had been said before, with ${updates} updates`,
    async (b) => {
      const startedAtMs = b.clock.wallMs()
      const recorder = await b.recording()
      await b.pass(1_000)
      assert.deepEqual(recorder.session().reoffers, [], 'a first recorder has missed nothing')
      recorder.bye()
      await b.pass(500)
      const { first, reoffers } = recorder.session(1)
      assert.doesNotMatch(first.documentText ?? '', /replayed/, 'nothing has been sent yet')
      const [told] = reoffers
      assert.ok(told)
      assert.deepEqual(documentProblems(told), [])
      const marks = told.document?.streams.map(({ extensions }) => extensions.filter(({ name }) => name === 'replayed'))
      assert.equal(marks?.length, 2)
      for (const [mark] of marks ?? []) {
        const times = mark?.attributes.map(({ name, value }) => [name, Date.parse(value)] as const)
        const { from = 0, to = 0 } = Object.fromEntries(times ?? [])
        assert.ok(from === startedAtMs && to > from && to <= b.clock.wallMs())
      }
    },
    { ...replay, ...profiled({ metadata: { updates } }) },
  )
}

bench(
  'a recorder that is lost by silence is replaced by one that hears everything since it was last heard',
  async (b) => {
    const recorder = await b.recording()
    await b.pass(60_000)
    const forks = [...b.call.media.forks.keys()]
    const heardUntilMs = b.clock.wallMs() - 4_000
    for (const fork of forks) b.call.media.emit({ type: 'fork-unheard', fork, forMs: 4_000 })
    recorder.bye()
    await b.pass()
    assert.deepEqual(replayed(b), [heardUntilMs, heardUntilMs])
  },
  replay,
)

for (const [what, byMs] of [
  ['back', -3_600_000],
  ['forward', 3_600_000],
] as const) {
  bench(
    `a system clock that is set ${what} by an hour changes nothing of what the next recorder is sent`,
    async (b) => {
      const recorder = await b.recording()
      await b.pass(60_000)
      const wallMs = b.clock.wallMs.bind(b.clock)
      b.clock.wallMs = () => wallMs() + byMs
      await b.pass(3_000)
      recorder.bye()
      const lostAtMs = b.clock.wallMs()
      await b.pass()
      for (const fromMs of replayed(b)) assert.ok(fromMs && fromMs >= lostAtMs - 5_000 && fromMs <= lostAtMs)
    },
    replay,
  )
  bench(
    `a recorder that is silent while the system clock is set ${what} is replaced by one that hears what it missed`,
    async (b) => {
      const recorder = await b.recording()
      await b.pass(60_000)
      const forks = [...b.call.media.forks.keys()]
      for (const fork of forks) b.call.media.emit({ type: 'fork-unheard', fork, forMs: 3_000 })
      const wallMs = b.clock.wallMs.bind(b.clock)
      b.clock.wallMs = () => wallMs() + byMs
      await b.pass(1_000)
      const heardUntilMs = b.clock.wallMs() - 4_000
      recorder.bye()
      await b.pass()
      assert.deepEqual(replayed(b), [heardUntilMs, heardUntilMs])
    },
    replay,
  )
}

bench(
  'field 6: a pause forgets first, then shuts the gates, and nothing is remembered before the resumption has succeeded',
  async (b) => {
    const recorder = await b.recording()
    const before = b.call.media.commands.length
    b.pause()
    assert.deepEqual(memoryCommands(b.call.media.commands.slice(before)), ['forget', 'shutGates'])
    await b.pass()
    recorder.bye()
    await b.pass()
    assert.deepEqual(replayed(b), [undefined, undefined], 'nothing of before the pause')
    b.resume()
    const resumedAtMs = b.clock.wallMs()
    await b.pass()
    assert.equal(memoryCommands(b.call.media.commands).at(-1), 'remember')
    recorder.bye(recorder.session(1))
    await b.pass(1_300)
    for (const fromMs of replayed(b)) assert.ok(fromMs !== undefined && fromMs >= resumedAtMs)
  },
  replay,
)

bench(
  'the memory follows the call, and is forgotten at the end of the recording',
  async (b) => {
    await b.recording()
    const bob = b.call.join()
    await b.pass()
    const [caller] = b.call.snapshot().parties
    b.call.hold(caller?.participantId ?? bob, 'sendonly')
    await b.pass()
    const taps = b.call.media.commands.flatMap((command) => (command.name === 'remember' ? [command.taps[1]?.leg] : []))
    assert.deepEqual(taps, ['caller', 'callee'])
    b.stop()
    await b.pass()
    assert.ok(b.call.media.commandNames().includes('forget'))
  },
  replay,
)

bench('digits are left out of the copies when the start says so', async (b) => {
  b.start(b.recorder().uri, { maskDtmf: true })
  await b.pass()
  assert.deepEqual(
    [...b.call.media.forks.values()].map(({ masked }) => masked),
    [true, true],
  )
})
