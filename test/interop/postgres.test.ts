// The catalogue in PostgreSQL does what it does in SQLite.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openCatalogue, openCatalogueAndJobs, type SqlCatalogue } from '#store'
import type { LogicalRecordingView } from '../../src/control/recordings/logical-recording-contract.ts'
import { catalogueRow } from '../harness/catalogue-row.ts'
import { catalogueSuite } from '../harness/catalogue-suite.ts'
import { jobSuite } from '../harness/job-suite.ts'
import { keptRecordings } from '../harness/kept-recording.ts'
import { openTestProgram } from '../harness/open-program.ts'
import { type PostgresCluster, startPostgres } from '../harness/postgres.ts'
import { recordSession } from '../harness/recorded-session.ts'
import { endTake, openTake, toldCall } from '../harness/session-takes.ts'
import { until } from '../harness/until.ts'

let cluster: PostgresCluster
before(async () => {
  cluster = await startPostgres()
})
after(() => cluster.close())

catalogueSuite('PostgreSQL', async (t) => {
  const catalogue = await openCatalogue(await cluster.database())
  t.after(() => catalogue.close())
  return catalogue
})

jobSuite('PostgreSQL', async (t, [one, two]) => {
  const address = await cluster.database()
  const [first, second] = await Promise.all([openCatalogueAndJobs(address, one), openCatalogueAndJobs(address, two)])
  t.after(() => Promise.all([first.catalogue.close(), second.catalogue.close()]))
  return [first.jobs, second.jobs]
})

test('sums of values are counted anew while others write, and are right', async (t) => {
  const address = await cluster.database()
  const stores = await Promise.all(['one', 'two'].map((name) => openCatalogue(address, name)))
  t.after(() => Promise.all(stores.map((one) => one.close())))
  const [first, second] = stores as [SqlCatalogue, SqlCatalogue]
  const writes = Array.from({ length: 60 }, (_unused, n) => {
    const { store: _store, ...row } = catalogueRow(n, { caller: `Caller ${n % 5}`, tags: ['x'] })
    return n % 10 === 9 ? first.recount() : (n % 2 === 0 ? first : second).put(row)
  })
  await Promise.all(writes)
  const { counted, kinds } = await first.facets({})
  assert.equal(counted, 54)
  assert.deepEqual(kinds.tag, [{ value: 'x', count: 54 }])
  assert.deepEqual(await second.facets({ minDurationMs: 0 }), await first.facets({}))
})

test('a recorder whose PostgreSQL is away, at its start or later, records on and catalogues all when it is back', async (t) => {
  const own = await startPostgres()
  t.after(() => own.close())
  const database = await own.database()
  await own.stop()
  const recorder = await openTestProgram({ gateway: false, recorder: true, recorderStore: { database, name: 'one' } })
  t.after(() => recorder.close())
  const library = recorder.program.recorder?.library
  assert.ok(library)
  await recordSession(recorder)
  await keptRecordings(recorder.store, 1)
  await assert.rejects(library.count({}), { code: 'store.catalogue' })

  await own.start()
  const published = async (): Promise<number> =>
    await library.count({ state: 'published', store: 'one' }).catch(() => 0)
  await until('the first is catalogued', async () => (await published()) === 1, 40_000)

  await own.stop()
  await recordSession(recorder)
  await keptRecordings(recorder.store, 2)
  await own.start()
  await until('the second is catalogued', async () => (await published()) === 2, 40_000)
})

test('SRS-53: what two recorders of one PostgreSQL database have of a call is one recording at both, with a gap by failover', async (t) => {
  const database = await cluster.database()
  const recorders = []
  for (const name of ['first', 'second']) {
    const recorder = await openTestProgram({ gateway: false, recorder: true, recorderStore: { database, name } })
    t.after(() => recorder.close())
    recorders.push(recorder)
  }
  const call = toldCall()
  for (const recorder of recorders) {
    await endTake(await openTake(recorder, call))
    await keptRecordings(recorder.store, 1)
  }
  for (const { httpUrl } of recorders) {
    const url = `${httpUrl}/api/communication-sessions/${encodeURIComponent(call.sessionId)}`
    let session: LogicalRecordingView | undefined
    await until('both takes are in the catalogue', async () => {
      const answer = await fetch(url)
      session = answer.ok ? ((await answer.json()) as LogicalRecordingView) : undefined
      return session?.takes.filter(({ state }) => state === 'published').length === 2
    })
    assert.deepEqual(
      session?.takes.map(({ store, hasAudio }) => [store, hasAudio]),
      [
        ['first', true],
        ['second', true],
      ],
    )
    assert.deepEqual(
      session?.gaps.map(({ cause, after }) => [cause, after]),
      [['failover', 1]],
    )
  }
})
