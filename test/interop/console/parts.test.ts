// A call that was recorded in several parts, in Chromium: each part says which one it is, and leads to the others.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage } from '../../harness/browser.ts'
import { openTestProgram } from '../../harness/open-program.ts'
import { recordInParts } from '../../harness/session-takes.ts'

test('SRS-53: a recording that is a part of its call says so, what is missing, what is parallel, and leads to the other parts', async (t) => {
  const recorder = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorder.close())
  const partId = await recordInParts(recorder)
  const page = await openPage(t, `${recorder.httpUrl}/#/recordings/${partId}`)
  const panel = page.getByRole('region', { name: 'Part 2 of 3 of this call' })
  await panel.waitFor()
  const items = await panel.getByRole('listitem').allInnerTexts()
  assert.match(items[0] ?? '', /Part 1 [\s\S]*recorded[\s\S]*not recorded: the recording client ended the part before/)
  assert.match(items[1] ?? '', /Part 2, this one[\s\S]*at the same time as part 3/)
  assert.match(items[2] ?? '', /Part 3 [\s\S]*at the same time as part 2/)
  assert.equal(await panel.locator('.takes-line [data-is=gap]').count(), 1)
  assert.equal(await panel.locator('.takes-line [data-is=own]').textContent(), '2')
  await panel.getByRole('link', { name: 'Part 3' }).click()
  await page.getByRole('heading', { name: 'Part 3 of 3 of this call' }).waitFor()
})
