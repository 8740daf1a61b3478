import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock, MemoryLogger } from '#kernel'
import type { AttemptOutcome } from './recorder-directory.ts'
import { RecorderRegistry } from './recorder-registry.ts'

const [A, B, C] = ['sip:a.example', 'sip:b.example', 'sip:c.example'] as const
const SILENCE: AttemptOutcome = { status: 408, cause: 'timeout' }
const ACCEPTED: AttemptOutcome = { status: 200, cause: 'response' }

function registry(failover: readonly (readonly string[])[] = [[A, B, C]]) {
  const clock = new ManualClock()
  const log = new MemoryLogger()
  const recorders = new RecorderRegistry({ profiles: [], failover, clock, log })
  const told: string[] = []
  recorders.events.add(({ type, recorder }) => told.push(`${type} ${recorder}`))
  const report = (uri: string, ...outcomes: AttemptOutcome[]): void => {
    for (const outcome of outcomes) recorders.report(uri, outcome)
  }
  return { clock, log, recorders, told, report }
}

test('SRC-60: a recorder is followed by those after it in its list, and from the end by those before it', () => {
  const { recorders } = registry()
  assert.deepEqual(recorders.candidates([A]), [A, B, C])
  assert.deepEqual(recorders.candidates([B]), [B, C, A])
  assert.deepEqual(recorders.candidates(['sip:other.example']), ['sip:other.example'])
  assert.deepEqual(recorders.candidates(['sip:B.example']), ['sip:B.example', C, A])
})

test('SRC-60: alternatives that the asker names are all there are, in its order', () => {
  const { recorders } = registry()
  assert.deepEqual(recorders.candidates([B, A]), [B, A])
})

test('field 12: a recorder that was silent twice is tried last, until it answers again', () => {
  const { recorders, told, report } = registry()
  report(A, SILENCE)
  assert.deepEqual(recorders.candidates([A]), [A, B, C])
  report(A, { status: 503, cause: 'transport' })
  assert.deepEqual(recorders.candidates([A]), [B, C, A])
  recorders.probed(A, ACCEPTED)
  assert.deepEqual(recorders.candidates([A]), [B, C, A])
  recorders.probed(A, ACCEPTED)
  assert.deepEqual(recorders.candidates([A]), [A, B, C])
  assert.deepEqual(told, [`recorder.down ${A}`, `recorder.up ${A}`])
})

test('every recorder down: they are tried in the order asked for', () => {
  const { recorders, report } = registry()
  for (const uri of [A, B, C]) report(uri, SILENCE, SILENCE)
  assert.deepEqual(recorders.candidates([B]), [B, C, A])
})

test('SRC-65: a recorder that answered with Retry-After is skipped for so long', () => {
  const { clock, recorders, told, report } = registry()
  report(A, { status: 503, cause: 'response', retryAfterSeconds: 30 })
  assert.deepEqual(recorders.candidates([A]), [B, C])
  clock.advance(29_999)
  assert.deepEqual(recorders.candidates([A]), [B, C])
  clock.advance(1)
  assert.deepEqual(recorders.candidates([A]), [A, B, C])
  assert.deepEqual(told, [])
})

test('SRC-65: when all are to be skipped, the one whose time ends first is tried', () => {
  const { recorders, report } = registry()
  report(A, { status: 503, cause: 'response', retryAfterSeconds: 30 })
  report(B, { status: 503, cause: 'response', retryAfterSeconds: 20 })
  report(C, { status: 503, cause: 'response', retryAfterSeconds: 40 })
  assert.deepEqual(recorders.candidates([A]), [B])
})

test('SRC-65: no recorder takes itself away for longer than an hour', () => {
  const { clock, recorders, report } = registry()
  report(A, { status: 503, cause: 'response', retryAfterSeconds: 999_999_999 })
  clock.advance(3_600_000)
  assert.deepEqual(recorders.candidates([A]), [A, B, C])
})

for (const [status, cause, state] of [
  [486, 'response', 'up'],
  [403, 'response', 'up'],
  [488, 'response', 'up'],
  [600, 'response', 'up'],
  [500, 'response', 'down'],
  [503, 'response', 'down'],
  [503, 'dns', 'down'],
  [503, 'transport', 'down'],
  [408, 'timeout', 'down'],
  [487, 'cancelled', 'unknown'],
] as const) {
  test(`SRC-65: a recorder whose attempts came to ${status} by ${cause} is ${state}`, () => {
    const { recorders, report } = registry()
    report(A, { status, cause }, { status, cause })
    assert.equal(recorders.list()[0]?.state, state)
  })
}

test('what operators see holds no password, and one recorder is one entry whoever is asked for there', () => {
  const { recorders, report, log } = registry()
  recorders.watch(['sip:src:secret@a.example;transport=tcp'])
  report('sip:other@A.example;transport=TCP', SILENCE, SILENCE)
  const [view, ...more] = recorders.list()
  assert.deepEqual(more, [])
  assert.equal(view?.uri, 'sip:src@a.example;transport=tcp')
  assert.equal(view?.state, 'down')
  assert.ok(!JSON.stringify(log.lines).includes('secret'))
})

test('recorders named by calls are forgotten in time', () => {
  const { recorders, report } = registry()
  for (let at = 0; at < 1_100; at++) report(`sip:r${at}.example`, ACCEPTED)
  assert.equal(recorders.list().length, 1_000)
})
