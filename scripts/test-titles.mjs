// The titles of the tests, and the ids that they claim to show.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

export function read(path) {
  return readFileSync(join(root, path), 'utf8')
}

/** Rows of a table with tabs, by the names in its first line. */
export function table(path) {
  const [head, ...lines] = read(path).trimEnd().split('\n')
  const names = head.split('\t')
  return lines.map((line) => Object.fromEntries(line.split('\t').map((cell, at) => [names[at], cell])))
}

function testSources() {
  return ['src', 'test']
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)))
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.test.ts') || (path.startsWith('test/') && path.endsWith('-scenarios.ts')))
    .sort()
}

const anyId = /(?:[A-Z]{1,4}-\d{2}|(?:field|peer defect|jambonz defect|oddity) \d{1,2})/.source

/** Titles of tests that are run (a skipped one proves nothing), and of table entries and wrappers that begin with ids. */
function titles(path) {
  const call = /\b(?:test|it|describe|scenario)\(\s*(['"`])((?:\\[\s\S]|(?!\1)[\s\S])*)\1/g
  const entry = new RegExp(`(['"\`])(${anyId}(?:, ${anyId})*: (?:\\\\.|(?!\\1).)*)\\1`, 'g')
  const text = read(path)
  const found = [...text.matchAll(call), ...text.matchAll(entry)].sort((a, b) => a.index - b.index)
  return [...new Set(found.map((match) => match[2].replace(/\\(['"`])/g, '$1').replace(/\s+/g, ' ')))]
}

/** Test titles by the ids that `pattern` finds in them; literal ids only, and none that is not `known`. */
export function claims(pattern, known, list) {
  const found = new Map()
  for (const path of testSources()) {
    for (const title of titles(path)) {
      for (const id of new Set(title.match(pattern) ?? [])) {
        if (!known.has(id)) throw new Error(`${path}: no such row in ${list}: ${id}`)
        found.set(id, [...(found.get(id) ?? []), { path, title }])
      }
    }
  }
  return found
}

/** Text for a cell of a Markdown table. */
export function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

/** The same, where inline code stays as it is between its backquotes. */
export function prose(text) {
  const parts = text.replaceAll('|', '\\|').split('`')
  return parts.map((part, at) => (at % 2 === 0 ? part.replaceAll('<', '&lt;') : part)).join('`')
}

/** Tests as a cell of a Markdown table. */
export function testList(tests) {
  return tests.map(({ path, title }) => `${cell(title)} (\`${path}\`)`).join('<br>')
}
