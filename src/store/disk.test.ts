import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { cannotMount, OwnDisk } from '../../test/harness/own-disk.ts'
import { instantPort, TestDiskPort, testDisk } from '../../test/harness/test-disk.ts'
import { systemDisk } from './disk.ts'
import { GrowingFile } from './growing-file.ts'
import { NO_TOTALS } from './manifest.ts'
import { StreamFiles } from './stream-files.ts'

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'disk-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A port that says what a real one says of a file that is closed, and whose syncs wait for `release`. */
class StrictPort extends TestDiskPort {
  readonly #closed = new Set<number>()
  readonly #syncs: (() => void)[] = []
  isHoldingSyncs = false

  override create(path: string, head: Uint8Array): number {
    const fd = super.create(path, head)
    this.#closed.delete(fd)
    return fd
  }

  override close(fd: number): void {
    this.#closed.add(fd)
    super.close(fd)
  }

  override sync(fd: number, done: (error: Error | null) => void): void {
    const sync = (): void => {
      if (this.#closed.has(fd)) done(Object.assign(new Error('EBADF: bad file descriptor'), { code: 'EBADF' }))
      else instantPort.sync(fd, done)
    }
    if (this.isHoldingSyncs) this.#syncs.push(sync)
    else sync()
  }

  /** Carries out the oldest sync that waits. */
  syncNext(): void {
    this.#syncs.shift()?.()
  }
}

test('a file whose first bytes a full disk does not take is made when there is room', {
  skip: process.platform === 'linux' ? cannotMount() : 'no mount namespaces',
}, async (t) => {
  const disk = await OwnDisk.mount(t, join(folderOf(t), 'full'), 65_536)
  const path = join(disk.path, 'run.wav')
  const ballast = disk.fill()
  const open = (): number => readdirSync('/proc/self/fd').length
  const before = open()
  assert.throws(() => systemDisk.create(path, new Uint8Array(58).fill(1)), /ENOSPC/)
  assert.equal(open(), before)
  rmSync(ballast)
  closeSync(systemDisk.create(path, new Uint8Array(58).fill(2)))
  assert.deepEqual([...readFileSync(path)], [...new Uint8Array(58).fill(2)])
})

test('a run that ends while the disk syncs is no fault of the disk', async (t) => {
  const port = new StrictPort()
  const disk = testDisk(port)
  const file = new GrowingFile(disk, join(folderOf(t), 'file'))
  assert.ok(file.append(Uint8Array.of(1, 2, 3)))
  file.flush()
  port.isHoldingSyncs = true
  const closed = file.close()
  await new Promise<void>((resolve) => setImmediate(resolve))
  file.sync()
  port.syncNext()
  await closed
  port.syncNext()
  await new Promise<void>((resolve) => setImmediate(resolve))
  assert.equal(disk.condition, 'well', disk.fault?.message)
  assert.equal(disk.growing.size, 0)
})

test('a stream that is closed again and again takes no memory for it', async (t) => {
  const disk = testDisk()
  const files = new StreamFiles(disk, folderOf(t), 0, '1')
  for (let attempt = 0; attempt < 3; attempt++) await files.close(NO_TOTALS)
  assert.equal(disk.waitingBytes, 0)
})
