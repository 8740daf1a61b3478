// docs/field-cases.md: what went wrong with other recording clients, and the tests that show how it goes here.
import { claims, prose, table, testList } from './test-titles.mjs'

const list = 'docs/field-cases.tsv'
const caseId = /\b(?:field|peer defect|jambonz defect) \d{1,2}\b/g
const families = {
  field: 'Reports of users of other software',
  'peer defect': 'Defects read in the code of other software',
  'jambonz defect': 'Defects of the client that the INFO dialect comes from',
}

/** The page, and the cases of clients that have neither a test nor a reason. */
export function fieldCases() {
  const cases = table(list)
  const shown = claims(caseId, new Set(cases.map(({ id }) => id)), list)
  const isTested = ({ id }) => shown.has(id)
  const lines = [
    '# Field cases',
    '',
    'Made by `npm run docs` from `docs/field-cases.tsv` and the titles of the tests. A case is *tested* when the title of a test names it.',
    'One that concerns clients has a test or a reason why not; `npm run check` fails otherwise.',
    '',
  ]
  for (const [family, title] of Object.entries(families)) {
    const own = cases.filter(({ id }) => id.startsWith(`${family} `))
    lines.push(`## ${title}`, '', `${own.filter(isTested).length} of ${own.length} tested.`, '')
    lines.push('| case | what went wrong | concerns | tests, or why none |', '|---|---|---|---|')
    for (const { id, title: text, link, concerns, reason } of own) {
      const name = link === '' ? id : `[${id}](${link})`
      const proof = [testList(shown.get(id) ?? []), prose(reason ?? '')].filter((part) => part !== '').join('<br>')
      lines.push(`| ${name} | ${prose(text)} | ${concerns} | ${proof} |`)
    }
    lines.push('')
  }
  const open = cases.filter((each) => each.concerns === 'client' && !isTested(each) && !each.reason)
  return { page: lines.join('\n'), open: open.map(({ id }) => id) }
}
