// A command that a flow got refused, in Chromium: an alarm on the card of its call, which goes with the next command that works.

import { test } from 'node:test'
import { ForeignRecorder } from '../../foreign/foreign-recorder.ts'
import { assertAccessible, openPage } from '../../harness/browser.ts'
import { openPhone, openTestGateway } from '../../harness/talk.ts'

test('the refusal of a start by a flow is an alarm on the card with text and help, until a start works', async (t) => {
  const recorder = await ForeignRecorder.open({})
  t.after(() => recorder.close())
  const flow = `
name: misled
nodes:
  - { type: answer }
  - { type: callRecording, activity: start, callRecordingServer: 'wss://srs.example', wait: true }
  - { type: collect, timeoutMs: 60000, maxDigits: 1, into: context.key }
  - { type: callRecording, activity: start, callRecordingServer: '${recorder.uri()}', wait: true }
  - { type: wait, ms: 60000 }
`
  const phone = await openPhone(t, 'alice', 'udp')
  const opened = await openTestGateway(t, { flow })
  const call = await phone.call(`sip:flow@127.0.0.1:${opened.port('gateway', 'udp')}`)
  const page = await openPage(t, `${opened.httpUrl}/#/live`)
  const card = page.getByRole('article', { name: 'alice, with the flow' })
  const alarm = card.locator('.alarm[data-severity=error]')
  await alarm.getByText('A command failed: start, by the flow').waitFor()
  await alarm.getByText('Cause: no valid SIP URI in Call Recording Server (503)').waitFor()
  await assertAccessible(page, 'a refused command')
  await call.audio.sendDigits('1')
  await card.locator('.state[data-state=recording]').waitFor()
  await alarm.waitFor({ state: 'detached' })
  await call.hangup()
})
