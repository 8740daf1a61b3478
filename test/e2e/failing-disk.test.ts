// A real disk that fails in the middle of recordings, as Linux lets it fail a process that is not root; full file systems are in test/interop.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { DiskScene } from '../harness/disk-scene.ts'
import { failWrites, setReadOnly, underModes } from '../harness/failing-disk.ts'
import { MortalRecorder } from '../harness/mortal-recorder.ts'

const options = { skip: process.platform !== 'linux' && 'limits and capabilities of a process are of Linux' }

async function open(t: TestContext, command: readonly string[] = []): Promise<DiskScene> {
  const recorder = await MortalRecorder.make(t)
  recorder.command = command
  await recorder.start()
  const scene = await DiskScene.open(recorder)
  t.after(() => scene.close())
  return scene
}

test(
  'SRS-24: a disk that takes no byte in mid-recording costs nothing when it takes them again; new sessions get 503 with Retry-After meanwhile',
  options,
  async (t) => {
    const scene = await open(t)
    await scene.begin(2)
    await scene.sent(20)
    failWrites(scene.recorder.pid, true)
    await scene.says('disk does not write')
    await scene.refused()
    await scene.sent(20)
    failWrites(scene.recorder.pid, false)
    await scene.says('disk writes again')
    await scene.begin()
    await scene.sent(20)
    await scene.end()
    assert.deepEqual(await scene.faults(), [])
  },
)

test(
  'SRS-24: a folder that becomes read-only in mid-recording refuses new sessions with 503 and Retry-After; what is under way is kept whole, and published when it may be',
  options,
  async (t) => {
    const scene = await open(t, underModes)
    const { store } = scene.recorder
    await scene.begin(2)
    await scene.sent(20)
    setReadOnly(store, true)
    try {
      await scene.refused()
      await scene.sent(20)
      await scene.end()
      await scene.says('disk does not write')
    } finally {
      setReadOnly(store, false)
    }
    assert.deepEqual(await scene.faults(), [])
  },
)
