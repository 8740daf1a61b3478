// Waiting for a condition with a deadline, looking again every few packets.

import assert from 'node:assert/strict'
import { systemClock } from '#net'

const LOOK_AGAIN_MS = 20

/** Waits until `condition` holds; fails after `deadlineMs`, naming what did not come. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const endMs = systemClock.nowMs() + deadlineMs
  while (!(await condition())) {
    assert.ok(systemClock.nowMs() < endMs, `waited too long until ${what}`)
    await new Promise<void>((resolve) => void systemClock.after(LOOK_AGAIN_MS, 'test', resolve))
  }
}
