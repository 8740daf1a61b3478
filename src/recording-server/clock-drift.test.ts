import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DRIFT_MS, driftSenders, recordDrift } from '../../test/harness/drifting-talk.ts'

test(`RTP-12, SRS-54: after two hours the channels are within one packet, with 100 ppm between the clocks, without sender reports`, async (t) => {
  const { manifest, lateMs } = await recordDrift(t)
  for (const channel of [0, 1]) {
    const { clock, account } = manifest.streams[channel]!
    const late = lateMs[channel]!
    assert.ok(
      late.every((ms) => Math.abs(ms) <= 20),
      `channel ${channel}: ${late.join(' ')}`,
    )
    assert.ok(Math.abs(clock!.driftPpm - driftSenders[channel]!.ppm) < 10, `${clock!.driftPpm} ppm measured`)
    const missingMs = Object.values(account!.missingMs).reduce((sum, ms) => sum + ms, 0)
    assert.ok(Math.abs(account!.audioMs + missingMs - manifest.durationMs) <= 20)
  }
  assert.ok(Math.abs(manifest.durationMs - DRIFT_MS) <= 20)
})
