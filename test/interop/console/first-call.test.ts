// The first five minutes in Chromium: from the start page to a test call, paused and resumed there, to its recording.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccessible, assertNoSideScroll, openPage } from '../../harness/browser.ts'
import { openTestProgram } from '../../harness/open-program.ts'

const FIVE_MINUTES_MS = 300_000

test('a program without recordings leads to a test call, which is watched, paused, resumed and heard in the player', async (t) => {
  const opened = await openTestProgram({ recorder: true })
  t.after(() => opened.close())
  const beganAt = performance.now()
  const page = await openPage(t, `${opened.httpUrl}/`, { width: 360 })
  await page.getByRole('heading', { name: 'Your first recorded call' }).waitFor()
  await assertAccessible(page, 'first call')
  await page.getByRole('button', { name: 'Place a test call' }).click()
  await page.locator('.state[data-state=recording]').waitFor()
  await page.getByText('They talk.').waitFor()
  const card = page.getByRole('article').first()
  await card.getByRole('button', { name: 'Pause', exact: true }).click()
  await card.getByText('Recording is paused.').waitFor()
  await card.getByRole('button', { name: 'Resume' }).click()
  await card.getByText('Recording goes on.').waitFor()
  await assertAccessible(page, 'first call under way')
  await assertNoSideScroll(page, 'first call under way')
  await page.getByRole('button', { name: 'Hang up' }).click()
  await page.getByRole('button', { name: 'Hear the recording' }).click()
  await page.getByRole('region', { name: 'Player' }).waitFor()
  const took = performance.now() - beganAt
  t.diagnostic(`from the start page to the player: ${Math.round(took / 1_000)} s`)
  assert.ok(took < FIVE_MINUTES_MS)

  const { items } = (await (await fetch(`${opened.httpUrl}/api/recordings`)).json()) as {
    items: { recordingId: string; hasAudio: boolean; streamCount: number }[]
  }
  assert.equal(items.length, 1)
  assert.deepEqual([items[0]?.hasAudio, items[0]?.streamCount], [true, 2])
})
