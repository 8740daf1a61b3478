import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Gap } from '#store'
import { HoleCauses } from './hole-causes.ts'
import { PauseLog } from './pause-log.ts'

test('SRS-54: a hole before a packet that was overtaken begins where it begins, whatever the numbers say', () => {
  const gaps: Gap[] = []
  const gap = (fromMs: number, toMs: number, cause: Gap['cause']): void => void gaps.push({ fromMs, toMs, cause })
  const holes = new HoleCauses({ gap }, new PauseLog(), 'no-rtp-yet')
  const next = { ssrc: 1, sequence: 65_520, timestamp: 0, arrivalMs: 260, payloadType: 0, marker: false }
  const packet = { ...next, payload: new Uint8Array(20), ticks: 960 }
  const before = { sequence: 65_523, ssrc: 1 }
  holes.report({ fromMs: 120, toMs: 140, before, next: packet, packetMs: 20 })
  assert.deepEqual(gaps, [{ fromMs: 120, toMs: 140, cause: 'dtx' }])
})
