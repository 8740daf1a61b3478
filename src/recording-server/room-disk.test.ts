import assert from 'node:assert/strict'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodePcmu, tone } from '#audio'
import { RoomBench } from '../../test/harness/room-bench.ts'
import { TestDiskPort } from '../../test/harness/test-disk.ts'

test('SRS-24: a room whose disk hangs stops within seconds, and tells what it could not keep', async (t) => {
  const port = new TestDiskPort()
  const bench = await RoomBench.open(t, { disk: port })
  const source = await bench.addStream()
  await bench.talk([0, source, encodePcmu(tone(440, 400))])
  port.isStuck = true
  await bench.talk([0, source, encodePcmu(tone(440, 600))])
  const stopped = bench.room.handle({ type: 'stop' })
  for (let second = 0; second < 10; second += 1) await bench.clock.advanceAsync(1000)
  await stopped
  const told = bench.events.find((event) => event.type === 'forsaken')
  assert.ok(told?.type === 'forsaken' && told.recordingId === 'r1')
  assert.ok(told.lostMs >= 500 && told.lostMs <= 800, `${told.lostMs} ms`)
})

test('a file that is removed while it is written is told of, once', async (t) => {
  const bench = await RoomBench.open(t)
  const source = await bench.addStream({}, '1')
  await bench.talk([0, source, encodePcmu(tone(440, 400))])
  const names = await readdir(bench.root, { recursive: true })
  const run = names.find((name) => name.endsWith('.pcmu.wav'))
  assert.ok(run !== undefined)
  await rm(join(bench.root, run))
  for (let second = 0; second < 25; second += 1) await bench.clock.advanceAsync(1000)
  const alarms = bench.events.filter((event) => event.type === 'alarm' && event.alarm.code === 'file-removed')
  assert.equal(alarms.length, 1)
})
