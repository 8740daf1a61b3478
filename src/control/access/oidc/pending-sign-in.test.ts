import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock, seededIds } from '#kernel'
import { PENDING_SECONDS, PendingSignIns } from './pending-sign-in.ts'

test('a cookie is read for ten minutes, by whom it was made by, as long as nobody changed it', () => {
  const clock = new ManualClock()
  const own = new PendingSignIns(clock, seededIds(1))
  const pending = own.begin({ redirectUri: 'https://rec.example/back', place: '/live' })
  const cookie = own.seal(pending)
  assert.deepEqual(own.open(cookie), pending)
  assert.equal(new PendingSignIns(clock, seededIds(2)).open(cookie), undefined)
  for (const text of ['', '.', 'e30.', `x${cookie}`, cookie.split('.')[0] ?? '', cookie.slice(0, -4)]) {
    assert.equal(own.open(text), undefined, text)
  }
  clock.advance(PENDING_SECONDS * 1_000)
  assert.equal(own.open(cookie), undefined)
})

test('no two sign-ins have a secret in common', () => {
  const own = new PendingSignIns(new ManualClock(), seededIds(1))
  const secrets = [own.begin({ redirectUri: '', place: '' }), own.begin({ redirectUri: '', place: '' })].flatMap(
    ({ state, nonce, verifier }) => [state, nonce, verifier],
  )
  assert.equal(new Set(secrets).size, 6)
})
