import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock, seededIds } from '#kernel'
import { Sessions } from './sessions.ts'

const anna = { name: 'anna', roles: ['viewer'] as const, scopes: ['calls:read'] as const }

function sessionsOn(clock: ManualClock): Sessions {
  return new Sessions({ idleMs: 1_000, longestMs: 2_500 }, clock, seededIds(1))
}

test('a session is found by its secret until it is closed', () => {
  const sessions = sessionsOn(new ManualClock())
  const { secret, session } = sessions.open(anna)
  assert.equal(sessions.find(secret)?.name, 'anna')
  assert.equal(sessions.find(session.id), undefined)
  sessions.close(secret)
  assert.equal(sessions.find(secret), undefined)
})

test('a session ends when it is idle, and after its longest time in any case', () => {
  const clock = new ManualClock()
  const sessions = sessionsOn(clock)
  const [idle, busy] = [sessions.open(anna), sessions.open(anna)]
  assert.equal(idle.session.expiresAtMs, clock.wallMs() + 1_000)
  for (const ms of [900, 900, 600]) {
    assert.notEqual(sessions.find(busy.secret), undefined)
    clock.advance(ms)
  }
  assert.equal(sessions.find(idle.secret), undefined)
  clock.advance(100)
  assert.equal(sessions.find(busy.secret), undefined)
})
