import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ManualClock, MemoryLogger, silentLogger } from '#kernel'
import type { CallRecordNews } from './call-record-contract.ts'
import { CallRecordLog, type CallRecordLogOptions, type CallRecordQuery } from './call-record-log.ts'

const DAY_MS = 86_400_000

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'records-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function logIn(t: TestContext, folder: string, over: Partial<CallRecordLogOptions> = {}): CallRecordLog {
  const clock = new ManualClock()
  const log = new CallRecordLog({
    folder,
    maxBytes: 1_000_000,
    keepFiles: 100,
    keepDays: 30,
    clock,
    log: silentLogger,
    ...over,
  })
  t.after(() => log.close())
  return log
}

function record(callId: string, over: Partial<CallRecordNews> = {}, clock = new ManualClock()): CallRecordNews {
  const at = new Date(clock.wallMs()).toISOString()
  const caller = { leg: 'a', role: 'caller', aors: [`sip:alice-${callId}@example.com`], joinedAt: at, hold: 'none' }
  return {
    endedAt: at,
    end: 'hung up',
    verdict: 'recorded',
    to: 'sip:bob@example.com',
    call: { callId, direction: 'inbound', state: 'ended', startedAt: at, parties: [caller] },
    recordings: [],
    commands: [],
    ...over,
  }
}

const idsOf = async (log: CallRecordLog, query: Partial<CallRecordQuery> = {}): Promise<string[]> =>
  (await log.list({ limit: 100, ...query })).map(({ callId }) => callId)

test('records are found by id, listed newest first, and told apart by text, verdict, time and place', async (t) => {
  const clock = new ManualClock()
  const log = logIn(t, await folderFor(t), { clock })
  for (const [callId, over] of [
    ['c-1', {}],
    ['c-2', { verdict: 'failed', to: 'sip:Desk@example.com' }],
    ['c-3', {}],
  ] as const) {
    clock.advance(1_000)
    log.add(record(callId, over, clock))
  }
  assert.deepEqual(await idsOf(log), ['c-3', 'c-2', 'c-1'])
  assert.deepEqual(await idsOf(log, { limit: 1 }), ['c-3'])
  assert.deepEqual(await idsOf(log, { before: 3 }), ['c-2', 'c-1'])
  assert.deepEqual(await idsOf(log, { verdict: 'failed' }), ['c-2'])
  assert.deepEqual(await idsOf(log, { text: 'dESK' }), ['c-2'])
  assert.deepEqual(await idsOf(log, { text: 'ALICE-c-3' }), ['c-3'])
  assert.deepEqual(await idsOf(log, { text: 'verdict' }), [], 'not in the names of keys')
  assert.deepEqual(await idsOf(log, { since: '2026-01-05T09:00:02.000Z', until: '2026-01-05T09:00:02.500Z' }), ['c-2'])
  const found = await log.find('c-2')
  assert.deepEqual([found?.seq, found?.call.callId, found?.to], [2, 'c-2', 'sip:Desk@example.com'])
  assert.equal(await log.find('c-4'), undefined)
})

test('a call that was under way when the program was killed is recorded at the next start, as it was noted last', async (t) => {
  const folder = await folderFor(t)
  const first = logIn(t, folder)
  first.note(record('c-1', { verdict: 'unrecorded', end: 'cut off' }))
  first.note(record('c-2', { end: 'cut off' }))
  first.note(record('c-1', { verdict: 'incomplete', end: 'cut off' }))
  first.add(record('c-2'))
  await first.close()
  assert.deepEqual(await readdir(join(folder, 'under-way')), ['c-1.json'])
  await writeFile(join(folder, 'under-way', 'torn.json'), '{"endedAt":"20')
  await writeFile(join(folder, 'under-way', 'c-2.json'), JSON.stringify(record('c-2', { end: 'cut off' })))
  await appendFile(join(folder, 'calls.jsonl'), '{"seq":2,"en')

  const second = logIn(t, folder)
  assert.deepEqual(await idsOf(second), ['c-1', 'c-2'])
  const cut = await second.find('c-1')
  assert.deepEqual([cut?.seq, cut?.verdict, cut?.end], [2, 'incomplete', 'cut off'])
  assert.deepEqual(await readdir(join(folder, 'under-way')), [])
})

test('files are bounded in size and number, and each day begins another', async (t) => {
  const [folder, clock] = [await folderFor(t), new ManualClock()]
  const log = logIn(t, folder, { maxBytes: 2_000, keepFiles: 3, clock })
  for (let at = 1; at <= 30; at += 1) log.add(record(`c-${at}`, {}, clock))
  const ids = await idsOf(log)
  assert.equal(ids[0], 'c-30')
  assert.ok(ids.length > 5 && ids.length < 30, `${ids.length}`)
  const files = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.endsWith('.jsonl'))
  assert.equal((await files()).length, 3)
  clock.advance(DAY_MS)
  log.add(record('next', {}, clock))
  assert.equal((await idsOf(log))[0], 'next')
  const { seq } = (await log.find('next'))!
  assert.equal(seq, 31)
  assert.ok((await files()).includes('calls-000000000030.jsonl'))
})

test('what is older than the days that are kept is neither shown nor, in the end, there', async (t) => {
  const [folder, clock] = [await folderFor(t), new ManualClock()]
  const log = logIn(t, folder, { keepDays: 2, clock })
  log.add(record('old', {}, clock))
  await idsOf(log)
  clock.advance(DAY_MS)
  log.add(record('new', {}, clock))
  await idsOf(log)
  clock.advance(1.5 * DAY_MS)
  assert.deepEqual([await idsOf(log), await log.find('old')], [['new'], undefined])
  const old = new Date(clock.wallMs() - 3 * DAY_MS)
  await utimes(join(folder, 'calls-000000000001.jsonl'), old, old)
  log.add(record('newest', {}, clock))
  await idsOf(log)
  assert.ok(!(await readdir(folder)).includes('calls-000000000001.jsonl'))
})

test('a disk that takes nothing loses records, says which, and takes the next ones when it is well again', async (t) => {
  const folder = await folderFor(t)
  const lines = new MemoryLogger()
  const log = logIn(t, join(folder, 'calls'), { log: lines })
  log.add(record('c-1'))
  await idsOf(log)
  await rename(join(folder, 'calls'), join(folder, 'away'))
  await writeFile(join(folder, 'calls'), '')
  log.note(record('c-2'))
  await idsOf(log)
  assert.deepEqual(
    lines.lines.filter(({ level }) => level === 'error').map(({ message, fields }) => [message, fields['callId']]),
    [['call under way could not be noted', 'c-2']],
  )
  await rm(join(folder, 'calls'))
  await rename(join(folder, 'away'), join(folder, 'calls'))
  log.add(record('c-3'))
  assert.deepEqual(await idsOf(log), ['c-3', 'c-1'])
})
