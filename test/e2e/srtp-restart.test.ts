// A recorder that is killed in the middle of SRTP sessions and started again: the same recording goes on under the same
// keys, which are nowhere once the session is over. The client is written from the RFCs.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readWav } from '#audio'
import { type Manifest, Vault } from '#store'
import type { ClientStream } from '../foreign/client-stream.ts'
import { ForeignClient } from '../foreign/foreign-client.ts'
import { shareOfTone, tone } from '../foreign/g711-tones.ts'
import type { Suite } from '../foreign/srtp-wire.ts'
import { type KeptRecording, keptRecording, keptRecordings } from '../harness/kept-recording.ts'
import { MortalRecorder } from '../harness/mortal-recorder.ts'
import { until } from '../harness/until.ts'

const HOST = '127.0.0.1'
const SUITES: readonly Suite[] = [
  'AES_CM_128_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_32',
  'AEAD_AES_128_GCM',
  'AEAD_AES_256_GCM',
]
const SUITE = SUITES[0]!
const ROLLOVER = 0x10000
const SAMPLES_PER_MS = 8
const WINDOW_MS = 100
/** Numbers that may have come between the last note of them and the kill: a client that was silent meanwhile loses these. */
const RESERVED = 10

interface Scene {
  readonly recorder: MortalRecorder
  readonly client: ForeignClient
}

async function openScene(t: TestContext, settings: Record<string, unknown> = {}): Promise<Scene> {
  const recorder = await MortalRecorder.start(t, settings, { srtp: { keysWithoutTls: true } })
  const address = { host: HOST, port: recorder.sipPort('udp') }
  const client = await ForeignClient.open({ transport: 'udp', recorder: address, deadlineMs: 20_000 })
  t.after(() => client.close())
  return { recorder, client }
}

/** All streams say a tone each, `hz` and twice as much, as many milliseconds. */
async function say({ client }: Scene, hz: number, ms: number): Promise<void> {
  await Promise.all(client.streams.map((_stream, index) => client.sendAudio(index, tone(hz * (index + 1), ms))))
}

async function dieAndRise(scene: Scene): Promise<void> {
  await hasNoted(scene)
  await scene.recorder.kill()
  await scene.recorder.start()
}

/** Files below a folder that have one of these byte strings in them, raw, in hexadecimal digits or in base64; and what was logged. */
async function filesWith(folder: string, secrets: readonly Buffer[]): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const content = await readFile(join(entry.parentPath, entry.name))
    const forms = secrets.flatMap((key) => [key, key.toString('hex'), key.toString('base64'), key.subarray(0, 16)])
    if (forms.some((form) => content.includes(form))) found.push(entry.name)
  }
  return found
}

function keysOf({ client }: Scene): Buffer[] {
  return client.streams.flatMap(({ keys }) => keys)
}

async function openFile({ recorder }: Scene, name: string): Promise<string> {
  const found = (await readdir(recorder.store, { recursive: true })).find((each) => each.endsWith(`.open/${name}`))
  assert.ok(found !== undefined, `${name} is there while the session is`)
  return join(recorder.store, found)
}

/** The numbers of all that was said are noted, and held free no further than has to be: notes lag behind a little. */
async function hasNoted(scene: Scene): Promise<void> {
  const path = await openFile(scene, 'srtp.json')
  const wanted = scene.client.streams.flatMap(({ lastIndex }) =>
    lastIndex === undefined ? [] : [lastIndex + RESERVED],
  )
  await until('all that was said is noted', async () => {
    const numbers = [...(await readFile(path, 'utf8')).matchAll(/"rtp":(\d+)/g)].map(([, number]) => Number(number))
    return numbers.join() === wanted.join()
  })
}

/** Counters lag behind by up to a second. */
async function hasCounted(scene: Scene, packets: number): Promise<void> {
  const paths = await Promise.all(['stream-1', 'stream-2'].map((name) => openFile(scene, `${name}.index.jsonl`)))
  await until('all that was said is counted', async () => {
    const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')))
    return texts.every((text) => text.includes(`"packets":${packets},`))
  })
}

async function openNames({ recorder }: Scene): Promise<string[]> {
  return (await readdir(recorder.store, { recursive: true })).filter((name) => name.includes('.open'))
}

/** The best share that a tone has in any 100 ms between two times of a channel. */
function bestShare(channel: Int16Array, fromMs: number, toMs: number, hz: number): number {
  let best = 0
  for (let ms = Math.round(fromMs); ms + WINDOW_MS <= toMs; ms += 20) {
    best = Math.max(best, shareOfTone(channel.subarray(ms * SAMPLES_PER_MS, (ms + WINDOW_MS) * SAMPLES_PER_MS), hz))
  }
  return best
}

/** The runs of each channel have the tones that were said, one run after another, and no other's. */
function assertSaid(kept: KeptRecording, tonesHz: readonly number[]): void {
  for (const [channel, { runs }] of kept.manifest.streams.entries()) {
    assert.equal(runs.length, tonesHz.length, `runs of channel ${channel}`)
    for (const [at, run] of runs.entries()) {
      const toMs = runs[at + 1]?.startMs ?? kept.manifest.durationMs
      for (const hz of tonesHz) {
        const share = bestShare(kept.channels[channel]!, run.startMs, toMs, hz * (channel + 1))
        const isOwn = hz === tonesHz[at]
        assert.ok(isOwn ? share > 0.95 : share < 0.5, `${hz * (channel + 1)} Hz in run ${at} of ${channel}: ${share}`)
      }
    }
  }
}

function restarts({ streams }: Manifest): number[] {
  return streams.map(({ gaps }) => gaps.filter(({ cause }) => cause === 'recorder-restart').length)
}

function assertLegal({ client }: Scene): void {
  assert.deepEqual(client.violations, [])
  for (const stream of client.streams) assert.deepEqual(stream.rtcpObjections, [])
}

/** RTCP of the recorder that came since there were `before` compounds, with a report on what it hears and a sender report that it heard. */
async function hearReports({ client }: Scene, before: readonly number[]): Promise<void> {
  const isHeard = (stream: ClientStream, index: number): boolean => {
    const since = stream.rtcp.slice(before[index])
    return since.some(({ reportBlocks, lastSenderReport = 0 }) => reportBlocks > 0 && lastSenderReport !== 0)
  }
  await client.waitFor(() => client.streams.every(isHeard), 20_000, 'a report under our key')
}

for (const suite of SUITES) {
  test(`SEC-11: ${suite}: a recorder killed in mid-call goes on under the same keys, over a rollover; nothing of before is taken again, and the keys are gone in the end`, async (t) => {
    const scene = await openScene(t)
    const { recorder, client } = scene
    // The numbers roll over before the kill: who forgot the counter hears nothing after it.
    const firstSequence = ROLLOVER - 20
    assert.equal((await client.invite({ srtp: { suite }, firstSequence })).status, 200)
    const before = client.streams.map(() => [] as Buffer[])
    for (const [index, stream] of client.streams.entries()) stream.sent = before[index]!
    await say(scene, 400, 1000)
    await hearReports(scene, [0, 0])
    assert.deepEqual(
      client.streams.map(({ rollovers }) => rollovers),
      [1, 1],
    )
    assert.equal((await stat(await openFile(scene, 'session.json'))).mode & 0o777, 0o600)
    const holders = new Set(await filesWith(recorder.folder, keysOf(scene)))
    assert.deepEqual([...holders], ['session.json'])
    await hasCounted(scene, 50)
    await dieAndRise(scene)
    const reports = client.streams.map(({ rtcp }) => rtcp.length)
    const lastIndices = client.streams.map(({ rtcp }) => Math.max(...rtcp.map(({ srtcpIndex = 0 }) => srtcpIndex)))
    // What somebody on the way wrote down, and sends again.
    for (const stream of client.streams) stream.sent = undefined
    const replay = (): void => {
      for (const [index, stream] of client.streams.entries()) {
        const line = client.answer!.media[index]!
        for (const packet of before[index]!) stream.pair.rtp.send(packet, line.port, line.address)
      }
    }
    replay()
    await say(scene, 1000, 500)
    replay()
    await say(scene, 1000, 300)
    await hearReports(scene, reports)
    for (const [index, { rtcp }] of client.streams.entries()) {
      const since = rtcp.slice(reports[index]).map(({ srtcpIndex = 0 }) => srtcpIndex)
      assert.ok(
        since.every((one) => one > lastIndices[index]!),
        `${since} after ${lastIndices[index]}`,
      )
    }
    const keys = keysOf(scene)
    assert.equal((await client.bye()).status, 200)
    const kept = await keptRecording(recorder.store)
    assert.deepEqual(
      [kept.manifest.state, kept.manifest.recovered, kept.manifest.notResumed],
      ['published', true, undefined],
    )
    assertSaid(kept, [400, 1000])
    assert.deepEqual(restarts(kept.manifest), [1, 1])
    for (const { totals } of kept.manifest.streams) {
      assert.equal(totals.packets, 50 + 40 - RESERVED, 'each packet once')
      assert.equal(totals.refused, 2 * 50 + RESERVED, 'those of before, each time')
    }
    assert.deepEqual(await filesWith(recorder.folder, keys), [])
    assertLegal(scene)
  })
}

test('a rollover while nobody listens is found out by the tags', async (t) => {
  const scene = await openScene(t)
  const { recorder, client } = scene
  assert.equal((await client.invite({ srtp: { suite: SUITE }, firstSequence: ROLLOVER - 50 })).status, 200)
  await say(scene, 400, 800)
  await recorder.kill()
  assert.deepEqual(
    client.streams.map(({ rollovers }) => rollovers),
    [0, 0],
  )
  await say(scene, 700, 800)
  assert.deepEqual(
    client.streams.map(({ rollovers }) => rollovers),
    [1, 1],
  )
  await recorder.start()
  await say(scene, 1000, 800)
  assert.equal((await client.bye()).status, 200)
  const kept = await keptRecording(recorder.store)
  assertSaid(kept, [400, 1000])
  assert.deepEqual(restarts(kept.manifest), [1, 1])
  assertLegal(scene)
})

test('so is what comes more than half a rollover later, where the estimate of RFC 3711 errs', async (t) => {
  const scene = await openScene(t)
  const { recorder, client } = scene
  assert.equal((await client.invite({ streams: 1, srtp: { suite: SUITE }, firstSequence: 100 })).status, 200)
  await say(scene, 400, 800)
  await recorder.kill()
  await client.sendAudio(0, new Int16Array(40_000 * 160), { paced: false, withoutRtcp: true })
  await client.sendAudio(0, new Int16Array(30_000 * 160), { paced: false, withoutRtcp: true })
  assert.equal(client.streams[0]!.rollovers, 1)
  await recorder.start()
  await say(scene, 1000, 800)
  assert.equal((await client.bye()).status, 200)
  const kept = await keptRecording(recorder.store)
  assertSaid(kept, [400, 1000])
  assertLegal(scene)
})

test('SEC-11: refresh, pause and its end under the same keys, fresh keys, another kill after each: one recording', async (t) => {
  const scene = await openScene(t)
  const { recorder, client } = scene
  assert.equal((await client.invite({ srtp: { suite: SUITE }, firstSequence: ROLLOVER - 10 })).status, 200)
  await say(scene, 400, 800)
  const ours = client.answer!.media.map(({ attributes }) => attributes.find((one) => one.startsWith('crypto:')))
  const answered = (): unknown =>
    client.answer!.media.map(({ attributes }) => attributes.find((one) => one.startsWith('crypto:')))
  await dieAndRise(scene)
  assert.equal((await client.reinvite({ direction: 'inactive' })).status, 200)
  assert.deepEqual(answered(), ours, 'the key in use stays')
  // Twice in a row, in the middle of a pause.
  await recorder.kill()
  await recorder.start()
  await dieAndRise(scene)
  assert.equal((await client.reinvite({ direction: 'sendonly' })).status, 200)
  assert.deepEqual(answered(), ours, 'the key in use stays')
  await say(scene, 500, 800)
  const oldKeys = keysOf(scene)
  assert.equal((await client.reinvite({ freshKeys: true })).status, 200)
  await say(scene, 600, 800)
  assert.deepEqual(
    client.streams.map(({ rollovers }) => rollovers),
    [0, 0],
  )
  await dieAndRise(scene)
  await say(scene, 700, 800)
  const keys = [...oldKeys, ...keysOf(scene)]
  assert.equal((await client.bye()).status, 200)
  const kept = await keptRecording(recorder.store)
  // Fresh keys make no new run: the audio goes on.
  const [first, second, third] = kept.manifest.streams[0]!.runs.map(({ startMs }) => startMs)
  assert.equal(kept.manifest.streams[0]!.runs.length, 3)
  const share = (fromMs: number, toMs: number, hz: number): number => bestShare(kept.channels[0]!, fromMs, toMs, hz)
  assert.ok(share(first!, second!, 400) > 0.95)
  assert.ok(share(second!, third!, 500) > 0.95 && share(second!, third!, 600) > 0.95)
  assert.ok(share(third!, kept.manifest.durationMs, 700) > 0.95)
  assert.deepEqual(await filesWith(recorder.folder, keys), [])
  assertLegal(scene)
})

test('a session of which one stream is SRTP and one is not goes on in both', async (t) => {
  const scene = await openScene(t)
  const { recorder, client } = scene
  assert.equal((await client.invite({ srtp: { suite: SUITE, only: [1] } })).status, 200)
  assert.deepEqual(
    client.answer!.media.map(({ profile }) => profile),
    ['RTP/AVP', 'RTP/SAVP'],
  )
  await say(scene, 400, 800)
  await dieAndRise(scene)
  await say(scene, 1000, 800)
  assert.equal((await client.bye()).status, 200)
  const kept = await keptRecording(recorder.store)
  assertSaid(kept, [400, 1000])
  assert.deepEqual(restarts(kept.manifest), [1, 1])
  assertLegal(scene)
})

test('SEC-12: with encryption at rest no key is on the disk in clear at any time, and the session goes on', async (t) => {
  const keyFolder = await mkdtemp(join(tmpdir(), 'store-keys-'))
  t.after(() => rm(keyFolder, { recursive: true }))
  const keyFile = join(keyFolder, 'store.keys')
  const scene = await openScene(t, { encryption: { keyFile }, resumeSrtp: 'encrypted' })
  const { recorder, client } = scene
  assert.equal((await client.invite({ srtp: { suite: 'AEAD_AES_256_GCM' } })).status, 200)
  await say(scene, 400, 800)
  assert.deepEqual(await filesWith(recorder.folder, keysOf(scene)), [])
  await dieAndRise(scene)
  await say(scene, 1000, 800)
  assert.deepEqual(await filesWith(recorder.folder, keysOf(scene)), [])
  assert.equal((await client.bye()).status, 200)
  await until('it is published', async () => (await openNames(scene)).length === 0)
  const names = await readdir(recorder.store, { recursive: true })
  const folder = join(recorder.store, names.find((name) => name.endsWith('manifest.json'))!, '..')
  const vault = new Vault({ root: recorder.store, keyFile })
  const manifest = JSON.parse(vault.read(join(folder, 'manifest.json')).toString()) as Manifest
  const wav = readWav(vault.read(join(folder, 'recording.wav')))
  assert.ok(wav.ok)
  assertSaid({ manifest, folder, audioPath: '', channels: wav.value.samples, sampleRateHz: 8000 }, [400, 1000])
  assertLegal(scene)
})

/** A recording was closed at the restart, and says why. */
async function assertClosed(recorder: MortalRecorder, kept: KeptRecording, notResumed: string): Promise<void> {
  const { manifest, channels } = kept
  assert.deepEqual([manifest.state, manifest.recovered, manifest.notResumed], ['published', true, notResumed])
  assert.ok(bestShare(channels[0]!, 0, manifest.durationMs, 400) > 0.95)
  const log = (await readFile(join(recorder.folder, 'life-2.log'), 'utf8')).split('\n')
  const said = log.filter(
    (line) => line.includes('"recording session cannot go on"') && line.includes(manifest.recordingId),
  )
  assert.deepEqual(
    said.map((line) => (JSON.parse(line) as { notResumed: string }).notResumed),
    [notResumed],
  )
  const url = `${recorder.httpUrl}/api/recordings/${manifest.recordingId}/ledger`
  const ledger = (await (await fetch(url)).json()) as { notResumed?: string }
  assert.equal(ledger.notResumed, notResumed)
}

for (const [what, settings, after] of [
  ['keys are never to be kept', { resumeSrtp: 'never' }, {}],
  ['keys are to be kept encrypted only, and nothing is', { resumeSrtp: 'encrypted' }, {}],
  ['keys that were kept are not to be used any more', { resumeSrtp: 'always' }, { resumeSrtp: 'never' }],
] as const) {
  test(`SEC-12: where ${what}, an SRTP session ends with BYE at a restart`, async (t) => {
    const scene = await openScene(t, settings)
    const { recorder, client } = scene
    assert.equal((await client.invite({ srtp: { suite: SUITE } })).status, 200)
    await say(scene, 400, 800)
    const holders = settings.resumeSrtp === 'always' ? ['session.json'] : []
    assert.deepEqual(await filesWith(recorder.folder, keysOf(scene)), holders)
    await recorder.kill()
    recorder.configure(after)
    await recorder.start()
    await until('the client is told BYE', () => client.isEnded, 20_000)
    await assertClosed(recorder, await keptRecording(recorder.store), 'keys-not-kept')
    assert.deepEqual(await filesWith(recorder.folder, keysOf(scene)), [])
    assertLegal(scene)
  })
}

type Spoil = (path: string) => Promise<void>

const spoilt: readonly (readonly [file: string, spoil: Spoil, notResumed: string])[] = [
  ['session.json', async (path) => await truncate(path, (await stat(path)).size - 100), 'session-unreadable'],
  ['session.json', (path) => truncate(path, 0), 'session-unreadable'],
  ['session.json', edit((session) => ({ ...session, dialog: null })), 'session-unreadable'],
  ['session.json', edit((session) => ({ ...session, dialog: { callId: callIdOf(session) } })), 'session-unreadable'],
  ['session.json', edit((session) => ({ ...session, metadata: { state: 7 } })), 'session-unreadable'],
  [
    'session.json',
    edit((session) => ({ ...session, dialog: { ...(session['dialog'] as object), callId: 'x' } })),
    'session-foreign',
  ],
  ['session.json', replace(/inline:[^"]{8}/g, 'inline:'), 'not-reopened'],
  ['srtp.json', (path) => truncate(path, 20), 'indices-unreadable'],
  ['srtp.json', (path) => rm(path), 'indices-unreadable'],
  ['srtp.json', replace(/"rtp":\d+/g, '"rtp":-7'), 'indices-unreadable'],
]

test('recordings whose state is cut off, gone, or of another session are closed at the restart, and say so; all others go on', async (t) => {
  const recorder = await MortalRecorder.start(t, {}, { srtp: { keysWithoutTls: true } })
  const scenes: Scene[] = []
  for (const _one of [...spoilt, 'the one that is well']) {
    const address = { host: HOST, port: recorder.sipPort('udp') }
    const client = await ForeignClient.open({ transport: 'udp', recorder: address, deadlineMs: 20_000 })
    t.after(() => client.close())
    assert.equal((await client.invite({ streams: 1, srtp: { suite: SUITE } })).status, 200)
    scenes.push({ recorder, client })
  }
  await Promise.all(scenes.map((scene) => say(scene, 400, 800)))
  await recorder.kill()
  const folders = await foldersByCallId(recorder.store)
  for (const [at, [file, spoil]] of spoilt.entries()) await spoil(join(folders.get(scenes[at]!.client.callId)!, file))
  await recorder.start()
  const closed = new Map(
    (await keptRecordings(recorder.store, spoilt.length)).map((one) => [one.manifest.facts.sip.callId, one]),
  )
  for (const [at, [, , notResumed]] of spoilt.entries()) {
    const kept = closed.get(scenes[at]!.client.callId)
    assert.ok(kept !== undefined, `recording ${at} is published`)
    await assertClosed(recorder, kept, notResumed)
  }
  const well = scenes.at(-1)!
  await say(well, 1000, 800)
  assert.equal((await well.client.bye()).status, 200)
  const all = await keptRecordings(recorder.store, scenes.length)
  const last = all.find(({ manifest }) => manifest.facts.sip.callId === well.client.callId)
  assertSaid(last!, [400, 1000])
  assert.deepEqual(await filesWith(recorder.folder, scenes.flatMap(keysOf)), [])
  assertLegal(well)
})

function callIdOf(session: Record<string, unknown>): string {
  return (session['dialog'] as { callId: string }).callId
}

/** Folders of the recordings under way. */
async function foldersByCallId(store: string): Promise<Map<string, string>> {
  const folders = new Map<string, string>()
  for (const name of await readdir(store, { recursive: true })) {
    if (!name.endsWith('.open/session.json')) continue
    const path = join(store, name)
    folders.set(callIdOf(JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>), join(path, '..'))
  }
  return folders
}

function edit(change: (session: Record<string, unknown>) => unknown): Spoil {
  return async (path) => {
    const session = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
    await writeFile(path, JSON.stringify(change(session)))
  }
}

function replace(pattern: RegExp, by: string): Spoil {
  return async (path) => {
    const text = await readFile(path, 'utf8')
    assert.match(text, pattern)
    await writeFile(path, text.replaceAll(pattern, by))
  }
}
