// The oddities of recording clients in docs/recorder-vendors.md, and the tests that play each over sockets.
import { claims, prose, table, testList } from './test-titles.mjs'

const list = 'docs/recorder-oddities.tsv'
/** Played over UDP and TCP by test/e2e/recorder-oddities.test.ts. */
const scenarios = 'test/harness/oddity-scenarios.ts'

/** The table, and the oddities that no test plays over sockets. */
export function recorderOddities() {
  const rows = table(list)
  const shown = claims(/\boddity \d{1,2}\b/g, new Set(rows.map(({ id }) => id)), list)
  const played = ({ id }) =>
    (shown.get(id) ?? []).filter(({ path }) => path === scenarios || /^test\/(?:e2e|interop)\//.test(path))
  const lines = rows.map((row) => `| ${row.id} | ${prose(row.oddity)} | ${testList(played(row))} |`)
  return {
    table: ['| | what clients send | tests |', '|---|---|---|', ...lines].join('\n'),
    open: rows.filter((row) => played(row).length === 0).map(({ id }) => id),
  }
}
