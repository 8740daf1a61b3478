// Writes the generated documents: docs/rfc-coverage.md, docs/reference/config.md, the state lists of ARCHITECTURE.md.
// With --check nothing is written; exits 1 with the list of files that differ. Needs a build.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
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

function read(path) {
  return readFileSync(join(root, path), 'utf8')
}

function requirements() {
  const [, ...lines] = read('docs/requirements.tsv').trimEnd().split('\n')
  return lines.map((line) => {
    const [id, section, level, text, reason] = line.split('\t')
    return { id, section, level, text, reason }
  })
}

function testSources() {
  return ['src', 'test']
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)))
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.test.ts') || (path.startsWith('test/') && path.endsWith('-scenarios.ts')))
    .sort()
}

/** Titles of tests that are run (a skipped one proves nothing), and of table entries and wrappers that begin with row ids. */
function titles(path) {
  const call = /\b(?:test|it|describe|scenario)\(\s*(['"`])((?:\\[\s\S]|(?!\1)[\s\S])*)\1/g
  const entry = new RegExp(`(['"\`])(${rowId.source}(?:, ${rowId.source})*: (?:\\\\.|(?!\\1).)*)\\1`, 'g')
  const text = read(path)
  const found = [...text.matchAll(call), ...text.matchAll(entry)].sort((a, b) => a.index - b.index)
  return [...new Set(found.map((match) => match[2].replace(/\\(['"`])/g, '$1').replace(/\s+/g, ' ')))]
}

/** Test titles by row id; literal ids only. */
function proofs(known) {
  const found = new Map()
  for (const path of testSources()) {
    for (const title of titles(path)) {
      for (const id of new Set(title.match(rowId) ?? [])) {
        if (!known.has(id)) throw new Error(`${path}: no such row in docs/requirements.tsv: ${id}`)
        found.set(id, [...(found.get(id) ?? []), { path, title }])
      }
    }
  }
  return found
}

function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

/** Inline code stays as it is between its backquotes. */
function prose(text) {
  const parts = text.replaceAll('|', '\\|').split('`')
  return parts.map((part, at) => (at % 2 === 0 ? part.replaceAll('<', '&lt;') : part)).join('`')
}

function coverage() {
  const rows = requirements()
  const proved = proofs(new Set(rows.map((row) => row.id)))
  const inFamily = (family) => rows.filter((row) => row.id.startsWith(`${family}-`))
  const countOf = (some) => some.filter((row) => proved.has(row.id)).length
  const lines = [
    '# RFC coverage',
    '',
    'Made by `npm run docs` from `docs/requirements.tsv` and the titles of the tests. A row is *tested* when the title of a test',
    'names its id; what of the row that test shows is to be read there. *Left out* are rows for the reason that stands in the place of',
    'tests. Everything else is *not yet*.',
    '',
    'Sections are of the RFC whose number stands first. Levels: the word of RFC 2119; *stated* when the RFC states a fact without',
    'such a word; *decided* when no RFC decides and we do; *accept* for what foreign equipment sends.',
    '',
    '| rows | tested | of |',
    '|---|---:|---:|',
    ...Object.entries(families).map(
      ([key, name]) => `| ${name} | ${countOf(inFamily(key))} | ${inFamily(key).length} |`,
    ),
    `| all | ${countOf(rows)} | ${rows.length} |`,
    '',
  ]
  for (const [key, name] of Object.entries(families)) {
    lines.push(`## ${name}`, '', '| id | section | level | requirement | state | tests |', '|---|---|---|---|---|---|')
    for (const { id, section, level, text, reason } of inFamily(key)) {
      const tests = (proved.get(id) ?? []).map((proof) => `${cell(proof.title)} (\`${proof.path}\`)`)
      const state = tests.length > 0 ? 'tested' : reason === undefined ? 'not yet' : 'left out'
      const shown = tests.length > 0 ? tests.join('<br>') : prose(reason ?? '')
      lines.push(`| ${id} | ${section} | ${level} | ${prose(text)} | ${state} | ${shown} |`)
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
const { sessionEdges } = await built('recording-client/session-machine')
const { CALL_EDGES } = await built('call/call-machine')

const architecture = [
  ['states of a call', edgeList(CALL_EDGES)],
  ['states of a recording session', edgeList(sessionEdges)],
].reduce((page, [name, content]) => withBlock(page, name, content), read('ARCHITECTURE.md'))

const documents = {
  'docs/rfc-coverage.md': coverage(),
  'docs/reference/config.md': configReference(),
  'ARCHITECTURE.md': architecture,
}
const stale = Object.entries(documents).filter(([path, text]) => !existsSync(join(root, path)) || read(path) !== text)
if (process.argv.includes('--check')) {
  for (const [path] of stale) console.log(`${path} is not up to date: run npm run docs`)
  process.exitCode = stale.length > 0 ? 1 : 0
} else {
  for (const [path, text] of stale) {
    writeFileSync(join(root, path), text)
    console.log(`${path} written`)
  }
}
