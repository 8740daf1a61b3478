// What the recording client tells to be wrong with a recording, in Chromium: an alarm on the card of its call, which goes when it is over.

import { type TestContext, test } from 'node:test'
import type { CallView } from '../../../src/control/contract.ts'
import { createHttpServer } from '../../../src/control/http-server.ts'
import { assertAccessible, openPage } from '../../harness/browser.ts'
import { consoleFixture } from '../../harness/console-fixture.ts'

type Recording = NonNullable<CallView['recording']>

/** A card of a paused call, and what changes its recording. */
async function openCard(t: TestContext) {
  const { options, events, calls } = consoleFixture(2)
  const server = await createHttpServer(options)
  t.after(() => server.close())
  const page = await openPage(t, `http://127.0.0.1:${server.address.port}/#/live`)
  const card = page.getByRole('article', { name: 'caller1 and agent1' })
  await card.locator('.state[data-state=paused]').waitFor()
  const [, call] = calls
  const change = (over: Partial<Recording>): void => {
    calls[1] = { ...call!, recording: { ...call!.recording!, ...over } }
    events.add({ type: 'recording.started', callId: call!.callId, data: {} })
  }
  return { page, card, alarm: card.locator('.alarm[data-severity=error]'), change, call: call! }
}

test('a stream that there is no copy of is an alarm with cause and help, until there is one', async (t) => {
  const { page, alarm, change, call } = await openCard(t)
  const [session] = call.recording?.sessions ?? []
  const missing = { labels: ['3', '4'], reason: 'every media port of the range is in use' }
  change({ sessions: [{ ...session!, missing }] })
  await alarm.getByText('Part of the call is not recorded at srs@192.0.2.10: no copy of stream 3, 4').waitFor()
  await alarm.getByText('Cause: every media port of the range is in use').waitFor()
  await alarm.getByText('What to do: It is tried again by itself').waitFor()
  await assertAccessible(page, 'a missing stream')
  await alarm.getByRole('link', { name: 'More about this' }).click()
  await page.locator('.topic[data-chosen=true]').getByText('a stream has no copy').waitFor()
  await page.goBack()
  await alarm.waitFor()
  change({ sessions: [session!] })
  await alarm.waitFor({ state: 'detached' })
})

test('a resumption at the deadline of a pause that failed is an alarm with cause and help, until a recorder resumes', async (t) => {
  const { page, card, alarm, change } = await openCard(t)
  change({ resumeFailure: 'no recorder accepted the resumption; the recording is still paused' })
  await alarm.getByText('Not recording: its pause is over, and nobody resumes').waitFor()
  await alarm.getByText('Cause: no recorder accepted the resumption; the recording is still paused').waitFor()
  await alarm.getByText('What to do: It is tried again by itself').waitFor()
  await assertAccessible(page, 'a resumption that failed')
  change({ state: 'recording' })
  await card.locator('.state[data-state=recording]').waitFor()
  await alarm.waitFor({ state: 'detached' })
})
