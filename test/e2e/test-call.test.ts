// A test call by the API through a whole program: it talks, it is recorded, and nothing of it is left.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readWav, rmsDbfs } from '#audio'
import type { TestCall } from '../../src/control/test-call-contract.ts'
import { openTestProgram, type TestProgram } from '../harness/open-program.ts'
import { untilIdle } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const WINDOW = 800
const LOUD_DBFS = -40

function isLoud(samples: Int16Array, window: number): boolean {
  return rmsDbfs(samples.subarray(window * WINDOW, (window + 1) * WINDOW)) > LOUD_DBFS
}

async function ask<T>({ httpUrl }: TestProgram, path: string, body?: object): Promise<{ status: number; json: T }> {
  const sent = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(`${httpUrl}${path}`, sent)
  return { status: response.status, json: (await response.json()) as T }
}

test('a test call is recorded by our own recorder on two channels, though nothing may be dialled or call from there', async (t) => {
  const opened = await openTestProgram({
    recorder: true,
    gateway: { sources: ['192.0.2.0/24'], destinations: { dial: [], record: ['127.0.0.1'] } },
  })
  t.after(() => opened.close())
  const { status, json: begun } = await ask<TestCall>(opened, '/api/test-calls', {})
  assert.equal(status, 201)
  assert.equal((await ask(opened, '/api/test-calls', {})).status, 429)
  const path = `/api/test-calls/${begun.testCallId}`
  const view = async (): Promise<TestCall> => (await ask<TestCall>(opened, path)).json
  await until('they talk', async () => (await view()).state === 'talking')
  const { callId } = await view()
  await until('it is recorded', () => opened.program.gateway?.recordingClient.stateOf(callId ?? '') === 'recording')
  const isHeard = async (): Promise<boolean> => {
    const path = `/api/recorder/sessions/${(await view()).recordingId}`
    const { streams } = (await ask<{ streams: { packets: number }[] }>(opened, path)).json
    return streams.every(({ packets }) => packets > 300)
  }
  await until('the recorder gets six seconds of it', isHeard, 30_000)
  assert.equal((await fetch(`${opened.httpUrl}${path}`, { method: 'DELETE' })).status, 204)
  await untilIdle(opened)
  const ended = await view()
  assert.equal(ended.state, 'ended')
  assert.ok(ended.recordingId !== undefined)
  const isPublished = async (): Promise<boolean> => {
    const { json } = await ask<{ state: string }>(opened, `/api/recordings/${ended.recordingId}`)
    return json.state === 'published'
  }
  await until('it is published', isPublished)
  const audio = await fetch(`${opened.httpUrl}/api/recordings/${ended.recordingId}/audio`)
  const wav = readWav(new Uint8Array(await audio.arrayBuffer()))
  assert.ok(wav.ok)
  const [caller = new Int16Array(), callee = new Int16Array()] = wav.value.samples
  const windows = Array.from({ length: Math.floor(caller.length / WINDOW) }, (_, at) => [
    isLoud(caller, at),
    isLoud(callee, at),
  ])
  const share = (of: (window: boolean[]) => boolean): number => windows.filter(of).length / windows.length
  assert.ok(share(([one]) => one === true) > 0.2, 'the caller is heard')
  assert.ok(share(([, other]) => other === true) > 0.2, 'the callee is heard')
  assert.ok(share(([one, other]) => one === true && other === true) < 0.15, 'in turns, each on a channel of its own')
})

test('a test call that nobody can record is refused with what to do', async (t) => {
  const opened = await openTestProgram({})
  t.after(() => opened.close())
  const { status, json } = await ask<{ code: string; message: string }>(opened, '/api/test-calls', {})
  assert.deepEqual([status, json.code], [409, 'no-recorder'])
  assert.match(json.message, /gateway\.recording\.recorders/)
})
