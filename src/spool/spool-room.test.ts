import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ManualClock, seededIds } from '#kernel'
import { SpoolRoom } from './spool-room.ts'

/** A disk that is full throws where a text is written; a text that is none does the same. */
const UNWRITABLE = Symbol('facts') as unknown as string

async function withRoom(run: (room: SpoolRoom) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'spool-room-'))
  const limits = { maxBytes: 1_000_000, minFreeBytes: 0, maxAgeHours: 1 }
  const media = { host: '127.0.0.1', portMin: 42_000, portMax: 42_999 }
  const options = { folder, keyFile: join(folder, 'key'), limits, deliverySpeed: 8, media }
  const room = new SpoolRoom(options, { clock: new ManualClock(), ids: seededIds(3), onEvent: () => {} })
  try {
    await run(room)
  } finally {
    await room.handle({ type: 'stop' })
    rmSync(folder, { recursive: true })
  }
}

test('a recording whose last facts the disk does not take waits for a recorder all the same, with those before', () =>
  withRoom(async (room) => {
    await room.handle({ type: 'open', id: 'one', sources: [4000], facts: '{"first":1}' })
    await assert.rejects(room.handle({ type: 'close', id: 'one', facts: UNWRITABLE }))
    const files = await room.handle({ type: 'list' })
    assert.deepEqual(
      (files as readonly { id: string; facts?: string }[]).map(({ id, facts }) => [id, facts]),
      [['one', '{"first":1}']],
    )
  }))

test('a recording that cannot be closed keeps no other from being closed', () =>
  withRoom(async (room) => {
    for (const id of ['one', 'two']) await room.handle({ type: 'open', id, sources: [4000], facts: '{}' })
    await assert.rejects(room.handle({ type: 'close', id: 'one', facts: UNWRITABLE }))
    await room.handle({ type: 'stop' })
    const files = await room.handle({ type: 'list' })
    assert.equal((files as readonly unknown[]).length, 2)
  }))

test('a recording that the disk does not take from the beginning leaves nothing, open or on the disk', () =>
  withRoom(async (room) => {
    await assert.rejects(room.handle({ type: 'open', id: 'one', sources: [4000], facts: UNWRITABLE }))
    assert.deepEqual(await room.handle({ type: 'list' }), [])
    assert.deepEqual(
      openFiles().filter((path) => path.includes('spool-room-')),
      [],
    )
  }))

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return []
    }
  })
}
