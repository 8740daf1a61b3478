import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { tone } from '#audio'
import { directionOf, parseSdp } from '#sdp'
import { audioOf, type ClientSession, RecorderBench } from '../../test/harness/recorder.ts'
import { offer } from '../../test/harness/recording-offer.ts'
import type { RtpSource } from '../../test/harness/rtp-source.ts'

const voice = tone(440, 1000)
const ONE = [{ attributes: ['sendonly', 'label:1'] }]

interface Scene {
  readonly bench: RecorderBench
  readonly session: ClientSession
  readonly recordingId: string
  readonly source: RtpSource
  /** Directions that the recorder offered, in order. */
  readonly offered: string[]
}

/** A session of one stream whose client answers offers of the recorder with `status`. */
async function opened(t: TestContext, status = 200): Promise<Scene> {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer(ONE))
  const offered: string[] = []
  session.dialog.handlers = {
    onEnd: () => {},
    onRequest: (incoming) => {
      const sdp = parseSdp(incoming.request.body)
      assert.ok(sdp.ok)
      const wanted = directionOf(sdp.value.media[0]!, sdp.value)
      offered.push(wanted)
      const attributes = [wanted === 'inactive' ? 'inactive' : 'sendonly', 'label:1']
      incoming.respond(status, status === 200 ? { body: offer([{ attributes }], 1 + offered.length) } : {})
    },
  }
  const recordingId = (await bench.server.sessions())[0]!.recordingId
  return { bench, session, recordingId, source: await bench.source(session, 0), offered }
}

function loudest(samples: Int16Array): number {
  return samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
}

test('SRS-10: a pause of the recorder asks the client to be inactive, keeps nothing, and its end asks to go on', async (t) => {
  const { bench, session, recordingId, source, offered } = await opened(t)
  await bench.talk([source, voice])
  const begun = await bench.settled(bench.server.pauseHere(recordingId, { signal: true }))
  assert.deepEqual([begun?.clientStatus, begun?.pause?.isSignalled], [200, true])
  assert.deepEqual((await bench.server.sessions())[0]?.pausedHere, begun?.pause)
  await bench.talk([source, voice])
  const again = await bench.settled(bench.server.pauseHere(recordingId, { signal: true }))
  assert.deepEqual(again, { pause: begun?.pause }, 'a pause of a pause changes nothing, and asks nobody')
  const over = await bench.settled(bench.server.resumeHere(recordingId))
  assert.deepEqual(over, { pause: undefined, clientStatus: 200 })
  await bench.talk([source, voice])
  assert.deepEqual(offered, ['inactive', 'recvonly'])
  assert.deepEqual(
    bench.eventTypes().filter((type) => /paused|resumed/.test(type)),
    ['paused-here', 'paused', 'resumed-here', 'resumed'],
  )
  const { manifest, folder } = await bench.end(session)
  const [stream] = manifest.streams
  const gap = stream?.gaps.find(({ cause }) => cause === 'paused-here')
  assert.ok(gap && Math.abs(gap.fromMs - 1000) <= 40 && Math.abs(gap.toMs - 2000) <= 60, JSON.stringify(stream?.gaps))
  const [samples = new Int16Array()] = await audioOf(folder)
  assert.equal(loudest(samples.subarray(8 * (gap.fromMs + 1), 8 * (gap.toMs - 1))), 0)
  assert.ok(loudest(samples.subarray(0, 7200)) > 5000 && loudest(samples.subarray(8 * gap.toMs + 800)) > 5000)
  assert.equal(stream?.totals.discarded, 50)
  assert.deepEqual(
    stream?.totals.pauses.map(({ packets }) => packets),
    [50],
    'the proof of the pause: how much came all the same',
  )
})

test('what a client that refuses to be silent sends is discarded, and the pause ends by itself', async (t) => {
  const { bench, session, recordingId, source } = await opened(t, 488)
  const begun = await bench.settled(bench.server.pauseHere(recordingId, { signal: true, maxMs: 900 }))
  assert.equal(begun?.clientStatus, 488)
  assert.equal(begun?.pause?.untilMs, (begun?.pause?.sinceMs ?? 0) + 900)
  await bench.talk([source, voice])
  await bench.until(() => bench.events.some((event) => event.type === 'resumed-here' && event.by === 'deadline'))
  await bench.talk([source, voice])
  const { manifest } = await bench.end(session)
  const { totals, account } = manifest.streams[0]!
  assert.ok((totals.discarded ?? 0) >= 44 && (totals.discarded ?? 0) <= 50, `${totals.discarded}`)
  assert.ok((account?.audioMs ?? 0) >= 1000)
})

test('while the recorder pauses, an offer to send is answered inactive, and answered as ever behind it', async (t) => {
  const { bench, session, recordingId } = await opened(t)
  await bench.settled(bench.server.pauseHere(recordingId, { signal: true }))
  const answered = async (version: number): Promise<string> => {
    const outcome = await bench.settled(session.dialog.reinvite({ body: offer(ONE, version) }))
    const answer = parseSdp(outcome.response?.body ?? new Uint8Array())
    assert.ok(answer.ok)
    return directionOf(answer.value.media[0]!, answer.value)
  }
  assert.equal(await answered(10), 'inactive')
  await bench.settled(bench.server.resumeHere(recordingId))
  assert.equal(await answered(11), 'recvonly')
})

test('a client is not asked where that is not wanted', async (t) => {
  const quiet = await opened(t)
  const begun = await quiet.bench.settled(quiet.bench.server.pauseHere(quiet.recordingId, { signal: false }))
  assert.deepEqual([begun?.pause?.isSignalled, begun?.clientStatus], [false, undefined])
  await quiet.bench.settled(quiet.bench.server.resumeHere(quiet.recordingId))
  assert.deepEqual(quiet.offered, [])
  assert.equal(await quiet.bench.server.pauseHere('unknown', { signal: true }), undefined)
})

test('what another process needs to go on with a pause is kept in the folder', async (t) => {
  const { bench, recordingId } = await opened(t)
  const begun = await bench.settled(bench.server.pauseHere(recordingId, { signal: true, maxMs: 60_000 }))
  const { startedAtMs } = (await bench.server.sessions())[0]!
  const path = bench.store.pathOf(bench.store.newFolder(recordingId, startedAtMs), 'paused')
  assert.deepEqual(JSON.parse(await readFile(path!, 'utf8')), begun?.pause)
  const over = await bench.settled(bench.server.resumeHere(recordingId))
  assert.equal(over?.pause, undefined)
})
