import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordingView } from '#recording-client'
import { callRecordingOf } from './call-recording-view.ts'

const AT_MS = Date.UTC(2026, 0, 5, 9)

const row: RecordingView['ledger'][number] = {
  recorder: 'sip:a',
  askedAtMs: AT_MS,
  invitations: 1,
  packetsSent: 0,
  packetsHeld: 0,
  packetsMasked: 0,
  packetsReplayed: 0,
  sendErrors: 0,
  gaps: [],
  gapMs: 0,
  outcome: 'accepted',
}

function shown(over: Partial<RecordingView>) {
  const view: RecordingView = {
    id: 'r-1',
    recordingId: '',
    state: 'recording',
    startedAtMs: AT_MS,
    policy: 'met',
    ledger: [],
    receipts: [],
    sessions: [],
    ...over,
  }
  return callRecordingOf(view, () => undefined)
}

test('a gap of single streams says which they are, and one of all of them does not', () => {
  const gaps = [
    { reason: 'pause', fromMs: AT_MS, toMs: AT_MS + 1_000 },
    { reason: 'streams inactive: 2', streams: ['2'], fromMs: AT_MS + 1_000 },
  ]
  assert.deepEqual(shown({ ledger: [{ ...row, gaps }] }).ledger[0]?.gaps, [
    { reason: 'pause', from: '2026-01-05T09:00:00.000Z', to: '2026-01-05T09:00:01.000Z' },
    { reason: 'streams inactive: 2', streams: ['2'], from: '2026-01-05T09:00:01.000Z' },
  ])
})

test('what is missing at a recorder, and why nobody resumed, is shown as long as it is so', () => {
  const session = { id: 's', uri: 'sip:a', state: 'active', result: 'accepted', forks: [], labels: [] } as const
  const missing = { labels: ['3'], reason: 'no port' }
  const [one, other] = shown({ sessions: [{ ...session, missing }, session] }).sessions
  assert.deepEqual([one?.missing, other?.missing], [missing, undefined])
  assert.equal(shown({ resumeFailure: 'nobody' }).resumeFailure, 'nobody')
  assert.equal('resumeFailure' in shown({}), false)
})
