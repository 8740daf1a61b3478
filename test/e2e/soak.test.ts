// The short form of `npm run soak`: recorded calls that end at every stage leave nothing behind.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scripts } from '../soak/scripts.ts'
import { runSoak } from '../soak/soak.ts'

test('field 9, field 10: 150 recorded calls with hang-ups at every stage end as they should and leave no dialog, port, timer or fork', async () => {
  const result = await runSoak({ calls: 150, atATime: 8, rounds: 3, seed: 20 })
  assert.deepEqual(result.wrong, [])
  assert.deepEqual(result.leaks, [])
  assert.deepEqual(result.errors, [])
  assert.equal(result.outcomes.size, scripts.length)
  assert.ok(result.packets.recorded > 0 && result.packets.heard > 0, 'there was sound')
})
