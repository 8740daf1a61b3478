// A hundred thousand recordings on one page: read page after page as the reader scrolls, without stutter.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { createHttpServer } from '../../../src/control/http-server.ts'
import type { RecordingSummary } from '../../../src/control/recordings/recording-contract.ts'
import { openPage } from '../../harness/browser.ts'
import { consoleFixture } from '../../harness/console-fixture.ts'
import { recordingDetail, recordings } from '../../harness/http-fixture.ts'

const COUNT = 100_000
const STEPS = 120
/** A part of the numbers of some of them, and how many it is in. */
const SHORTER = 'caller9'
const SHORTER_COUNT = 11_111

const states = [
  { state: 'published', hasAudio: true, upload: 'verified' },
  { state: 'published', hasAudio: true, upload: 'failed' },
  { state: 'no-audio', hasAudio: false, upload: 'none', cause: 'no-rtp' },
  { state: 'no-audio', hasAudio: false, upload: 'none', cause: 'cancelled' },
] as const

function recordingAt(at: number): RecordingSummary {
  const [first] = recordings
  assert.ok(first)
  return {
    ...first,
    ...states[at % states.length],
    recordingId: `rec-${at}`,
    startedAt: new Date(Date.UTC(2026, 0, 5, 9) - at * 60_000).toISOString(),
    participants: [{ aor: `sip:caller${at}@example.com` }, { name: `Agent ${at % 50}`, aor: 'sip:agent@example.com' }],
    custom: { queue: `queue-${at % 7}` },
  }
}

/** Goes to the end of the page again and again until it grows no more. */
const readAll = `new Promise((done) => {
  const rows = () => Number(document.querySelector('table.recordings').getAttribute('aria-rowcount'))
  const step = () => {
    if (rows() !== -1) return done(rows())
    scrollTo(0, document.documentElement.scrollHeight)
    setTimeout(step, 4)
  }
  step()
})`

/** Scrolls by a screenful of rows that were not there before, and returns the CPU time that each took of the page's thread, in milliseconds. */
async function scrollCosts(page: Page): Promise<number[]> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.setTimeDomain', { timeDomain: 'threadTicks' })
  await session.send('Performance.enable')
  const spent = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics')
    return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0)
  }
  await page.evaluate('scrollTo(0, 0)')
  const costs: number[] = []
  for (let step = 1; step <= STEPS; step++) {
    const before = await spent()
    await page.evaluate(`new Promise((done) => {
      scrollBy(0, 2 * innerHeight)
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0)))
    })`)
    costs.push((await spent()) - before)
  }
  await session.detach()
  return costs.sort((a, b) => a - b)
}

/** The cost below which that share of sorted ones lie. */
const shareBelow = (costs: readonly number[], share: number): number => costs[Math.floor(costs.length * share)] ?? 0

const told = (costs: readonly number[]): string =>
  [0.5, 0.9].map((share) => shareBelow(costs, share).toFixed(1)).join(' and ')

test('a hundred thousand recordings are read to the last and scroll without stutter', async (t) => {
  const { options } = consoleFixture()
  const all = Array.from({ length: COUNT }, (_, at) => recordingAt(at))
  const given = options.recordings
  assert.ok(given)
  const server = await createHttpServer({
    ...options,
    recordings: {
      ...given,
      search: async ({ after, limit, text }) => {
        const matching = text === undefined ? all : all.filter((one) => JSON.stringify(one).includes(text))
        const from = after?.rowNo ?? 0
        const to = from + limit
        const items = matching.slice(from, to)
        return { items, ...(to < matching.length && { next: { startedAtMs: 1, rowNo: to } }) }
      },
      count: async () => 10_001,
      facets: async (filter) => ({
        ...(await given.facets(filter)),
        counted: 10_000,
        isComplete: false,
        fields: [{ name: 'queue', count: 10_000, values: [{ value: 'queue-1', count: 1_429 }] }],
      }),
      get: async (id) => {
        const found = all.find(({ recordingId }) => recordingId === id)
        return found && recordingDetail(found)
      },
    },
  })
  t.after(() => server.close())
  const page = await openPage(t, `http://127.0.0.1:${server.address.port}/#/recordings`)
  page.setDefaultTimeout(120_000)
  await page.getByRole('row', { name: /caller0 and Agent 0/ }).waitFor()
  for (const words of ['not uploaded', 'no audio', 'not recorded']) {
    const badge = page.locator('.badge', { hasText: words }).first()
    const drawing = await badge.locator('svg').getAttribute('data-icon')
    assert.equal(drawing, words.replace(' ', '-'), 'each has a drawing of its own')
  }
  await page.getByText('more than 10,000 found').waitFor()

  assert.equal(await page.evaluate(readAll), COUNT + 1)
  await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
  await page.getByRole('row', { name: /caller99999 and/ }).waitFor()
  assert.ok((await page.getByRole('row').count()) < 60, 'only what is in sight is there')
  // Against a shorter list in the same run: a busy machine makes both dearer, a cost that grows with the list only one.
  const long = await scrollCosts(page)
  const other = await openPage(t, `http://127.0.0.1:${server.address.port}/#/recordings?text=${SHORTER}`)
  await other.getByRole('row', { name: /caller9 and/ }).waitFor()
  assert.equal(await other.evaluate(readAll), SHORTER_COUNT + 1)
  const short = await scrollCosts(other)
  t.diagnostic(
    `CPU ms of the page for a screenful of new rows: ${told(long)}; of a list a ninth as long: ${told(short)}`,
  )
  assert.ok(shareBelow(long, 0.5) < 2 * shareBelow(short, 0.5), `half of the screenfuls: ${told(long)}, ${told(short)}`)
  assert.ok(shareBelow(long, 0.9) < 3 * shareBelow(short, 0.9), `most of the screenfuls: ${told(long)}, ${told(short)}`)
  await page.evaluate('scrollTo(0, 0)')
  await page.getByText('Columns').click()
  await page.getByRole('checkbox', { name: 'queue (10,000)' }).check()
  await page.getByRole('columnheader', { name: 'queue' }).waitFor()
  assert.match(page.url(), /columns=queue/)
  await page.evaluate("location.hash = '#/recordings'")
  await page.waitForURL(/#\/recordings$/)
  await page.getByRole('columnheader', { name: 'queue' }).waitFor()
  await page.getByText('Counts are of the newest 10,000 that match.').waitFor()
  await page
    .getByRole('row', { name: /caller2 and/ })
    .getByRole('button')
    .click()
  const player = page.getByRole('region', { name: 'Player' })
  await player.getByText('Streams were agreed on, but no audio packet arrived.').waitFor()
  await player.getByText(/firewall/).waitFor()
})

test('a recording that matches no longer, or is deleted, leaves the list by itself, and what was scrolled to stays', async (t) => {
  const { options } = consoleFixture()
  const shown = Array.from({ length: 60 }, (_unused, at) => recordingAt(at))
  const view = options.recordings
  assert.ok(view)
  const changing: typeof view = {
    ...view,
    search: async ({ limit, after }) => {
      const from = after?.rowNo ?? 0
      const items = shown.slice(from, from + limit)
      return { items, ...(from + limit < shown.length && { next: { startedAtMs: 0, rowNo: from + limit } }) }
    },
    count: async () => shown.length,
  }
  const server = await createHttpServer({ ...options, recordings: changing })
  t.after(() => server.close())
  const page = await openPage(t, `http://127.0.0.1:${server.address.port}/#/recordings`)
  await page.getByText('60 found').waitFor()
  await page.getByRole('row', { name: /caller1\b/ }).waitFor()
  shown.splice(1, 2)
  await page.getByText('58 found').waitFor()
  await page.getByRole('row', { name: /caller1\b/ }).waitFor({ state: 'detached' })
  assert.equal(await page.getByRole('row', { name: /caller[03]\b/ }).count(), 2)
  assert.equal(await page.locator('table.recordings').getAttribute('aria-rowcount'), '59')
  shown.length = 0
  await page.getByText('Nothing has been recorded yet').waitFor()
})

test('the last day of a range is all of it, also where the clocks change on it', async (t) => {
  const { options } = consoleFixture()
  const server = await createHttpServer(options)
  t.after(() => server.close())
  const url = `http://127.0.0.1:${server.address.port}/`
  const browser = (await openPage(t, url)).context().browser()
  const page = await browser?.newPage({ timezoneId: 'Europe/Berlin' })
  assert.ok(page)
  const asked = page.waitForRequest(/api\/recordings\?/)
  await page.goto(`${url}#/recordings?time=between&from=2026-03-29&to=2026-03-29`)
  const query = new URL((await asked).url()).searchParams
  assert.deepEqual([query.get('from'), query.get('to')], ['2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'])
})
