// A disk that is really full, and one that is really read-only: a file system of its own for each test.

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { DiskScene } from '../harness/disk-scene.ts'
import { MortalRecorder } from '../harness/mortal-recorder.ts'
import { cannotMount, OwnDisk } from '../harness/own-disk.ts'
import { until } from '../harness/until.ts'

const MEGABYTE = 2 ** 20
const PATIENCE_MS = 30_000
const options = { skip: cannotMount(), timeout: 120_000 }

interface Bench {
  readonly scene: DiskScene
  readonly disk: OwnDisk
}

/** A recorder whose folder is a file system of its own, and a client. */
async function open(t: TestContext, settings: Record<string, unknown> = {}, mounted = 'rw'): Promise<Bench> {
  const recorder = await MortalRecorder.make(t, settings)
  const disk = await OwnDisk.mount(t, recorder.store, 32 * MEGABYTE, mounted)
  recorder.command = disk.command
  await recorder.start()
  const scene = await DiskScene.open(recorder, disk.path)
  t.after(() => scene.close())
  return { scene, disk }
}

/** Ends all sessions: each recording has every packet. */
async function endedWhole(scene: DiskScene): Promise<void> {
  await scene.end()
  assert.deepEqual(await scene.faults(), [])
}

test(
  'a full disk refuses new sessions with 503 and Retry-After; those under way lose nothing when it has room again in time',
  options,
  async (t) => {
    const { scene, disk } = await open(t)
    await scene.begin(2)
    await scene.sent(50)
    const ballast = disk.fill()
    await scene.says('disk does not write')
    await scene.refused()
    await scene.sent(100)
    rmSync(ballast)
    await scene.says('disk writes again')
    await scene.begin()
    await scene.sent(50)
    await endedWhole(scene)
  },
)

test(
  'SRS-24: a recorder on a full disk stops within bounds, and the ledger tells what could not be kept',
  options,
  async (t) => {
    const { scene, disk } = await open(t)
    const { recorder } = scene
    await scene.begin(2)
    await scene.sent(50)
    const ballast = disk.fill()
    await scene.says('disk does not write')
    await scene.sent(100)
    await recorder.stop()
    assert.ok(recorder.has('audio could not be kept'))
    rmSync(ballast)
    await recorder.start()
    for (const { manifest } of await scene.published(2)) {
      for (const { gaps, account } of manifest.streams) {
        const told = gaps.find(({ cause }) => cause === 'disk')
        assert.ok(told !== undefined && told.toMs - told.fromMs > 1900, JSON.stringify(gaps))
        // The session closes a moment after the disk was given up; those milliseconds have causes of their own.
        assert.ok(manifest.durationMs - told.toMs < 100, JSON.stringify(gaps))
        const accountedMs = Object.values(account?.missingMs ?? {}).reduce((sum, ms) => sum + ms, account?.audioMs ?? 0)
        assert.ok(Math.abs(accountedMs - manifest.durationMs) < 1, `${accountedMs} of ${manifest.durationMs}`)
      }
    }
  },
)

test('SRS-24: sessions are refused before the disk is full, and those under way are kept whole', options, async (t) => {
  const { scene, disk } = await open(t, { minFreeBytes: 8 * MEGABYTE })
  const { recorder } = scene
  await scene.begin()
  const ballast = disk.fill(6 * MEGABYTE)
  await scene.says('disk is nearly full; new sessions are refused')
  assert.equal((await fetch(`${recorder.httpUrl}/readyz`)).status, 503)
  await scene.refused()
  const metrics = await (await fetch(`${recorder.httpUrl}/metrics`)).text()
  assert.match(metrics, /recorder_disk_condition\{condition="low"\} 1\n/)
  assert.match(metrics, /recorder_disk_free_bytes 6\d{6}\n/)
  assert.ok(!recorder.has('disk does not write'))
  rmSync(ballast)
  await scene.says('disk writes again')
  await scene.begin()
  await scene.sent(20)
  await endedWhole(scene)
})

test(
  'a recorder that starts on a read-only disk refuses with 503 and Retry-After, and goes on when it can be written',
  options,
  async (t) => {
    const { scene, disk } = await open(t, {}, 'ro')
    const { recorder } = scene
    await scene.refused()
    disk.remount('rw')
    await until('the recorder takes sessions', async () => (await fetch(`${recorder.httpUrl}/readyz`)).ok, PATIENCE_MS)
    await scene.begin()
    await scene.end()
    await scene.published(1)
  },
)
