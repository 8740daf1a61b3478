import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '#kernel'
import type { Closing, Disk, RecordingFolder } from '#store'
import { NO_TOTALS } from '#store'
import { Publications } from './publications.ts'

const closing: Closing = { endedAtMs: 0, durationMs: 0, totals: [NO_TOTALS], noAudioCause: 'no-rtp' }

test('a recording that is published again at the moment of the stop is not published twice at a time, nor behind the stop', async () => {
  const clock = new ManualClock()
  const attempts: { readonly resolve: () => void; readonly reject: (fault: Error) => void }[] = []
  let atOnce = 0
  let most = 0
  const publish = async (): Promise<object> => {
    atOnce += 1
    most = Math.max(most, atOnce)
    try {
      return await new Promise<object>((resolve, reject) => attempts.push({ resolve: () => resolve({}), reject }))
    } finally {
      atOnce -= 1
    }
  }
  const folder = { recordingId: 'rec-1', publish } as unknown as RecordingFolder
  const disk = { note: () => {} } as unknown as Disk
  const publications = new Publications({ clock, disk, derive: undefined, attest: undefined, onEvent: () => {} })
  const full = new Error('full')
  const first = publications.publish(folder, closing)
  attempts[0]?.reject(full)
  await assert.rejects(first, full)
  await clock.advanceAsync(5000)
  assert.equal(attempts.length, 2, 'it is tried again')
  const stopped = publications.stop(60_000)
  await clock.advanceAsync(0)
  assert.equal(most, 1)
  attempts[1]?.reject(full)
  await clock.advanceAsync(0)
  assert.equal(attempts.length, 3, 'the last time')
  attempts[2]?.reject(full)
  assert.deepEqual(await stopped, [folder])
  await clock.advanceAsync(60_000)
  assert.equal(attempts.length, 3)
})
