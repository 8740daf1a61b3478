// Commands of the HTTP API against real recorders.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecorderTest } from '#control'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { headerOf } from '../foreign/sip-text.ts'
import { openTestProgram } from '../harness/open-program.ts'
import { openTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

test('a recorder is tested from the API, and one that is not listed is not called', async (t) => {
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const gateway = await openTestProgram({})
  t.after(() => gateway.close())
  const post = (uri: string): Promise<Response> =>
    fetch(`${gateway.httpUrl}/api/recorders/test`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ uri, seconds: 0 }),
    })
  let made = await bodyOf<RecorderTest>(await post(recorders.recorderUri('tcp')))
  while (made.state === 'running') {
    made = await bodyOf<RecorderTest>(await fetch(`${gateway.httpUrl}/api/recorders/tests/${made.id}`))
  }
  assert.deepEqual([made.state, made.report?.isRecorder], ['done', true], JSON.stringify(made))
  assert.equal(made.report?.items.find(({ name }) => name === 'BYE')?.verdict, 'yes')
  const forbidden = await post('sip:srs@192.0.2.1')
  assert.deepEqual([forbidden.status, (await bodyOf<{ code: string }>(forbidden)).code], [403, 'recorder-forbidden'])
  const audit = await fetch(`${gateway.httpUrl}/api/audit?action=recorder.test`)
  const { items } = await bodyOf<{ readonly items: readonly { readonly outcome: string }[] }>(audit)
  assert.deepEqual(
    items.map(({ outcome }) => outcome),
    ['refused', 'done'],
  )
})

test('with http.recordingControl false no route commands a recording, by the configuration of the program', async (t) => {
  const opened = await openTestProgram({ recorder: true, http: { recordingControl: false } })
  t.after(() => opened.close())
  const record = { action: 'startCallRecording', siprecServerURL: opened.recorderUri('tcp') }
  for (const [method, path, body] of [
    ['POST', '/api/calls/any/recording', { activity: 'stop' }],
    ['PUT', '/api/calls/any', { record }],
    ['POST', '/v1/Accounts/any/Calls/any', { record }],
    ['POST', '/api/recorder/sessions/any/pause', {}],
    ['POST', '/api/recorder/sessions/any/streams/0/drop', {}],
    ['POST', '/api/recorder/invitations', { target: 'sip:pbx@127.0.0.1' }],
  ] as const) {
    const answer = await fetch(`${opened.httpUrl}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const { code } = await bodyOf<{ code: string }>(answer)
    assert.deepEqual([answer.status, code], [403, 'recording-control-off'], `${method} ${path}`)
  }
})

test('REST-01, REST-03: a start at the path of jambonz reaches a recorder with its headers and its id, for our id of the call', async (t) => {
  const recorder = await ForeignRecorder.open({})
  t.after(() => recorder.close())
  const talk = await openTalk(t)
  const record = {
    action: 'startCallRecording',
    siprecServerURL: [recorder.uri()],
    recordingID: 'order-7',
    headers: { 'X-Tenant': 'acme' },
  }
  assert.equal((await updateCall(talk.opened.httpUrl, talk.callId, record)).status, 202)
  const [invite] = recorder.invites()
  assert.ok(invite)
  assert.equal(headerOf(invite, 'X-Tenant'), 'acme')
  assert.match(invite.body.toString(), /<jb:recordingid[^>]*>order-7</)
  await talk.end()
})

test('REST-14: a call is updated by the sid that its feature server told by INFO, while it lasts', async (t) => {
  const recorder = await ForeignRecorder.open({})
  t.after(() => recorder.close())
  const talk = await openTalk(t)
  const update = (action: string) => updateCall(talk.opened.httpUrl, 'app-sid-1', { action })
  assert.equal((await update('pauseCallRecording')).status, 404)
  const started = await talk.callee.request('INFO', {
    headers: [
      ['X-Reason', 'startCallRecording'],
      ['X-Srs-Url', recorder.uri()],
      ['X-Call-Sid', 'app-sid-1'],
    ],
  })
  assert.equal(started.status, 200)
  assert.equal((await update('pauseCallRecording')).status, 202)
  assert.equal(await talk.state(), 'paused')
  const { httpUrl } = talk.opened
  await talk.caller.hangup()
  await until('the call is gone', async () => (await update('stopCallRecording')).status === 404)
  const list = await bodyOf<{ readonly total: number }>(await fetch(`${httpUrl}/api/calls`))
  assert.equal(list.total, 0)
})

/** Updates the recording of a call as a client of jambonz does. */
function updateCall(httpUrl: string, sid: string, record: object): Promise<Response> {
  return fetch(`${httpUrl}/v1/Accounts/account-2/Calls/${sid}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ record }),
  })
}

async function bodyOf<T>(response: Response): Promise<T> {
  return (await response.json()) as T
}
