import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { RecordingStore } from './recording-store.ts'

const STARTED_MS = Date.UTC(2026, 0, 5, 9)

test('a recording is found by who asks in the moment in which it is published, before and after it gets its name', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'store-'))
  t.after(() => rmSync(root, { recursive: true }))
  const store = new RecordingStore({ root })
  const open = store.newFolder('r1', STARTED_MS)
  assert.equal(open, '2026/01/05/r1.open')
  mkdirSync(join(root, open, 'metadata'), { recursive: true })
  writeFileSync(join(root, open, 'metadata', '0001.xml'), '<recording/>')
  assert.equal(store.newFolder('r1', STARTED_MS), open)
  renameSync(join(root, open), join(root, '2026/01/05/r1'))
  assert.equal(store.newFolder('r1', STARTED_MS), '2026/01/05/r1')
  for (const folder of [open, '2026/01/05/r1']) {
    assert.equal(Buffer.from((await store.file(folder, 'metadata/0001.xml')) ?? []).toString(), '<recording/>')
    assert.equal(await store.file(folder, 'metadata/0002.xml'), undefined)
  }
})
