import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '#kernel'
import { EventCursor, type EventFilter } from './event-cursor.ts'
import { EventLog } from './event-log.ts'

function logOf(count: number, keep = 10): EventLog {
  const log = new EventLog({ clock: new ManualClock(), keep })
  for (let at = 0; at < count; at += 1) log.add({ type: 'call.answered', callId: `call-${at}`, data: {} })
  return log
}

function taken(log: EventLog, filter: EventFilter, after?: number): string[] {
  const cursor = new EventCursor(log, filter, after)
  const found: string[] = []
  for (let event = cursor.take(); event !== undefined; event = cursor.take()) {
    found.push(event.type === 'events.missed' ? `missed after ${event.data['after']}` : (event.callId ?? event.type))
  }
  return found
}

test('ids rise by one, and begin above those of an earlier start', () => {
  const clock = new ManualClock()
  const first = new EventLog({ clock, keep: 10 })
  const before = first.lastId
  first.add({ type: 'recorder.up', recorder: 'sip:srs', data: {} })
  first.add({ type: 'recorder.down', recorder: 'sip:srs', data: {} })
  assert.equal(first.lastId, before + 2)
  clock.advance(1)
  assert.ok(new EventLog({ clock, keep: 10 }).lastId > first.lastId)
})

test('a listener gets what came after the id that it has, then nothing, then what comes', () => {
  const log = logOf(5)
  const cursor = new EventCursor(log, {}, log.lastId - 2)
  assert.deepEqual([cursor.take()?.callId, cursor.take()?.callId, cursor.take()], ['call-3', 'call-4', undefined])
  log.add({ type: 'call.answered', callId: 'new', data: {} })
  assert.equal(cursor.take()?.callId, 'new')
  assert.deepEqual(taken(log, {}), [])
})

test('only the latest are kept, and who asks for older ones is told so', () => {
  for (const count of [11, 19, 20, 21, 57]) {
    const log = logOf(count)
    const all = Array.from({ length: 10 }, (_, at) => `call-${count - 10 + at}`)
    assert.deepEqual(taken(log, {}, 0), ['missed after 0', ...all], `${count} events`)
    assert.deepEqual(taken(log, {}, log.missedUpTo), all)
  }
})

test('a listener that is slower than the log forgets is told what it missed', () => {
  const log = logOf(1)
  const cursor = new EventCursor(log, {})
  const after = log.lastId
  for (let at = 0; at < 25; at += 1) log.add({ type: 'call.answered', callId: `late-${at}`, data: {} })
  const missed = cursor.take()
  assert.deepEqual([missed?.type, missed?.data, missed?.id], ['events.missed', { after }, log.missedUpTo])
  assert.equal(cursor.take()?.callId, 'late-15')
})

test('listeners choose by type, by beginning of type, and by call', () => {
  const log = logOf(3)
  log.add({ type: 'recording.started', callId: 'call-1', recording: 'r', data: {} })
  log.add({ type: 'recording.stopped', callId: 'call-2', recording: 's', data: {} })
  log.add({ type: 'session.paused', recordingId: 'x', data: {} })
  const after = log.missedUpTo
  assert.deepEqual(taken(log, { types: ['recording.*'] }, after), ['call-1', 'call-2'])
  assert.deepEqual(taken(log, { types: ['recording.stopped', 'session.paused'] }, after), ['call-2', 'session.paused'])
  assert.deepEqual(taken(log, { callId: 'call-1' }, after), ['call-1', 'call-1'])
  assert.deepEqual(taken(log, { recordingId: 'x' }, after), ['session.paused'])
})
