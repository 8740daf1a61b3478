// A thousand live calls on one page: only what is in sight is there, and scrolling keeps up while calls change.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHttpServer } from '../../../src/control/http-server.ts'
import { openPage } from '../../harness/browser.ts'
import { consoleFixture } from '../../harness/console-fixture.ts'

const CALLS = 1_000
const STEPS = 120

/** Scrolls through the list frame by frame and returns each frame's length and the long tasks, in milliseconds. */
const scrollThrough = `new Promise((done) => {
  const tasks = []
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: 'longtask' })
  const frames = []
  let step = 0
  let before = performance.now()
  const frame = (now) => {
    frames.push(now - before)
    before = now
    step += 1
    if (step > ${STEPS}) return setTimeout(() => done({ frames: frames.slice(1), tasks }), 100)
    scrollTo(0, (document.documentElement.scrollHeight * step) / ${STEPS})
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
})`

test('a thousand calls scroll without stutter while they change', async (t) => {
  const { options, events } = consoleFixture(CALLS)
  const server = await createHttpServer(options)
  t.after(() => server.close())
  const page = await openPage(t, `http://127.0.0.1:${server.address.port}/#/live`)
  await page.getByRole('article').first().waitFor()
  await page.getByRole('article', { name: 'caller999 and agent49' }).waitFor()
  assert.ok((await page.getByRole('article').count()) < 40, 'only what is in sight is there')

  let at = 0
  const news = setInterval(() => {
    events.add({ type: 'call.answered', callId: `call-${at++ % CALLS}`, data: {} })
  }, 100)
  t.after(() => clearInterval(news))
  const { frames, tasks } = (await page.evaluate(scrollThrough)) as { frames: number[]; tasks: number[] }
  const sorted = frames.toSorted((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  const p95 = sorted[Math.floor(sorted.length * 0.95)] ?? 0
  t.diagnostic(`frames: median ${median.toFixed(1)} ms, 95 % under ${p95.toFixed(1)} ms; long tasks: ${tasks.length}`)
  assert.ok(median < 34, `half of the frames take ${median} ms`)
  assert.ok(Math.max(0, ...tasks) < 200, `a task took ${Math.max(...tasks)} ms`)
  await page.getByRole('article', { name: 'caller0 and agent0' }).waitFor()

  await page.getByRole('searchbox').fill('caller512@')
  await page.getByRole('article', { name: 'caller512 and agent12' }).waitFor()
  assert.equal(await page.getByRole('article').count(), 1)
})
