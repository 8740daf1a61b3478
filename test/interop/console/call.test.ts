// The page of one call in Chromium, over the real program with a real call: ladder, changes, ledger, quality, after the end too.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { assertAccessible, assertNoSideScroll, openPage } from '../../harness/browser.ts'
import { openTestProgram } from '../../harness/open-program.ts'
import { openTalk } from '../../harness/talk.ts'
import { until } from '../../harness/until.ts'

test('a call shows its ladder with messages and what changed, its ledger, its quality, and stays after its end', async (t) => {
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorders.recorderUri('tcp'), 'order-7')).status, 200)
  const page = await openPage(t, `${talk.opened.httpUrl}/#/live`)
  await page.getByRole('link', { name: 'alice and bob' }).click()
  await page.getByRole('heading', { level: 1, name: 'alice and bob' }).waitFor()
  await page.getByRole('button', { name: 'Pause', exact: true }).click()
  await page.getByText('Recording is paused.').waitFor()

  const invite = page.getByRole('button', { name: /s INVITE.* from the gateway to Recorder/ })
  await invite.nth(1).click()
  await page.getByText('What changed in the SDP').waitFor()
  const changes = page.locator('.diff [data-mark="+"]')
  await changes.filter({ hasText: 'a=inactive' }).first().waitFor()
  assert.doesNotMatch((await page.locator('.message').textContent()) ?? '', /alice|bob/)
  assert.equal(await talk.callee.hold(true), true)
  const told = page.locator('.ladder-row').filter({ hasText: 'metadata' })
  await until('the recorder is told of the hold', async () => (await told.count()) > 1)
  await told.last().click()
  await page.getByText('What changed in the metadata').waitFor()
  const left = page.locator('.diff [data-mark="-"]')
  await left.filter({ hasText: '<recv>' }).waitFor()
  await page.getByText('Its SDP is the same as before.').waitFor()
  await page.getByRole('button', { name: /s INVITE.* from Caller to the gateway/ }).waitFor()
  await page.getByRole('button', { name: /s 200 OK \(INVITE\).* from Callee to the gateway/ }).waitFor()
  await page.getByText('recording-session: inviting → active').waitFor()
  const { recording } = await talk.view()
  const [{ packetsSent = 0, packetsHeld = 0 } = {}] = recording?.ledger ?? []
  const counts = page.getByRole('row', { name: /srs@127\.0\.0\.1/ }).getByRole('cell')
  const columns = (await page.getByRole('columnheader').allTextContents()).slice(1)
  const shown = async (column: string): Promise<number> =>
    Number(await counts.nth(columns.indexOf(column)).textContent())
  await until('the ledger of the page counts as that of the API', async () => {
    return packetsSent > 0 && (await shown('Sent')) >= packetsSent && (await shown('Held back')) >= packetsHeld
  })
  await page.getByText('Receipts of the pause (2)').first().waitFor()
  await page.locator('.chart canvas').first().waitFor()
  await page.getByText(/caller sent [1-9]\d* packets, \d+ were lost; callee-1 sent [1-9]\d* packets/).waitFor()

  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByText('Recording goes on.').waitFor()
  await talk.end()
  await page.getByText('the call is over').waitFor()
  await page.getByRole('button', { name: /s BYE from Caller to the gateway/ }).waitFor()
  const loading = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Trace of the call' }).click()
  const saved = JSON.parse(await readFile(await (await loading).path(), 'utf8')) as { entries: unknown[] }
  assert.ok(saved.entries.length > 10)
  await page.getByRole('link', { name: 'Calls', exact: true }).click()
  await page.getByRole('link', { name: /alice@.* → bob@/ }).click()
  await page.getByText('the call is over').waitFor()
})

test('a call that is over is found by what became of it, and its page shows its record where its messages are not kept', async (t) => {
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const talk = await openTalk(t, { http: { trace: { mostCalls: 0 } } })
  assert.equal((await talk.rest('start', recorders.recorderUri('tcp'), 'order-7')).status, 200)
  assert.equal((await talk.rest('pause')).status, 200)
  const page = await openPage(t, `${talk.opened.httpUrl}/#/calls/${talk.callId}`)
  await page.getByRole('heading', { level: 1, name: 'alice and bob' }).waitFor()
  await talk.end()
  await page.getByText('the call is over').waitFor()
  const head = page.locator('.section-head .state')
  await head.filter({ hasText: /^recorded$/ }).waitFor()
  await page.getByText('hung up').waitFor()
  await page.getByRole('listitem').filter({ hasText: 'pause by rest: 200' }).waitFor()
  await page.getByText('Receipts of the pause (2)').waitFor()
  await page.getByText('The messages of this call are not kept').waitFor()
  await assertAccessible(page, 'the record of a call')

  await page.getByRole('link', { name: 'Calls', exact: true }).click()
  const row = page.getByRole('listitem').filter({ hasText: /alice@.* → bob@/ })
  await row.filter({ hasText: 'recorded' }).waitFor()
  const filter = page.getByLabel('What became of the recording')
  await filter.selectOption('not recorded')
  await page.getByText('No call is so').waitFor()
  await filter.selectOption('any')
  await page.getByLabel('Party or id').fill('ORDER-7')
  await page.getByRole('button', { name: 'Show', exact: true }).click()
  await assertAccessible(page, 'the list of calls that are over')
  await row.getByRole('link').click()
  await page.getByText('the call is over').waitFor()
})

test('a capture of a recorder that failed is offered on the page of its call; axe finds nothing, in any theme or width', async (t) => {
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', 'sip:srs@127.0.0.1:9;transport=tcp')).status, 503)
  const page = await openPage(t, `${talk.opened.httpUrl}/#/calls/${talk.callId}`, { width: 360, height: 740 })
  await page.getByText('Not recorded: no recorder took it').waitFor()
  await page
    .getByRole('button', { name: /s INVITE/ })
    .first()
    .click()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await assertAccessible(page, `call, ${colorScheme}`)
  }
  await assertNoSideScroll(page, 'the page of a call')
  const loading = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Capture bundle' }).click()
  const bundle = JSON.parse(await readFile(await (await loading).path(), 'utf8')) as { callId?: string }
  assert.equal(bundle.callId, talk.callId)
  await page.goto(`${talk.opened.httpUrl}/#/calls/no-such-call`)
  await page.getByText('nothing of it is kept any more').waitFor()
  await talk.end()
})
