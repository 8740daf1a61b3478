// The live page in Chromium, over the real program with a real call.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccessible, assertNoSideScroll, openPage } from '../../harness/browser.ts'
import { openTestProgram } from '../../harness/open-program.ts'
import { openTalk } from '../../harness/talk.ts'
import { until } from '../../harness/until.ts'

test('a call shows as it comes, is started, paused, resumed and stopped from the page, and leaves it when it ends', async (t) => {
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const recorder = recorders.recorderUri('tcp')
  const talk = await openTalk(t, { gateway: { recording: { recorders: [recorder] } } })
  const page = await openPage(t, `${talk.opened.httpUrl}/#/live`)

  const card = page.getByRole('article', { name: 'alice and bob' })
  await card.getByText('not recorded').waitFor()
  await card.getByRole('button', { name: 'Start recording…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Start recording' })
  const where = dialog.getByLabel('Recorder')
  await until('the known recorder is proposed', async () => (await where.inputValue()) === recorder)
  await dialog.getByLabel('Recording ID').fill('order-7')
  await dialog.getByRole('button', { name: 'Start' }).click()
  await card.getByText('Recording has started.').waitFor()
  await card.locator('.state[data-state=recording]').waitFor()
  assert.equal((await talk.view()).recording?.recordingId, 'order-7')
  await card.getByText('gets the audio').waitFor()

  await card.getByRole('button', { name: 'Pause', exact: true }).click()
  await card.getByText('Recording is paused.').waitFor()
  await card.getByText('Receipts of the pause (2)').click()
  await card
    .getByText(/last packet \d+ at .*, \d+ sent, \d+ held back/)
    .first()
    .waitFor()
  assert.equal(await talk.state(), 'paused')
  await card.getByRole('button', { name: 'Resume' }).click()
  await card.getByText('Recording goes on.').waitFor()

  await card.getByRole('button', { name: 'Pause for…' }).click()
  await page.getByRole('dialog').getByLabel('At most').selectOption('30')
  await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click()
  await card.locator('.state[data-state=paused]').waitFor()
  await card.getByRole('button', { name: 'Stop' }).click()
  await card.getByText('Recording has stopped.').waitFor()
  await talk.assertUndisturbed()

  await talk.end()
  await page.getByText('Nobody is talking right now').waitFor()
})

test('a start that fails says so, recorder by recorder, and the call shows the alarm with its cause', async (t) => {
  const talk = await openTalk(t)
  const page = await openPage(t, `${talk.opened.httpUrl}/#/live`)
  const card = page.getByRole('article', { name: 'alice and bob' })
  await card.getByRole('button', { name: 'Start recording…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Recorder').fill('sip:srs@127.0.0.1:9;transport=tcp')
  await dialog.getByRole('button', { name: 'Start' }).click()
  await card.getByText('Recording did not start.').waitFor()
  await card.getByText('srs@127.0.0.1:9: failed').first().waitFor()
  await card.getByText('Not recorded: no recorder took it').waitFor()
  await card.getByText('What to do: See how the recorder is').waitFor()
  await talk.assertUndisturbed()
  await talk.end()
})

test('the live page is for keyboards and small screens, in light and dark, and axe finds nothing', async (t) => {
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const talk = await openTalk(t, { gateway: { recording: { recorders: [recorders.recorderUri('tcp')] } } })
  const page = await openPage(t, `${talk.opened.httpUrl}/#/live`, { width: 360, height: 740 })
  const card = page.getByRole('article', { name: 'alice and bob' })
  await card.waitFor()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await assertAccessible(page, `live, ${colorScheme}`)
  }
  await assertNoSideScroll(page, 'the live page')
  const focused = (): Promise<unknown> => page.evaluate('document.activeElement?.textContent')
  for (let n = 0; n < 40 && (await focused()) !== 'Start recording…'; n += 1) await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await assertAccessible(page, 'the question')
  await assertNoSideScroll(page, 'the question')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await until('the focus comes back', async () => (await focused()) === 'Start recording…')
  await talk.end()
})
