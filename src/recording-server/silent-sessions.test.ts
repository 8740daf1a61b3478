import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock, MemoryLogger } from '#kernel'
import { NO_TOTALS } from '#store'
import type { LiveSession } from './server-events.ts'
import { SilentSessions } from './silent-sessions.ts'

const MINUTE_MS = 60_000

/** A session of one stream: packets of the source that the stream is locked to, and of all its sources. */
function session(recordingId: string, own: number, all: number): LiveSession {
  const about = { channel: 0, isPaused: false, isRemoved: false, rtpPort: 4000, encodings: [] }
  const reading = { channel: 0, isExpected: true, packets: all, packetsPerSecond: 0 }
  const streams = [{ ...about, totals: { ...NO_TOTALS, packets: own }, reading }]
  return { recordingId, startedAtMs: 0, isPaused: false, streams, alarms: [] } as unknown as LiveSession
}

test('a session is asked whether it lives when none of its sources has sent for a minute, not when the first one has stopped', async () => {
  const clock = new ManualClock()
  const asked: string[] = []
  let minutes = 0
  const sessions = async () => [session('dead', 50, 80), session('first-stopped', 50, 80 + minutes)]
  const silent = new SilentSessions({
    clock,
    log: new MemoryLogger(),
    sessions,
    probe: (recordingId) => void asked.push(recordingId),
  })
  silent.start()
  for (; minutes < 4; minutes++) await clock.advanceAsync(MINUTE_MS)
  silent.stop()
  assert.deepEqual(asked, ['dead', 'dead', 'dead'])
})
