// Commands of the HTTP API against real recorders.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecorderTest } from '#control'
import { openTestProgram } from '../harness/open-program.ts'

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

async function bodyOf<T>(response: Response): Promise<T> {
  return (await response.json()) as T
}
