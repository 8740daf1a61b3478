import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { ManualClock, MemoryLogger, settle } from '#kernel'
import { Spool } from './spool.ts'
import type { SpoolEvent } from './spool-messages.ts'

const SOURCES = [{ host: '127.0.0.1', rtpPort: 41_000, rtcpPort: 41_001 }]
const GONE = 'the spool is gone: it has ended'

async function openSpool(t: TestContext): Promise<{
  spool: Spool
  keyFile: string
  events: SpoolEvent[]
  clock: ManualClock
  log: MemoryLogger
  workers: Worker[]
}> {
  const folder = mkdtempSync(join(tmpdir(), 'spool-link-'))
  const workers: Worker[] = []
  const note = (worker: Worker): void => void workers.push(worker)
  process.on('worker', note)
  const clock = new ManualClock()
  const log = new MemoryLogger()
  const limits = { maxBytes: 1_000_000, minFreeBytes: 0, maxAgeHours: 1 }
  const media = { host: '127.0.0.1', portMin: 43_000, portMax: 43_999 }
  const keyFile = join(folder, 'key')
  const options = { folder, keyFile, limits, deliverySpeed: 8, media }
  const spool = await Spool.open(options, { clock, log })
  t.after(async () => {
    process.off('worker', note)
    await spool.close()
    rmSync(folder, { recursive: true })
  })
  const events: SpoolEvent[] = []
  spool.onEvent((event) => void events.push(event))
  return { spool, keyFile, events, clock, log, workers }
}

async function kill(worker: Worker | undefined): Promise<void> {
  assert.ok(worker)
  const exited = once(worker, 'exit')
  await worker.terminate()
  await exited
}

test('a spool thread that dies stops what it took in, and another one has what is on the disk and takes more', async (t) => {
  const { spool, events, clock, log, workers } = await openSpool(t)
  assert.ok((await spool.take('live', SOURCES, '{"live":1}')).ok)
  assert.ok((await spool.take('over', SOURCES, '{}')).ok)
  await spool.finish('over', '{"over":1}')
  await kill(workers[0])
  assert.deepEqual(events, [{ type: 'stopped', id: 'live', reason: GONE }])
  assert.deepEqual(log.messages(), ['spool worker lost'])
  const finished = spool.finish('live', '{"live":2}')
  const listed = spool.list()
  clock.advance(100)
  await finished
  assert.deepEqual((await listed).map(({ id, facts }) => [id, facts]).sort(), [
    ['live', '{"live":1}'],
    ['over', '{"over":1}'],
  ])
  assert.ok((await spool.take('next', SOURCES, '{}')).ok)
  await kill(workers[1])
  assert.deepEqual(events.slice(1), [{ type: 'stopped', id: 'next', reason: GONE }])
})

test('a spool thread that dies stops the deliveries under way, each told once, and none that is over', async (t) => {
  const { spool, events, workers } = await openSpool(t)
  for (const id of ['sent', 'done']) {
    assert.ok((await spool.take(id, SOURCES, '{}')).ok)
    await spool.finish(id, '{}')
    for (const fork of ['1', '2']) {
      await spool.delivery(id, []).addFork({ id: `${id}${fork}`, tap: { leg: '0', point: 'received' }, open: false })
    }
  }
  for (const fork of ['done1', 'done2']) await spool.delivery('done', []).removeFork(fork)
  await kill(workers[0])
  assert.deepEqual(events, [{ type: 'stopped', id: 'sent', reason: GONE }])
})

test('what is asked of a spool without a thread is refused when it closes', async (t) => {
  const { spool, workers } = await openSpool(t)
  await kill(workers[0])
  const refused = assert.rejects(spool.list(), { code: 'spool.unusable' })
  await spool.close()
  await refused
  await assert.rejects(spool.list(), { code: 'spool.unusable' })
})

test('a spool thread that cannot be had again refuses at once, and is tried again after a longer pause', async (t) => {
  const { spool, keyFile, clock, log, workers } = await openSpool(t)
  const key = readFileSync(keyFile)
  writeFileSync(keyFile, 'no key')
  await kill(workers[0])
  const first = assert.rejects(spool.list(), { code: 'spool.unusable' })
  clock.advance(100)
  await first
  await assert.rejects(spool.list(), { code: 'spool.unusable' })
  assert.deepEqual(log.messages(), ['spool worker lost', 'spool worker lost', 'spool worker restart failed'])
  writeFileSync(keyFile, key)
  clock.advance(199)
  await settle()
  assert.equal(workers.length, 2)
  const started = once(process, 'worker')
  clock.advance(1)
  const [worker] = (await started) as [Worker]
  await once(worker, 'message')
  await settle()
  assert.deepEqual(await spool.list(), [])
})
