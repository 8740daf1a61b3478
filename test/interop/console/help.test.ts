// Help where a symptom shows, in Chromium: from an alarm and from a refused command to the row that is meant, out of the program itself.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHttpServer } from '../../../src/control/http-server.ts'
import { assertAccessible, assertNoSideScroll, openPage } from '../../harness/browser.ts'
import { consoleFixture } from '../../harness/console-fixture.ts'
import { until } from '../../harness/until.ts'

test('an alarm, a command that failed and a recorder that is down lead to what helps, which comes from the program and from nowhere else', async (t) => {
  const { options } = consoleFixture(4)
  const calls = {
    ...options.calls!,
    record: async () => ({
      status: 503,
      text: 'Error starting SipRec call recording',
      results: { 'sip:a': 'failed(486)' },
    }),
  }
  const recorders = { list: () => [{ uri: 'sip:srs@192.0.2.10', profile: 'default', state: 'down' }] }
  const server = await createHttpServer({ ...options, calls, recorders })
  t.after(() => server.close())
  const own = `http://127.0.0.1:${server.address.port}`
  const page = await openPage(t, `${own}/#/live`, { width: 360 })
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))

  const cards = page.getByRole('article')
  const alarm = cards.filter({ hasText: 'Not really recording at' }).first()
  await alarm.getByRole('link', { name: 'More about this' }).click()
  const topic = page.getByRole('article', { name: 'The recorder gets the request but no audio' })
  await topic.getByText('RTP between gateway and recorder is blocked').waitFor()
  await until('the reader is at the row, and it is in sight', () =>
    page.evaluate<boolean>(
      "document.activeElement.id === 'help-no-audio' && Math.abs(document.activeElement.getBoundingClientRect().top) < innerHeight / 2",
    ),
  )
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await assertAccessible(page, `help, ${colorScheme}`)
  }
  await assertNoSideScroll(page, 'help')
  assert.equal(
    await page.getByRole('article', { name: 'no-packets' }).count(),
    1,
    'the alarms of the recorder are there too',
  )

  await page.goto(`${own}/#/live`)
  const unrecorded = cards.filter({ hasText: 'not recorded' }).first()
  await unrecorded.getByRole('button', { name: 'Start recording…' }).click()
  await page.getByRole('dialog').getByLabel('Recorder').fill('sip:a')
  await page.getByRole('dialog').getByRole('button', { name: 'Start' }).click()
  await unrecorded.getByText('Recording did not start.').waitFor()
  await unrecorded.getByRole('link', { name: 'More about this' }).click()
  const chosen = page.locator('.topic[data-chosen=true]')
  await chosen.getByText('Recording never starts').waitFor()

  await page.goto(`${own}/#/recorders`)
  await page.getByRole('link', { name: 'More about this' }).click()
  await chosen.getByText('A recorder does not take recordings').waitFor()
  assert.deepEqual(
    asked.filter((url) => !url.startsWith(own) && !url.startsWith(own.replace('http', 'ws'))),
    [],
  )
})
