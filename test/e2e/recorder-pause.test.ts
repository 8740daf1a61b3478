// A pause that the recorder itself makes, commanded by the HTTP API; it outlives the process.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ForeignClient } from '../foreign/foreign-client.ts'
import { tone } from '../foreign/g711-tones.ts'
import { describedApi } from '../harness/described-api.ts'
import { keptRecording } from '../harness/kept-recording.ts'
import { MortalRecorder } from '../harness/mortal-recorder.ts'

const SESSION = '/api/recorder/sessions/{recordingId}'
const WORD_MS = 300

test('a session paused by the API stays paused over a crash of the recorder, until it is resumed', async (t) => {
  const recorder = await MortalRecorder.start(t)
  const address = { host: '127.0.0.1', port: recorder.sipPort('udp') }
  const client = await ForeignClient.open({ transport: 'udp', recorder: address, deadlineMs: 10_000 })
  t.after(() => client.close())
  assert.equal((await client.invite({ streams: 1 })).status, 200)
  const say = async (): Promise<void> => {
    await client.sendAudio(0, tone(400, WORD_MS))
  }
  await say()
  const before = await describedApi(recorder.httpUrl)
  const { recordingId } = (await before.ask('get', '/api/recorder/sessions')).body.items[0]
  const params = { recordingId }
  const paused = await before.ask('post', `${SESSION}/pause`, { params, body: { maxSeconds: 600 } })
  assert.deepEqual([paused.status, paused.body.clientStatus, paused.body.pausedHere.isSignalled], [200, 200, true])
  // A client that goes on all the same.
  await say()
  await recorder.kill()
  await recorder.start()
  const api = await describedApi(recorder.httpUrl)
  const shown = (await api.ask('get', SESSION, { params })).body
  assert.deepEqual(shown.pausedHere, paused.body.pausedHere)
  await say()
  const resumed = await api.ask('post', `${SESSION}/resume`, { params, body: {} })
  assert.deepEqual(resumed.body, { clientStatus: 200 })
  await say()
  assert.equal((await client.bye()).status, 200)
  const { manifest, channels } = await keptRecording(recorder.store)
  const [stream] = manifest.streams
  assert.ok((stream?.totals.discarded ?? 0) >= 10, `${stream?.totals.discarded} packets were discarded since the crash`)
  assert.ok(stream?.gaps.some(({ cause }) => cause === 'paused-here'))
  const loud = channels[0]?.filter((sample) => Math.abs(sample) > 1000).length ?? 0
  const toneMs = channels[0] === undefined ? 0 : loud / 8
  assert.ok(toneMs > WORD_MS && toneMs < 2.2 * WORD_MS, `two words of four were kept: ${toneMs} ms are loud`)
  assert.equal((await api.ask('post', `${SESSION}/pause`, { params, body: {} })).status, 404)
  const { items } = (await api.ask('get', '/api/audit', { query: `target=${recordingId}` })).body
  assert.deepEqual(
    items.map(({ action, outcome }: { action: string; outcome: string }) => `${action} ${outcome}`).reverse(),
    ['recording.pause-here done', 'recording.resume-here done', 'recording.pause-here refused'],
  )
  assert.deepEqual(client.violations, [])
})
