// The console by keyboard alone, over the real program: what is reached by Tab, and does what it says on Enter.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { openPage } from '../../harness/browser.ts'
import { openTestProgram } from '../../harness/open-program.ts'
import { recordSession } from '../../harness/recorded-session.ts'
import { openTalk } from '../../harness/talk.ts'

const MOST_TABS = 120
const RECORDED_MS = 3_000

/** Presses Tab until what has the focus is called so, and then Enter; nothing that has it may be invisible. */
async function press(page: Page, name: RegExp): Promise<void> {
  const focused = `(() => {
    const { activeElement: at } = document
    const { width, height } = at.getBoundingClientRect()
    const label = at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent ?? ''
    return { label: label.trim(), isSeen: width > 0 && height > 0 }
  })()`
  for (let n = 0; n < MOST_TABS; n += 1) {
    await page.keyboard.press('Tab')
    const { label, isSeen } = (await page.evaluate(focused)) as { label: string; isSeen: boolean }
    assert.ok(isSeen, `${label} has the focus and cannot be seen`)
    if (name.test(label)) return await page.keyboard.press('Enter')
  }
  assert.fail(`${name} is not reached by Tab`)
}

async function recorded(t: TestContext) {
  const opened = await openTestProgram({ recorder: true })
  t.after(() => opened.close())
  await recordSession(opened, RECORDED_MS)
  return opened
}

test('a recording is found, opened, played and tagged by keyboard alone', async (t) => {
  const { httpUrl } = await recorded(t)
  const page = await openPage(t, `${httpUrl}/#/help`)
  await press(page, /^Recordings$/)
  await page.getByText('recorded', { exact: true }).first().waitFor()
  await press(page, /^Play\b/)
  const player = page.getByRole('region', { name: 'Player' })
  await player.getByRole('button', { name: 'Pause' }).waitFor()
  await page.goto(`${httpUrl}/#/recordings`)
  await press(page, /^Ottoline Brandt/)
  await page.getByRole('heading', { level: 1, name: /^Ottoline Brandt/ }).waitFor()
  await press(page, /^New tag$/)
  await page.keyboard.type('reviewed')
  await page.keyboard.press('Enter')
  await page.getByText('reviewed').first().waitFor()
})

test('a message of the ladder, an entry of the audit log and the test of a recorder are reached by keyboard alone', async (t) => {
  const talk = await openTalk(t)
  const page = await openPage(t, `${talk.opened.httpUrl}/#/live`)
  await press(page, /^alice and bob$/)
  await page.getByRole('heading', { level: 1, name: 'alice and bob' }).waitFor()
  await press(page, /INVITE.* from Caller to the gateway/)
  await page.getByText('The message, redacted').waitFor()
  await page.goto(`${talk.opened.httpUrl}/#/audit`)
  await press(page, /^Action$/)
  await page.keyboard.type('call.*')
  await page.keyboard.press('Enter')
  await page.getByRole('list', { name: 'Entries, newest first' }).getByText('call.trace').first().waitFor()
  await page.goto(`${talk.opened.httpUrl}/#/recorders`)
  await press(page, /^Address of the recorder$/)
  await page.keyboard.type('sip:srs@198.51.100.7')
  await press(page, /^Test$/)
  await page.getByText('the recorder is not on gateway.destinations.record').waitFor()
  await talk.end()
})
