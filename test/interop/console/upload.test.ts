// Where the copy of a recording stands, in Chromium, over a real S3 server that fails and is mended.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { openPage } from '../../harness/browser.ts'
import { keptRecording } from '../../harness/kept-recording.ts'
import { startObjectServer } from '../../harness/object-server.ts'
import { openTestProgram } from '../../harness/open-program.ts'
import { recordSession } from '../../harness/recorded-session.ts'
import { until } from '../../harness/until.ts'

const LONG_MS = 90_000

test('"not uploaded" is told while object storage fails, and the local copy stays; then "uploaded only", and it plays on', async (t) => {
  const server = await startObjectServer()
  t.after(() => server.close())
  process.env['TEST_S3_KEY'] = server.settings.accessKeyId
  process.env['TEST_S3_SECRET'] = server.settings.secretAccessKey
  server.fault = (method) => (method === 'PUT' ? 'error' : undefined)
  const upload = {
    endpoint: server.settings.endpoint,
    region: server.settings.region,
    accessKeyVariable: 'TEST_S3_KEY',
    secretKeyVariable: 'TEST_S3_SECRET',
    keepLocalDays: 0,
  }
  const recorder = await openTestProgram({ gateway: false, recorder: true, recorderStore: { upload } })
  t.after(() => recorder.close())
  await recordSession(recorder, 500)
  const kept = await keptRecording(recorder.store)
  const page = await openPage(t, `${recorder.httpUrl}/#/recordings?state=published`)
  page.setDefaultTimeout(LONG_MS)
  const badge = page.locator('.badge', { hasText: /^not uploaded$/ })
  await badge.waitFor()
  assert.equal(await badge.locator('svg').getAttribute('data-icon'), 'not-uploaded')
  const choice = page.getByRole('combobox', { name: 'Upload', exact: true })
  await page.reload()
  await choice.locator('option', { hasText: 'not uploaded: failed (1)' }).waitFor({ state: 'attached' })
  assert.ok(existsSync(kept.audioPath), 'what is not uploaded stays here')

  server.fault = () => undefined
  await page.locator('.badge', { hasText: 'uploaded only' }).waitFor()
  await until('the local audio is gone', () => !existsSync(kept.audioPath))
  await page.getByRole('button', { name: /^Play/ }).click()
  const dock = page.getByRole('region', { name: 'Player' })
  await dock.locator('.waves').getByText('0:00', { exact: true }).first().waitFor()
  await until('it is played from there', async () => Number(await dock.getByLabel('Position').inputValue()) > 0.1)
})
