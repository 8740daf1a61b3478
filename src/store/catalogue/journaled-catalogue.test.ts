import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { AppError, ManualClock, MemoryLogger } from '#kernel'
import { catalogueRow as row } from '../../../test/harness/catalogue-row.ts'
import { until } from '../../../test/harness/until.ts'
import type { CatalogueFilter, CatalogueQuery, CatalogueRow } from './catalogue.ts'
import { JournaledCatalogue, type JournalTarget } from './journaled-catalogue.ts'
import { openCatalogue } from './open-database.ts'
import type { SqlCatalogue } from './sql-catalogue.ts'

/** A database that can be taken away. */
class Switchable implements JournalTarget {
  isUp = true
  /** Recording that the database refuses. */
  refused = ''
  refusal = 'value out of range'
  readonly openings: boolean[] = []
  readonly #catalogue: SqlCatalogue

  constructor(catalogue: SqlCatalogue) {
    this.#catalogue = catalogue
  }

  async open(isStale: boolean): Promise<void> {
    this.#check()
    this.openings.push(isStale)
  }

  async put(given: CatalogueRow): Promise<void> {
    this.#check()
    if (given.recordingId === this.refused) throw new Error(this.refusal)
    await this.#catalogue.put(given)
  }

  async get(recordingId: string): Promise<CatalogueRow | undefined> {
    this.#check()
    return await this.#catalogue.get(recordingId)
  }

  async list(query: CatalogueQuery): Promise<CatalogueRow[]> {
    this.#check()
    return await this.#catalogue.list(query)
  }

  async count(filter: CatalogueFilter): Promise<number> {
    this.#check()
    return await this.#catalogue.count(filter)
  }

  async remove(recordingId: string): Promise<void> {
    this.#check()
    await this.#catalogue.remove(recordingId)
  }

  async close(): Promise<void> {
    await this.#catalogue.close()
  }

  #check(): void {
    if (!this.isUp) throw new AppError('store.catalogue', 'away', { result: 'server', reason: 'catalogue' })
  }
}

async function opened(t: TestContext, changes: { isUp?: boolean; isStale?: boolean; mostPending?: number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'journal-'))
  const target = new Switchable(await openCatalogue(':memory:'))
  target.isUp = changes.isUp ?? true
  const clock = new ManualClock()
  const log = new MemoryLogger()
  const staleFile = join(folder, 'catalogue.stale')
  const { isStale = false, mostPending } = changes
  const catalogue = new JournaledCatalogue({
    target,
    staleFile,
    isStale,
    clock,
    log,
    ...(mostPending !== undefined && { mostPending }),
  })
  t.after(async () => {
    await catalogue.close()
    rmSync(folder, { recursive: true })
  })
  return { target, clock, log, staleFile, catalogue }
}

test('a database that is away at the start takes no row from the recorder: all are written when it is back', async (t) => {
  const { target, clock, log, staleFile, catalogue } = await opened(t, { isUp: false })
  for (let n = 1; n <= 3; n++) await catalogue.put(row(n))
  await catalogue.put(row(2, { packets: 7 }))
  await assert.rejects(catalogue.list({ limit: 9 }), { code: 'store.catalogue' })
  assert.equal(catalogue.pendingRows, 3)
  assert.ok(catalogue.isDown)
  assert.ok(existsSync(staleFile))
  assert.deepEqual(log.messages(), ['catalogue is not reachable; recording goes on'])

  target.isUp = true
  clock.advance(1000)
  await until('the rows are written', () => catalogue.pendingRows === 0 && !catalogue.isDown)
  assert.equal(await catalogue.count({}), 3)
  assert.equal((await catalogue.get('r2'))?.packets, 7)
  assert.ok(!existsSync(staleFile))
  assert.deepEqual(target.openings, [false])
  assert.ok(log.messages().includes('catalogue is back'))
})

test('a database that goes away meanwhile is tried again after 1, 2, 4 … 30 s', async (t) => {
  const { target, clock, catalogue } = await opened(t)
  await catalogue.put(row(1))
  assert.equal(await catalogue.count({}), 1)
  target.isUp = false
  await catalogue.put(row(2))
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    assert.deepEqual(clock.pendingNames(), ['catalogue-retry'])
    await clock.advanceAsync(seconds * 1000 - 1)
    assert.deepEqual(clock.pendingNames(), ['catalogue-retry'])
    clock.advance(1)
    await until('it is tried again', () => clock.pendingNames().length === 1)
  }
  target.isUp = true
  clock.advance(30_000)
  await until('the row is written', () => catalogue.pendingRows === 0)
  assert.equal(await catalogue.count({}), 2)
})

test('more rows than the journal holds end in a rebuild, not in memory', async (t) => {
  const { target, clock, log, catalogue } = await opened(t, { isUp: false, mostPending: 2 })
  for (let n = 1; n <= 5; n++) await catalogue.put(row(n))
  assert.equal(catalogue.pendingRows, 2)
  assert.ok(log.messages().includes('too many recordings wait for the catalogue; it will be rebuilt'))
  target.isUp = true
  clock.advance(1000)
  await until('the rows are written', () => catalogue.pendingRows === 0)
  assert.deepEqual(target.openings, [true])
})

test('rows that an earlier process left unwritten make the first opening a rebuild', async (t) => {
  const { target, catalogue } = await opened(t, { isStale: true })
  await catalogue.put(row(1))
  assert.deepEqual(target.openings, [true])
})

test('a row that the database refuses again and again does not hold up the others', async (t) => {
  const { target, clock, log, catalogue } = await opened(t)
  target.refused = 'r1'
  await catalogue.put(row(1))
  await catalogue.put(row(2))
  for (const seconds of [1, 2, 4, 8]) {
    clock.advance(seconds * 1000)
    await until('it is tried again', () => clock.pendingNames().length === 1 || catalogue.pendingRows === 0)
  }
  await until('the other row is written', () => catalogue.pendingRows === 0)
  assert.equal(await catalogue.count({}), 1)
  assert.ok(log.messages().includes('recording is refused by the catalogue'))
})

test('a database whose disk is full keeps rows waiting, however often it refuses and however well it reads', async (t) => {
  const { target, clock, log, catalogue } = await opened(t)
  target.refused = 'r1'
  target.refusal = 'database or disk is full'
  await catalogue.put(row(1))
  for (let n = 0; n < 8; n++) {
    clock.advance(30_000)
    await until('it was tried again', () => clock.pendingNames().length === 1)
  }
  assert.equal(catalogue.pendingRows, 1)
  assert.ok(!log.messages().includes('recording is refused by the catalogue'))
  target.refused = ''
  clock.advance(30_000)
  await until('the row is written', () => catalogue.pendingRows === 0)
  assert.equal(await catalogue.count({}), 1)
})
