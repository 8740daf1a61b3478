import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '#kernel'
import { GuessLimit } from './guess-limit.ts'

function limit(clock: ManualClock, shut: string[] = []): GuessLimit {
  const onShut = (host: string): void => void shut.push(host)
  return new GuessLimit({ maxFailures: 3, windowMs: 10_000, refuseMs: 60_000, onShut }, clock)
}

function failTimes(guesses: GuessLimit, host: string, times: number): void {
  for (let at = 0; at < times; at++) guesses.fail(host)
}

test('SEC-27: the last wrong proof of the window shuts an address out, and no other, for its time, and is told once', async () => {
  const clock = new ManualClock()
  const shut: string[] = []
  const guesses = limit(clock, shut)
  failTimes(guesses, 'a', 2)
  assert.equal(guesses.refusedMs('a'), 0)
  guesses.fail('a')
  assert.deepEqual([guesses.refusedMs('a'), guesses.refusedMs('b'), shut], [60_000, 0, ['a']])
  await clock.advanceAsync(59_999)
  assert.equal(guesses.refusedMs('a'), 1)
  await clock.advanceAsync(1)
  assert.equal(guesses.refusedMs('a'), 0)
  failTimes(guesses, 'a', 2)
  assert.equal(guesses.refusedMs('a'), 0)
})

test('SEC-27: wrong proofs that are further apart than the window shut nobody out', async () => {
  const clock = new ManualClock()
  const guesses = limit(clock)
  failTimes(guesses, 'a', 2)
  await clock.advanceAsync(10_000)
  failTimes(guesses, 'a', 2)
  assert.equal(guesses.refusedMs('a'), 0)
})

test('SEC-27: an address that has proved itself is never shut out, whatever is sent under its name', () => {
  const guesses = limit(new ManualClock())
  failTimes(guesses, 'a', 2)
  guesses.succeed('a')
  failTimes(guesses, 'a', 100)
  assert.equal(guesses.refusedMs('a'), 0)
})

test('SEC-27: of ten thousand addresses the oldest are forgotten, of those that failed and of those that proved themselves', () => {
  const guesses = limit(new ManualClock())
  failTimes(guesses, 'failed', 3)
  guesses.succeed('proven')
  for (let at = 0; at < 9_999; at++) {
    guesses.fail(`f${at}`)
    guesses.succeed(`p${at}`)
  }
  failTimes(guesses, 'proven', 3)
  assert.deepEqual([guesses.refusedMs('failed'), guesses.refusedMs('proven')], [60_000, 0])
  failTimes(guesses, 'f', 1)
  for (let at = 0; at < 10_000; at++) guesses.fail(`f${at}`)
  guesses.succeed('p')
  failTimes(guesses, 'proven', 3)
  assert.deepEqual([guesses.refusedMs('failed'), guesses.refusedMs('proven')], [0, 60_000])
})
