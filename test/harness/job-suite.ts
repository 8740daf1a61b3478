// What the queue of jobs must do, whatever database it stands in.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { JobQueue } from '#store'

/** Declares the tests; `open` gives two users of one empty database, the second perhaps in another store. */
export function jobSuite(
  engine: string,
  open: (t: TestContext, stores: readonly [string, string]) => Promise<readonly [JobQueue, JobQueue]>,
): void {
  test(`${engine}: a job is taken by one, tried again when it fails or its taker dies, and gone when done`, async (t) => {
    const [jobs, others] = await open(t, ['a', 'a'])
    await jobs.add('upload', 'r1', 1000)
    await jobs.add('upload', 'r1', 5000)
    await jobs.add('erase', 'r1', 1000)
    assert.deepEqual(await jobs.take('upload', 999, 100, 9), [])
    const [job] = await jobs.take('upload', 1000, 100, 9)
    assert.ok(job)
    assert.deepEqual({ ...job, jobNo: 0 }, { jobNo: 0, kind: 'upload', recordingId: 'r1', attempts: 0 })
    assert.deepEqual(await others.take('upload', 1099, 100, 9), [])
    const [again] = await others.take('upload', 1100, 100, 9)
    assert.equal(again?.attempts, 1)
    await others.retry(job.jobNo, 2000, 'server error')
    assert.deepEqual(await jobs.take('upload', 1999, 100, 9), [])
    const [third] = await jobs.take('upload', 2000, 100, 9)
    assert.deepEqual([third?.attempts, third?.lastError], [2, 'server error'])
    await jobs.done(job.jobNo)
    assert.equal(await jobs.count('upload'), 0)
    assert.equal(await jobs.count('erase'), 1)
    await jobs.drop('erase', 'r1')
    assert.equal(await jobs.count('erase'), 0)
  })

  test(`${engine}: many takers at once never get the same job; other stores' jobs are not seen`, async (t) => {
    const [jobs, others] = await open(t, ['a', 'a'])
    for (let n = 0; n < 40; n++) await jobs.add('upload', `r${n}`, n)
    const takers = Array.from({ length: 12 }, (_unused, n) =>
      (n % 2 === 0 ? jobs : others).take('upload', 100, 1000, 4),
    )
    const taken = (await Promise.all(takers)).flat().map(({ recordingId }) => recordingId)
    assert.equal(new Set(taken).size, taken.length)
    assert.ok(taken.length >= 30, `${taken.length} taken`)
    const rest = await jobs.take('upload', 100, 1000, 40)
    assert.equal(taken.length + rest.length, 40)
  })

  test(`${engine}: a store's jobs are its own`, async (t) => {
    const [jobs, others] = await open(t, ['a', 'b'])
    await jobs.add('upload', 'r1', 0)
    assert.deepEqual(await others.take('upload', 100, 1000, 4), [])
    assert.equal((await jobs.take('upload', 100, 1000, 4)).length, 1)
    await others.releaseAll()
    assert.deepEqual(await jobs.take('upload', 100, 1000, 4), [])
    await jobs.releaseAll()
    assert.equal((await jobs.take('upload', 100, 1000, 4)).length, 1)
  })
}
