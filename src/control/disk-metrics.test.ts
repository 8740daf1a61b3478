import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics, NO_CALLS } from './metrics.ts'
import type { MetricsSnapshot } from './views.ts'

test('the disk of the recorder is in the metrics, and what is not known of it is not', async () => {
  const disk = { condition: 'low', conditions: ['well', 'low'], waitingBytes: 7, unsyncedMs: 1500, openFiles: 4 }
  let snapshot: MetricsSnapshot = NO_CALLS
  const metrics = createMetrics({ snapshot: () => snapshot })
  const lines = async (): Promise<string[]> =>
    (await metrics.text()).split('\n').filter((line) => /^siprec_gateway_recorder_(disk|wait|unsync|open)/.test(line))
  assert.deepEqual(await lines(), [])
  snapshot = { ...NO_CALLS, disk: { ...disk, freeBytes: 1000 } }
  assert.deepEqual(await lines(), [
    'siprec_gateway_recorder_disk_condition{condition="well"} 0',
    'siprec_gateway_recorder_disk_condition{condition="low"} 1',
    'siprec_gateway_recorder_disk_free_bytes 1000',
    'siprec_gateway_recorder_waiting_bytes 7',
    'siprec_gateway_recorder_unsynced_seconds 1.5',
    'siprec_gateway_recorder_open_files 4',
  ])
  snapshot = { ...NO_CALLS, disk }
  assert.ok(!(await lines()).some((line) => line.includes('free_bytes')))
  metrics.close()
})
