import { jobSuite } from '../../../test/harness/job-suite.ts'
import { JobQueue } from './job-queue.ts'
import { openCatalogueDatabase } from './open-database.ts'

jobSuite('SQLite', async (t, [one, two]) => {
  const { database, engine } = await openCatalogueDatabase(':memory:')
  t.after(() => database.destroy())
  return [new JobQueue(database, engine, one), new JobQueue(database, engine, two)]
})
