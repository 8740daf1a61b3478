// Writes the generated documents: docs/rfc-coverage.md, docs/field-cases.md, docs/jambonz-compatibility.md, docs/reference/*.md, the tables of docs/recorder-vendors.md, the state lists of ARCHITECTURE.md.
// With --check nothing is written; exits 1 with the list of files that differ. Needs a build.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fieldCases } from './field-cases.mjs'
import { jambonzRows } from './jambonz-rows.mjs'
import { recorderOddities } from './recorder-oddities.mjs'
import { claims, prose, read, root, table, testList } from './test-titles.mjs'

const requirements = 'docs/requirements.tsv'
const families = {
  SRC: 'Recording client (SRC)',
  SRS: 'Recorder (SRS)',
  UA: 'Recording-aware user agents',
  META: 'Metadata',
  RTP: 'RTP and RTCP',
  SEC: 'Security and privacy',
  SIP: 'SIP',
  FLOW: 'Call flows',
  L: 'What foreign recording clients send and the recorder accepts',
  AMB: 'Where the RFCs are ambiguous: what we do',
}
const rowId = new RegExp(`\\b(?:${Object.keys(families).join('|')})-\\d{2}\\b`, 'g')

function coverage() {
  const rows = table(requirements)
  const proved = claims(rowId, new Set(rows.map((row) => row.id)), requirements)
  const inFamily = (family) => rows.filter((row) => row.id.startsWith(`${family}-`))
  const isLeftOut = ({ id, reason }) => Boolean(reason) && !proved.has(id)
  const counts = (some) => {
    const tested = some.filter((row) => proved.has(row.id)).length
    return [tested, some.filter(isLeftOut).length, some.length].join(' | ')
  }
  const lines = [
    '# RFC coverage',
    '',
    'Made by `npm run docs` from `docs/requirements.tsv` and the titles of the tests. A row is *tested* when the title of a test',
    'names its id; what of the row that test shows is to be read there. A row is *not built* when we decided so, and says why.',
    'Everything else is *not yet*.',
    '',
    'Sections are of the RFC whose number stands first. Levels: the word of RFC 2119; *stated* when the RFC states a fact without',
    'such a word; *decided* when no RFC decides and we do; *accept* for what foreign equipment sends.',
    '',
    '| rows | tested | not built | of |',
    '|---|---:|---:|---:|',
    ...Object.entries(families).map(([key, name]) => `| ${name} | ${counts(inFamily(key))} |`),
    `| all | ${counts(rows)} |`,
    '',
  ]
  for (const [key, name] of Object.entries(families)) {
    lines.push(
      `## ${name}`,
      '',
      '| id | section | level | requirement | state | tests, or the reason |',
      '|---|---|---|---|---|---|',
    )
    for (const row of inFamily(key)) {
      const { id, section, level, requirement, reason } = row
      const tests = proved.get(id) ?? []
      const state = isLeftOut(row) ? 'not built' : tests.length > 0 ? 'tested' : 'not yet'
      const proof = isLeftOut(row) ? prose(reason) : testList(tests)
      lines.push(`| ${id} | ${section} | ${level} | ${prose(requirement)} | ${state} | ${proof} |`)
    }
    lines.push('')
  }
  return lines.join('\n')
}

/** Replaces what stands between the marks of a generated block. */
function withBlock(page, name, content) {
  const [open, close] = [`<!-- generated: ${name} -->`, '<!-- end -->']
  const start = page.indexOf(open)
  const end = page.indexOf(close, start)
  if (start < 0 || end < 0) throw new Error(`no block "${name}"`)
  return `${page.slice(0, start + open.length)}\n${content}\n${page.slice(end)}`
}

function edgeList(edges) {
  const text = Object.entries(edges).map(([from, next]) => `| ${from} | ${next.join(', ') || 'none: it is over'} |`)
  return ['| state | may become |', '|---|---|', ...text].join('\n')
}

const built = (path) => {
  const file = join(root, 'dist', 'src', `${path}.js`)
  if (!existsSync(file)) throw new Error(`${file} is missing: run npm run build first`)
  return import(file)
}
const { configReference } = await built('app/config-reference')
const { accessReference } = await built('control/access/access-reference')
const { eventReference } = await built('control/events/event-reference')
const { vendorReference, verdictReference } = await built('app/verdict-reference')
const { nodeReference } = await built('flow/node-reference')
const { sessionEdges } = await built('recording-client/session-machine')
const { CALL_EDGES } = await built('call/call-machine')

const architecture = [
  ['states of a call', edgeList(CALL_EDGES)],
  ['states of a recording session', edgeList(sessionEdges)],
].reduce((page, [name, content]) => withBlock(page, name, content), read('ARCHITECTURE.md'))

const oddities = recorderOddities()
const vendors = [
  ['vendors', vendorReference()],
  ['codes', verdictReference()],
  ['oddities', oddities.table],
].reduce((page, [name, content]) => withBlock(page, name, content), read('docs/recorder-vendors.md'))

const flows = withBlock(read('docs/flows.md'), 'nodes', nodeReference())

const cases = fieldCases()
const compatibility = jambonzRows()
const documents = {
  'docs/rfc-coverage.md': coverage(),
  'docs/field-cases.md': cases.page,
  'docs/jambonz-compatibility.md': compatibility.page,
  'docs/reference/config.md': configReference(),
  'docs/reference/access.md': accessReference(),
  'docs/reference/events.md': eventReference(),
  'docs/recorder-vendors.md': vendors,
  'docs/flows.md': flows,
  'ARCHITECTURE.md': architecture,
}
const stale = Object.entries(documents).filter(([path, text]) => !existsSync(join(root, path)) || read(path) !== text)
if (process.argv.includes('--check')) {
  for (const [path] of stale) console.log(`${path} is not up to date: run npm run docs`)
  for (const id of compatibility.open)
    console.log(`${id} has neither a test nor a reason: docs/jambonz-compatibility.tsv`)
  for (const id of cases.open) console.log(`${id} has neither a test nor a reason: docs/field-cases.tsv`)
  for (const id of oddities.open) console.log(`${id} is not played over sockets: docs/recorder-oddities.tsv`)
  const open = [...cases.open, ...compatibility.open, ...oddities.open]
  process.exitCode = stale.length + open.length > 0 ? 1 : 0
} else {
  for (const [path, text] of stale) {
    writeFileSync(join(root, path), text)
    console.log(`${path} written`)
  }
}
