// The catalogue in PostgreSQL does what it does in SQLite.

import { after, before } from 'node:test'
import { openCatalogue } from '#store'
import { catalogueSuite } from '../harness/catalogue-suite.ts'
import { type PostgresCluster, startPostgres } from '../harness/postgres.ts'

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
