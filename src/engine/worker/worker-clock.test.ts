import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fractionalWall } from './worker-clock.ts'

test('wall-clock time has fractions, and never differs from the clock of the machine for longer than it takes to ask', () => {
  const machine = { monotonic: 5_000.25, wall: 1_700_000_000_000 }
  const wall = fractionalWall({
    monotonicMs: () => machine.monotonic,
    wallMs: () => Math.floor(machine.wall),
    beganMs: machine.wall - machine.monotonic,
  })
  const pass = (ms: number): void => {
    machine.monotonic += ms
    machine.wall += ms
  }
  pass(20.5)
  assert.equal(wall(), 1_700_000_000_020.5)
  // Whole milliseconds of the machine, and a thread that stands still between the two readings, are no setting.
  machine.wall += 40
  assert.equal(wall(), 1_700_000_000_020.5)

  for (const set of [3_600_000, -7_200_000]) {
    machine.wall += set
    const before = wall()
    assert.ok(Math.abs(before - machine.wall) < 1, `set by ${set} ms`)
    pass(20.5)
    assert.equal(wall() - before, 20.5)
  }
})
