import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startProgram } from './processes.ts'

test('a program that does not get ready in time is killed, so that whoever started it is not kept waiting', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'processes-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  let started = 0
  const starting = startProgram(
    folder,
    'sleeper',
    {},
    {
      command: ['sh', '-c', 'exec sleep 600', 'instead of'],
      deadlineMs: 100,
      onSpawn: (_kill, pid) => {
        started = pid
      },
    },
  )
  await assert.rejects(starting, /sleeper was not ready in 100 ms/)
  assert.throws(() => process.kill(started, 0), { code: 'ESRCH' })
})
