// The page of the set-up in Chromium, over the real program: what to write at each vendor's, and a test call.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccessible, assertNoSideScroll, openPage } from '../../harness/browser.ts'
import { openTestProgram } from '../../harness/open-program.ts'

test('each vendor gets what to write, with the address that was given, and whether we have verified it', async (t) => {
  const opened = await openTestProgram({ recorder: true })
  t.after(() => opened.close())
  const page = await openPage(t, `${opened.httpUrl}/#/set-up`)
  await page.getByLabel('Address that your SBC reaches').fill('198.51.100.20')
  const port = String(opened.port('recorder', 'tcp'))
  const choice = page.getByRole('combobox')
  const names = await choice.locator('option').allTextContents()
  assert.ok(names.length > 10)
  for (const name of names) {
    await choice.selectOption(name)
    await page.getByText(/^(Not verified by us|Compared with: )/).waitFor()
    const figure = page.getByRole('figure').filter({ hasText: name })
    if ((await figure.count()) === 0)
      await page
        .getByText('through the gateway: see below')
        .or(page.getByText('through the gateway instead: see below'))
        .waitFor()
    else {
      const text = (await figure.locator('pre').textContent()) ?? ''
      assert.ok(text.includes('198.51.100.20') && text.includes(port), `${name}: ${text}`)
    }
  }
  await page.getByRole('button', { name: /^Copy: / }).click()
  await page.getByText(/^(Copied|Selected)/).waitFor()
  await page.getByText('This recorder listens on loopback only').waitFor()
})

test('the set-up is for keyboards and small screens, in light and dark, and axe finds nothing', async (t) => {
  const opened = await openTestProgram({ recorder: true })
  t.after(() => opened.close())
  const page = await openPage(t, `${opened.httpUrl}/#/set-up`, { width: 360, height: 740 })
  await page.getByRole('heading', { name: 'Point your SBC at this recorder' }).waitFor()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await assertAccessible(page, `set-up, ${colorScheme}`)
  }
  await assertNoSideScroll(page, 'set-up')
  const focused = (): Promise<unknown> => page.evaluate('document.activeElement?.textContent')
  const press = async (name: string): Promise<void> => {
    for (let n = 0; n < 60 && (await focused()) !== name; n += 1) await page.keyboard.press('Tab')
    assert.equal(await focused(), name)
    await page.keyboard.press('Enter')
  }
  await press('Place a test call')
  await page.locator('.state[data-state=recording]').waitFor()
  await assertAccessible(page, 'a test call')
  await assertNoSideScroll(page, 'a test call')
  await press('Hang up')
  await page.getByText('The call is over, and its recording is here.').waitFor()
})

test('a test call that cannot be placed says why', async (t) => {
  const opened = await openTestProgram({ recorder: true })
  t.after(() => opened.close())
  const page = await openPage(t, `${opened.httpUrl}/#/set-up`)
  await page.getByRole('button', { name: 'Place a test call' }).waitFor()
  const body = JSON.stringify({})
  const headers = { 'content-type': 'application/json' }
  const first = await fetch(`${opened.httpUrl}/api/test-calls`, { method: 'POST', headers, body })
  assert.ok(first.ok)
  await page.getByRole('button', { name: 'Place a test call' }).click()
  await page.getByRole('alert').filter({ hasText: 'test call' }).waitFor()
  const { testCallId } = (await first.json()) as { testCallId: string }
  await fetch(`${opened.httpUrl}/api/test-calls/${testCallId}`, { method: 'DELETE' })
  await page.getByRole('button', { name: 'Place a test call' }).click()
  await page.getByText('They talk.').waitFor()
  assert.equal(await page.getByRole('alert').count(), 0)
})
