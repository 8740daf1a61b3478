import assert from 'node:assert/strict'
import { test } from 'node:test'
import { correlate, tone } from '#audio'
import { audioOf, RecorderBench } from '../../test/harness/recorder.ts'
import { offer } from '../../test/harness/recording-offer.ts'
import { TestDiskPort } from '../../test/harness/test-disk.ts'

test('SRS-16: dropStream offers the stream with port 0, with Require: siprec (SRS-03)', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer())
  const offers: string[] = []
  session.dialog.handlers = {
    onEnd: () => {},
    onRequest: (incoming) => {
      assert.deepEqual(incoming.request.headers.list('Require'), ['siprec'])
      offers.push(new TextDecoder().decode(incoming.request.body))
      incoming.respond(200, { body: offer([{ port: 0 }, { attributes: ['sendonly', 'label:2'] }], 2) })
    },
  }
  const recordingId = (await bench.server.sessions())[0]!.recordingId
  const outcome = await bench.settled(bench.server.dropStream(recordingId, 0))
  assert.equal(outcome?.status, 200)
  assert.match(offers[0]!, /m=audio 0 /)
  assert.equal(offers[0]!.match(/^m=/gm)?.length, 2)
  assert.deepEqual(
    (await bench.server.sessions())[0]!.streams.map(({ isRemoved }) => isRemoved),
    [true, false],
  )
})

test('SRS-24: draining, too many sessions and an unusable store get 503 with Retry-After; too many of one source get 486', async (t) => {
  const full = await RecorderBench.open(t, { maxSessions: 1 })
  const session = await full.start(offer())
  const refused = await full.invite(offer())
  assert.ok('status' in refused && refused.status === 503)
  assert.match(refused.response?.headers.get('Retry-After') ?? '', /^\d+$/)
  await full.end(session)
  await full.settled(full.server.drain())
  const drained = await full.invite(offer())
  assert.ok('status' in drained && drained.status === 503)

  const greedy = await RecorderBench.open(t, { maxSessionsPerSource: 1 })
  await greedy.start(offer())
  const second = await greedy.invite(offer())
  assert.ok('status' in second && second.status === 486)

  const broken = await RecorderBench.open(t)
  Object.assign(broken.store, { refusal: () => Promise.resolve('disk-full') })
  const unwritable = await broken.invite(offer())
  assert.ok('status' in unwritable && unwritable.status === 503)
})

test('no packet: an alarm after 3 s, and manifest and catalogue say no-audio with the cause', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer())
  assert.equal((await bench.settled(bench.catalogue.list({ limit: 1 })))[0]?.state, 'receiving')
  bench.clock.advance(3000)
  const alarms = bench.events.filter((event) => event.type === 'alarm')
  assert.deepEqual(
    alarms.map(({ alarm }) => [alarm.code, alarm.label]),
    [
      ['no-packets', '1'],
      ['no-packets', '2'],
    ],
  )
  const { manifest } = await bench.end(session)
  assert.equal(manifest.state, 'no-audio')
  assert.equal(manifest.cause, 'no-rtp')
  const row = await bench.settled(bench.catalogue.get(manifest.recordingId))
  assert.equal(row?.state, 'no-audio')
  assert.equal(row.cause, 'no-rtp')
})

test('a catalogue that fails disturbs no recording', async (t) => {
  const failing = () => Promise.reject(new Error('locked'))
  const catalogue = { put: failing, get: failing, list: failing, count: failing, remove: failing, close: failing }
  const bench = await RecorderBench.open(t, { catalogue })
  const session = await bench.start(offer())
  const source = await bench.source(session, 0)
  await bench.talk([source, tone(440, 200)])
  const { manifest } = await bench.end(session)
  assert.equal(manifest.state, 'published')
  assert.ok(bench.log.messages().includes('catalogue not updated'))
})

test('SRS-24: a disk with less room than it must have refuses new sessions with 503 and Retry-After; those under way go on, and it is open again with room', async (t) => {
  const disk = new TestDiskPort()
  disk.free = 1000
  const bench = await RecorderBench.open(t, { disk, leastFreeBytes: 1000 })
  const session = await bench.start(offer())
  const source = await bench.source(session, 0)
  const voice = tone(440, 1200)
  disk.free = 999
  await bench.talk([source, voice])
  await bench.until(() => !bench.server.isAvailable)
  const refused = await bench.invite(offer())
  assert.ok('status' in refused && refused.status === 503)
  assert.match(refused.response?.headers.get('Retry-After') ?? '', /^\d+$/)
  assert.ok(bench.log.messages().includes('disk is nearly full; new sessions are refused'))
  assert.deepEqual(
    bench.events.filter(({ type }) => type === 'alarm'),
    [],
  )
  disk.free = 1000
  await bench.talk([source, voice])
  await bench.until(() => bench.server.isAvailable)
  assert.ok('dialog' in (await bench.invite(offer())))
  const { manifest } = await bench.end(session)
  assert.deepEqual(
    manifest.streams[0]?.gaps.filter(({ cause }) => cause === 'disk'),
    [],
  )
})

test('SRS-24: a full disk refuses new sessions with 503; those under way wait in memory, and lose nothing when it has room again', async (t) => {
  const disk = new TestDiskPort()
  const bench = await RecorderBench.open(t, { disk })
  const session = await bench.start(offer())
  const source = await bench.source(session, 0)
  const voice = tone(440, 1200)
  await bench.talk([source, voice.subarray(0, 3200)])
  disk.failsWith = 'ENOSPC'
  await bench.talk([source, voice.subarray(3200, 6400)])
  const refused = await bench.invite(offer())
  assert.ok('status' in refused && refused.status === 503)
  assert.match(refused.response?.headers.get('Retry-After') ?? '', /^\d+$/)
  const alarm = bench.events.find((event) => event.type === 'alarm')
  assert.equal(alarm?.alarm.code, 'disk-failed')
  assert.ok(bench.log.messages().includes('disk does not write'))
  disk.failsWith = undefined
  await bench.talk([source, voice.subarray(6400)])
  assert.ok(bench.log.messages().includes('disk writes again'))
  assert.ok('dialog' in (await bench.invite(offer())))
  const { manifest, folder } = await bench.end(session)
  assert.deepEqual(
    manifest.streams[0]?.gaps.filter(({ cause }) => cause === 'disk'),
    [],
  )
  assert.ok(correlate(voice, (await audioOf(folder))[0]!, 4000).coefficient > 0.99)
})

test('a recording that a full disk does not take at its end is published when there is room', async (t) => {
  const disk = new TestDiskPort()
  const bench = await RecorderBench.open(t, { disk })
  const session = await bench.start(offer())
  const source = await bench.source(session, 0)
  const voice = tone(440, 600)
  await bench.talk([source, voice.subarray(0, 2400)])
  disk.failsWith = 'ENOSPC'
  await bench.talk([source, voice.subarray(2400)])
  void session.dialog.bye()
  await bench.until(() => bench.log.messages().includes('recording could not be published'))
  assert.ok(!bench.eventTypes().includes('ended'))
  disk.failsWith = undefined
  bench.clock.advance(5000)
  await bench.until(() => bench.eventTypes().includes('ended'))
  const ended = bench.events.findLast((event) => event.type === 'ended')
  assert.ok(ended?.type === 'ended')
  assert.ok(correlate(voice, (await audioOf(ended.folder))[0]!, 4000).coefficient > 0.99)
  const row = await bench.settled(bench.catalogue.get(ended.recordingId))
  assert.equal(row?.state, 'published')
})

test('stop says BYE to every session and publishes what it holds', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer())
  const source = await bench.source(session, 0)
  await bench.talk([source, tone(440, 200)])
  await bench.settled(bench.server.stop())
  assert.equal(session.dialog.ended, true)
  assert.equal(bench.events.at(-1)?.type, 'ended')
  assert.deepEqual(await bench.server.sessions(), [])
})

test('SRS-26: a client that vanished without a BYE is found out, and its recording is published', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer())
  const source = await bench.source(session, 0)
  await bench.talk([source, tone(440, 200)])
  bench.vanish()
  for (let seconds = 0; seconds < 240; seconds++) await bench.clock.advanceAsync(1000)
  await bench.until(() => bench.eventTypes().includes('ended'))
  const ended = bench.events.at(-1)
  assert.ok(ended?.type === 'ended' && ended.manifest.state === 'published')
  assert.equal(ended.manifest.facts.sip.ended, 'gone')
})

test('a silent client that lives keeps its session', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer([{ attributes: ['inactive'] }]))
  for (let seconds = 0; seconds < 200; seconds++) {
    await bench.clock.advanceAsync(1000)
  }
  await bench.until(() => bench.network.passages.some((passage) => passage.text.startsWith('OPTIONS ')))
  for (let seconds = 0; seconds < 60; seconds++) await bench.clock.advanceAsync(1000)
  assert.equal(session.dialog.ended, false)
})

test('an INVITE cancelled before the answer leaves no open folder, and the catalogue says cancelled', async (t) => {
  const bench = await RecorderBench.open(t)
  let go = (): void => {}
  const held = new Promise<undefined>((resolve) => {
    go = () => resolve(undefined)
  })
  Object.assign(bench.store, { refusal: () => held })
  await bench.cancelled(offer())
  go()
  await bench.until(() => bench.eventTypes().includes('ended'))
  const [row] = await bench.settled(bench.catalogue.list({ limit: 1 }))
  assert.equal(row?.state, 'no-audio')
  assert.equal(row.cause, 'cancelled')
})
