// docs/jambonz-compatibility.md: how a jambonz or Cognigy feature server and its border controllers record, row by row, and how it goes here.
import { claims, prose, table, testList } from './test-titles.mjs'

const list = 'docs/jambonz-compatibility.tsv'
const rowId = /\b(?:FS|INFO|SBC|URI|REST)-\d{2}\b/g
const families = {
  FS: 'What the feature server does with a command',
  INFO: 'The INFO',
  SBC: 'What the border controller answers and logs',
  URI: 'Addresses of recorders',
  REST: 'Updating a call by the REST API',
}

/** The page, and what is wrong with its rows: matched without a test, or a deviation without a reason. */
export function jambonzRows() {
  const rows = table(list)
  const shown = claims(rowId, new Set(rows.map(({ id }) => id)), list)
  const lines = [
    '# Compatibility with jambonz and Cognigy Voice Gateway',
    '',
    'Made by `npm run docs` from `docs/jambonz-compatibility.tsv` and the titles of the tests. A row is *matched* when we do the same, which',
    'the tests named show; a *deviation* has its reason, and the tests show what we do instead. `npm run check` fails for a row without.',
    'Defects that the original has and ours does not are in [field-cases.md](field-cases.md) (`jambonz defect`), other differences in',
    '[deviations.md](deviations.md).',
    '',
    `${rows.filter(({ state }) => state === 'matched').length} of ${rows.length} rows are matched.`,
    '',
  ]
  for (const [family, title] of Object.entries(families)) {
    lines.push(`## ${title}`, '', '| row | the original | here | tests, or why none |', '|---|---|---|---|')
    for (const { id, row, state, reason } of rows.filter((each) => each.id.startsWith(`${family}-`))) {
      const here = state === 'matched' ? 'matched' : `deviation: ${prose(reason)}`
      lines.push(`| ${id} | ${prose(row)} | ${here} | ${testList(shown.get(id) ?? [])} |`)
    }
    lines.push('')
  }
  const open = rows.filter(({ id, state, reason }) => (state === 'matched' ? !shown.has(id) : !reason))
  return { page: lines.join('\n'), open: open.map(({ id }) => id) }
}
