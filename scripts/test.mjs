// Runs a suite of built tests with node:test and closes with `N passed, N failed` alone on the last line.
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const suites = {
  all: (path) => !path.startsWith('test/interop/'),
  unit: (path) => path.startsWith('src/'),
  conformance: (path) => path.startsWith('test/conformance/'),
  e2e: (path) => path.startsWith('test/e2e/') || path.startsWith('test/engine/'),
  interop: (path) => path.startsWith('test/interop/'),
}
const [suite = 'all', filter = ''] = process.argv.slice(2)
if (!(suite in suites)) {
  console.error(`unknown suite ${suite}: one of ${Object.keys(suites).join(', ')}`)
  process.exit(2)
}
const dist = join(root, 'dist')
const files = readdirSync(dist, { recursive: true })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.test.js') && suites[suite](name) && name.includes(filter))
  .sort()
  .map((name) => join(dist, name))
if (files.length === 0) {
  console.error(`no test files for suite ${suite}`)
  process.exit(1)
}

const counts = { passed: 0, failed: 0, skipped: 0 }
const failures = []
const isFile = (event) => files.some((file) => event.name === file || event.name === relative(process.cwd(), file))
const stream = run({ files, concurrency: Math.max(1, Math.min(2, availableParallelism())), timeout: 300_000 })
stream.on('test:pass', (event) => {
  if (event.details.type === 'suite' || isFile(event)) return
  if (event.skip !== undefined || event.todo !== undefined) counts.skipped += 1
  else counts.passed += 1
})
stream.on('test:fail', (event) => {
  if (event.details.type === 'suite') return
  if (isFile(event) && event.details.error?.failureType === 'subtestsFailed') return
  counts.failed += 1
  const cause = event.details.error?.cause?.message ?? event.details.error?.message ?? ''
  failures.push(`failed: ${relative(dist, event.file ?? event.name)}: ${event.name}: ${cause.split('\n')[0]}`)
})
stream.compose(spec).pipe(process.stdout)
stream.on('end', () => {
  process.on('exit', () => {
    for (const failure of failures) console.log(failure)
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
    console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`)
  })
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0
})
