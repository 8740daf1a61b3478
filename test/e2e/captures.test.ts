// A recorder that refuses a real gateway: the capture is in the API and on disk, and the client of today replays it.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { CaptureBundle } from '#recording-client'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { replayCapture, statesOf } from '../harness/replay-capture.ts'
import { openTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

interface Summary {
  readonly id: string
  readonly failure: string
}

test('the capture of a failed recording session is served, written to disk and replayed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'captures-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const recorder = await ForeignRecorder.open({ answer: 488 })
  t.after(() => recorder.close())
  const talk = await openTalk(t, { gateway: { recording: { captures: { folder } } } })
  const url = `${talk.opened.httpUrl}/api/captures`
  assert.equal((await talk.rest('start', recorder.uri())).status, 503)
  await talk.end()
  let items: readonly Summary[] = []
  await until('the capture is in the API', async () => {
    items = ((await (await fetch(url)).json()) as { items: Summary[] }).items
    return items.length > 0
  })
  assert.equal(items[0]?.failure, 'recorder.failed')
  const served = (await (await fetch(`${url}/${items[0]?.id}`)).json()) as CaptureBundle
  await until('the capture is on disk', () => readdirSync(folder).length > 0)
  const path = join(folder, readdirSync(folder)[0] ?? '')
  assert.equal(statSync(path).mode & 0o077, 0, 'nobody else may read it')
  const written = JSON.parse(readFileSync(path, 'utf8')) as CaptureBundle
  assert.deepEqual(written, served)
  const replay = await replayCapture(written)
  assert.deepEqual(replay.states, statesOf(written))
})
