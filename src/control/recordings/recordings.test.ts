import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpFixture, recordings, withApp } from '../../../test/harness/http-fixture.ts'
import { until } from '../../../test/harness/until.ts'

test('every condition of a search is handed to the catalogue, times as milliseconds', () =>
  withApp(async (app, own) => {
    const query =
      'text=%22two%20words%22%20one&party=ada&id=order-7&from=2026-01-05&to=2026-01-06T10:00:00%2B01:00&minDurationMs=1000' +
      '&maxDurationMs=60000&state=no-audio&cause=no-rtp&tag=a&tag=b&upload=failed&held=true&vendor=Acme&verdict=tolerated' +
      '&custom=queue=sales=1&store=east&deleted=with&limit=7'
    assert.equal((await app.inject(`/api/recordings?${query}`)).statusCode, 200)
    assert.deepEqual(own.searches, [
      {
        text: '"two words" one',
        party: 'ada',
        id: 'order-7',
        fromMs: Date.UTC(2026, 0, 5),
        toMs: Date.UTC(2026, 0, 6, 9),
        minDurationMs: 1_000,
        maxDurationMs: 60_000,
        state: 'no-audio',
        cause: 'no-rtp',
        tags: ['a', 'b'],
        uploadState: 'failed',
        isHeld: true,
        vendor: 'Acme',
        verdict: 'tolerated',
        custom: { queue: 'sales=1' },
        store: 'east',
        deleted: 'with',
        offset: 0,
        limit: 7,
      },
    ])
    for (const bad of [
      'from=yesterday',
      'from=2026-01-05T10:00',
      'from=2026-99-99',
      'state=lost',
      'held=maybe',
      'after=x',
    ]) {
      const answer = await app.inject(`/api/recordings?${bad}`)
      assert.equal(answer.statusCode, 400, bad)
      assert.match(answer.json().details[0].path, /^querystring/)
    }
  }))

test('pages follow each other by the place where the last one ended, and are counted once', () =>
  withApp(async (app) => {
    const first = (await app.inject('/api/recordings?limit=2')).json()
    assert.equal(first.total, 3)
    const second = (await app.inject(`/api/recordings?limit=2&after=${first.next}`)).json()
    assert.deepEqual(second, { offset: 0, limit: 2, items: [recordings[2]] })
    const common = (await app.inject('/api/recordings?text=common')).json()
    assert.deepEqual([common.total, common.isTotalExact], [10_000, false])
  }))

for (const [method, path, hasReason] of [
  ['POST', 'tags', false],
  ['POST', 'hold', true],
  ['POST', 'release', true],
  ['DELETE', '', true],
] as const) {
  test(`${method} ${path}: done with a reason, refused with a code`, () =>
    withApp(async (app, own) => {
      const ask = async (id: string, payload: object) => {
        const answer = await app.inject({ method, url: `/api/recordings/${id}${path && `/${path}`}`, payload })
        return [answer.statusCode, answer.json().code] as const
      }
      const payload = hasReason ? { reason: 'case 5' } : { add: ['vip'] }
      assert.deepEqual(await ask('rec-1', payload), [200, undefined])
      assert.deepEqual(await ask('rec-2', payload), [409, 'recording-held'])
      assert.deepEqual(await ask('rec-3', payload), [409, 'recording-under-way'])
      assert.deepEqual(await ask('rec-9', payload), [404, 'not-found'])
      assert.deepEqual(await ask('rec-1', { reason: ' ', add: [''] }), [400, 'invalid-request'])
      const doing = { actor: 'anybody', reason: 'case 5' }
      assert.deepEqual(own.doings, hasReason ? [doing, doing, doing, doing] : [])
    }))
}

test('a list is exported whole, page after page, as CSV that no spreadsheet takes for formulas, or as JSON', async () => {
  const { options } = httpFixture()
  const rows = Array.from({ length: 450 }, (_unused, n) => ({
    ...recordings[0]!,
    recordingId: `rec-${n}`,
    participants: n === 1 ? [{ name: '=HYPERLINK("http://x")' }, { name: 'B, C' }] : [],
  }))
  const view = options.recordings!
  const paged: typeof view = {
    ...view,
    search: async ({ limit, after }) => {
      const from = after?.rowNo ?? 0
      const next = from + limit < rows.length ? { next: { startedAtMs: 0, rowNo: from + limit } } : {}
      return { items: rows.slice(from, from + limit), ...next }
    },
  }
  await withApp(
    async (app) => {
      const csv = await app.inject('/api/recordings/export')
      assert.equal(csv.headers['content-type'], 'text/csv; charset=utf-8')
      const lines = csv.body.split('\r\n')
      assert.equal(lines.length, 452)
      assert.match(lines[0]!, /^recordingId,state,cause,startedAt,/)
      assert.match(lines[1]!, /^rec-0,published,,2026-01-05T09:00:00.000Z,,1000,order-7,rs-1,,true,vip,false,none,,,$/)
      assert.match(lines[2]!, /,"'=HYPERLINK\(""http:\/\/x""\); B, C",/)
      assert.deepEqual((await app.inject('/api/recordings/export?format=json')).json(), rows)
      assert.equal((await app.inject('/api/recordings/export?format=xml')).statusCode, 400)
    },
    { recordings: paged },
  )
})

test('a vCon whose audio is too large to be inline is 413, one of nothing 404', () =>
  withApp(async (app) => {
    const large = await app.inject('/api/recordings/rec-1/vcon?audio=inline')
    assert.deepEqual([large.statusCode, large.json().code], [413, 'audio-too-large'])
    assert.equal((await app.inject('/api/recordings/rec-2/vcon')).statusCode, 404)
    assert.equal((await app.inject('/api/recordings/rec-1/vcon?audio=none')).statusCode, 400)
  }))

test('an archive of more than a thousand recordings is refused before it begins', async () => {
  await withApp(async (app) => {
    const answer = await app.inject({ url: '/api/recordings/archive?text=common' })
    assert.deepEqual([answer.statusCode, answer.json().code], [413, 'too-many-recordings'])
    const named = await app.inject({ url: `/api/recordings/archive?${'recording=rec-1&'.repeat(201)}` })
    assert.equal(named.statusCode, 400)
  })
})

test('no more than four archives are written at a time, also when all are asked for at once', async () => {
  const view = httpFixture().options.recordings!
  let find = (): void => {}
  const found = new Promise<void>((resolve) => {
    find = resolve
  })
  const slow: typeof view = {
    ...view,
    search: async (query) => {
      await found
      return view.search(query)
    },
  }
  await withApp(
    async (app) => {
      const statuses: number[] = []
      const ask = async (query = ''): Promise<void> => {
        statuses.push((await app.inject(`/api/recordings/archive${query}`)).statusCode)
      }
      const asked = Array.from({ length: 6 }, () => ask())
      await until('two are refused', () => statuses.length === 2)
      find()
      await Promise.all(asked)
      for (let at = 0; at < 4; at += 1) await ask('?text=common')
      await ask()
      assert.deepEqual(statuses, [429, 429, 200, 200, 200, 200, 413, 413, 413, 413, 200])
    },
    { recordings: slow },
  )
})
