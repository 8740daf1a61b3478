import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ManualClock, MemoryLogger } from '#kernel'
import { openLockFile } from '../../store/catalogue/sqlite-driver.ts'
import { CATALOGUE_FILE, LibraryRoom } from './library-room.ts'

test('a database that fails in the midst of the opening is opened again, and retention runs then as ever', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'room-'))
  const retention = { everyMinutes: 60, rules: [{ name: 'all', afterDays: 1 }] }
  const roomAt = (clock: ManualClock): LibraryRoom =>
    new LibraryRoom({ folder, name: 'here', retention }, { clock, log: new MemoryLogger() })
  const earlier = roomAt(new ManualClock())
  await earlier.open(false)
  await earlier.close()
  const change = async (statement: string): Promise<void> => {
    const database = await openLockFile(join(folder, CATALOGUE_FILE), 0)
    database.exec(statement)
    database.close()
  }
  const clock = new ManualClock()
  const room = roomAt(clock)
  t.after(async () => {
    await room.close()
    await rm(folder, { recursive: true, force: true })
  })
  await change('ALTER TABLE siprec_job RENAME TO away')
  await assert.rejects(room.open(false), { code: 'store.catalogue' })
  await change('ALTER TABLE away RENAME TO siprec_job')
  await room.open(true)
  assert.deepEqual(clock.pendingNames(), ['finish-deletions', 'retention'])
  await room.open(true)
  assert.equal(clock.pendingNames().length, 2)
})
