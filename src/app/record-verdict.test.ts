import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordingView } from '#recording-client'
import { verdictOf } from './record-verdict.ts'

type Row = RecordingView['ledger'][number]

const whole: Row = {
  recorder: 'sip:a',
  askedAtMs: 0,
  answeredAtMs: 10,
  firstPacketAtMs: 20,
  lastPacketAtMs: 9_000,
  invitations: 1,
  packetsSent: 900,
  packetsHeld: 0,
  packetsMasked: 0,
  packetsReplayed: 0,
  sendErrors: 0,
  gaps: [],
  gapMs: 0,
  outcome: 'closed',
}
const refused: Row = { ...whole, packetsSent: 0, answeredAtMs: undefined as never, outcome: 'failed(486)' }
const lost: Row = {
  ...whole,
  takenOverBy: 'sip:b',
  gaps: [{ reason: 'lost: remote-bye', fromMs: 5_000, toMs: 6_000 }],
  outcome: 'lost',
}
const next: Row = { ...whole, recorder: 'sip:b', tookOverFrom: 'sip:a' }

function recording(ledger: readonly Row[]): RecordingView {
  return {
    id: 'r',
    recordingId: '',
    state: 'none',
    startedAtMs: 0,
    policy: 'met',
    ledger,
    receipts: [],
    sessions: [],
  }
}

const command = { callId: 'c', by: 'rest', atMs: 0, text: '', status: 503 } as const

for (const [what, rows, wanted] of [
  ['everything', [whole], 'recorded'],
  ['everything but a pause', [{ ...whole, gaps: [{ reason: 'pause', fromMs: 1, toMs: 2 }] }], 'recorded'],
  [
    'nothing but a pause',
    [{ ...whole, packetsSent: 0, packetsHeld: 50, gaps: [{ reason: 'pause', fromMs: 1 }] }],
    'recorded',
  ],
  ['everything at one of two', [lost, { ...whole, recorder: 'sip:c' }], 'recorded'],
  ['everything at the second that was asked', [refused, next], 'recorded'],
  ['all but what went with the first', [lost, next], 'incomplete'],
  ['all, with what was kept for the second', [lost, { ...next, packetsReplayed: 100 }], 'recorded'],
  ['what perhaps never arrived', [{ ...whole, noAudio: { cause: 'firewall', fromMs: 1 } }], 'incomplete'],
  ['not one stream', [{ ...whole, gaps: [{ reason: 'streams refused: 2', streams: ['2'], fromMs: 1 }] }], 'incomplete'],
  ['nothing', [refused], 'failed'],
] as const) {
  test(`a recorder that was sent ${what}: ${wanted}`, () => {
    const facts = { recordings: [recording(rows)], commands: [], isAnswered: true, isCutOff: false }
    assert.equal(verdictOf(facts), wanted)
  })
}

test('a call of two recordings is as good as the worse, and better than nothing', () => {
  const facts = { commands: [], isAnswered: true, isCutOff: false }
  assert.equal(verdictOf({ ...facts, recordings: [recording([whole]), recording([refused])] }), 'incomplete')
})

test('without a recording: nobody asked, or it was refused; and of a call that was not answered there is none', () => {
  const facts = { recordings: [], isAnswered: true, isCutOff: false }
  assert.equal(verdictOf({ ...facts, commands: [] }), 'unrecorded')
  assert.equal(verdictOf({ ...facts, commands: [{ ...command, activity: 'pause' }] }), 'unrecorded')
  assert.equal(verdictOf({ ...facts, commands: [{ ...command, activity: 'start' }] }), 'failed')
  assert.equal(
    verdictOf({ ...facts, commands: [], recordings: [recording([refused])], isAnswered: false }),
    'unrecorded',
  )
})

test('of a call that was cut off nobody counted what was sent', () => {
  const facts = { commands: [], isAnswered: true, isCutOff: true }
  assert.equal(verdictOf({ ...facts, recordings: [recording([{ ...whole, packetsSent: 0 }])] }), 'incomplete')
  assert.equal(verdictOf({ ...facts, recordings: [recording([refused])] }), 'failed')
})
