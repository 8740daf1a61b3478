import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from './clock.ts'

test('a timer fires once, not before its delay', async () => {
  const startMs = systemClock.nowMs()
  await new Promise<void>((resolve) => void systemClock.after(5.5, 'test', resolve))
  assert.ok(systemClock.nowMs() - startMs >= 5)
})

test('a cancelled timer does not fire, and cancelling again is harmless', async () => {
  let fired = 0
  const timer = systemClock.after(0, 'cancelled', () => fired++)
  timer.cancel()
  timer.cancel()
  await new Promise<void>((resolve) => void systemClock.after(2, 'later', resolve))
  assert.equal(fired, 0)
})

test('a delay beyond the limit of setTimeout does not fire at once', async () => {
  let fired = 0
  const timer = systemClock.after(2 ** 33, 'far away', () => fired++)
  await new Promise<void>((resolve) => void systemClock.after(3, 'near', resolve))
  timer.cancel()
  assert.equal(fired, 0)
})
