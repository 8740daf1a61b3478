// A recorder that copies its recordings to a real S3 server, and plays them from there when the local copy is gone.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { readWav } from '#audio'
import { shareOfTone } from '../foreign/g711-tones.ts'
import { keptRecordings } from '../harness/kept-recording.ts'
import { startObjectServer } from '../harness/object-server.ts'
import { openTestProgram } from '../harness/open-program.ts'
import { recordSession } from '../harness/recorded-session.ts'
import { until } from '../harness/until.ts'

test('a recording goes to object storage over a failing server, its audio leaves this disk, and plays on with ranges', async (t) => {
  const server = await startObjectServer()
  t.after(() => server.close())
  process.env['TEST_S3_KEY'] = server.settings.accessKeyId
  process.env['TEST_S3_SECRET'] = server.settings.secretAccessKey
  let failures = 0
  server.fault = (method) => (method === 'PUT' && failures++ < 2 ? 'error' : undefined)
  const upload = {
    endpoint: server.settings.endpoint,
    region: server.settings.region,
    accessKeyVariable: 'TEST_S3_KEY',
    secretKeyVariable: 'TEST_S3_SECRET',
    prefix: 'one/',
    keepLocalDays: 0,
  }
  const recorder = await openTestProgram({ gateway: false, recorder: true, recorderStore: { upload } })
  t.after(() => recorder.close())
  const library = recorder.program.recorder?.library
  assert.ok(library)
  await recordSession(recorder, 500)
  const [kept] = await keptRecordings(recorder.store, 1)
  assert.ok(kept)
  const { recordingId } = kept.manifest
  const isGone = async (): Promise<boolean> => (await library.get(recordingId))?.uploadState === 'local-removed'
  await until('the local copy is gone', async () => (await isGone()) && !existsSync(kept.audioPath), 60_000)
  assert.ok(failures > 2)

  const url = `${recorder.httpUrl}/api/recordings/${recordingId}/audio`
  const whole = Buffer.from(await (await fetch(url)).arrayBuffer())
  const wav = readWav(whole)
  assert.ok(wav.ok)
  assert.deepEqual(wav.value.samples, kept.channels)
  const from = 8 * Math.ceil((kept.manifest.streams[0]?.totals.firstPacketMs ?? 0) + 100)
  assert.ok(shareOfTone(kept.channels[0]!.subarray(from, from + 1600), 400) > 0.95)
  const part = await fetch(url, { headers: { range: 'bytes=40-59' } })
  assert.equal(part.status, 206)
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(40, 60))

  const archive = await fetch(`${recorder.httpUrl}/api/recordings/archive?recording=${recordingId}`)
  const input = Buffer.from(await archive.arrayBuffer())
  const listed = spawnSync('tar', ['-tf', '-'], { input, encoding: 'utf8' }).stdout.split('\n')
  const place = listed.find((name) => name.endsWith(`${recordingId}/recording.wav`)) ?? ''
  const { stdout } = spawnSync('tar', ['-xOf', '-', place], { input, maxBuffer: 2 ** 26 })
  assert.deepEqual(stdout, whole, 'what is in object storage alone is in an archive too')

  assert.ok((await library.delete(recordingId, { reason: 'asked for', actor: 'ada' })).ok)
  assert.deepEqual(await server.storage.list('one/'), [])
  assert.equal((await fetch(url)).status, 404)
})
