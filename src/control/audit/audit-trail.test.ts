import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { ManualClock, settle } from '#kernel'
import { audio, httpFixture, withApp } from '../../../test/harness/http-fixture.ts'
import { until } from '../../../test/harness/until.ts'
import type { HttpApp } from '../http-app.ts'
import type { RecordingsView } from '../views.ts'
import type { AuditEntry } from './audit-entry.ts'
import { AuditLog } from './audit-log.ts'

async function withAuditedApp(
  use: (app: HttpApp, clock: ManualClock, folder: string) => Promise<void>,
  recordings?: RecordingsView,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'trail-'))
  const clock = new ManualClock()
  const audit = new AuditLog({ folder: join(folder, 'audit'), maxBytes: 1_000_000, keepFiles: 10, clock })
  try {
    await withApp((app) => use(app, clock, folder), { audit, clock, ...(recordings && { recordings }) })
  } finally {
    await audit.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function entriesOf(app: HttpApp, query = ''): Promise<AuditEntry[]> {
  return (await app.inject(`/api/audit${query}`)).json().items
}

test('commands, parties, tokens and sign-ins are written down, with who, what, and what came of it', () =>
  withAuditedApp(async (app) => {
    const post = (url: string, payload: object) => app.inject({ method: 'POST', url, payload })
    await post('/api/calls/call-1/recording', { activity: 'pause' })
    await post('/api/calls/other/recording', { activity: 'stop' })
    await post('/api/calls/call-1/parties', { target: 'sip:dora@x' })
    await post('/api/session', { name: 'anna', password: 'secret' })
    await app.inject('/api/calls')
    const entries = (await entriesOf(app)).toReversed()
    assert.deepEqual(
      entries.map(({ action, target, detail, outcome, status }) => [action, target, detail, outcome, status]),
      [
        ['call.recording', { callId: 'call-1' }, { activity: 'pause' }, 'done', 200],
        ['call.recording', { callId: 'other' }, { activity: 'stop' }, 'refused', 404],
        ['call.join', { callId: 'call-1' }, undefined, 'failed', 502],
        ['session.sign-in', {}, { name: 'anna' }, 'refused', 401],
      ],
    )
    assert.deepEqual(entries[0]?.who, { kind: 'open', name: 'anybody', id: '' })
    assert.equal(entries[0]?.from, '127.0.0.1')
    assert.ok(!JSON.stringify(entries).includes('secret'))
    assert.equal((await entriesOf(app, '?action=call.*&limit=2')).length, 2)
  }))

test('each playback is one entry, however many ranges a player asks for; from the beginning again, or another part, is another', () =>
  withAuditedApp(async (app, clock) => {
    const play = async (of: string, range?: string): Promise<number> => {
      const headers = range === undefined ? {} : { range }
      return (await app.inject({ url: `/api/recordings/${of}`, headers })).statusCode
    }
    for (const range of ['bytes=0-3', 'bytes=4-', 'bytes=1-2']) assert.equal(await play('rec-1/audio', range), 206)
    await app.inject({ method: 'HEAD', url: '/api/recordings/rec-1/audio' })
    assert.equal(await play('rec-2/audio'), 404)
    await play('rec-1/audio')
    await play('rec-1/audio', 'bytes=-8')
    await play('rec-1/audio?channel=1', 'bytes=4-')
    await play('rec-1/audio', 'bytes=4-')
    clock.advance(600_000)
    await play('rec-1/audio', 'bytes=4-')
    const entries = (await entriesOf(app, '?action=recording.play')).toReversed()
    assert.deepEqual(
      entries.map(({ target, status, detail }) => [target['recordingId'], status, detail]),
      [
        ['rec-1', 206, undefined],
        ['rec-2', 404, undefined],
        ['rec-1', 200, undefined],
        ['rec-1', 206, undefined],
        ['rec-1', 206, { channel: 1 }],
        ['rec-1', 206, undefined],
      ],
    )
  }))

test('audio is not given when that cannot be written down; a command is carried out all the same', () =>
  withAuditedApp(async (app, _clock, folder) => {
    await writeFile(join(folder, 'audit'), 'in the way')
    for (let at = 0; at < 2; at += 1) {
      const answer = await app.inject('/api/recordings/rec-1/audio')
      assert.deepEqual([answer.statusCode, answer.json().code], [503, 'audit-failed'])
    }
    const url = '/api/calls/call-1/recording'
    assert.equal((await app.inject({ method: 'POST', url, payload: { activity: 'stop' } })).statusCode, 200)
  }))

test('a command is answered when its entry is written, or after a second of a disk that hangs', async () => {
  const clock = new ManualClock()
  let written: (() => void) | undefined
  const append = () =>
    new Promise<void>((resolve) => {
      written = resolve
    })
  await withApp(
    async (app) => {
      let answers = 0
      const pause = async (): Promise<void> => {
        await app.inject({ method: 'POST', url: '/api/calls/call-1/recording', payload: { activity: 'pause' } })
        answers += 1
      }
      const first = pause()
      await until('the entry is being written', () => written !== undefined)
      for (let turn = 0; turn < 50; turn += 1) await settle()
      assert.equal(answers, 0)
      written?.()
      await first
      written = undefined
      const second = pause()
      await until('the next is being written', () => written !== undefined)
      clock.advance(1000)
      await second
      assert.equal(answers, 2)
    },
    { audit: { append } as unknown as AuditLog, clock },
  )
})

test('two that ask for the same audio at a time both wait for the entry: without it neither gets any', () =>
  withAuditedApp(async (app, _clock, folder) => {
    await writeFile(join(folder, 'audit'), 'in the way')
    const answers = await Promise.all([1, 2, 3].map(() => app.inject('/api/recordings/rec-1/audio')))
    assert.deepEqual(
      answers.map(({ statusCode }) => statusCode),
      [503, 503, 503],
    )
  }))

test('the file of audio that is not given is closed', async () => {
  const opened: Readable[] = []
  const recordings = httpFixture().options.recordings!
  const watched: RecordingsView = {
    ...recordings,
    audio: async (id, wish) => {
      const found = await recordings.audio(id, wish)
      if (found === undefined) return found
      return {
        ...found,
        open: () => {
          const stream = Readable.from([audio])
          opened.push(stream)
          return stream
        },
      }
    },
  }
  await withAuditedApp(async (app, _clock, folder) => {
    await writeFile(join(folder, 'audit'), 'in the way')
    assert.equal((await app.inject('/api/recordings/rec-1/audio')).statusCode, 503)
    assert.deepEqual(
      opened.map(({ destroyed }) => destroyed),
      [true],
    )
  }, watched)
})
