import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HealthInput, RecorderHealth } from './recorder-health.ts'

function after(...inputs: HealthInput['type'][]): string {
  const health = new RecorderHealth()
  const told = inputs.flatMap((type) =>
    health.handle(type === 'busy' ? { type, untilMs: 1_000 } : { type }).map((output) => output.type),
  )
  return `${health.state} ${told.join()}`
}

for (const [inputs, expected] of [
  [[], 'unknown '],
  [['answered'], 'up up'],
  [['failed'], 'unknown '],
  [['failed', 'failed'], 'down down'],
  [['answered', 'failed'], 'up up'],
  [['answered', 'failed', 'answered', 'failed'], 'up up'],
  [['answered', 'failed', 'failed', 'failed'], 'down up,down'],
  [['failed', 'failed', 'answered'], 'down down'],
  [['failed', 'failed', 'answered', 'failed', 'answered'], 'down down'],
  [['failed', 'failed', 'answered', 'answered'], 'up down,up'],
  [['failed', 'failed', 'accepted'], 'up down,up'],
  [['answered', 'busy', 'busy', 'busy'], 'up up'],
] as const) {
  test(`health after ${inputs.join(', ') || 'nothing'}: ${expected}`, () => assert.equal(after(...inputs), expected))
}

test('SRC-65: a recorder that takes a recording is no longer left alone', () => {
  const health = new RecorderHealth()
  health.handle({ type: 'busy', untilMs: 5_000 })
  assert.equal(health.skippedUntilMs, 5_000)
  health.handle({ type: 'answered' })
  assert.equal(health.skippedUntilMs, 5_000)
  health.handle({ type: 'accepted' })
  assert.ok(health.skippedUntilMs < 0)
})
