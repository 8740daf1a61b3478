// What a recorder knows of a session that the recorder before it had: whether it is paused, and that it goes on.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { tone } from '#audio'
import { seededIds } from '#kernel'
import { leftFolders } from '#store'
import { attachCore } from '../../test/harness/core-pair.ts'
import { type ClientSession, RECORDER_IP, RecorderBench, roomMedia } from '../../test/harness/recorder.ts'
import { offer } from '../../test/harness/recording-offer.ts'
import type { RtpSource } from '../../test/harness/rtp-source.ts'
import { createRecordingServer } from './recording-server.ts'
import type { RecordingServer } from './server-port.ts'

const RESUME_MS = 60_000

interface Scene {
  readonly bench: RecorderBench
  readonly session: ClientSession
  readonly recordingId: string
  readonly source: RtpSource
}

async function opened(t: TestContext): Promise<Scene> {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer([{ attributes: ['sendonly', 'label:1'] }]))
  const source = await bench.source(session, 0)
  await bench.talk([source, tone(440, 200)])
  return { bench, session, recordingId: (await bench.server.sessions())[0]!.recordingId, source }
}

/** The recorder goes away without a word to anybody, and another one takes its place. */
async function restarted(t: TestContext, { bench }: Scene, before = async () => {}): Promise<RecordingServer> {
  const { clock, root, store, catalogue, log, network } = bench
  await bench.settled(bench.media.close())
  network.detach(RECORDER_IP)
  await before()
  const media = roomMedia(root, clock)
  const ids = seededIds(31)
  const server = createRecordingServer({ media, address: '127.0.0.1', store, catalogue, clock, ids, log })
  assert.deepEqual(await bench.settled(server.resume(leftFolders(root), RESUME_MS)), [])
  const { core } = attachCore(network, clock, RECORDER_IP, server.handlers, {
    isTolerant: true,
    contactUser: 'recorder',
    contactParams: '+sip.srs',
    supported: ['siprec', 'timer', '100rel'],
  })
  server.attach(core)
  t.after(async () => {
    await bench.settled(server.stop())
    await bench.settled(media.close())
  })
  return server
}

/** session.json of the one open recording. */
function sessionFile(root: string): string {
  const [name] = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((one) => one.endsWith('session.json'))
  assert.ok(name)
  return join(root, name)
}

test('who listens hears nothing of a session that was paused before the recorder died', async (t) => {
  const scene = await opened(t)
  const { bench, recordingId, source } = scene
  await bench.settled(bench.server.pauseHere(recordingId, { signal: false }))
  const server = await restarted(t, scene)
  const told: string[] = []
  server.listen(recordingId, {
    onStreams: () => {},
    onSound: () => told.push('sound'),
    onPause: (isPaused) => told.push(isPaused ? 'paused' : 'resumed'),
    onEnd: () => {},
  })
  const hear = async (): Promise<void> => {
    for (let step = 0; step < 10; step++) {
      await source.sendPacket(new Uint8Array(160).fill(step))
      await bench.clock.advanceAsync(20)
      await bench.settled(server.sessions())
    }
  }
  await hear()
  assert.deepEqual(told, ['paused'])
  await bench.settled(server.resumeHere(recordingId))
  await hear()
  assert.deepEqual(told.slice(0, 3), ['paused', 'resumed', 'sound'])
})

test('a pause that was confirmed just before the recorder died stands, with its deadline, and can be ended', async (t) => {
  const scene = await opened(t)
  const { bench, recordingId } = scene
  let before = ''
  const { ask } = bench.media
  // The recorder dies before it has written down anything else.
  Object.assign(bench.media, {
    ask: async (command: Parameters<typeof ask>[0]) => {
      if (command.type === 'pause') before = readFileSync(sessionFile(bench.root), 'utf8')
      return await ask(command)
    },
  })
  const begun = await bench.settled(bench.server.pauseHere(recordingId, { signal: false, maxMs: 60_000 }))
  const server = await restarted(t, scene, async () => writeFileSync(sessionFile(bench.root), before))
  const [session] = await bench.settled(server.sessions())
  assert.ok(begun?.pause?.untilMs !== undefined)
  assert.deepEqual(session?.pausedHere, begun.pause)
  assert.deepEqual(await bench.settled(server.resumeHere(recordingId)), { pause: undefined })
  assert.equal((await bench.settled(server.sessions()))[0]?.pausedHere, undefined)
})

test('a pause that was ended just before the recorder died is over: what is kept is not said to be paused', async (t) => {
  const scene = await opened(t)
  const { bench, recordingId } = scene
  await bench.settled(bench.server.pauseHere(recordingId, { signal: false }))
  await bench.settled(bench.server.sessions())
  const paused = readFileSync(sessionFile(bench.root), 'utf8')
  await bench.settled(bench.server.resumeHere(recordingId))
  const server = await restarted(t, scene, async () => writeFileSync(sessionFile(bench.root), paused))
  assert.equal((await bench.settled(server.sessions()))[0]?.pausedHere, undefined)
})

test('the catalogue says that a recording goes on, though it was told that its recorder is gone', async (t) => {
  const scene = await opened(t)
  const { bench, recordingId } = scene
  await restarted(t, scene, async () => {
    const row = await bench.catalogue.get(recordingId)
    assert.ok(row)
    // As the library settles what a recorder left when it opens the database.
    await bench.catalogue.put({ ...row, state: 'no-audio', cause: 'lost', recovered: true })
  })
  assert.equal((await bench.settled(bench.catalogue.get(recordingId)))?.state, 'receiving')
})

test('the verdict on a client outlives the recorder: what it is, what it did, and what that costs', async (t) => {
  const bench = await RecorderBench.open(t)
  const body = offer([{ formats: '18', attributes: ['sendonly', 'label:1', 'rtpmap:18 G729/8000'] }])
  const headers = [
    ['Require', 'siprec'],
    ['X-Acme-Call', '1'],
  ] as const
  const session = await bench.start(body, headers)
  const source = await bench.source(session, 0)
  const [{ recordingId, facts } = { recordingId: '', facts: undefined }] = await bench.server.sessions()
  assert.ok(facts?.verdict?.vendor === 'Oracle SBC' && facts.verdict.deviations.length > 0)
  assert.ok(
    facts.verdict.costs.some((cost) => cost.includes('G729')),
    facts.verdict.costs.join(),
  )
  const server = await restarted(t, { bench, session, recordingId, source })
  assert.deepEqual((await bench.settled(server.sessions()))[0]?.facts.verdict, facts.verdict)
})

test('an ordinary call that was forked here is one after a restart, too, with its parties', async (t) => {
  const scene = await opened(t)
  const { bench } = scene
  const server = await restarted(t, scene, async () => {
    const path = join(sessionFile(bench.root), '../manifest.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as { facts: { verdict: { kind: string } } }
    manifest.facts.verdict.kind = 'plain'
    writeFileSync(path, JSON.stringify(manifest))
  })
  const [session] = await bench.settled(server.sessions())
  assert.equal(session?.facts.verdict?.kind, 'plain')
  assert.deepEqual(
    session.facts.participants.map(({ aor }) => aor),
    ['sip:src@client.test', `sip:recorder@${RECORDER_IP}`],
  )
})

test('a line that was refused before the restart is still missing after it', async (t) => {
  const bench = await RecorderBench.open(t)
  const dtls = { protocol: 'UDP/TLS/RTP/SAVPF', attributes: ['sendonly', 'label:2'] }
  const session = await bench.start(offer([{ attributes: ['sendonly', 'label:1'] }, dtls]))
  const source = await bench.source(session, 0)
  await bench.talk([source, tone(440, 500)])
  const [{ recordingId } = { recordingId: '' }] = await bench.server.sessions()
  const server = await restarted(t, { bench, session, recordingId, source })
  bench.clock.advance(250)
  const [after] = await bench.settled(server.sessions())
  assert.deepEqual(
    after?.alarms?.map(({ code, label }) => [code, label]),
    [['line-refused', '2']],
  )
})
