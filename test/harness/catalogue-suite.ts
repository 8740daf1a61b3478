// What every catalogue must do, whatever database it stands in.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { CatalogueFilter, CatalogueRow, SqlCatalogue } from '#store'
import { catalogueRow as row } from './catalogue-row.ts'

/** Declares the tests; `open` gives an empty catalogue. */
export function catalogueSuite(engine: string, open: (t: TestContext) => Promise<SqlCatalogue>): void {
  const named = (title: string, body: (t: TestContext) => Promise<void>): void => void test(`${engine}: ${title}`, body)

  async function filled(t: TestContext): Promise<SqlCatalogue> {
    const catalogue = await open(t)
    for (let n = 1; n <= 5; n++) await catalogue.put(row(n))
    return catalogue
  }

  named('a row is kept as it is, and put again it is replaced', async (t) => {
    const catalogue = await filled(t)
    const receiving = row(9, { state: 'receiving', packets: 0 })
    await catalogue.put(receiving)
    assert.deepEqual(await catalogue.get('r9'), receiving)
    const done = row(9, { state: 'no-audio', cause: 'no-rtp', reference: 'ref-9', startedAtMs: 9001.25 })
    await catalogue.put(done)
    assert.deepEqual(await catalogue.get('r9'), done)
    assert.equal(await catalogue.count({}), 6)
    await catalogue.remove('r9')
    assert.equal(await catalogue.get('r9'), undefined)
    assert.equal(await catalogue.count({ text: 'ref-9' }), 0)
    assert.equal(await catalogue.count({ id: 'ref-9' }), 0)
  })

  named('texts that were cut within a character are no reason to refuse a row', async (t) => {
    const catalogue = await filled(t)
    const custom = { [`${'n'.repeat(63)}\ud83d`]: 'v', [`${'n'.repeat(63)}\ud83e`]: 'v' }
    const called = ['\u{1f600}', '\u{1f900}'].map((last) => 'c'.repeat(511) + last)
    await catalogue.put(row(9, { custom, called, caller: `x\ud83d` }))
    assert.deepEqual(idsOf(await catalogue.list({ limit: 10, called: called[1]! })), ['r9'])
    await catalogue.put(row(9, { custom, called, durationMs: 7 }))
    assert.equal((await catalogue.get('r9'))?.durationMs, 7)
  })

  named('lists are newest first, in pages by offset, and filtered by text, time and state', async (t) => {
    const catalogue = await filled(t)
    await catalogue.put(row(6, { state: 'no-audio', cause: 'no-rtp' }))
    assert.deepEqual(idsOf(await catalogue.list({ limit: 2 })), ['r6', 'r5'])
    assert.deepEqual(idsOf(await catalogue.list({ limit: 2, offset: 2 })), ['r4', 'r3'])
    assert.deepEqual(idsOf(await catalogue.list({ limit: 10, text: 'ADA' })), ['r6', 'r4', 'r2'])
    assert.deepEqual(idsOf(await catalogue.list({ limit: 10, text: '%' })), [])
    assert.deepEqual(idsOf(await catalogue.list({ limit: 10, text: 'b_b' })), [])
    assert.deepEqual(idsOf(await catalogue.list({ limit: 10, text: 'call-3' })), ['r3'])
    assert.deepEqual(idsOf(await catalogue.list({ limit: 10, fromMs: 2000, toMs: 4000 })), ['r3', 'r2'])
    assert.deepEqual(idsOf(await catalogue.list({ limit: 10, state: 'no-audio' })), ['r6'])
    assert.deepEqual(idsOf(await catalogue.list({ limit: 10, cause: 'no-rtp' })), ['r6'])
    assert.equal(await catalogue.count({ text: 'bob' }), 3)
    assert.equal(await catalogue.count({}, 4), 4)
  })

  named('pages by cursor neither repeat nor leave out, with equal times and rows that come meanwhile', async (t) => {
    const catalogue = await open(t)
    for (let n = 1; n <= 9; n++) await catalogue.put(row(n, { startedAtMs: 1000 * Math.ceil(n / 3), tags: ['x'] }))
    for (const filter of [{}, { tags: ['x'] }, { text: 'client.test' }] satisfies CatalogueFilter[]) {
      const seen: string[] = []
      let page = await catalogue.page({ limit: 2, ...filter })
      seen.push(...idsOf(page.rows))
      await catalogue.put(row(100))
      while (page.next !== undefined) {
        page = await catalogue.page({ limit: 2, ...filter, after: page.next })
        seen.push(...idsOf(page.rows))
      }
      await catalogue.remove('r100')
      assert.deepEqual(seen, ['r9', 'r8', 'r7', 'r6', 'r5', 'r4', 'r3', 'r2', 'r1'])
    }
  })

  named('a party is found by a part of the name, the AOR or the number as people write it', async (t) => {
    const catalogue = await open(t)
    await catalogue.put(row(1, { participants: ['Ädä Löwe', 'sip:ada@bank.test'] }))
    await catalogue.put(row(2, { participants: ['sip:+493012345678@bank.test'] }))
    await catalogue.put(row(3, { participants: [], fromUri: 'sip:5551000@pbx.test' }))
    const found = async (party: string): Promise<string[]> => idsOf(await catalogue.list({ limit: 9, party }))
    assert.deepEqual(await found('ädä l'), ['r1'])
    assert.deepEqual(await found('ÄDÄ'), ['r1'])
    assert.deepEqual(await found('ada@bank'), ['r1'])
    assert.deepEqual(await found('bank.test'), ['r2', 'r1'])
    assert.deepEqual(await found('+49 30 1234-5678'), ['r2'])
    assert.deepEqual(await found('12'), ['r2'])
    assert.deepEqual(await found('5551000'), ['r3'])
    assert.deepEqual(await found('pbx" OR "bank'), [])
  })

  named('every id finds its recording, whole and without regard to case', async (t) => {
    const catalogue = await filled(t)
    await catalogue.put(row(7, { reference: 'CRID-77', groupIds: ['group-7'], sessionIds: ['s7a', 's7b'] }))
    for (const id of ['r7', 'crid-77', 'call-7', 's7a', 's7b', 'group-7']) {
      assert.deepEqual(idsOf(await catalogue.list({ limit: 9, id })), ['r7'], id)
    }
    assert.deepEqual(await catalogue.list({ limit: 9, id: 'CRID' }), [])
  })

  named(
    'metadata documents, custom values, vendor and tags are searched; words must all occur, quoted ones together',
    async (t) => {
      const catalogue = await open(t)
      const custom = { 'Order-Id': 'A-4711', language: 'de' }
      await catalogue.putAll([
        { row: row(1, { custom, vendor: 'acme' }), metadata: 'Claim 12/34 about a broken window' },
      ])
      await catalogue.put(row(2, { tags: ['complaint'] }))
      const found = async (filter: CatalogueFilter): Promise<string[]> =>
        idsOf(await catalogue.list({ limit: 9, ...filter }))
      assert.deepEqual(await found({ text: 'broken claim' }), ['r1'])
      assert.deepEqual(await found({ text: '"broken claim"' }), [])
      assert.deepEqual(await found({ text: '"a broken"' }), ['r1'])
      assert.deepEqual(await found({ text: 'claim bob 4711' }), ['r1'])
      assert.deepEqual(await found({ text: 'claim ada' }), [])
      assert.deepEqual(await found({ custom: { 'order-id': 'a-4711' } }), ['r1'])
      assert.deepEqual(await found({ custom: { 'Order-Id': 'A-47' } }), [])
      assert.deepEqual(await found({ vendor: 'ACME' }), ['r1'])
      assert.deepEqual(await found({ tags: ['Complaint'] }), ['r2'])
      // Facts that are put again leave the text of the documents.
      await catalogue.put(row(1, { durationMs: 700 }))
      assert.deepEqual(await found({ text: 'window' }), ['r1'])
      assert.deepEqual(await found({ text: '4711' }), [])
    },
  )

  named('conditions are joined: duration, tags, upload state, hold, store', async (t) => {
    const catalogue = await open(t)
    const hold = { reason: 'case 5', actor: 'ada', atMs: 1 }
    await catalogue.put(row(1, { durationMs: 60_000, tags: ['a', 'b'], uploadState: 'verified' }))
    await catalogue.put(row(2, { durationMs: 120_000, tags: ['a'], holds: [hold] }))
    await catalogue.put(row(3, { durationMs: 180_000, store: 'other' }))
    const found = async (filter: CatalogueFilter): Promise<string[]> =>
      idsOf(await catalogue.list({ limit: 9, ...filter }))
    assert.deepEqual(await found({ minDurationMs: 60_001 }), ['r3', 'r2'])
    assert.deepEqual(await found({ minDurationMs: 60_000, maxDurationMs: 120_000 }), ['r2', 'r1'])
    assert.deepEqual(await found({ tags: ['a'] }), ['r2', 'r1'])
    assert.deepEqual(await found({ tags: ['a', 'b'] }), ['r1'])
    assert.deepEqual(await found({ uploadState: 'verified' }), ['r1'])
    assert.deepEqual(await found({ isHeld: true }), ['r2'])
    assert.deepEqual(await found({ isHeld: false, tags: ['a'] }), ['r1'])
    assert.deepEqual(await found({ store: 'other' }), ['r3'])
    assert.deepEqual(await found({ text: 'client.test', state: 'published', minDurationMs: 100_000 }), ['r3', 'r2'])
  })

  named('a condition that most rows meet is walked in order, and gives the same rows', async (t) => {
    const catalogue = await open(t)
    const many = Array.from({ length: 1100 }, (_unused, n) => ({
      row: row(n, { tags: n % 11 === 0 ? ['t', 'u'] : ['t'] }),
    }))
    await catalogue.putAll(many)
    for (const filter of [{ tags: ['t'] }, { text: 'client.test' }, { party: 'sip:ada', tags: ['t'] }]) {
      const all = await catalogue.list({ limit: 1000, ...filter })
      const expected = filter.party === undefined ? 1000 : 550
      assert.equal(all.length, expected)
      assert.equal(await catalogue.count(filter), filter.party === undefined ? 1100 : 550)
      assert.equal(all[0]?.recordingId, filter.party === undefined ? 'r1099' : 'r1098')
    }
    assert.equal(await catalogue.count({ tags: ['t', 'u'] }), 100)
    // Counting looks up as many rows as it counts at most, more or fewer than a page does.
    for (const most of [1, 50, 1099, 1100, 2000]) {
      for (const filter of [
        { tags: ['t'] },
        { state: 'published' as const },
        { text: 'client.test' },
        { minDurationMs: 1 },
      ]) {
        assert.equal(await catalogue.count(filter, most), Math.min(most, 1100), `${JSON.stringify(filter)} ${most}`)
      }
      assert.equal(await catalogue.count({ text: 'client.test ada' }, most), Math.min(most, 550))
    }
    assert.equal((await catalogue.facets({ tags: ['t'] }, { rows: 1050 })).counted, 1050)
    assert.deepEqual((await catalogue.facets({ state: 'published' })).counted, 1100)
    assert.equal(await catalogue.count({ tags: ['t'], fromMs: 1000 * 1090 }), 10)
    assert.deepEqual(idsOf(await catalogue.list({ limit: 1, tags: ['u'], toMs: 1000 * 11 })), ['r0'])
    // More deleted ones among the first matches than are looked up to spare: the rest is looked at as well.
    const deletion = { reason: 'r', actor: 'a', atMs: 1 }
    for (let n = 0; n < 60; n++) await catalogue.annotate(`r${n}`, () => ({ deletion }))
    for (const most of [20, 100, 1030, 1040, 1100]) {
      assert.equal(await catalogue.count({ text: 'client.test' }, most), Math.min(most, 1040), `${most}`)
    }
  })

  named('what is found is counted by state, party, codec, tag, day and the names of the metadata', async (t) => {
    const catalogue = await open(t)
    const day = 86_400_000
    await catalogue.putAll([
      {
        row: row(1, {
          caller: 'Ada Löwe',
          called: ['4930'],
          codecs: ['PCMU', 'G722'],
          vendor: 'Acme',
          tags: ['x'],
          custom: { Queue: 'Claims', 'Order-Id': 'A=1' },
        }),
      },
      { row: row(2, { caller: 'Ada Löwe', called: ['Bob', '4930'], codecs: ['PCMU'], custom: { Queue: 'Claims' } }) },
      { row: row(3, { startedAtMs: day + 5, codecs: ['PCMA'], custom: { Queue: 'Sales' }, uploadState: 'failed' }) },
      { row: row(4, { startedAtMs: day + 6, state: 'no-audio', cause: 'no-rtp', store: 'other' }) },
      {
        row: row(5, { startedAtMs: day + 7, state: 'receiving' }),
        notes: { deletion: { reason: 'r', actor: 'a', atMs: 1 } },
      },
    ])
    const all = await catalogue.facets({})
    assert.deepEqual([all.counted, all.isComplete], [4, true])
    assert.deepEqual(all.kinds.state, [count('published', 3), count('no-audio.no-rtp', 1)])
    assert.deepEqual(all.kinds.day, [count('1970-01-02', 2), count('1970-01-01', 2)])
    assert.deepEqual(all.kinds.caller, [count('Ada Löwe', 2)])
    assert.deepEqual(all.kinds.called, [count('4930', 2), count('Bob', 1)])
    assert.deepEqual(all.kinds.codec, [count('PCMU', 2), count('G722', 1), count('PCMA', 1)])
    assert.deepEqual(all.kinds.vendor, [count('Acme', 1)])
    assert.deepEqual(all.kinds.tag, [count('x', 1)])
    assert.deepEqual(all.kinds.held, [count('no', 4)])
    assert.deepEqual(all.kinds.upload, [count('none', 3), count('failed', 1)])
    assert.deepEqual(all.kinds.store, [count('recorder', 3), count('other', 1)])
    assert.deepEqual(all.fields, [
      { name: 'Queue', count: 3, values: [count('Claims', 2), count('Sales', 1)] },
      { name: 'Order-Id', count: 1, values: [count('A=1', 1)] },
    ])
    // Under conditions the same is counted from the rows that match.
    const some: [CatalogueFilter, string[]][] = [
      [{ fromMs: day }, ['r4', 'r3']],
      [{ caller: 'ada löwe' }, ['r2', 'r1']],
      [{ called: 'BOB' }, ['r2']],
      [{ codec: 'g722' }, ['r1']],
      [{ custom: { queue: 'claims' } }, ['r2', 'r1']],
      [{ text: 'client.test', state: 'published' }, ['r3', 'r2', 'r1']],
      [{ text: 'nothing of this kind' }, []],
      [{ deleted: 'only' }, ['r5']],
    ]
    for (const [filter, ids] of some) {
      assert.deepEqual(idsOf(await catalogue.list({ limit: 9, ...filter })), ids)
      const { counted, kinds } = await catalogue.facets(filter)
      assert.equal(counted, ids.length, JSON.stringify(filter))
      const isDeleted = filter.deleted === 'only'
      assert.equal(kinds.state?.reduce((sum, one) => sum + one.count, 0) ?? 0, isDeleted ? 0 : ids.length)
    }
    const claims = await catalogue.facets({ custom: { queue: 'claims' } })
    assert.deepEqual(claims.kinds.caller, [count('Ada Löwe', 2)])
    assert.deepEqual(claims.fields[0], { name: 'Queue', count: 2, values: [count('Claims', 2)] })
    const newest = await catalogue.facets({ text: 'client.test' }, { rows: 2 })
    assert.deepEqual([newest.counted, newest.isComplete, newest.kinds.day], [2, false, [count('1970-01-02', 2)]])
  })

  named(
    'values of all recordings are what the recordings have, whatever was written, changed and removed, by many at once',
    async (t) => {
      const catalogue = await open(t)
      const hold = { reason: 'case 5', actor: 'ada', atMs: 1 }
      const deletion = { reason: 'r', actor: 'a', atMs: 1 }
      // More callers than are counted one by one.
      const many = Array.from({ length: 1200 }, (_unused, n) => ({
        row: row(n, {
          caller: `Caller ${n}`,
          called: [`Line ${n % 7}`, `LINE ${n % 7}`],
          codecs: ['PCMU'],
          custom: { Queue: `Q${n % 3}` },
        }),
      }))
      await catalogue.putAll(many)
      const some = Array.from({ length: 40 }, (_unused, n) => n)
      await Promise.all([
        ...some.map((n) => catalogue.put(row(n, { state: 'receiving', caller: 'Ada', store: n % 2 ? 'one' : 'two' }))),
        ...some.map((n) => catalogue.annotate(`r${n + 100}`, () => ({ tags: ['x', 'y'], holds: [hold] }))),
        ...some.map((n) => catalogue.annotate(`r${n + 200}`, () => ({ deletion }))),
        ...some.map((n) => catalogue.remove(`r${n + 300}`)),
        ...some.map((n) => catalogue.put(row(n + 2000, { vendor: 'Acme', codecs: ['G722', 'PCMU'] }))),
      ])
      await catalogue.putAll(some.map((n) => ({ row: row(n + 100, { caller: 'Bob', durationMs: 5 }) })))
      await catalogue.put(row(200))
      const kept = await catalogue.facets({})
      assert.equal(kept.counted, 1200 - 80 + 40)
      assert.deepEqual(kept.kinds.tag, [count('x', 40), count('y', 40)])
      assert.deepEqual(kept.kinds.store, [count('recorder', 1120), count('one', 20), count('two', 20)])
      assert.deepEqual(kept.kinds.caller?.slice(0, 3), [count('Ada', 40), count('Bob', 40), count('Caller 1000', 1)])
      // The same from the keys of a time, and from the rows themselves.
      assert.deepEqual(await catalogue.facets({ fromMs: 0 }), kept)
      assert.deepEqual(await catalogue.facets({ minDurationMs: 0 }), kept)
      const two = await catalogue.facets({ fromMs: 1000 * 500, toMs: 1000 * 502 })
      assert.deepEqual(two.kinds.caller, [count('Caller 500', 1), count('Caller 501', 1)])
      assert.deepEqual(two.kinds.called, [count('Line 3', 1), count('Line 4', 1)])
      for (const n of some) await catalogue.remove(`r${n + 2000}`)
      assert.deepEqual((await catalogue.facets({})).kinds.vendor, [])
    },
  )

  named('notes stay when facts are put again; a deleted recording is left out, and stays deleted', async (t) => {
    const catalogue = await filled(t)
    const hold = { reason: 'case 5', actor: 'ada', atMs: 1 }
    const held = await catalogue.annotate('r2', () => ({ tags: ['x'], holds: [hold] }))
    assert.deepEqual(held?.holds, [hold])
    await catalogue.put(row(2, { packets: 101 }))
    assert.deepEqual(await catalogue.get('r2'), { ...row(2, { packets: 101 }), tags: ['x'], holds: [hold] })
    assert.equal(await catalogue.annotate('none', () => ({})), undefined)
    assert.deepEqual(await catalogue.annotate('r3', () => undefined), row(3))

    const deletion = { reason: 'asked for', actor: 'bob', atMs: 5 }
    await catalogue.annotate('r4', () => ({ deletion }))
    await catalogue.put(row(4))
    assert.equal(await catalogue.count({}), 4)
    assert.deepEqual(idsOf(await catalogue.list({ limit: 9, deleted: 'only' })), ['r4'])
    assert.equal((await catalogue.get('r4'))?.deletion?.reason, 'asked for')
    assert.deepEqual(await catalogue.list({ limit: 9, text: 'ada', deleted: 'only' }), [])
    assert.equal(await catalogue.count({ id: 'call-4', deleted: 'with' }), 1)
  })

  named('SRS-53: the takes of a session are found by its id, of every store, deleted ones too', async (t) => {
    const catalogue = await filled(t)
    const sessionIds = ['//++AAAAQACAAAAAAAAAAA==', 'other']
    await catalogue.put(row(6, { sessionIds }))
    await catalogue.put(row(7, { sessionIds, store: 'second', groupIds: ['g'] }))
    await catalogue.put(row(8, { sessionIds: ['other'] }))
    await catalogue.annotate('r6', () => ({ deletion: { reason: 'r', actor: 'a', atMs: 1 } }))
    const { rows, next } = await catalogue.page({ id: sessionIds[0]!, deleted: 'with', limit: 3 })
    assert.deepEqual([idsOf(rows), next], [['r7', 'r6'], undefined])
    assert.deepEqual(
      rows.map((found) => found.sessionIds),
      [sessionIds, sessionIds],
    )
    assert.deepEqual(idsOf((await catalogue.page({ id: 'g', deleted: 'with', limit: 2 })).rows), ['r7'])
  })

  named('texts with quotes, zeros, lone surrogates and no end break nothing', async (t) => {
    const catalogue = await open(t)
    const nasty = `a"b'c\\ %_\0\ud800 ${'x'.repeat(3000)}`
    await catalogue.putAll([
      {
        row: row(1, { participants: [nasty], reference: nasty, custom: { [nasty]: nasty } }),
        metadata: nasty.repeat(40),
      },
    ])
    assert.deepEqual((await catalogue.get('r1'))?.reference, nasty)
    assert.deepEqual(idsOf(await catalogue.list({ limit: 9, text: nasty })), ['r1'])
    assert.deepEqual(idsOf(await catalogue.list({ limit: 9, party: `b'c\\ %_` })), ['r1'])
    assert.deepEqual(idsOf(await catalogue.list({ limit: 9, id: nasty })), ['r1'])
    for (const text of ['"', '""', "'; drop table siprec_recording; --", 'NEAR(', 'party:x', '*', '\0', '   ']) {
      await catalogue.list({ limit: 9, text, party: text, id: text })
    }
    assert.equal(await catalogue.count({}), 1)
  })
}

function count(value: string, times: number) {
  return { value, count: times }
}

function idsOf(rows: readonly CatalogueRow[]): string[] {
  return rows.map(({ recordingId }) => recordingId)
}
