// Alarms about pauses: media that is sent in one, and sessions that never come back from theirs.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { goertzelPower, tone } from '#audio'
import { openSession, raised, standing, talk } from '../../test/harness/alarm-bench.ts'
import { audioOf, type ClientSession, type RecorderBench } from '../../test/harness/recorder.ts'
import { lastMetadata, metadata, offer, withMetadata } from '../../test/harness/recording-offer.ts'

const low = tone(440, 1000)
const high = tone(1000, 1000)
const MINUTE_MS = 60_000
/** From the beginning of a pause to the alarm, and from the last packet to its end. */
const LIMIT_MS = 3500
const HEALED_MS = 2500

type Direction = 'sendonly' | 'inactive'

function lines(...directions: Direction[]): { attributes: string[] }[] {
  return directions.map((direction, at) => ({ attributes: [direction, `label:${at + 1}`] }))
}

async function reoffer(bench: RecorderBench, session: ClientSession, version: number, ...directions: Direction[]) {
  await bench.settled(session.dialog.reinvite({ body: offer(lines(...directions), version) }))
}

/** How often an alarm was raised and cleared. */
function timesOf(bench: RecorderBench, code: string): [raised: number, cleared: number] {
  const of = (type: string): number =>
    bench.events.filter((event) => event.type === type && 'alarm' in event && event.alarm.code === code).length
  return [of('alarm'), of('alarm-cleared')]
}

test('a client that sends on after its own a=inactive is told of once, until it stops, and nothing of it is kept', async (t) => {
  const { bench, session, sources } = await openSession(t)
  const [one, other] = sources as [(typeof sources)[0], (typeof sources)[0]]
  await talk(bench, 500, [one, low], [other, low])
  await reoffer(bench, session, 2, 'inactive', 'inactive')
  await talk(bench, 600, [other, high])
  bench.clock.advance(4000)
  assert.deepEqual(standing(bench), [], 'what was under way is no offence')
  await talk(bench, LIMIT_MS, [other, high])
  assert.deepEqual(standing(bench), ['sent-in-pause 1'])
  const { label, severity, cause } = raised(bench, 'sent-in-pause')
  assert.deepEqual([label, severity], ['2', 'warning'])
  assert.match(cause, /a=inactive/)
  await talk(bench, 1000, [other, high])
  bench.clock.advance(HEALED_MS)
  assert.deepEqual(standing(bench), [], 'it has stopped')
  await talk(bench, 1000, [other, high])
  assert.deepEqual(standing(bench), ['sent-in-pause 1'])
  await reoffer(bench, session, 3, 'sendonly', 'sendonly')
  bench.clock.advance(250)
  assert.deepEqual(standing(bench), [], 'the pause is over')
  await talk(bench, 3000, [one, low], [other, tone(700, 1000)])
  assert.deepEqual(standing(bench), [])
  assert.deepEqual(timesOf(bench, 'sent-in-pause'), [2, 2])
  const said = bench.log.lines.filter(({ fields }) => fields['code'] === 'sent-in-pause')
  assert.deepEqual([...new Set(said.map(({ message }) => message))], ['alarm raised', 'alarm cleared'])
  const { manifest, folder } = await bench.end(session)
  assert.deepEqual(
    manifest.alarms?.map(({ code, toMs }) => [code, typeof toMs]),
    [
      ['sent-in-pause', 'number'],
      ['sent-in-pause', 'number'],
    ],
  )
  assert.ok((manifest.streams[1]!.totals.discarded ?? 0) > 250)
  const heard = (await audioOf(folder))[1]!
  assert.ok(goertzelPower(heard, 8000, 1000) < 0.01, 'nothing of the pause is kept')
})

for (const [what, signal, expected] of [
  ['asked to send nothing and sends on is told of', true, ['sent-in-pause 0']],
  ['not told of a pause of ours is told of no offence', false, []],
] as const) {
  test(`a client that is ${what}`, async (t) => {
    const { bench, session, sources } = await openSession(t, lines('sendonly'))
    session.dialog.handlers = {
      onEnd: () => {},
      onRequest: (incoming) => incoming.respond(200, { body: offer(lines(signal ? 'inactive' : 'sendonly'), 2) }),
    }
    const { recordingId } = (await bench.server.sessions())[0]!
    await talk(bench, 500, [sources[0]!, low])
    await bench.settled(bench.server.pauseHere(recordingId, { signal }))
    await talk(bench, LIMIT_MS, [sources[0]!, high])
    assert.deepEqual(standing(bench), expected)
    if (signal) assert.match(raised(bench, 'sent-in-pause').cause, /recorder is paused/)
    await bench.settled(bench.server.resumeHere(recordingId))
    bench.clock.advance(250)
    assert.deepEqual(standing(bench), [])
  })
}

for (const [what, first] of [
  ['offers every stream inactive and never sends', 'inactive'],
  ['never comes back from its hold', 'sendonly'],
] as const) {
  test(`a client that ${what} is told of after ten minutes, once, until a stream is active`, async (t) => {
    const { bench, session, sources } = await openSession(t, lines(first, first))
    if (first === 'sendonly') {
      await talk(bench, 500, [sources[0]!, low], [sources[1]!, high])
      await reoffer(bench, session, 2, 'inactive', 'inactive')
    }
    bench.clock.advance(9 * MINUTE_MS)
    assert.deepEqual(standing(bench), [])
    bench.clock.advance(2 * MINUTE_MS)
    assert.deepEqual(standing(bench), ['long-inactive '])
    const { severity, cause, fix } = raised(bench, 'long-inactive')
    assert.equal(severity, 'warning')
    assert.match(cause, first === 'inactive' ? /10 minutes, and has never sent/ : /on hold for 10 minutes/)
    assert.match(fix, /sendonly.*BYE/)
    bench.clock.advance(MINUTE_MS)
    await reoffer(bench, session, 3, 'inactive', 'sendonly')
    bench.clock.advance(250)
    assert.deepEqual(standing(bench), [])
    assert.deepEqual(timesOf(bench, 'long-inactive'), [1, 1])
    await bench.end(session)
  })
}

async function silentSession(t: TestContext, options: Parameters<typeof openSession>[3] = {}) {
  const { bench, session, sources } = await openSession(t, lines('sendonly'), metadata('Bob'), options)
  await talk(bench, 500, [sources[0]!, low])
  return { bench, session, sources, recordingId: (await bench.server.sessions())[0]!.recordingId }
}

test('after how long an inactive session is told of can be set, and that it never is', async (t) => {
  for (const [inactiveAlarmMs, expected] of [
    [MINUTE_MS / 2, ['long-inactive ']],
    [0, []],
  ] as const) {
    const { bench, session } = await silentSession(t, { inactiveAlarmMs })
    await reoffer(bench, session, 2, 'inactive')
    bench.clock.advance(MINUTE_MS / 3)
    assert.deepEqual(standing(bench), [])
    bench.clock.advance(MINUTE_MS)
    assert.deepEqual(standing(bench), expected)
    await bench.end(session)
  }
})

test('a pause of ours, a session that waits for its next call, and a hold on which music is sent are no inactive sessions', async (t) => {
  const paused = await silentSession(t, { inactiveAlarmMs: MINUTE_MS })
  paused.session.dialog.handlers = {
    onEnd: () => {},
    onRequest: (incoming) => incoming.respond(200, { body: offer(lines('inactive'), 2) }),
  }
  await paused.bench.settled(paused.bench.server.pauseHere(paused.recordingId, { signal: true }))
  paused.bench.clock.advance(2 * MINUTE_MS)
  assert.deepEqual(standing(paused.bench), [])

  const waiting = await silentSession(t, { inactiveAlarmMs: MINUTE_MS })
  const last = withMetadata(offer(lines('inactive'), 2), lastMetadata('Bob'))
  await waiting.bench.settled(waiting.session.dialog.reinvite({ body: last }))
  waiting.bench.clock.advance(2 * MINUTE_MS)
  assert.deepEqual(standing(waiting.bench), [])

  const held = await silentSession(t, { inactiveAlarmMs: 4000 })
  const onHold = offer([{ connection: '0.0.0.0', attributes: ['sendonly', 'label:1'] }], 2)
  await held.bench.settled(held.session.dialog.reinvite({ body: onHold }))
  await talk(held.bench, 6000, [held.sources[0]!, low])
  assert.deepEqual(standing(held.bench), [])
  held.bench.clock.advance(7000)
  assert.deepEqual(standing(held.bench), ['long-inactive '], 'the music is over')
})
