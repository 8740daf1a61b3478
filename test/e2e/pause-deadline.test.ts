// A pause with a deadline through the whole program, as HTTP and a flow ask for it: it says when it ends, and ends.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { CallDesk, openPhone, openTalk, openTestGateway } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

interface Told {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

async function openRecorder(t: TestContext): Promise<ForeignRecorder> {
  const recorder = await ForeignRecorder.open({})
  t.after(() => recorder.close())
  return recorder
}

async function told(desk: CallDesk): Promise<readonly Told[]> {
  const response = await fetch(`${desk.opened.httpUrl}/api/events?types=recording.paused,recording.pause-expired`)
  return ((await response.json()) as { readonly items: readonly Told[] }).items
}

test('a pause by HTTP with a limit shows when it ends, resumes by itself, and the next one stops', async (t) => {
  const recorder = await openRecorder(t)
  const talk = await openTalk(t)
  const pauseFor = async (limit: object): Promise<number> => {
    const response = await fetch(`${talk.opened.httpUrl}/api/calls/${talk.callId}/recording`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ activity: 'pause', limit }),
    })
    return response.status
  }
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  assert.equal(await pauseFor({ maxSeconds: 1 }), 200)
  const [paused] = await told(talk)
  assert.equal(paused?.data['next'], 'resume')
  assert.ok(Date.parse(String(paused?.data['pausedUntil'])) > 0)
  await until('it goes on by itself', async () => (await talk.state()) === 'recording')
  assert.equal((await talk.view()).recording?.pausedUntil, undefined)

  assert.equal(await pauseFor({ maxSeconds: 3_600 }), 200)
  const { pausedUntil = '', next } = (await talk.view()).recording ?? {}
  const left = Date.parse(pausedUntil) - Date.now()
  assert.ok(left > 3_500_000 && left <= 3_600_000, `${left} ms are left`)
  assert.equal(next, 'resume')
  assert.equal((await talk.rest('pause')).status, 200)
  assert.equal((await talk.view()).recording?.pausedUntil, undefined, 'the latest word has no deadline')

  assert.equal(await pauseFor({ maxSeconds: 1, next: 'stop' }), 200)
  await until('it is stopped', async () => (await talk.state()) === 'none')
  assert.deepEqual(
    (await told(talk)).map(({ type, data }) => `${type} ${data['next']}`),
    [
      'recording.paused resume',
      'recording.pause-expired resume',
      'recording.paused resume',
      'recording.paused undefined',
      'recording.paused stop',
      'recording.pause-expired stop',
    ],
  )
  await talk.end()
})

test('a pause by a flow with maxSeconds ends by itself', async (t) => {
  const recorder = await openRecorder(t)
  const flow = `
name: card
nodes:
  - { type: answer }
  - { type: callRecording, activity: start, callRecordingServer: '${recorder.uri()}', wait: true }
  - { type: callRecording, activity: pause, maxSeconds: 1, afterPause: stop, wait: true }
  - { type: wait, ms: 60000 }
`
  const phone = await openPhone(t, 'alice', 'udp')
  const opened = await openTestGateway(t, { flow })
  const call = await phone.call(`sip:flow@127.0.0.1:${opened.port('gateway', 'udp')}`)
  assert.equal(await call.answered, true)
  const desk = new CallDesk(opened, opened.program.gateway?.calls.list()[0]?.callId ?? '')
  await until('it has ended', async () => (await told(desk)).some(({ type }) => type === 'recording.pause-expired'))
  assert.deepEqual(
    (await told(desk)).map(({ data }) => data['next']),
    ['stop', 'stop'],
  )
  await until('it is stopped', async () => (await desk.state()) === 'none')
  await call.hangup()
})
