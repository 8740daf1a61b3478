// What the documents say about files, log messages and tests, against the tree.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..', '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

function filesUnder(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
}

const pages = ['README.md', 'ARCHITECTURE.md', 'PRINCIPLES.md', 'CHANGELOG.md', ...filesUnder('docs', '.md')]

test('every link from a document leads to a file of the tree', () => {
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)#:\s]+)\)/g)].map(([, target = '']) => join(dirname(page), target)),
  )
  assert.ok(links.length > 5, `only ${links.length} links`)
  assert.deepEqual(
    links.filter((path) => !existsSync(join(root, path))),
    [],
  )
})

test('every claim about the recording client names a file of tests', () => {
  const rows = read('docs/recording-client.md').match(/^\| (?!what|---|command|`siprec).*$/gm) ?? []
  const files = rows.flatMap((row) => {
    const proof = row.split('|').at(-2) ?? ''
    const named = [...proof.matchAll(/`((?:test|src)\/[a-z0-9/.-]+\.ts)`/g)].map(([, path = '']) => path)
    return named.length === 0 ? [row] : named
  })
  assert.ok(files.length > 15, `only ${files.length} claims`)
  assert.deepEqual(
    files.filter((path) => !existsSync(join(root, path))),
    [],
  )
})

test('every file named in ARCHITECTURE.md as the place of a timer exists', () => {
  const places = [...read('ARCHITECTURE.md').matchAll(/\| `([a-z-]+\/[a-z/-]+\.ts)` \|$/gm)].map(
    ([, path]) => `src/${path}`,
  )
  assert.ok(places.length > 5, `only ${places.length} places`)
  assert.deepEqual(
    places.filter((path) => !existsSync(join(root, path))),
    [],
  )
})

test('each alarm of the recorder has its row', () => {
  const [, union = ''] = read('src/store/manifest.ts').split('export type AlarmCode =')
  const codes = [...union.slice(0, union.indexOf('\n\n')).matchAll(/'([a-z-]+)'/g)].map(([, code]) => code)
  assert.ok(codes.length > 10)
  const page = read('docs/recorder-alarms.md')
  for (const code of codes) assert.ok(page.includes(`| \`${code}\` |`), code)
})

test('the texts of the troubleshooting page are those of the program', () => {
  const sources = filesUnder('src', '.ts')
    .filter((path) => !path.endsWith('.test.ts'))
    .map(read)
    .join('\n')
  const quoted = [...read('docs/troubleshooting.md').matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)
  const texts = quoted
    .map((text) => text.replace(/^GET /, '').replace(/ \(\d+\)$/, ''))
    .filter((text) => /[ _]/.test(text) && !text.includes('…'))
  assert.ok(texts.length > 15, `only ${texts.length} texts`)
  assert.deepEqual(
    texts.filter((text) => !sources.includes(text)),
    [],
  )
})

test('what the troubleshooting page has the console say, the console says', () => {
  const sources = [...filesUnder('console/src', '.ts'), ...filesUnder('console/src', '.tsx')].map(read).join('\n')
  const columns = read('docs/troubleshooting.md')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').at(-2) ?? '')
  const texts = columns.flatMap((column) => [...column.matchAll(/"([^"]+)"/g)].map(([, text = '']) => text))
  assert.ok(texts.length > 8, `only ${texts.length} texts`)
  assert.deepEqual(
    texts.map((text) => text.replace(/ ?…$/, '')).filter((text) => !sources.includes(text)),
    [],
  )
})

test('what the console leads to is a row of the pages that it shows', () => {
  const rows = [...read('docs/troubleshooting.md').matchAll(/<a id="([a-z-]+)">/g)].map(([, id = '']) => id)
  const [, union = ''] = read('console/src/components/help-link.tsx').split('export type HelpTopic =')
  const topics = [...union.slice(0, union.indexOf('\n\n')).matchAll(/'([a-z-]+)'/g)].map(([, topic = '']) => topic)
  assert.ok(topics.length > 6, topics.join(' '))
  assert.deepEqual(
    topics.filter((topic) => !rows.includes(topic)),
    [],
  )
})

test('every deviation names a test that exists', () => {
  const rows = [...read('docs/deviations.md').matchAll(/\| `([^`|]+\.test\.ts)`: ([^|]+) \|$/gm)]
  const lines = read('docs/deviations.md').match(/^\| (?!what|---)/gm) ?? []
  assert.equal(rows.length, lines.length, 'rows without a test')
  const missing = rows.filter(
    ([, path = '', title = '']) => !existsSync(join(root, path)) || !read(path).includes(title),
  )
  assert.deepEqual(
    missing.map(([, path, title]) => `${path}: ${title}`),
    [],
  )
})
