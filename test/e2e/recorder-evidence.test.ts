// A recorder that vouches for what it publishes: verified by the command line, tampered with, deleted, killed, exported.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ForeignClient } from '../foreign/foreign-client.ts'
import { tone } from '../foreign/g711-tones.ts'
import { describedApi } from '../harness/described-api.ts'
import { keptRecordings } from '../harness/kept-recording.ts'
import { MortalRecorder } from '../harness/mortal-recorder.ts'
import { openTestProgram } from '../harness/open-program.ts'
import { recordSession } from '../harness/recorded-session.ts'
import { until } from '../harness/until.ts'

const ONE = '/api/recordings/{recordingId}'
const MAIN = fileURLToPath(new URL('../../src/app/main.js', import.meta.url))

/** Runs a command of the program; gives what it wrote and its exit code. */
async function run(...args: readonly string[]): Promise<{ output: string; code: number }> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (fault, stdout, stderr) => {
      resolve({ output: stdout + stderr, code: fault === null ? 0 : Number(fault.code) })
    })
  })
}

async function openRecorder(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'evidence-'))
  const keyFile = join(folder, 'keys/evidence.pem')
  const recorder = await openTestProgram({ gateway: false, recorder: true, recorderStore: { evidence: { keyFile } } })
  t.after(async () => {
    await recorder.close()
    rmSync(folder, { recursive: true })
  })
  const library = recorder.program.recorder?.library
  assert.ok(library)
  return { ...recorder, library, folder, publicKey: `${keyFile}.pub` }
}

test('SEC-22 what a recorder published is proved by one command, and a byte that is added to the ledger is told with its place', async (t) => {
  const recorder = await openRecorder(t)
  await recordSession(recorder)
  const [kept] = await keptRecordings(recorder.store, 1)
  assert.ok(kept)
  const proved = await run('verify', recorder.store, '--public-key', recorder.publicKey)
  assert.match(
    proved.output,
    /^1 of 1 recordings proved, 0 deleted, 0 not published yet, 1 lines of the chain\nsigned by key [\da-f]{32}: 1\nhead of the chain: line 1, [\da-f]{64}\nnothing was changed\n$/,
  )
  assert.equal(proved.code, 0)
  appendFileSync(join(kept.folder, 'stream-1.index.jsonl'), '{"type":"gap","fromMs":0,"toMs":1,"cause":"lost"}\n')
  const changed = await run('verify', recorder.store, '--public-key', recorder.publicKey, '--json')
  const { findings } = JSON.parse(changed.output) as { findings: { code: string; where: string }[] }
  assert.deepEqual(
    findings.map(({ code, where }) => [code, join(recorder.store, where)]),
    [['file-extended', join(kept.folder, 'stream-1.index.jsonl')]],
  )
  assert.equal(changed.code, 1)
  const unknown = await run('verify', join(recorder.store, 'nowhere'), '--public-key', recorder.publicKey)
  assert.equal(unknown.code, 2)
})

test('the API says what vouches for a recording, verifies it and tells what was altered; who asked is in the audit log', async (t) => {
  const recorder = await openRecorder(t)
  await recordSession(recorder)
  const [kept] = await keptRecordings(recorder.store, 1)
  assert.ok(kept)
  const { recordingId } = kept.manifest
  await until('it is listed', async () => (await recorder.library.count({ state: 'published' })) === 1)
  const api = await describedApi(recorder.httpUrl)
  const params = { recordingId }
  const { body: evidence } = await api.ask('get', `${ONE}/evidence`, { params })
  assert.equal(evidence.line.number, 1)
  assert.ok(evidence.files.some(({ name }: { name: string }) => name === 'recording.wav'))
  const { body: proved } = await api.ask('post', `${ONE}/verify`, { params })
  assert.deepEqual(
    [proved.outcome, proved.findings, proved.day.isIntact, proved.trustedKeyIds],
    ['proved', [], true, [evidence.keyId]],
  )
  appendFileSync(kept.audioPath, '\0')
  const { body: altered } = await api.ask('post', `${ONE}/verify`, { params })
  assert.equal(altered.outcome, 'altered')
  assert.deepEqual(
    altered.findings.map(({ code, where }: { code: string; where: string }) => [code, join(recorder.store, where)]),
    [['file-extended', kept.audioPath]],
  )
  assert.match(altered.advice, /legal hold/)
  for (const path of ['evidence', 'verify']) {
    const { status } = await api.ask(path === 'verify' ? 'post' : 'get', `${ONE}/${path}`, {
      params: { recordingId: 'x' },
    })
    assert.equal(status, 404)
  }
  const { items } = (await api.ask('get', '/api/audit', { query: `target=${recordingId}` })).body
  assert.deepEqual(
    items.map(({ action }: { action: string }) => action),
    ['recording.verify', 'recording.verify', 'recording.evidence'],
  )
})

test('a recording that is deleted leaves its line and a signed word of who deleted it and why', async (t) => {
  const recorder = await openRecorder(t)
  await recordSession(recorder)
  await recordSession(recorder)
  const [first] = await keptRecordings(recorder.store, 2)
  assert.ok(first)
  const { recordingId } = first.manifest
  await until('both are listed', async () => (await recorder.library.count({ state: 'published' })) === 2)
  await recorder.library.tag(recordingId, { add: ['complaint'] })
  assert.ok((await recorder.library.delete(recordingId, { reason: 'case 5', actor: 'ada' })).ok)
  assert.ok(!existsSync(first.folder))
  const { output, code } = await run('verify', recorder.store, '--public-key', recorder.publicKey)
  assert.match(output, /^1 of 1 recordings proved, 1 deleted, 0 not published yet, 3 lines/)
  assert.equal(code, 0)
  const chain = readFileSync(join(first.folder, '../chain.jsonl'), 'utf8').trim().split('\n')
  const { type, reason, actor } = JSON.parse(chain[2] ?? '') as Record<string, unknown>
  assert.deepEqual({ type, reason, actor }, { type: 'deleted', reason: 'case 5', actor: 'ada' })
})

test('a recording is exported with what it takes to verify it where nothing else is', async (t) => {
  const recorder = await openRecorder(t)
  await recordSession(recorder)
  await recordSession(recorder)
  const [kept] = await keptRecordings(recorder.store, 2)
  assert.ok(kept)
  const to = join(recorder.folder, 'for-the-court')
  assert.equal((await run('export', kept.folder, '--to', to)).code, 0)
  const copy = join(to, kept.manifest.recordingId)
  const verified = await run('verify', copy, '--public-key', join(to, 'evidence-public-key.pem'))
  assert.match(verified.output, /^1 of 1 recordings proved/)
  assert.equal(verified.code, 0)
  assert.match(readFileSync(join(to, 'VERIFY.txt'), 'utf8'), /openssl pkeyutl -verify/)
  rmSync(join(to, 'chain.jsonl'))
  const withoutChain = await run('verify', copy, '--public-key', recorder.publicKey)
  assert.match(withoutChain.output, /^not-in-chain/)
  assert.equal((await run('export', kept.folder, '--to', to)).code, 1)
})

test('a key that was rotated while the recorder ran: what it signed stays proved, by the API and offline, and is told apart', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'evidence-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const keyFile = join(folder, 'keys/evidence.pem')
  const recorder = await MortalRecorder.start(t, { evidence: { keyFile } })
  const record = async (): Promise<void> => {
    const address = { host: '127.0.0.1', port: recorder.sipPort('tcp') }
    const client = await ForeignClient.open({ transport: 'tcp', recorder: address, deadlineMs: 10_000 })
    assert.equal((await client.invite()).status, 200)
    await client.sendAudio(0, tone(400, 300))
    assert.equal((await client.bye()).status, 200)
    client.close()
  }
  await record()
  await keptRecordings(recorder.store, 1)
  const config = join(folder, 'recorder.yaml')
  writeFileSync(config, JSON.stringify({ recorder: { store: { folder: recorder.store, evidence: { keyFile } } } }))
  const rotated = await run('rotate-evidence-key', '--config', config)
  assert.equal(rotated.code, 0, rotated.output)
  const [, present, former] = /by key ([\da-f]{32}); what key ([\da-f]{32}) has signed/.exec(rotated.output) ?? []
  // One that runs goes on with the key before.
  await record()
  await keptRecordings(recorder.store, 2)
  await recorder.stop()
  await recorder.start()
  await record()
  const kept = await keptRecordings(recorder.store, 3)
  const api = await describedApi(recorder.httpUrl)
  const proofs: unknown[] = []
  for (const { manifest } of kept) {
    const params = { recordingId: manifest.recordingId }
    await until('it is listed', async () => (await api.ask('get', ONE, { params })).body.state === 'published')
    const { body } = await api.ask('post', `${ONE}/verify`, { params })
    proofs.push([body.outcome, body.keyId, body.isFormerKey, body.day.isIntact, body.text.includes(`by key ${former}`)])
  }
  assert.deepEqual(proofs, [
    ['proved', former, true, true, true],
    ['proved', former, true, true, true],
    ['proved', present, false, true, false],
  ])
  const keys = [`${keyFile}.pub`, `${keyFile}.former.pub`]
  const offline = await run('verify', recorder.store, '--public-key', ...keys)
  assert.equal(offline.code, 0, offline.output)
  for (const line of [`signed by key ${former}: 2`, `signed by key ${present}: 1`]) {
    assert.ok(offline.output.split('\n').includes(line), offline.output)
  }
  assert.equal((await run('verify', recorder.store, '--public-key', `${keyFile}.pub`)).code, 1)
})
