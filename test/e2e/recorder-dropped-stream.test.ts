// A stream that the recorder takes out of a session, commanded by the HTTP API, towards our own recording client.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goertzelPower, rmsDbfs } from '#audio'
import { describedApi } from '../harness/described-api.ts'
import { keptRecording } from '../harness/kept-recording.ts'
import { CALLEE_HZ, CALLER_HZ, openTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const SESSION = '/api/recorder/sessions/{recordingId}'
const PER_MS = 8
const WORD_MS = 600

test('SRS-16: a stream that is dropped by the API gets no more audio, the other is recorded on, and the call is untouched', async (t) => {
  const talk = await openTalk(t, { recorder: true })
  const talkOn = async (): Promise<void> => {
    const from = talk.caller.heard().length
    await until('the talk goes on', () => talk.caller.heard().length >= from + WORD_MS * PER_MS)
  }
  assert.equal((await talk.rest('start', talk.opened.recorderUri('tcp'))).status, 200)
  await talkOn()
  const api = await describedApi(talk.opened.httpUrl)
  const { recordingId } = (await api.ask('get', '/api/recorder/sessions')).body.items[0]
  const drop = (channel: string) =>
    api.ask('post', `${SESSION}/streams/{channel}/drop`, { params: { recordingId, channel }, body: {} })
  assert.equal((await drop('7')).status, 404)
  assert.deepEqual((await drop('1')).body, { isRemoved: true, clientStatus: 200 })
  assert.deepEqual((await drop('1')).body, { isRemoved: true })
  const { streams } = (await api.ask('get', SESSION, { params: { recordingId } })).body
  assert.deepEqual(
    streams.map(({ state }: { state: string }) => state),
    ['due', 'removed'],
  )
  await talkOn()
  await talkOn()
  await talk.assertUndisturbed()
  const [row] = (await talk.view()).recording?.ledger ?? []
  assert.deepEqual(
    row?.gaps.map(({ reason, to }) => [reason, to]),
    [['streams refused: 2', undefined]],
  )
  await talk.end()
  const { channels } = await keptRecording(talk.opened.store)
  const [caller, callee] = channels.map((samples) => samples.subarray(-WORD_MS * PER_MS, -(WORD_MS / 4) * PER_MS))
  assert.ok(goertzelPower(caller!, 8000, CALLER_HZ) > 0.9, 'the caller is recorded to the end')
  assert.ok(rmsDbfs(callee!) < -90, 'the callee is not')
  assert.ok(goertzelPower(channels[1]!.subarray(0, WORD_MS * PER_MS), 8000, CALLEE_HZ) > 0.5, 'and was before')
  const { items } = (await api.ask('get', '/api/audit', { query: 'action=recording.drop-stream' })).body
  assert.deepEqual(
    items.map(({ outcome, target }: { outcome: string; target: { channel: string } }) => [target.channel, outcome]),
    [
      ['1', 'done'],
      ['1', 'done'],
      ['7', 'refused'],
    ],
  )
})
