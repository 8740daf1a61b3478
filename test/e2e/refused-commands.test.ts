// Commands that are refused without anybody at a screen: a flow's are told of as those by INFO and HTTP are, and stand on the call.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TraceView } from '#control'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { CallDesk, openPhone, openTalk, openTestGateway } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const MISSING = 'startCallRecording request is missing X-Srs-Url header'
const UNUSABLE = 'no valid SIP URI in Call Recording Server'
const STARTED = 'Cannot start recording when recording is already started'

const flowAt = (recorder: string): string => `
name: misled
nodes:
  - { type: answer }
  - { type: callRecording, activity: start, callRecordingServer: '{{ context.nobody }}', wait: true }
  - { type: collect, timeoutMs: 60000, maxDigits: 1, into: context.key }
  - { type: callRecording, activity: start, callRecordingServer: 'wss://srs.example', wait: true }
  - { type: collect, timeoutMs: 60000, maxDigits: 1, into: context.key }
  - { type: callRecording, activity: start, callRecordingServer: '${recorder}', wait: true }
  - { type: collect, timeoutMs: 60000, maxDigits: 1, into: context.key }
  - { type: callRecording, activity: start, callRecordingServer: '${recorder}', wait: true }
  - { type: wait, ms: 60000 }
`

interface Told {
  readonly data: Readonly<Record<string, unknown>>
}

test('what a flow gets refused is an event, in the trace, and stands on the call until a command is carried out', async (t) => {
  const recorder = await ForeignRecorder.open({})
  t.after(() => recorder.close())
  const phone = await openPhone(t, 'alice', 'udp')
  const opened = await openTestGateway(t, { flow: flowAt(recorder.uri()) })
  const call = await phone.call(`sip:flow@127.0.0.1:${opened.port('gateway', 'udp')}`)
  assert.equal(await call.answered, true)
  const callId = opened.program.gateway?.calls.list()[0]?.callId ?? ''
  const desk = new CallDesk(opened, callId)
  const read = async (path: string): Promise<unknown> => await (await fetch(opened.httpUrl + path)).json()
  const refusedWith = async (text: string | undefined): Promise<void> => {
    await until(`${text} stands`, async () => (await desk.view()).refusal?.text === text)
  }

  await refusedWith(MISSING)
  const { refusal, recording } = await desk.view()
  assert.deepEqual({ ...refusal, at: '' }, { at: '', by: 'flow', activity: 'start', status: 400, text: MISSING })
  assert.ok(Date.parse(refusal?.at ?? '') > 0)
  assert.equal(recording, undefined)
  await call.audio.sendDigits('1')
  await refusedWith(UNUSABLE)
  await call.audio.sendDigits('2')
  await refusedWith(undefined)
  assert.equal(await desk.state(), 'recording')
  await call.audio.sendDigits('3')
  await refusedWith(STARTED)
  assert.equal(await desk.state(), 'recording', 'what goes on is not touched')
  assert.equal((await desk.rest('stop')).status, 200)
  await refusedWith(undefined)
  assert.equal((await desk.rest('stop')).status, 400)

  const commands = [
    ['flow', 'start', 400, MISSING],
    ['flow', 'start', 503, UNUSABLE],
    ['flow', 'start', 200, 'OK'],
    ['flow', 'start', 400, STARTED],
    ['rest', 'stop', 200, 'OK'],
    ['rest', 'stop', 400, 'discarding stopCallRecording request because we are not recording'],
  ] as const
  const { items } = (await read('/api/events?types=recording.command')) as { items: readonly Told[] }
  assert.deepEqual(
    items.map(({ data }) => [data['by'], data['activity'], data['status'], data['text']]),
    commands,
  )
  const { entries } = (await read(`/api/calls/${callId}/trace`)) as TraceView
  assert.deepEqual(
    entries.flatMap((entry) => (entry.type === 'event' && entry.event === 'recording.command' ? [entry.text] : [])),
    commands.map(([by, activity, status, text]) => `${activity} by ${by}: ${status} ${text}`),
  )
  await call.hangup()
})

test('a pause that HTTP refuses before the call is asked is an event, in the trace, and stands on the call', async (t) => {
  const recorder = await ForeignRecorder.open({})
  t.after(() => recorder.close())
  const talk = await openTalk(t)
  const url = `${talk.opened.httpUrl}/api/calls/${talk.callId}`
  const post = async (path: string, body: string): Promise<number> => {
    const headers = { 'content-type': 'application/json' }
    return (await fetch(url + path, { method: 'POST', headers, body })).status
  }
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  assert.equal(await post('/recording', '{"activity":"pause","limit":{"maxSeconds":0}}'), 400)
  const { refusal } = await talk.view()
  assert.deepEqual([refusal?.by, refusal?.activity, refusal?.status], ['rest', 'pause', 400])
  assert.match(refusal?.text ?? '', /limit\/maxSeconds must be >= 1/)
  assert.equal(await post('', '{"record":{"action":"pauseRecording"}}'), 400)
  assert.equal((await talk.view()).refusal?.activity, 'unknown')
  assert.equal(await talk.state(), 'recording', 'what goes on is not touched')
  assert.equal((await talk.rest('pause')).status, 200)
  assert.equal((await talk.view()).refusal, undefined)

  const events = await fetch(`${talk.opened.httpUrl}/api/events?types=recording.command&callId=${talk.callId}`)
  const { items } = (await events.json()) as { items: readonly Told[] }
  assert.deepEqual(
    items.map(({ data }) => `${data['activity']} by ${data['by']}: ${data['status']}`),
    ['start by rest: 200', 'pause by rest: 400', 'unknown by rest: 400', 'pause by rest: 200'],
  )
  const { entries } = (await (await fetch(`${url}/trace`)).json()) as TraceView
  assert.equal(entries.filter((entry) => entry.type === 'event' && / by rest: 400 /.test(entry.text ?? '')).length, 2)
  await talk.end()
})
