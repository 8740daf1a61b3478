// How many recordings of each store have a value: kept beside the keys, so that values of all recordings are told without looking at all.
// Each store has sums of its own, and a transaction takes them last and in order: recorders that share a database do not wait for each other.

import { type Kysely, sql, type Transaction } from 'kysely'
import type { DatabaseEngine } from './engine.ts'
import type { Key, KeyKind } from './index-terms.ts'
import type { Tables } from './tables.ts'

/** Kinds of keys that are counted. */
export const countedKinds: readonly KeyKind[] = [
  'live-state',
  'live-store',
  'vendor',
  'verdict',
  'codec',
  'tag',
  'upload',
  'held',
  'day',
  'caller',
  'called',
  'field',
  'custom',
]
const isCounted: ReadonlySet<string> = new Set(countedKinds)

/** Sums of a statement. */
const TOGETHER = 64

interface Change extends Key {
  readonly store: string
  readonly count: number
}

/** What a transaction changes. */
export class CountChanges {
  readonly #changes = new Map<string, Change>()

  /** A recording of a store has got these keys, or with -1 has them no more. */
  add(store: string, keys: readonly Readonly<{ kind: string; value: string }>[], by: 1 | -1): void {
    for (const { kind, value } of keys) {
      if (!isCounted.has(kind)) continue
      // In a space that no key and no name of a store has any part of.
      const place = `${kind}\0${value}\0${store}`
      const count = (this.#changes.get(place)?.count ?? 0) + by
      this.#changes.set(place, { kind: kind as KeyKind, value, store, count })
    }
  }

  /** Writes them; to be the last that a transaction does. */
  async write(transaction: Transaction<Tables>): Promise<void> {
    const changed = [...this.#changes].filter(([, { count }]) => count !== 0).sort(([a], [b]) => (a < b ? -1 : 1))
    this.#changes.clear()
    const all = changed.map(([, change]) => change)
    for (let from = 0; from < all.length; from += TOGETHER) {
      await transaction
        .insertInto('siprec_count')
        .values(all.slice(from, from + TOGETHER))
        .onConflict((conflict) =>
          conflict.columns(['kind', 'value', 'store']).doUpdateSet({ count: sql`siprec_count.count + excluded.count` }),
        )
        .execute()
    }
    // What no recording has any more is not to be known from here.
    const fallen = all.filter(({ count }) => count < 0)
    for (let from = 0; from < fallen.length; from += TOGETHER) {
      const some = fallen.slice(from, from + TOGETHER)
      await transaction
        .deleteFrom('siprec_count')
        .where('count', '<=', 0)
        .where((builder) => builder.or(some.map(({ kind, value, store }) => builder.and({ kind, value, store }))))
        .execute()
    }
  }
}

/** Counts all anew, from the keys; writers wait meanwhile. */
export async function recount(database: Kysely<Tables>, engine: DatabaseEngine): Promise<void> {
  await engine.lockCounts(database)
  await database.deleteFrom('siprec_count').execute()
  await sql`insert into siprec_count (kind, value, store, count)
    select siprec_key.kind, siprec_key.value, siprec_recording.store, count(*)
    from siprec_key join siprec_recording on siprec_recording.row_no = siprec_key.row_no
    where siprec_key.kind in (${sql.join([...countedKinds])})
    group by siprec_key.kind, siprec_key.value, siprec_recording.store`.execute(database)
}
