// The trace of a real recorded call: messages of every leg and recording session without people, states, events, after the end too.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TraceSummary, TraceView } from '#control'
import { openTestProgram } from '../harness/open-program.ts'
import { openTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

test('a call is traced from its INVITE to the last BYE, with stand-ins for people, and stays after its end', async (t) => {
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const recorder = recorders.recorderUri('tcp')
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder, 'order-7')).status, 200)
  assert.equal((await talk.rest('pause')).status, 200)
  const read = async (path: string): Promise<unknown> => await (await fetch(talk.opened.httpUrl + path)).json()
  const trace = async (): Promise<TraceView> => (await read(`/api/calls/${talk.callId}/trace`)) as TraceView

  const { dialogs, call, endedAt } = await trace()
  assert.deepEqual(dialogs.map(({ kind }) => kind).sort(), ['callee', 'caller', 'recorder'])
  assert.equal(dialogs.find(({ kind }) => kind === 'recorder')?.recorder, recorder)
  assert.equal(endedAt, undefined)
  assert.equal(call.recording?.state, 'paused')
  const { speakers } = (await read(`/api/calls/${talk.callId}/media`)) as TraceView['media'][number]
  assert.ok(speakers.length === 2 && speakers.every(({ packets, lost }) => packets > 5 && lost === 0))

  await talk.end()
  await until('the recording session is closed', async () =>
    (await trace()).entries.some((entry) => entry.type === 'state' && entry.to === 'closed'),
  )
  const after = await trace()
  assert.ok(after.endedAt !== undefined && after.keptUntil !== undefined)
  assert.equal(after.call.recording?.recordingId, 'order-7')
  assert.ok(after.call.recording.receipts.length === 2 && after.call.recording.ledger.length === 1)
  const messages = after.entries.filter((entry) => entry.type === 'sip')
  for (const { kind, sipCallId } of after.dialogs) {
    const firstLines = messages.filter(({ dialog }) => dialog === sipCallId).map(({ text }) => text.split(' ')[0])
    assert.deepEqual([firstLines[0], firstLines.includes('BYE')], ['INVITE', true], kind)
  }
  assert.ok(
    messages.some(({ text }) => text.includes('<recording ')),
    'metadata is shown',
  )
  for (const { text } of messages) assert.doesNotMatch(text, /alice|bob|order-7/i)
  assert.ok(after.entries.some((entry) => entry.type === 'event' && entry.event === 'recording.paused'))
  const { items } = (await read('/api/traces')) as { items: TraceSummary[] }
  assert.deepEqual(
    items.map(({ callId }) => callId),
    [talk.callId],
  )
})

test('without http.trace nothing is kept, and there is no route', async (t) => {
  const talk = await openTalk(t, { http: { trace: { mostCalls: 0 } } })
  assert.equal((await fetch(`${talk.opened.httpUrl}/api/calls/${talk.callId}/trace`)).status, 404)
  assert.equal((await fetch(`${talk.opened.httpUrl}/api/traces`)).status, 404)
  await talk.end()
})
