// What is kept of a recording, through the HTTP API of a real recorder: audio and parts of it, wave form, ledger, metadata, vCon.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readWav } from '#audio'
import type { ForeignClient } from '../foreign/foreign-client.ts'
import { type DescribedApi, describedApi } from '../harness/described-api.ts'
import { type KeptRecording, keptRecording } from '../harness/kept-recording.ts'
import { openTestProgram } from '../harness/open-program.ts'
import { recordSession } from '../harness/recorded-session.ts'
import { until } from '../harness/until.ts'

const ONE = '/api/recordings/{recordingId}'

interface Scene {
  readonly api: DescribedApi
  readonly kept: KeptRecording
  readonly params: { readonly recordingId: string }
  /** Bytes and headers of the audio that a query asks for. */
  audio(query?: string, headers?: Record<string, string>): Promise<{ answer: Response; bytes: Uint8Array }>
}

async function openScene(
  t: TestContext,
  options: { readonly store?: object; readonly more?: (client: ForeignClient) => Promise<unknown> } = {},
): Promise<Scene> {
  const recorder = await openTestProgram({ gateway: false, recorder: true, recorderStore: { ...options.store } })
  t.after(() => recorder.close())
  await recordSession(recorder, 300, options.more)
  const kept = await keptRecording(recorder.store)
  const params = { recordingId: kept.manifest.recordingId }
  const api = await describedApi(recorder.httpUrl)
  await until('it is published', async () => (await api.ask('get', ONE, { params })).body.state === 'published')
  return {
    api,
    kept,
    params,
    audio: async (query = '', headers = {}) => {
      const answer = await fetch(`${recorder.httpUrl}/api/recordings/${params.recordingId}/audio?${query}`, { headers })
      return { answer, bytes: new Uint8Array(await answer.arrayBuffer()) }
    },
  }
}

function samplesOf(bytes: Uint8Array): Int16Array[] {
  const wav = readWav(bytes)
  assert.ok(wav.ok)
  return wav.value.samples
}

/** Tells of a hold and its end, as a client does in UPDATEs. */
async function hold(client: ForeignClient): Promise<void> {
  assert.equal((await client.update({ metadata: 'hold' })).status, 200)
  assert.equal((await client.update({ metadata: 'resume' })).status, 200)
}

test('one channel, or a part, is a WAV file of exactly those samples, and has ranges of its own', async (t) => {
  const { kept, audio } = await openScene(t)
  const whole = kept.channels
  const part = await audio('channel=1&fromMs=50&toMs=200')
  assert.equal(part.answer.headers.get('content-type'), 'audio/wav')
  assert.deepEqual(samplesOf(part.bytes), [whole[1]?.slice(400, 1600)])
  assert.deepEqual(
    samplesOf((await audio('fromMs=100')).bytes),
    whole.map((samples) => samples.slice(800)),
  )
  assert.deepEqual(samplesOf((await audio('channel=0')).bytes), [whole[0]])
  for (const range of ['bytes=0-93', 'bytes=90-101', 'bytes=333-777', 'bytes=-5']) {
    const { answer, bytes } = await audio('channel=1&fromMs=50&toMs=200', { range })
    const [, from = 0, to = 0] = (/bytes (\d+)-(\d+)/.exec(answer.headers.get('content-range') ?? '') ?? []).map(Number)
    assert.equal(answer.status, 206)
    assert.deepEqual(bytes, part.bytes.slice(from, to + 1), range)
  }
  for (const [query, status] of [
    ['channel=2', 404],
    ['format=flac', 404],
    ['fromMs=5&toMs=5', 400],
  ] as const) {
    assert.equal((await audio(query)).answer.status, status, query)
  }
})

test('the copy for the archive is served under its format', async (t) => {
  const { kept, audio, api, params } = await openScene(t, { store: { archive: 'flac' } })
  const { answer, bytes } = await audio('format=flac')
  assert.equal(answer.headers.get('content-type'), 'audio/flac')
  assert.deepEqual(bytes, new Uint8Array(await readFile(join(kept.folder, 'recording.flac'))))
  assert.deepEqual((await api.ask('get', ONE, { params })).body.formats, ['wav', 'flac'])
})

test('the wave form is that of the audio, part by part', async (t) => {
  const { api, kept, params } = await openScene(t)
  const { body } = await api.ask('get', `${ONE}/peaks`, { params, query: 'buckets=10&fromMs=40&toMs=240' })
  assert.deepEqual([body.channels, body.fromMs, body.toMs], [2, 40, 240])
  for (const [channel, values] of body.values.entries()) {
    for (const bucket of Array.from({ length: 10 }, (_unused, index) => index)) {
      const samples = kept.channels[channel]?.slice(320 + 160 * bucket, 320 + 160 * (bucket + 1)) ?? []
      assert.equal(values[2 * bucket], Math.min(0, ...samples) >> 8)
      assert.equal(values[2 * bucket + 1], (Math.max(0, ...samples) + 255) >> 8)
    }
  }
})

test('the ledger accounts for the whole duration of every stream, and the manifest is what is on disk', async (t) => {
  const { api, kept, params } = await openScene(t)
  const { body } = await api.ask('get', `${ONE}/ledger`, { params })
  assert.equal(body.streams.length, 2)
  for (const { audioMs, missingMs, gaps } of body.streams) {
    const missing = Object.values(missingMs as Record<string, number>).reduce((sum, ms) => sum + ms, 0)
    assert.ok(Math.abs(audioMs + missing - body.durationMs) < 1, `${audioMs} + ${missing} of ${body.durationMs}`)
    const listed = gaps.reduce(
      (sum: number, { fromMs, toMs }: { fromMs: number; toMs: number }) => sum + toMs - fromMs,
      0,
    )
    assert.ok(Math.abs(listed - missing) < 1)
  }
  assert.deepEqual((await api.ask('get', `${ONE}/manifest`, { params })).body, kept.manifest)
})

test('the history of the metadata tells who joined, held, resumed and left, and has each document', async (t) => {
  const { api, kept, params } = await openScene(t, { more: hold })
  const { body } = await api.ask('get', `${ONE}/metadata/history`, { params })
  const [ottoline, matias] = kept.manifest.facts.participants.map(({ name }) => name)
  assert.deepEqual(
    body.items.map(({ changes, transaction }: { changes: object[]; transaction: string }) => [
      transaction.split(' ')[0],
      changes,
    ]),
    [
      [
        'INVITE',
        [
          { kind: 'joined', participant: ottoline },
          { kind: 'joined', participant: matias },
        ],
      ],
      ['UPDATE', [{ kind: 'held', channel: 0 }]],
      ['UPDATE', [{ kind: 'resumed', channel: 0 }]],
      [
        'BYE',
        [
          { kind: 'left', participant: ottoline },
          { kind: 'left', participant: matias },
        ],
      ],
    ],
  )
  assert.deepEqual(body.items[2].speakers, [[ottoline], [matias]])
  assert.ok(body.items.every(({ atMs }: { atMs: number }) => atMs <= kept.manifest.durationMs))
  for (const { number } of body.items) {
    const url = new URL(`${kept.manifest.metadata[number - 1]?.file}`, `file://${kept.folder}/`)
    const document = await api.text(`${ONE}/metadata/{number}`, { ...params, number: String(number) })
    assert.equal(document, await readFile(url, 'utf8'))
  }
  assert.equal((await api.ask('get', `${ONE}/metadata/{number}`, { params: { ...params, number: '5' } })).status, 404)
})

test('a vCon names parties, channels, events and documents, and proves its audio by a hash', async (t) => {
  const { api, kept, params, audio } = await openScene(t, { more: hold })
  const { manifest } = kept
  const { body } = await api.ask('get', `${ONE}/vcon`, { params })
  const [dialog] = body.dialog
  assert.deepEqual(
    body.parties.map(({ name, sip, uuid }: { name: string; sip?: string; uuid?: string }) => [name, sip, uuid]),
    [
      ...manifest.facts.participants.map(({ name, aor, participantId }) => [name, aor, participantId]),
      ['session recording server', undefined, undefined],
    ],
  )
  assert.deepEqual([dialog.type, dialog.start, dialog.parties], ['recording', manifest.startedAt, [0, 1]])
  assert.equal(dialog.duration, manifest.durationMs / 1000)
  assert.deepEqual(
    dialog.party_history.map(({ party, event }: { party: number; event: string }) => `${party} ${event}`),
    ['0 join', '1 join', '0 hold', '0 unhold', '0 drop', '1 drop'],
  )
  const played = new Uint8Array(await (await fetch(dialog.url)).arrayBuffer())
  assert.equal(dialog.content_hash, `sha512-${createHash('sha512').update(played).digest('base64url')}`)
  assert.equal(body.attachments.length, manifest.metadata.length + 1)
  for (const [index, { file }] of manifest.metadata.entries()) {
    const stored = await readFile(join(kept.folder, file ?? ''))
    assert.deepEqual(Buffer.from(body.attachments[index].body, 'base64url'), stored)
  }
  assert.deepEqual(body.attachments.at(-1).body, (await api.ask('get', `${ONE}/ledger`, { params })).body)
  const inline = (await api.ask('get', `${ONE}/vcon`, { params, query: 'audio=inline' })).body
  assert.deepEqual(new Uint8Array(Buffer.from(inline.dialog[0].body, 'base64url')), (await audio()).bytes)
  assert.notEqual(inline.uuid, body.uuid)
  const { items } = (await api.ask('get', '/api/audit', { query: 'action=recording.export' })).body
  assert.equal(items.length, 2)
})
