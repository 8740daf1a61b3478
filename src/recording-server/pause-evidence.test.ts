import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PauseWitness } from './pause-evidence.ts'
import { PauseLog } from './pause-log.ts'

test('pauses are told with the packets that came in them; the last may be open', () => {
  const witness = new PauseWitness()
  witness.countPacket()
  witness.set(true, 10, 7)
  witness.set(true, 11, 8)
  witness.countPacket()
  witness.set(false, 20, 9)
  witness.set(false, 21, 9)
  witness.set(true, 30, undefined)
  assert.deepEqual(witness.pauses, [
    { fromMs: 10, lastSequence: 7, packets: 1, toMs: 20 },
    { fromMs: 30, packets: 0 },
  ])
  assert.equal(witness.forgotten, 0)
})

test('of 2500 pauses the last 1000 are kept, and the others are counted', () => {
  const witness = new PauseWitness()
  for (let n = 0; n < 2500; n++) {
    witness.set(true, n, undefined)
    assert.ok(witness.pauses.length <= 1001)
    witness.set(false, n + 0.5, undefined)
  }
  assert.equal(witness.pauses.length, 1000)
  assert.equal(witness.pauses[0]?.fromMs, 1500)
  assert.equal(witness.forgotten, 1500)
})

test('the log of pauses that explains gaps is bounded too, and knows the last ones', () => {
  const log = new PauseLog()
  for (let n = 0; n < 2500; n++) {
    log.set('hold', true, 10 * n)
    log.set('hold', false, 10 * n + 5)
  }
  assert.equal(log.touches(24_991, 24_994), true)
  assert.equal(log.touches(24_986, 24_989), false)
  assert.equal(log.touches(0, 9), false)
})

test("a gap is divided by what was announced, the recorder's own pause first, and the edges are still the pause", () => {
  const log = new PauseLog()
  log.set('paused-by-client', true, 2000)
  log.set('hold', true, 3000)
  log.set('paused-here', true, 4000)
  log.set('hold', false, 5000)
  log.set('paused-here', false, 6000)
  log.set('paused-by-client', false, 7000)
  assert.deepEqual(log.explain(1900, 9000), [
    { fromMs: 1900, toMs: 3000, cause: 'paused-by-client' },
    { fromMs: 3000, toMs: 4000, cause: 'hold' },
    { fromMs: 4000, toMs: 6000, cause: 'paused-here' },
    { fromMs: 6000, toMs: 7000, cause: 'paused-by-client' },
    { fromMs: 7000, toMs: 9000 },
  ])
  assert.deepEqual(log.explain(100, 900), [{ fromMs: 100, toMs: 900 }])
})
