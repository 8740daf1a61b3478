// A recorder's catalogue: searched, curated, broken and rebuilt while recordings go on.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { RecordingLibrary } from '#store'
import { keptRecording, keptRecordings } from '../harness/kept-recording.ts'
import { openTestProgram, type TestProgram } from '../harness/open-program.ts'
import { recordSession } from '../harness/recorded-session.ts'
import { until } from '../harness/until.ts'

const MAIN = fileURLToPath(new URL('../../src/app/main.js', import.meta.url))
const doing = { reason: 'case 5', actor: 'ada' }

async function openRecorder(t: TestContext, folder?: string): Promise<TestProgram & { library: RecordingLibrary }> {
  const recorderStore = folder === undefined ? {} : { folder }
  const recorder = await openTestProgram({ gateway: false, recorder: true, recorderStore })
  t.after(() => recorder.close())
  const library = recorder.program.recorder?.library
  assert.ok(library)
  return { ...recorder, library }
}

/** Runs a command of the program over a store. */
async function command(folder: string, args: readonly string[], keys = ''): Promise<string> {
  const config = join(folder, 'command.yaml')
  await writeFile(config, `recorder:\n  store:\n    folder: ${JSON.stringify(folder)}\n    ${keys}\n`)
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args, '--config', config])
  return stdout
}

test('a recording is found by party, metadata text and ids, held against deletion, then deleted for good', async (t) => {
  const { library, store, ...recorder } = await openRecorder(t)
  await recordSession({ ...recorder, store })
  const { manifest, folder } = await keptRecording(store)
  const { recordingId, facts } = manifest
  await until('the row is published', async () => (await library.get(recordingId))?.state === 'published')
  const aor = facts.participants[0]?.aor ?? ''
  for (const filter of [{ party: aor.slice(4, 9) }, { id: facts.sip.callId }, { text: aor }, { id: recordingId }]) {
    const { rows } = await library.search({ limit: 5, ...filter })
    assert.deepEqual(
      rows.map((row) => row.recordingId),
      [recordingId],
      JSON.stringify(filter),
    )
  }
  assert.ok((await library.hold(recordingId, doing)).ok)
  assert.deepEqual(await library.delete(recordingId, doing), { ok: false, error: 'held' })
  assert.ok((await library.release(recordingId, doing)).ok)
  assert.ok((await library.delete(recordingId, doing)).ok)
  assert.ok(!existsSync(folder))
  const page = (await (await fetch(`${recorder.httpUrl}/api/recordings`)).json()) as { total: number }
  assert.equal(page.total, 0)
  assert.equal((await library.get(recordingId))?.deletion?.reason, 'case 5')
})

test('a catalogue that cannot be read stops no recording; one command makes a new one, and the recorder goes on with it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'broken-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'catalogue.sqlite'), 'this is no database, however long it goes on about it'.repeat(40))
  const recorder = await openRecorder(t, folder)
  await recordSession(recorder)
  await keptRecordings(folder, 1)
  const away = await fetch(`${recorder.httpUrl}/api/recordings`)
  assert.deepEqual([away.status, ((await away.json()) as { code: string }).code], [503, 'catalogue-away'])
  assert.ok(recorder.log.messages().includes('catalogue is not reachable; recording goes on'))
  const output = await command(folder, ['rebuild-catalogue'])
  assert.match(output, /not readable, kept as .*catalogue\.sqlite\.unreadable\n1 recordings, 0 deleted ones/)
  await until('the recorder has its catalogue', async () => (await recorder.library.count({}).catch(() => 0)) === 1)
  await recordSession(recorder)
  await until('both are listed', async () => (await recorder.library.count({ state: 'published' })) === 2)
})

test('the catalogue is rebuilt beside a running recorder, and keeps tags', async (t) => {
  const recorder = await openRecorder(t)
  await recordSession(recorder)
  const { manifest } = await keptRecording(recorder.store)
  const published = async () => (await recorder.library.get(manifest.recordingId))?.state === 'published'
  await until('the row is published', published)
  await recorder.library.tag(manifest.recordingId, { add: ['Complaint'] })
  assert.equal(
    await command(recorder.store, ['rebuild-catalogue']),
    '1 recordings, 0 deleted ones, 0 rows without folder removed\n',
  )
  assert.equal(await recorder.library.count({ tags: ['complaint'] }), 1)
})

test('retention says what it would delete and what a hold keeps, then deletes that and nothing else', async (t) => {
  const recorder = await openRecorder(t)
  await recordSession(recorder)
  await recordSession(recorder)
  const [first, second] = await keptRecordings(recorder.store, 2)
  assert.ok(first !== undefined && second !== undefined)
  await until('both are listed', async () => (await recorder.library.count({ state: 'published' })) === 2)
  await recorder.library.hold(second.manifest.recordingId, doing)
  const rules = 'retention: { rules: [{ name: at once, afterDays: 0 }] }'
  const planned = await command(recorder.store, ['retention', '--dry-run'], rules)
  assert.match(planned, /^would delete 1 recordings \(\d+ bytes\), 1 on hold\n/)
  assert.match(planned, new RegExp(`\\ndelete  ${first.manifest.recordingId}  .* at once\\n`))
  assert.match(planned, new RegExp(`\\nhold    ${second.manifest.recordingId}  .* at once\\n`))
  assert.equal(await recorder.library.count({}), 2)
  assert.equal(await command(recorder.store, ['retention'], rules), 'deleted 1 recordings, 1 on hold, 0 failed\n')
  assert.ok(!existsSync(first.folder))
  assert.ok(existsSync(second.audioPath))
  assert.equal((await recorder.library.get(first.manifest.recordingId))?.deletion?.actor, 'command line')
})
