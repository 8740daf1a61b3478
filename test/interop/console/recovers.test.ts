// What goes wrong while somebody works, in Chromium: audio that is gone, a right that is taken away, a session that ends. The page says
// so, keeps what was there, and goes on when it is well again.

import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { ManualClock } from '#kernel'
import { hashPassword } from '../../../src/control/access/password.ts'
import { AccountSignIn } from '../../../src/control/access/sign-in.ts'
import { createHttpServer } from '../../../src/control/http-server.ts'
import { openPage } from '../../harness/browser.ts'
import { consoleFixture } from '../../harness/console-fixture.ts'
import { openAccess } from '../../harness/http-fixture.ts'
import { openRecordedTalk } from '../../harness/recorded-talk.ts'
import { until } from '../../harness/until.ts'

const PASSWORD = 'correct horse'
const TWO_HOURS_MS = 7_200_000

/** Live calls of a program where anna is a supervisor; `clock` is that of her session. */
async function openSupervised(t: TestContext): Promise<{ page: Page; clock: ManualClock }> {
  const clock = new ManualClock()
  const signIn = new AccountSignIn([{ name: 'anna', passwordHash: await hashPassword(PASSWORD), role: 'supervisor' }])
  const server = await createHttpServer({
    ...consoleFixture().options,
    access: openAccess(clock, { isOpen: false, signIn }),
  })
  t.after(() => server.close())
  const page = await openPage(t, `http://127.0.0.1:${server.address.port}/#/live`)
  await enter(page)
  return { page, clock }
}

async function enter(page: Page): Promise<void> {
  await page.getByLabel('Name').fill('anna')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Live calls' }).waitFor()
}

const cardOf = (page: Page) => page.getByRole('article', { name: 'caller1 and agent1' })

test('audio that is gone is told by the player with what the program says, and plays when it is back', async (t) => {
  const talk = await openRecordedTalk(t)
  const { manifest, folder } = await talk.play('tcp')
  const { recordingId } = manifest
  const url = talk.opened.httpUrl
  await until('it is published', async () => {
    const answer = await fetch(`${url}/api/recordings/${recordingId}`)
    return ((await answer.json()) as { state: string }).state === 'published'
  })
  const file = join(folder, 'recording.wav')
  await rename(file, `${file}.away`)
  const page = await openPage(t, `${url}/#/recordings/${recordingId}?at=0.1`)
  const trouble = page.getByRole('region', { name: 'Player' }).getByRole('alert')
  await trouble.getByText(/The program (says: |answered \d)/).waitFor()
  await rename(`${file}.away`, file)
  await trouble.getByRole('button', { name: 'Try again' }).click()
  await page.getByRole('region', { name: 'Player' }).getByRole('button', { name: 'Pause' }).waitFor()
  await until('nothing is told any more', async () => (await trouble.count()) === 0)
})

test('a command that the reader may not give is refused in words, the call stays as it is, and the next one works', async (t) => {
  const { page } = await openSupervised(t)
  const refusal = { code: 'forbidden', message: 'this needs the scope calls:control' }
  await page.route('**/recording', (route) => route.fulfill({ status: 403, json: refusal }))
  const card = cardOf(page)
  await card.getByRole('button', { name: 'Resume' }).click()
  const outcome = card.locator('.outcome[data-done=false]')
  await outcome.getByText('Recording did not go on.').waitFor()
  await outcome.getByText('this needs the scope calls:control').waitFor()
  await card.locator('.state[data-state=paused]').waitFor()
  await page.unroute('**/recording')
  await card.getByRole('button', { name: 'Resume' }).click()
  await card.locator('.outcome[data-done=true]').waitFor()
})

test('a session that ends is told with the next command, and after signing in the command can be given', async (t) => {
  const { page, clock } = await openSupervised(t)
  const card = cardOf(page)
  await card.waitFor()
  clock.advance(TWO_HOURS_MS)
  await card.getByRole('button', { name: 'Resume' }).click()
  await page.getByText('Your session has ended').waitFor()
  assert.equal(await page.getByRole('article').count(), 0)
  await enter(page)
  await card.getByRole('button', { name: 'Resume' }).click()
  await card.locator('.outcome[data-done=true]').waitFor()
})

test('without the network every page says that what it shows is old, and catches up by itself', async (t) => {
  const { options, calls } = consoleFixture(3)
  const server = await createHttpServer(options)
  t.after(() => server.close())
  const page = await openPage(t, `http://127.0.0.1:${server.address.port}/#/live`)
  await cardOf(page).waitFor()
  await page.context().setOffline(true)
  await page.locator('[data-link=lost]').getByText('What you see is old').waitFor()
  calls.splice(0, 1)
  calls.length = 1
  assert.equal(await page.getByRole('article').count(), 3)
  await page.context().setOffline(false)
  await page.locator('[data-link=live]').waitFor({ state: 'attached' })
  await until('the page has caught up', async () => (await page.getByRole('article').count()) === 1)
})
