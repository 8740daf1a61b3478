// A recorder that encrypts what it stores: played over HTTP, verified, killed in mid-call, keys rotated, taken away and lost.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readWav } from '#audio'
import { RecordingStore, Vault } from '#store'
import { ForeignClient } from '../foreign/foreign-client.ts'
import { shareOfTone, tone } from '../foreign/g711-tones.ts'
import { MortalRecorder } from '../harness/mortal-recorder.ts'
import { startObjectServer } from '../harness/object-server.ts'
import { openTestProgram } from '../harness/open-program.ts'
import { recordSession } from '../harness/recorded-session.ts'
import { until } from '../harness/until.ts'

const MAIN = fileURLToPath(new URL('../../src/app/main.js', import.meta.url))

/** Runs a command of the program; gives what it wrote and its exit code. */
async function run(...args: readonly string[]): Promise<{ output: string; code: number }> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (fault, stdout, stderr) => {
      resolve({ output: stdout + stderr, code: fault === null ? 0 : Number(fault.code) })
    })
  })
}

function keysFor(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'encryption-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [evidence, encryption] = [join(folder, 'evidence.pem'), join(folder, 'store.keys')]
  const settings = { evidence: { keyFile: evidence }, encryption: { keyFile: encryption } }
  return { folder, publicKey: `${evidence}.pub`, keyFile: encryption, settings }
}

/** Folders of published recordings, below the root. */
function published(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('/manifest.json') && !name.includes('.open/'))
    .map((name) => name.slice(0, -'/manifest.json'.length))
    .sort()
}

async function publishedOnce(root: string, count: number): Promise<string[]> {
  await until(`${count} are published`, () => existsSync(root) && published(root).length >= count)
  return published(root)
}

test('with the catalogue in memory no name is in clear on the disk, and a restart finds all again', async (t) => {
  const { settings, folder: keys } = keysFor(t)
  const folder = mkdtempSync(join(tmpdir(), 'in-memory-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const recorderStore = { ...settings, folder, database: 'memory' }
  const open = async () => {
    const recorder = await openTestProgram({ gateway: false, recorder: true, recorderStore })
    t.after(() => recorder.close())
    const library = recorder.program.recorder?.library
    assert.ok(library)
    return { recorder, library }
  }
  const first = await open()
  await recordSession(first.recorder)
  await recordSession(first.recorder)
  const published = async () => await first.library.count({ state: 'published' }).catch(() => 0)
  await until('both are listed', async () => (await published()) === 2)
  const { rows } = await first.library.search({ limit: 2 })
  const [kept, gone] = rows.map(({ recordingId }) => recordingId)
  assert.ok(kept && gone)
  const name = rows[0]?.participants[0]?.replace(/^sip:/, '') ?? ''
  assert.ok(name.length > 4)
  assert.equal(await first.library.count({ party: name }), 2)
  await first.library.tag(kept, { add: ['kept'] })
  await first.library.hold(kept, { reason: 'case 5', actor: 'ada' })
  assert.ok((await first.library.delete(gone, { reason: 'asked for', actor: 'ada' })).ok)
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((one) => join(folder, one))) {
    if (statSync(path).isFile()) assert.ok(!readFileSync(path).includes(name), `${path} names a party`)
  }
  const config = join(keys, 'command.yaml')
  writeFileSync(config, `recorder:\n  store: { folder: ${JSON.stringify(folder)}, database: memory }\n`)
  const refused = await run('retention', '--dry-run', '--config', config)
  assert.match(refused.output, /in the recorder's memory/)
  await first.recorder.close()

  const { library } = await open()
  const found = { party: name, tags: ['kept'], isHeld: true }
  await until('it is found again', async () => (await library.count(found).catch(() => 0)) === 1)
  assert.equal((await library.get(gone))?.deletion?.reason, 'asked for')
})

test('SEC-21 an encrypted recording is played with ranges, drawn, searched, verified and exported, and nothing on disk is in clear', async (t) => {
  const { folder, settings, publicKey, keyFile } = keysFor(t)
  const recorder = await openTestProgram({ gateway: false, recorder: true, recorderStore: settings })
  t.after(() => recorder.close())
  await recordSession(recorder, 500)
  const [below = ''] = await publishedOnce(recorder.store, 1)
  const path = join(recorder.store, below)
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(wav|dat|xml|jsonl)$|manifest/.test(name)) continue
    assert.equal(readFileSync(join(path, name)).subarray(0, 8).toString('latin1'), 'SRGWSEA1', name)
  }
  const manifest = await new RecordingStore({
    root: recorder.store,
    files: new Vault({ root: recorder.store, keyFile }),
  }).manifest(below)
  assert.ok(manifest)
  const api = `${recorder.httpUrl}/api/recordings/${manifest.recordingId}`
  await until('it is listed', async () => (await fetch(`${api}/audio`)).status === 200)
  const whole = Buffer.from(await (await fetch(`${api}/audio`)).arrayBuffer())
  const wav = readWav(whole)
  assert.ok(wav.ok)
  const from = 8 * Math.ceil((manifest.streams[0]?.totals.firstPacketMs ?? 0) + 100)
  assert.ok(shareOfTone(wav.value.samples[0]!.subarray(from, from + 1600), 400) > 0.95)
  const part = await fetch(`${api}/audio`, { headers: { range: 'bytes=1040-1059' } })
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(1040, 1060))
  assert.equal((await fetch(`${api}/peaks?buckets=10`)).status, 200)
  assert.match(await (await fetch(`${api}/metadata`)).text(), /<recording/)
  const aor = manifest.facts.participants[0]?.aor ?? ''
  assert.equal((await recorder.program.recorder?.library.search({ limit: 5, text: aor }))?.rows.length, 1)

  assert.equal((await run('verify', recorder.store, '--public-key', publicKey)).code, 0)
  const to = join(folder, 'copy')
  assert.deepEqual(await run('export', path, '--to', to, '--key-file', keyFile), { output: '', code: 0 })
  assert.deepEqual(readFileSync(join(to, 'plain/recording.wav')), whole)
  const runFile = manifest.streams[0]?.runs[0]
  const kept = readWav(readFileSync(join(to, 'plain', runFile?.file ?? '')))
  assert.ok(kept.ok)
  assert.equal(kept.value.samples[0]?.length, runFile?.bytes)
  assert.equal((await run('verify', join(to, manifest.recordingId), '--public-key', publicKey)).code, 0)
})

test('an encrypted recording that is killed in mid-call goes on after the restart, keeps what was flushed, and its evidence holds', async (t) => {
  const { settings, publicKey, keyFile } = keysFor(t)
  const recorder = await MortalRecorder.start(t, settings)
  const address = { host: '127.0.0.1', port: recorder.sipPort('udp') }
  const client = await ForeignClient.open({ transport: 'udp', recorder: address, deadlineMs: 10_000 })
  t.after(() => client.close())
  assert.equal((await client.invite()).status, 200)
  const speak = () => Promise.all([client.sendAudio(0, tone(400, 1000)), client.sendAudio(1, tone(1000, 1000))])
  await speak()
  await recorder.kill()
  await recorder.start()
  await speak()
  assert.equal((await client.bye({ metadata: 'none' })).status, 200)
  const [below = ''] = await publishedOnce(recorder.store, 1)
  const store = new RecordingStore({ root: recorder.store, files: new Vault({ root: recorder.store, keyFile }) })
  const manifest = await store.manifest(below)
  assert.ok(manifest?.recovered)
  const wav = readWav((await store.file(below, 'recording.wav')) ?? new Uint8Array())
  assert.ok(wav.ok)
  const stream = manifest.streams[0]
  const hole = stream?.gaps.find(({ cause }) => cause === 'recorder-restart')
  assert.ok(stream !== undefined && hole !== undefined)
  const first = 8 * Math.ceil((stream.totals.firstPacketMs ?? 0) + 50)
  assert.ok(
    hole.fromMs - (stream.totals.firstPacketMs ?? 0) > 500,
    `kept from ${stream.totals.firstPacketMs} to ${hole.fromMs}`,
  )
  for (const at of [first, 8 * Math.ceil(hole.toMs + 100)]) {
    assert.ok(shareOfTone(wav.value.samples[0]!.subarray(at, at + 2400), 400) > 0.95, `tone at byte ${at}`)
  }
  const verified = await run('verify', recorder.store, '--public-key', publicKey)
  assert.match(verified.output, /^1 of 1 recordings proved/)
})

test('keys are rotated beside a running recorder; a start without the right key, or without any, is refused in words', async (t) => {
  const { folder, settings, keyFile, publicKey } = keysFor(t)
  const root = join(folder, 'recordings')
  const open = async (recorderStore: Record<string, unknown>) =>
    await openTestProgram({ gateway: false, recorder: true, recorderStore: { folder: root, ...recorderStore } })
  const recorder = await open(settings)
  t.after(() => recorder.close())
  await recordSession(recorder)
  await publishedOnce(root, 1)
  const config = join(folder, 'command.yaml')
  writeFileSync(config, `recorder: { store: { folder: ${root}, encryption: { keyFile: ${keyFile} } } }\n`)
  const rotated = await run('rotate-keys', '--config', config)
  assert.deepEqual(rotated, { output: '1 recordings sealed with key-2, 0 not\n', code: 0 })
  await recordSession(recorder)
  const folders = await publishedOnce(root, 2)
  for (const one of folders) assert.match(readFileSync(join(root, one, 'data-key.json'), 'utf8'), /"key":"key-2"/)
  assert.equal((await run('verify', root, '--public-key', publicKey)).code, 0)
  await recorder.close()
  const [, second = ''] = readFileSync(keyFile, 'utf8').split('\n')
  writeFileSync(keyFile, `${second}\n`)
  const without = await open(settings)
  await without.close()
  writeFileSync(keyFile, `key-2 ${'00'.repeat(32)}\n`)
  await assert.rejects(open(settings), /store\.keys:1: key-2 is not the key that recordings are sealed with/)
  await assert.rejects(open({}), /holds encrypted recordings: recorder\.store\.encryption is missing/)
})

test('an encrypted recording goes to object storage as it is, and plays from there', async (t) => {
  const { settings, publicKey } = keysFor(t)
  const server = await startObjectServer()
  t.after(() => server.close())
  process.env['TEST_S3_KEY'] = server.settings.accessKeyId
  process.env['TEST_S3_SECRET'] = server.settings.secretAccessKey
  const { endpoint, region } = server.settings
  const names = { accessKeyVariable: 'TEST_S3_KEY', secretKeyVariable: 'TEST_S3_SECRET' }
  const upload = { endpoint, region, ...names, keepLocalDays: 0 }
  const recorder = await openTestProgram({ gateway: false, recorder: true, recorderStore: { upload, ...settings } })
  t.after(() => recorder.close())
  const library = recorder.program.recorder?.library
  assert.ok(library)
  await recordSession(recorder, 500)
  await until('it is over', async () => (await library.count({ state: 'published' })) === 1)
  const { recordingId, folder = '' } = (await library.search({ limit: 1 })).rows[0] ?? { recordingId: '' }
  const url = `${recorder.httpUrl}/api/recordings/${recordingId}/audio`
  const isGone = async (): Promise<boolean> => (await library.get(recordingId))?.uploadState === 'local-removed'
  const audio = join(recorder.store, folder, 'recording.wav')
  await until('the local copy is gone', async () => (await isGone()) && !existsSync(audio), 60_000)
  const stored: Uint8Array[] = []
  for await (const bytes of server.storage.read(`${folder}/recording.wav`)) stored.push(bytes)
  assert.equal(Buffer.concat(stored).subarray(0, 8).toString('latin1'), 'SRGWSEA1')
  const whole = Buffer.from(await (await fetch(url)).arrayBuffer())
  const wav = readWav(whole)
  assert.ok(wav.ok)
  assert.equal(wav.value.samples.length, 2)
  const part = await fetch(url, { headers: { range: 'bytes=40-59' } })
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(40, 60))
  const verified = await run('verify', recorder.store, '--public-key', publicKey)
  assert.match(verified.output, /in-object-storage .*recording\.wav {2}not looked at/)
  assert.equal(verified.code, 2, verified.output)
})
