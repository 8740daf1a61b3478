import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { type Clock, ManualClock, seededIds } from '#kernel'
import { SpoolReader } from './spool-file.ts'
import { readSpoolKey } from './spool-key.ts'
import { SpoolRoom } from './spool-room.ts'

/** A disk that is full throws where a text is written; a text that is none does the same. */
const UNWRITABLE = Symbol('facts') as unknown as string

async function withRoom(
  run: (room: SpoolRoom, folder: string) => Promise<void>,
  clock: Clock = new ManualClock(),
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'spool-room-'))
  const limits = { maxBytes: 1_000_000, minFreeBytes: 0, maxAgeHours: 1 }
  const media = { host: '127.0.0.1', portMin: 42_000, portMax: 42_999 }
  const options = { folder, keyFile: join(folder, 'key'), limits, deliverySpeed: 8, media }
  const room = new SpoolRoom(options, { clock, ids: seededIds(3), onEvent: () => {} })
  try {
    await run(room, folder)
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

for (const setByMs of [3_600_000, -3_600_000]) {
  test(`packets are as far apart as they came, though the system clock is set by ${setByMs} ms meanwhile`, () => {
    const manual = new ManualClock()
    let isSet = false
    const clock: Clock = {
      nowMs: () => manual.nowMs(),
      wallMs: () => manual.wallMs() + (isSet ? setByMs : 0),
      after: (delayMs, name, fire) => manual.after(delayMs, name, fire),
    }
    return withRoom(async (room, folder) => {
      const fork = createSocket('udp4').bind(0, '127.0.0.1')
      await once(fork, 'listening')
      const opened = await room.handle({ type: 'open', id: 'one', sources: [fork.address().port], facts: '{}' })
      const [port] = (opened as { readonly ports: readonly number[] }).ports
      const send = async (sequence: number): Promise<void> => {
        fork.send(Buffer.from([0x80, 0, 0, sequence, 0, 0, 0, 0, 0, 0, 0, 1, 255]), port, '127.0.0.1')
        await setTimeout(50)
      }
      await send(1)
      manual.advance(20)
      isSet = true
      await send(2)
      await room.handle({ type: 'close', id: 'one', facts: '{}' })
      fork.close()
      const read = SpoolReader.open(join(folder, 'one.spool'), 'one', readSpoolKey(join(folder, 'key')))
      assert.ok(read.ok)
      const [first, second] = read.value.nextPackets() ?? []
      read.value.close()
      assert.equal(second!.atMs - first!.atMs, 20)
    }, clock)
  })
}

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return []
    }
  })
}
