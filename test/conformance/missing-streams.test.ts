// No voice is left out in silence: a stream that gets no copy, or whose copy had to be removed, is told, is a gap, and is tried again.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noPorts } from '../harness/fake-engine.ts'
import { profiled } from '../harness/profiles.ts'
import { but, offered, openForks, recordingWith } from '../harness/recorder-offers.ts'
import { Command, type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { documentProblems, mediaLines } from '../harness/recording-message.ts'
import { type TestRecorder, takeAll } from '../harness/test-recorder.ts'

function bench(
  name: string,
  run: (bench: RecordingBench) => Promise<void>,
  over?: Parameters<typeof withBench>[1],
): void {
  test(name, () => withBench(run, over))
}

type Told = Extract<RecordingBench['events'][number], { type: `recorder.streams-${string}` }>

/** What was told of streams, in short. */
function told(b: RecordingBench): string[] {
  const isOfStreams = (event: { readonly type: string }): event is Told => event.type.startsWith('recorder.streams-')
  return b.events
    .filter(isOfStreams)
    .map((event) =>
      [event.type.slice('recorder.streams-'.length), ...('labels' in event ? event.labels : [])].join(' '),
    )
}

/** Gaps of the only recorder: why, of which streams, and whether they last. */
function gaps(b: RecordingBench): (readonly [string, readonly string[] | undefined, 'open' | 'over'])[] {
  const [row] = b.view?.ledger ?? []
  return (row?.gaps ?? []).map(({ reason, streams, toMs }) => [reason, streams, toMs === undefined ? 'open' : 'over'])
}

/** Lets no fork be made until the returned function is called; how often one was asked for. */
function withoutPorts(b: RecordingBench): { readonly give: () => void; readonly asked: () => number } {
  let asked = 0
  b.engine.onCommand = (command) => {
    if (command.name !== 'addFork') return undefined
    asked += 1
    return Promise.reject(noPorts())
  }
  return {
    give: () => {
      b.engine.onCommand = undefined
    },
    asked: () => asked,
  }
}

/** A recorded call of Alice and Bob. */
async function twoParties(b: RecordingBench): Promise<TestRecorder> {
  b.call.join('bob', 'sip:bob@desk.example')
  return await b.recording()
}

function lastOffer(recorder: TestRecorder): readonly string[] {
  const last = recorder.session().reoffers.at(-1)
  assert.ok(last)
  assert.deepEqual(documentProblems(last), [], last.documentText)
  return mediaLines(last)
}

const noCopy = 'no copy of streams: 3 (no RTP port is free)'

bench(
  'a third voice without a media port is told, is a gap of its own, and is tried again until it has one',
  async (b) => {
    const recorder = await twoParties(b)
    const ports = withoutPorts(b)
    b.call.join('carol', 'sip:carol@desk.example')
    await b.pass()
    assert.deepEqual([told(b), gaps(b)], [['missing 3'], [[noCopy, ['3'], 'open']]])
    assert.deepEqual(b.view?.sessions[0]?.missing, { labels: ['3'], reason: 'no RTP port is free' })
    const event = b.events.find(({ type }) => type === 'recorder.streams-missing')
    assert.deepEqual(event?.type === 'recorder.streams-missing' && [event.recorder, event.reason], [
      recorder.uri,
      'no RTP port is free',
    ])
    await b.pass(3_000)
    assert.deepEqual([ports.asked(), told(b)], [3, ['missing 3']])
    assert.equal(await b.audio(2), 4, 'the others go on')
    ports.give()
    await b.pass(4_000)
    assert.deepEqual(lastOffer(recorder), ['port sendonly 1', 'port sendonly 2', 'port sendonly 3'])
    assert.deepEqual([told(b), gaps(b)], [['missing 3', 'restored'], [[noCopy, ['3'], 'over']]])
    assert.equal(b.view?.sessions[0]?.missing, undefined)
    assert.equal(await b.audio(2), 6)
  },
)

bench('the time between attempts doubles up to half a minute, and none is made when the call is over', async (b) => {
  await twoParties(b)
  const ports = withoutPorts(b)
  b.call.join('carol')
  await b.pass(0)
  assert.equal(ports.asked(), 1)
  for (const seconds of [1, 2, 4, 8, 16, 30, 30, 30]) {
    const before = ports.asked()
    await b.pass(seconds * 1_000 - 10)
    assert.equal(ports.asked(), before, `before ${seconds} s`)
    await b.pass(10)
    assert.equal(ports.asked(), before + 1, `after ${seconds} s`)
  }
  const before = ports.asked()
  b.call.end()
  await b.pass(120_000)
  assert.equal(ports.asked(), before)
})

bench('a copy that is made in a pause begins cut, and is open when the recording is resumed', async (b) => {
  const recorder = await twoParties(b)
  b.pause()
  await b.pass()
  const ports = withoutPorts(b)
  b.call.join('carol')
  await b.pass(1_500)
  ports.give()
  await b.pass(3_000)
  assert.deepEqual(lastOffer(recorder), ['port inactive 1', 'port inactive 2', 'port inactive 3'])
  assert.deepEqual([told(b), openForks(b), await b.audio(5)], [['missing 3', 'restored'], [], 0])
  const made = b.call.media.commands.filter((command) => command.name === 'addFork')
  assert.deepEqual(made.map(({ options }) => options.open).at(-1), false, 'it is cut before anybody says so')
  assert.deepEqual(
    gaps(b).map(([reason]) => reason),
    ['pause'],
    'nothing is counted twice',
  )
  b.resume()
  await b.pass()
  assert.deepEqual([openForks(b), gaps(b).length, await b.audio(5)], [['1', '2', '3'], 1, 15])
})

bench('a copy that is made while a pause begins stays cut', async (b) => {
  await twoParties(b)
  const ports = withoutPorts(b)
  b.call.join('carol')
  await b.pass()
  let bind = (): void => {}
  const bound = new Promise<void>((resolve) => {
    bind = resolve
  })
  ports.give()
  b.engine.onCommand = (command) => (command.name === 'addFork' ? bound : undefined)
  await b.pass(1_000)
  const pause = b.pause()
  bind()
  await b.pass()
  assert.deepEqual([pause.status, openForks(b), await b.audio(5)], [200, [], 0])
  assert.deepEqual(told(b), ['missing 3', 'restored'])
  b.resume()
  await b.pass()
  assert.equal(await b.audio(5), 15)
})

bench(
  'SRC-34: a stream whose cut was not proved is told, and gets another copy on its m-line, cut until the resumption',
  async (b) => {
    const recorder = await b.recording()
    await b.audio(4)
    const [first = ''] = b.call.media.forks.keys()
    b.doubtCuts(first)
    const pause = b.pause()
    await b.pass()
    assert.deepEqual([pause.status, told(b)], [503, ['missing 1']])
    assert.match(b.view?.sessions[0]?.missing?.reason ?? '', /did not confirm the cut/)
    assert.deepEqual(lastOffer(recorder), ['0 - 1', 'port inactive 2'])
    await b.pass(1_500)
    assert.deepEqual(lastOffer(recorder), ['port inactive 1', 'port inactive 2'])
    assert.deepEqual([told(b), await b.audio(3)], [['missing 1', 'restored'], 0])
    b.resume()
    await b.pass()
    assert.deepEqual([openForks(b).sort(), await b.audio(3)], [['1', '2'], 6])
    assert.equal(b.call.media.forks.has(first), false, 'the one that was removed stays so')
    b.stop()
    await b.pass(1_000)
    assert.equal(b.view?.ledger[0]?.packetsSent, 8 + 6, 'what the removed one sent counts')
  },
)

bench('SEC-28: a stream whose mask was not proved gets another copy, masked', async (b) => {
  const recorder = await b.recording()
  const [first = ''] = b.call.media.forks.keys()
  b.engine.onCommand = (command) =>
    command.name === 'maskDtmf' && command.forks.includes(first) ? Promise.reject(new Error('no')) : undefined
  const on = new Command(b.client.mask(b.call, true, 'info'))
  await b.pass()
  assert.deepEqual([on.status, told(b)], [503, ['missing 1']])
  assert.deepEqual(gaps(b), [
    ['no copy of streams: 1 (the media engine did not confirm the mask; the streams were removed)', ['1'], 'open'],
  ])
  await b.pass(1_500)
  assert.deepEqual([told(b), openForks(b).sort(), gaps(b)[0]?.[2]], [['missing 1', 'restored'], ['1', '2'], 'over'])
  assert.deepEqual(
    [...b.call.media.forks.values()].map(({ masked }) => masked),
    [true, true],
  )
  assert.deepEqual(lastOffer(recorder), ['port sendonly 1', 'port sendonly 2'])
  assert.equal(await b.audio(3), 6)
})

bench('a party who leaves before there is a copy misses nothing any more', async (b) => {
  await twoParties(b)
  const ports = withoutPorts(b)
  const carol = b.call.join('carol')
  await b.pass()
  b.call.leave(carol)
  await b.pass()
  assert.deepEqual([told(b), gaps(b).at(-1)?.[2]], [['missing 3', 'restored'], 'over'])
  const asked = ports.asked()
  await b.pass(60_000)
  assert.equal(ports.asked(), asked)
})

bench('a copy that the engine does not aim at the recorder is told, and made anew', async (b) => {
  const recorder = await twoParties(b)
  b.engine.onCommand = (command) =>
    command.name === 'connectFork' && command.fork.endsWith('/3') ? Promise.reject(new Error('no')) : undefined
  b.call.join('carol')
  await b.pass(500)
  assert.deepEqual(told(b), ['missing 3'])
  b.engine.onCommand = undefined
  await b.pass(1_500)
  assert.deepEqual(told(b), ['missing 3', 'restored'])
  assert.deepEqual(lastOffer(recorder), ['port sendonly 1', 'port sendonly 2', 'port sendonly 3'])
  assert.equal(await b.audio(3), 9)
})

for (const isLate of [true, false]) {
  bench(
    `a copy that the engine neither makes nor refuses is missing, ${isLate ? 'until it comes' : 'to the end'}`,
    async (b) => {
      const recorder = await twoParties(b)
      let bind = (): void => {}
      const bound = new Promise<void>((resolve) => {
        bind = resolve
      })
      b.engine.onCommand = (command) => (command.name === 'addFork' ? bound : undefined)
      b.call.join('carol')
      await b.pass(1_400)
      assert.deepEqual(told(b), [])
      await b.pass(60_000)
      const silent = 'no copy of streams: 3 (the media engine does not answer)'
      assert.deepEqual([told(b), gaps(b)], [['missing 3'], [[silent, ['3'], 'open']]])
      assert.equal(b.call.media.commandNames().filter((name) => name === 'addFork').length, 3, 'it is asked once')
      if (!isLate) return
      bind()
      await b.pass()
      assert.deepEqual([told(b), gaps(b)], [['missing 3', 'restored'], [[silent, ['3'], 'over']]])
      assert.deepEqual(lastOffer(recorder), ['port sendonly 1', 'port sendonly 2', 'port sendonly 3'])
      assert.equal(await b.audio(2), 6)
    },
  )
}

bench('a call that ends while the engine is silent about a copy leaves nothing that waits for it', async (b) => {
  await twoParties(b)
  b.engine.onCommand = (command) => (command.name === 'addFork' ? new Promise(() => {}) : undefined)
  b.call.join('carol')
  await b.pass(100)
  b.call.end()
  await b.pass(10)
  assert.deepEqual(
    b.clock.pendingNames().filter((name) => name === 'recording session forks'),
    [],
  )
})

bench('a stream that a recorder takes away is not forced upon it again, and stays a gap', async (b) => {
  b.call.join('bob')
  const carol = b.call.join('carol')
  const recorder = await b.recording()
  await offered(b, recorder, (index, direction) => (index === 2 ? { port: 0, direction } : takeAll(index, direction)))
  await b.pass(60_000)
  b.call.changeEncodings(['PCMA/8000'])
  await b.pass()
  assert.deepEqual([told(b), openForks(b)], [['refused 3'], ['1', '2']])
  assert.deepEqual(lastOffer(recorder), ['port sendonly 1', 'port sendonly 2', '0 - 3'])
  assert.deepEqual(gaps(b), [['streams refused: 3', ['3'], 'open']])
  b.call.leave(carol)
  await b.pass()
  assert.deepEqual([told(b), gaps(b)], [['refused 3', 'taken'], [['streams refused: 3', ['3'], 'over']]])
})

bench(
  'where two calls share a session, a voice without a copy is told of its own call alone',
  async (b) => {
    const recorder = await twoParties(b)
    const other = b.anotherCall()
    const start = new Command(
      b.client.start(other, { servers: recorder.uri, recordingId: 'rec-2', origin: 'info', noticePlayed: true }),
    )
    await b.pass()
    assert.deepEqual([start.status, recorder.sessions.length], [200, 1])
    const ports = withoutPorts(b)
    b.call.join('carol')
    await b.pass()
    ports.give()
    await b.pass(2_000)
    const missing = b.events.filter(({ type }) => type.startsWith('recorder.streams-'))
    assert.deepEqual(
      missing.map(({ type, callId }) => [type, callId]),
      [
        ['recorder.streams-missing', b.call.callId],
        ['recorder.streams-restored', b.call.callId],
      ],
    )
    assert.equal(await b.audio(2), 6)
  },
  profiled({ callsPerSession: 2 }),
)

bench('a stream of two that a recorder answers inactive is a gap of that stream, until it takes it', async (b) => {
  const recorder = await recordingWith(b, but(1, { direction: 'inactive' }))
  await b.pass(5_000)
  assert.deepEqual([told(b), gaps(b)], [['inactive 2'], [['streams inactive: 2', ['2'], 'open']]])
  assert.ok((b.view?.ledger[0]?.gapMs ?? 0) >= 5_000)
  await offered(b, recorder, takeAll)
  assert.deepEqual([told(b), gaps(b)], [['inactive 2', 'active'], [['streams inactive: 2', ['2'], 'over']]])
  assert.equal(await b.audio(2), 4)
})

bench(
  'a stream that is inactive at the recorder is no gap of its own in a pause, nor while all of them are',
  async (b) => {
    const recorder = await recordingWith(b, but(1, { direction: 'inactive' }))
    await b.pass(1_000)
    const startedAtMs = b.view?.ledger[0]?.gaps[0]?.fromMs ?? 0
    b.pause()
    await b.pass(1_000)
    b.resume()
    await b.pass(1_000)
    await offered(b, recorder, (index) => ({ port: 40_000 + 2 * index, direction: 'inactive' }))
    await b.pass(1_000)
    assert.deepEqual(gaps(b), [
      ['streams inactive: 2', ['2'], 'over'],
      ['pause', undefined, 'over'],
      ['streams inactive: 2', ['2'], 'over'],
      ['paused by the recorder', undefined, 'open'],
    ])
    assert.equal(b.view?.ledger[0]?.gapMs, b.clock.wallMs() - startedAtMs, 'no moment is counted twice')
  },
)

bench('one stream refused and another inactive are one gap that names both', async (b) => {
  b.call.join('bob')
  b.call.join('carol')
  const rules = { 1: { port: 0 }, 2: { direction: 'inactive' } } as Readonly<Record<number, object>>
  await recordingWith(b, (at, direction) => ({ ...takeAll(at, direction)!, ...rules[at] }))
  assert.deepEqual(gaps(b).at(-1), ['streams refused: 2; streams inactive: 3', ['2', '3'], 'open'])
})

/** Lets one command fail for the fork of a stream as often as said. */
function failing(b: RecordingBench, name: 'addFork' | 'connectFork' | 'moveFork', label: string, times: number): void {
  let left = times
  b.engine.onCommand = (command) => {
    if (command.name !== name) return undefined
    const id = command.name === 'addFork' ? command.options.id : command.fork
    return id.endsWith(`/${label}`) && left-- > 0 ? Promise.reject(noPorts()) : undefined
  }
}

for (const command of ['addFork', 'connectFork'] as const) {
  bench(
    `a start that gets a copy of one voice only (${command}) records that, tells it, and has the other as soon as it can`,
    async (b) => {
      const recorder = b.recorder()
      failing(b, command, '2', 2)
      const start = b.start(recorder.uri)
      await b.pass(500)
      assert.deepEqual([start.status, b.state, told(b)], [200, 'recording', ['missing 2']])
      assert.deepEqual(gaps(b), [['no copy of streams: 2 (no RTP port is free)', ['2'], 'open']])
      assert.equal(await b.audio(3), 3)
      await b.pass(4_000)
      assert.deepEqual(lastOffer(recorder), ['port sendonly 1', 'port sendonly 2'])
      assert.deepEqual([told(b), gaps(b)[0]?.[2], await b.audio(3)], [['missing 2', 'restored'], 'over', 6])
      assert.equal(recorder.sessions.length, 1)
    },
  )
}

bench('a copy that cannot follow its voice to another leg is none: it is told, and made anew from there', async (b) => {
  const recorder = await b.recording()
  const bob = b.call.join('bob', 'sip:bob@desk.example')
  await b.pass()
  failing(b, 'moveFork', '2', 1)
  const [alice] = b.call.snapshot().parties
  b.call.hold(alice!.participantId, 'sendonly')
  await b.pass(500)
  assert.deepEqual(told(b), ['missing 2'])
  await b.pass(1_500)
  assert.deepEqual(
    [told(b), lastOffer(recorder)],
    [
      ['missing 2', 'restored'],
      ['port sendonly 1', 'port sendonly 2'],
    ],
  )
  const forks = [...b.call.media.forks.values()].filter(({ id }) => id.endsWith('/2'))
  const leg = b.call.snapshot().parties.find(({ participantId }) => participantId === bob)?.leg
  assert.deepEqual(
    forks.map(({ tap }) => tap),
    [{ leg, point: 'received' }],
  )
})

bench('a recorder whose gates the engine does not open is invited again, and has the audio then', async (b) => {
  const recorder = b.recorder()
  let left = 1
  b.engine.onCommand = (command) =>
    command.name === 'openGates' && left-- > 0 ? Promise.reject(new Error('no')) : undefined
  b.start(recorder.uri)
  await b.pass(3_000)
  const loss = b.events.find(({ type }) => type === 'recorder.lost')
  assert.deepEqual(loss?.type === 'recorder.lost' && loss.reason, 'the media engine refused to send it')
  assert.deepEqual([recorder.sessions.length, b.state, await b.audio(5)], [2, 'recording', 10])
})
