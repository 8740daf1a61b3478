import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { TestDiskPort, testDisk } from '../../test/harness/test-disk.ts'
import { StateFile } from './state-file.ts'

interface Scene {
  readonly port: TestDiskPort
  readonly file: StateFile
  readonly path: string
  read(): unknown
}

function open(t: TestContext): Scene {
  const folder = mkdtempSync(join(tmpdir(), 'state-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'state.json')
  const port = new TestDiskPort()
  const file = new StateFile(testDisk(port), path)
  return { port, file, path, read: () => JSON.parse(readFileSync(path, 'utf8')) as unknown }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('the first state is there at once, and each takes the place of the one before, longer or shorter', (t) => {
  const { file, read } = open(t)
  for (const state of [['a'], ['a', 'much', 'longer'], [], ['b']]) {
    file.write(JSON.stringify(state))
    assert.deepEqual(read(), state)
  }
  file.close()
})

test('another process goes on in the file that is there, over what is longer than its own', (t) => {
  const { file, read, path } = open(t)
  file.write(JSON.stringify({ of: 'the process before', which: 'wrote more' }))
  file.close()
  const next = new StateFile(testDisk(), path)
  next.write('[1]')
  assert.deepEqual(read(), [1])
  next.close()
})

test('a disk that hangs gets the newest state when it moves, and the file is closed behind the write', async (t) => {
  const { file, port, read } = open(t)
  file.write('[0]')
  port.isStuck = true
  for (const state of ['[1]', '[2]', '[3]']) file.write(state)
  assert.deepEqual(read(), [0])
  port.release()
  file.write('[4]')
  assert.deepEqual(read(), [4])
  port.isStuck = true
  file.write('[5]')
  file.close()
  port.release()
  await turn()
  assert.deepEqual(read(), [5])
  file.write('[6]')
  assert.deepEqual(read(), [5], 'closed is closed')
})

test('a disk that is full is asked again, for the file and for the state', async (t) => {
  const { file, port, path, read } = open(t)
  port.failsWith = 'ENOSPC'
  file.write('[1]')
  assert.ok(!existsSync(path))
  port.failsWith = undefined
  file.write('[1]')
  assert.deepEqual(read(), [1])
  port.failsWith = 'ENOSPC'
  file.write('[2]')
  await turn()
  assert.deepEqual(read(), [1])
  port.failsWith = undefined
  file.write('[2]')
  assert.deepEqual(read(), [2])
  file.close()
})
