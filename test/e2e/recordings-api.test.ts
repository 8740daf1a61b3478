// The recordings of a real recorder through its HTTP API; every answer is as OpenAPI describes it.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { type DescribedApi, describedApi } from '../harness/described-api.ts'
import { type KeptRecording, keptRecording } from '../harness/kept-recording.ts'
import { openTestProgram, type TestProgram } from '../harness/open-program.ts'
import { recordSession } from '../harness/recorded-session.ts'
import { until } from '../harness/until.ts'

const ONE = '/api/recordings/{recordingId}'

interface Scene extends TestProgram {
  readonly api: DescribedApi
  readonly kept: KeptRecording
  readonly params: { readonly recordingId: string }
}

/** A recorder that holds one recording of two tones. */
async function openScene(t: TestContext, options: { readonly store?: object } = {}): Promise<Scene> {
  const recorder = await openTestProgram({ gateway: false, recorder: true, recorderStore: { ...options.store } })
  t.after(() => recorder.close())
  await recordSession(recorder)
  const kept = await keptRecording(recorder.store)
  const { recordingId } = kept.manifest
  const params = { recordingId }
  const api = await describedApi(recorder.httpUrl)
  await until('it is published', async () => (await api.ask('get', ONE, { params })).body.state === 'published')
  return { ...recorder, api, kept, params }
}

test('a recording is found by what is known of it, and not by anything else', async (t) => {
  const { api, kept, params } = await openScene(t)
  const { facts, durationMs } = kept.manifest
  const aor = facts.participants[0]?.aor ?? ''
  const found = async (query: string) => {
    const { status, body } = await api.ask('get', '/api/recordings', { query })
    assert.equal(status, 200)
    assert.equal(body.total, body.items.length)
    return body.items.map((item: { recordingId: string }) => item.recordingId)
  }
  const call = encodeURIComponent(facts.sip.callId)
  for (const query of [
    '',
    `party=${encodeURIComponent(aor.slice(4, 9))}`,
    `id=${call}`,
    `text=${encodeURIComponent(aor)}`,
    'from=2020-01-01&to=2100-01-01&state=published&upload=none&held=false',
    `minDurationMs=${durationMs - 1}&maxDurationMs=${durationMs + 1}`,
    `verdict=${facts.verdict?.outcome}`,
  ]) {
    assert.deepEqual(await found(query), [params.recordingId], query)
  }
  for (const query of [
    'party=nobody',
    'id=other',
    'text=nothing',
    'to=2020-01-01',
    'state=no-audio',
    'tag=vip',
    'held=true',
    `minDurationMs=${durationMs + 1}`,
    'deleted=only',
  ]) {
    assert.deepEqual(await found(query), [], query)
  }
  const [item] = (await api.ask('get', '/api/recordings')).body.items
  assert.deepEqual(
    item.participants.map((one: { aor: string }) => one.aor),
    facts.participants.map((one) => one.aor),
  )
  assert.equal(item.hasAudio, true)
})

test('what is found is counted by state, codec, day and more, under the same conditions', async (t) => {
  const { api, kept } = await openScene(t)
  const day = kept.manifest.startedAt.slice(0, 10)
  const facets = async (query: string) => (await api.ask('get', '/api/recordings/facets', { query })).body
  for (const query of ['', 'codec=pcmu', `from=${day}`]) {
    const { counted, isComplete, kinds } = await facets(query)
    assert.deepEqual([counted, isComplete], [1, true])
    assert.deepEqual(kinds.state, [{ value: 'published', count: 1 }])
    assert.deepEqual(kinds.codec, [{ value: 'PCMU', count: 1 }])
    assert.deepEqual(kinds.day, [{ value: day, count: 1 }])
    assert.deepEqual(kinds.held, [{ value: 'no', count: 1 }])
  }
  for (const query of ['codec=g722', 'state=no-audio', 'caller=nobody']) {
    const { counted, kinds } = await facets(query)
    assert.deepEqual([counted, kinds.state], [0, []])
  }
})

test('one recording is shown whole: parties, streams, where their time went, SIP, verdict', async (t) => {
  const { api, kept, params } = await openScene(t)
  const { status, body } = await api.ask('get', ONE, { params })
  const { manifest } = kept
  assert.equal(status, 200)
  assert.equal(body.durationMs, manifest.durationMs)
  assert.equal(body.sipCallId, manifest.facts.sip.callId)
  assert.equal(body.sip.source, manifest.facts.sip.source)
  assert.equal(body.verdict, manifest.facts.verdict?.outcome)
  assert.equal(body.documents, manifest.metadata.length)
  assert.deepEqual(body.formats, ['wav'])
  assert.equal(body.streams.length, 2)
  for (const [channel, stream] of manifest.streams.entries()) {
    const shown = body.streams[channel]
    assert.deepEqual(shown.gaps, stream.gaps)
    assert.deepEqual(shown.speakers, stream.participants)
    assert.deepEqual(shown.account, stream.account)
    assert.equal(shown.totals.packets, stream.totals.packets)
    assert.equal(shown.codecs[0].encoding, stream.runs[0]?.encoding)
  }
})

test('a recording is tagged, held, released and deleted with a reason, and the audit log says by whom', async (t) => {
  const { api, kept, params } = await openScene(t)
  const because = { params, body: { reason: 'case 5' } }
  const tagged = await api.ask('post', `${ONE}/tags`, { params, body: { add: ['Complaint', 'vip'] } })
  assert.deepEqual(tagged.body.tags, ['complaint', 'vip'])
  await api.ask('post', `${ONE}/tags`, { params, body: { remove: ['VIP'] } })
  assert.equal((await api.ask('get', '/api/recordings', { query: 'tag=vip' })).body.total, 0)
  assert.equal((await api.ask('get', '/api/recordings', { query: 'tag=COMPLAINT' })).body.total, 1)
  assert.equal((await api.ask('post', `${ONE}/hold`, because)).body.isHeld, true)
  const [hold] = (await api.ask('get', ONE, { params })).body.holds
  assert.deepEqual([hold.actor, hold.reason], ['anybody', 'case 5'])
  const refused = await api.ask('delete', ONE, because)
  assert.deepEqual([refused.status, refused.body.code], [409, 'recording-held'])
  assert.ok(existsSync(kept.audioPath))
  assert.equal((await api.ask('post', `${ONE}/release`, because)).body.isHeld, false)
  assert.equal((await api.ask('delete', ONE, because)).status, 200)
  assert.ok(!existsSync(kept.folder))
  assert.equal((await api.ask('get', '/api/recordings')).body.total, 0)
  const left = (await api.ask('get', ONE, { params })).body
  assert.equal(left.deletion.reason, 'case 5')
  assert.deepEqual([left.participants, left.streams, left.hasAudio], [[], [], false])
  assert.equal((await api.ask('get', '/api/recordings', { query: 'deleted=only' })).body.total, 1)
  const { items } = (await api.ask('get', '/api/audit', { query: `target=${params.recordingId}` })).body
  assert.deepEqual(
    items.map(({ action, outcome }: { action: string; outcome: string }) => `${action} ${outcome}`).reverse(),
    [
      'recording.tag done',
      'recording.tag done',
      'recording.hold done',
      'recording.delete refused',
      'recording.release done',
      'recording.delete done',
    ],
  )
  assert.deepEqual(items[0].detail, { reason: 'case 5' })
})
