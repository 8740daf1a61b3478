// A thousand live calls on one page: only what is in sight is there, and scrolling keeps up while calls change.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Browser, CDPSession, Page } from 'playwright-core'
import { createHttpServer } from '../../../src/control/http-server.ts'
import { openPage } from '../../harness/browser.ts'
import { consoleFixture } from '../../harness/console-fixture.ts'

const CALLS = 1_000
const FRAMES = 120
const PIXELS_PER_FRAME = 400
/** A task that is longer is felt as a stutter; browsers call it a long task. */
const LONG_TASK_MS = 50
const MOST_LONG_SHARE = 0.05
/** No task may hold the page for longer, of processor time. */
const LONGEST_MS = 200
/** A frame at 60 Hz. */
const FRAME_MS = 1_000 / 60

/** Scrolls frame by frame and returns each frame's length in milliseconds. */
const scrollThrough = `new Promise((done) => {
  const frames = []
  let before = performance.now()
  const frame = (now) => {
    frames.push(now - before)
    before = now
    if (frames.length > ${FRAMES}) return done(frames.slice(1))
    scrollBy(0, ${PIXELS_PER_FRAME})
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
})`

/** Milliseconds of processor time that the page's main thread has used, so that a busy machine does not count. */
async function workedMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics')
  return 1_000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN)
}

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  /** Microseconds. */
  readonly dur?: number
  /** The same of processor time; absent with some that are very short. */
  readonly tdur?: number
  readonly args?: { readonly name?: string }
}

/** Scrolls through the page; processor time of each task of its main thread, in milliseconds, longest first. */
async function scrollTraced(browser: Browser, page: Page): Promise<{ frames: number[]; tasks: number[] }> {
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] })
  const frames = (await page.evaluate(scrollThrough)) as number[]
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] }
  const threads = traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
  const isMain = ({ pid, tid }: TraceEvent): boolean => threads.some((one) => one.pid === pid && one.tid === tid)
  const tasks = traceEvents
    .filter((event) => event.ph === 'X' && event.name.endsWith('RunTask') && isMain(event))
    .map(({ dur = 0, tdur = dur }) => tdur / 1_000)
  return { frames, tasks: tasks.sort((a, b) => b - a) }
}

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
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const before = await workedMs(session)
  const browser = page.context().browser()
  assert.ok(browser !== null)
  const { frames: lengths, tasks } = await scrollTraced(browser, page)
  const frames = lengths.sort((a, b) => a - b)
  const perFrame = ((await workedMs(session)) - before) / frames.length
  const lengthAt = (share: number): string => (frames[Math.floor(frames.length * share)] ?? Number.NaN).toFixed(1)
  t.diagnostic(
    `main thread: ${perFrame.toFixed(1)} ms a frame; frames: median ${lengthAt(0.5)} ms, 95 % under ${lengthAt(0.95)} ms`,
  )
  const long = tasks.filter((ms) => ms > LONG_TASK_MS)
  t.diagnostic(`${tasks.length} tasks, the longest ${tasks[0]?.toFixed(1)} ms; ${long.length} over ${LONG_TASK_MS} ms`)
  assert.ok(tasks.length > FRAMES && (tasks[0] ?? 0) > 0, 'the tasks were measured')
  assert.ok(long.length <= MOST_LONG_SHARE * FRAMES, `${long.length} tasks of ${FRAMES} frames are long`)
  assert.ok((tasks[0] ?? 0) < LONGEST_MS, `a task took ${tasks[0]} ms`)
  assert.ok(perFrame < FRAME_MS, `${perFrame} ms of work a frame`)
  await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
  await page.getByRole('article', { name: 'caller0 and agent0' }).waitFor()

  await page.getByRole('searchbox').fill('caller512@')
  await page.getByRole('article', { name: 'caller512 and agent12' }).waitFor()
  assert.equal(await page.getByRole('article').count(), 1)
})
