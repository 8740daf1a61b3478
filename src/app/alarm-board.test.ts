import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Listeners } from '#kernel'
import type { RecordingServerEvent } from '#recording-server'
import { AlarmBoard } from './alarm-board.ts'

const silence = (channel: number) =>
  ({ code: 'digital-silence', severity: 'warning', channel, cause: 'zeros', fix: 'ask' }) as const

function board() {
  const events = new Listeners<RecordingServerEvent>()
  const tell = (event: object): void => events.emit({ recordingId: 'r1', ...event } as RecordingServerEvent)
  const kept = new AlarmBoard(events)
  tell({ type: 'started', facts: { sip: { callId: 'rs-1' } } })
  const channels = (session: string) => kept.alarmsOf(session)?.map(({ channel }) => channel)
  return { kept, tell, channels }
}

test('alarms stand under the Call-ID of their session, each stream for itself, until they are cleared', () => {
  const { tell, channels } = board()
  assert.deepEqual(channels('rs-1'), [])
  for (const channel of [0, 1, 1]) tell({ type: 'alarm', alarm: silence(channel) })
  assert.deepEqual(channels('rs-1'), [0, 1])
  tell({ type: 'alarm-cleared', alarm: silence(0) })
  assert.deepEqual(channels('rs-1'), [1])
  assert.equal(channels('rs-2'), undefined)
})

test('nothing is kept of a session that ended, and an alarm of a session that nobody knows is dropped', () => {
  const { kept, tell, channels } = board()
  tell({ type: 'alarm', recordingId: 'other', alarm: silence(0) })
  tell({ type: 'alarm', alarm: silence(0) })
  const ended = { type: 'ended', recordingId: 'r1', manifest: { facts: { sip: { callId: 'rs-1' } } } }
  tell(ended)
  assert.equal(channels('rs-1'), undefined)
  assert.equal(kept.sessionOf(ended as unknown as RecordingServerEvent), 'rs-1')
  assert.equal(kept.sessionOf({ type: 'paused', recordingId: 'r1' }), undefined)
})
