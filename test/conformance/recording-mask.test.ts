// The mask of keys as a command: true of every stream when it is reported, of recorders to come as well, and fail-safe.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultProfile } from '#recording-client'
import { Command, type RecordingBench, withBench } from '../harness/recording-bench.ts'

function bench(
  name: string,
  run: (bench: RecordingBench) => Promise<void>,
  over?: Parameters<typeof withBench>[1],
): void {
  test(name, () => withBench(run, over))
}

function mask(b: RecordingBench, isOn: boolean): Command {
  return new Command(b.client.mask(b.call, isOn, 'info'))
}

function masked(b: RecordingBench): boolean[] {
  return [...b.call.media.forks.values()].map((fork) => fork.masked)
}

function shown(b: RecordingBench): boolean | undefined {
  return b.client.recordingsOf(b.call.callId)[0]?.maskDtmf
}

bench(
  'SEC-28: keys are left out from a command on and let in by another, while speech goes on at two recorders',
  async (b) => {
    b.start(`${b.recorder(11).uri},${b.recorder(12).uri}`)
    await b.pass()
    assert.deepEqual([masked(b), shown(b)], [[false, false, false, false], undefined])
    const on = mask(b, true)
    await b.pass(0)
    assert.deepEqual([on.status, masked(b), shown(b)], [200, [true, true, true, true], true])
    assert.equal(b.eventTypes.at(-1), 'recording.masked')
    assert.equal(await b.audio(5), 20)
    const off = mask(b, false)
    await b.pass(0)
    assert.deepEqual([off.status, masked(b), shown(b)], [200, [false, false, false, false], false])
    assert.equal(b.eventTypes.at(-1), 'recording.unmasked')
  },
)

bench('SEC-28: a mask is not reported before every stream has confirmed it', async (b) => {
  await b.recording()
  let confirm = (): void => {}
  const waits = new Promise<void>((resolve) => {
    confirm = resolve
  })
  let asked = 0
  b.engine.onCommand = (command) => (command.name === 'maskDtmf' && ++asked === 2 ? waits : undefined)
  const on = mask(b, true)
  await b.pass(1_000)
  assert.deepEqual([on.status, shown(b), b.eventTypes.includes('recording.masked')], ['pending', undefined, false])
  confirm()
  await b.pass(0)
  assert.deepEqual([on.status, shown(b), b.eventTypes.at(-1)], [200, true, 'recording.masked'])
})

for (const how of ['refuses', 'never answers'] as const) {
  bench(`SEC-28: a stream whose mask the engine ${how} is removed, and the command is 503`, async (b) => {
    await b.recording()
    const [first] = b.call.media.forks.keys()
    b.engine.onCommand = (command) => {
      if (command.name !== 'maskDtmf' || !command.forks.includes(first ?? '')) return undefined
      return how === 'refuses' ? Promise.reject(new Error('no')) : new Promise(() => {})
    }
    const on = mask(b, true)
    // Soon after, it gets another copy.
    await b.pass(how === 'refuses' ? 500 : 2_000)
    assert.equal(on.status, 503)
    assert.deepEqual([b.call.media.forks.has(first ?? ''), masked(b)], [false, [true]])
    assert.equal(b.eventTypes.includes('recording.masked'), false)
    assert.equal(await b.audio(3), 3, 'the other stream goes on')
  })
}

for (const how of ['refuses', 'never answers'] as const) {
  bench(`SEC-28: a recorder whose every mask the engine ${how} gets no key, and is tried again, masked`, async (b) => {
    const recorder = await b.recording()
    const unmasked = [...b.call.media.forks.keys()]
    b.engine.onCommand = (command) => {
      if (command.name !== 'maskDtmf') return undefined
      return how === 'refuses' ? Promise.reject(new Error('no')) : new Promise(() => {})
    }
    const on = mask(b, true)
    await b.pass(2_000)
    assert.equal(on.status, 503)
    assert.deepEqual(
      unmasked.filter((fork) => b.call.media.forks.has(fork)),
      [],
      'nothing goes out that may carry keys',
    )
    assert.equal(recorder.session().end?.cause, 'remote-bye')
    assert.deepEqual([recorder.sessions.length, b.state, masked(b)], [2, 'recording', [true, true]])
    assert.equal(await b.audio(3), 6)
    const told = b.eventTypes.filter((type) => type.startsWith('recorder.'))
    assert.deepEqual(told, ['recorder.accepted', 'recorder.lost', 'recorder.accepted', 'recorder.re-homed'])
    const lost = b.events.find(({ type }) => type === 'recorder.lost')
    assert.match(lost?.type === 'recorder.lost' ? lost.reason : '', /did not confirm the mask/)
  })
}

bench('SEC-28: a pause outlasts the loss of a recorder whose mask the engine refuses', async (b) => {
  const recorder = await b.paused()
  b.engine.onCommand = (command) => (command.name === 'maskDtmf' ? Promise.reject(new Error('no')) : undefined)
  const on = mask(b, true)
  await b.pass(2_000)
  assert.deepEqual([on.status, b.state, recorder.sessions.length, await b.audio(3)], [503, 'paused', 2, 0])
  b.engine.onCommand = undefined
  b.resume()
  await b.pass()
  assert.deepEqual([b.state, masked(b), await b.audio(3)], ['recording', [true, true], 6])
})

bench('an end of the mask that is not confirmed is 503, costs no stream, and is not shown', async (b) => {
  await b.recording()
  mask(b, true)
  await b.pass(0)
  b.engine.onCommand = (command) => (command.name === 'maskDtmf' ? Promise.reject(new Error('no')) : undefined)
  const off = mask(b, false)
  await b.pass(0)
  assert.deepEqual([off.status, b.call.media.forks.size, shown(b)], [503, 2, undefined])
})

bench('SEC-28: a recorder that comes late, and one whose ports are being bound, gets no keys either', async (b) => {
  const [first, second] = [b.recorder(11), b.recorder(12)]
  first.onInvite = 486
  let bind = (): void => {}
  const bound = new Promise<void>((resolve) => {
    bind = resolve
  })
  let forks = 0
  b.engine.onCommand = (command) => (command.name === 'addFork' && ++forks > 2 ? bound : undefined)
  const start = b.start(`${first.uri}|${second.uri}`)
  await b.pass()
  assert.equal(start.status, 'pending')
  const on = mask(b, true)
  bind()
  await b.pass()
  assert.deepEqual([on.status, start.status, masked(b)], [200, 200, [true, true]])
})

bench(
  'a command goes before what a profile says, and there is nothing to mask without a recording',
  async (b) => {
    assert.equal(mask(b, true).status, 'pending')
    const early = mask(b, true)
    await b.pass(0)
    assert.deepEqual([early.status, early.outcome?.text], [400, 'discarding invalid maskCallRecording request'])
    await b.recording()
    assert.deepEqual(masked(b), [true, true])
    const off = mask(b, false)
    await b.pass(0)
    assert.deepEqual([off.status, masked(b)], [200, [false, false]])
    b.stop()
    await b.pass()
    const late = mask(b, false)
    await b.pass(0)
    assert.deepEqual([late.status, late.outcome?.text], [400, 'discarding invalid unmaskCallRecording request'])
  },
  { profileOf: () => ({ ...defaultProfile, media: { ...defaultProfile.media, maskDtmf: true } }) },
)

bench('the command lasts over a pause and holds for a pause under way', async (b) => {
  await b.paused()
  const on = mask(b, true)
  await b.pass(0)
  assert.deepEqual([on.status, b.state], [200, 'paused'])
  b.resume()
  await b.pass()
  assert.deepEqual([b.state, masked(b)], ['recording', [true, true]])
})

/** Forks in the order of their making, with what each was made with and is now. */
function madeMasked(b: RecordingBench): boolean[] {
  return b.call.media.commands.flatMap((command) =>
    command.name === 'addFork' ? [command.options.maskDtmf === true] : [],
  )
}

for (const how of ['hangs up', 'is paused and hangs up'] as const) {
  bench(`SEC-28: a mask holds at the next recorder when the first ${how}, from its first packet on`, async (b) => {
    const [first, standby] = [b.recorder(11), b.recorder(12)]
    b.start(`${first.uri}|${standby.uri}`)
    await b.pass()
    mask(b, true)
    await b.pass(0)
    if (how !== 'hangs up') b.pause()
    await b.pass()
    first.bye()
    await b.pass()
    if (how !== 'hangs up') b.resume()
    await b.pass()
    assert.equal(standby.sessions.length, 1)
    assert.deepEqual(
      [masked(b), madeMasked(b)],
      [
        [true, true],
        [false, false, true, true],
      ],
    )
    assert.equal(await b.audio(5), 10)
    const off = mask(b, false)
    await b.pass(0)
    assert.deepEqual([off.status, masked(b)], [200, [false, false]])
  })
}

bench('SEC-28: a mask that begins while a recorder is being replaced holds for its stand-in', async (b) => {
  const [first, standby] = [b.recorder(11), b.recorder(12)]
  standby.onInvite = 'leave'
  b.start(`${first.uri}|${standby.uri}`)
  await b.pass()
  first.bye()
  await b.pass()
  const on = mask(b, true)
  await b.pass(0)
  standby.accept()
  await b.pass()
  assert.deepEqual([on.status, b.state, masked(b)], [200, 'recording', [true, true]])
  assert.equal(await b.audio(5), 10)
})

bench(
  'SEC-28: a party that joins during a mask is masked from its first packet on, and so is one after it',
  async (b) => {
    b.start(`${b.recorder(11).uri},${b.recorder(12).uri}`)
    await b.pass()
    b.call.join()
    await b.pass()
    mask(b, true)
    await b.pass(0)
    b.call.join('third', 'sip:carol@desk.example')
    await b.pass()
    assert.deepEqual([masked(b), madeMasked(b).slice(-2)], [Array(6).fill(true), [true, true]])
    const off = mask(b, false)
    await b.pass(0)
    assert.deepEqual([off.status, masked(b)], [200, Array(6).fill(false)])
    b.call.join('fourth', 'sip:dave@desk.example')
    await b.pass()
    assert.deepEqual(masked(b), Array(8).fill(false))
  },
)

bench(
  'SEC-28: the mask of a profile holds for a party that joins and for the recorder that takes over',
  async (b) => {
    const [first, standby] = [b.recorder(11), b.recorder(12)]
    b.start(`${first.uri}|${standby.uri}`)
    await b.pass()
    b.call.join()
    b.call.join('third', 'sip:carol@desk.example')
    await b.pass()
    assert.deepEqual(masked(b), [true, true, true])
    first.bye()
    await b.pass()
    assert.deepEqual([standby.sessions.length, masked(b)], [1, [true, true, true]])
  },
  { profileOf: () => ({ ...defaultProfile, media: { ...defaultProfile.media, maskDtmf: true } }) },
)
