// The page of the recorders in Chromium, over the real program.

import { test } from 'node:test'
import { assertAccessible, assertNoSideScroll, openPage } from '../../harness/browser.ts'
import { openTestProgram } from '../../harness/open-program.ts'
import { openPhone } from '../../harness/talk.ts'

test('a recorder is shown with its health, tested from the page, and what to set for it can be copied', async (t) => {
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const uri = recorders.recorderUri('tcp')
  const recording = { recorders: [uri], health: { intervalMs: 500, timeoutMs: 500 } }
  const gateway = await openTestProgram({ gateway: { recording } })
  t.after(() => gateway.close())
  const page = await openPage(t, `${gateway.httpUrl}/#/recorders`, { width: 360 })
  const health = page.getByRole('article', { name: 'srs@127.0.0.1' }).first()
  await health.getByText('answers', { exact: true }).waitFor()
  await page.getByRole('link', { name: 'Test this recorder' }).click()
  const report = page.getByRole('article', { name: 'Report' })
  await report.getByText('takes recordings').waitFor({ timeout: 60_000 })
  await report.getByText('profiles:').waitFor()
  await report.getByRole('button', { name: 'Copy: What to set here for it' }).click()
  await report.getByText(/^(Copied|Selected)/).waitFor()
  await assertAccessible(page, 'recorders')
  await assertNoSideScroll(page, 'recorders')

  await page.getByLabel('Address of the recorder').fill('sip:srs@198.51.100.7')
  await page.getByRole('button', { name: 'Test', exact: true }).click()
  await page.getByText('the recorder is not on gateway.destinations.record').waitFor()

  await recorders.close()
  await health.getByText('does not take recordings').waitFor()
})

test('what our own recorder refused shows with the reason and the message as it came', async (t) => {
  const recorder = await openTestProgram({
    gateway: false,
    recorder: true,
    recorderKeys: { sources: ['192.0.2.0/24'] },
  })
  t.after(() => recorder.close())
  const phone = await openPhone(t, 'alice', 'udp')
  const call = await phone.call(`sip:srs@127.0.0.1:${recorder.port('recorder', 'udp')}`)
  await call.answered
  const page = await openPage(t, `${recorder.httpUrl}/#/recorders`, { width: 360, theme: 'dark' })
  await page.getByText('403 not-listed').click()
  await page.getByText('The sender is not listed: add its network').waitFor()
  await page.getByText('INVITE sip:srs@127.0.0.1').waitFor()
  await assertAccessible(page, 'refusals')
  await assertNoSideScroll(page, 'refusals')
})
