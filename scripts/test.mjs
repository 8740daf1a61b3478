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

const isLoneFile = (name, list) => list.some((file) => name === file || name === relative(process.cwd(), file))

/** Runs `list`, and tells by file what passed, was skipped and failed. */
const runFiles = (list, concurrency) =>
  new Promise((resolve) => {
    const outcomes = new Map(list.map((file) => [file, { passed: 0, skipped: 0, failures: [] }]))
    const outcomeOf = (event) => {
      const name = event.file ?? event.name
      return outcomes.get(name) ?? outcomes.get(join(process.cwd(), name)) ?? [...outcomes.values()][0]
    }
    const stream = run({ files: list, concurrency, timeout: 300_000 })
    stream.on('test:pass', (event) => {
      if (event.details.type === 'suite' || isLoneFile(event.name, list)) return
      outcomeOf(event)[event.skip !== undefined || event.todo !== undefined ? 'skipped' : 'passed'] += 1
    })
    stream.on('test:fail', (event) => {
      if (event.details.type === 'suite') return
      if (isLoneFile(event.name, list) && event.details.error?.failureType === 'subtestsFailed') return
      const cause = event.details.error?.cause?.message ?? event.details.error?.message ?? ''
      const where = relative(dist, event.file ?? event.name)
      outcomeOf(event).failures.push(`${where}: ${event.name}: ${cause.split('\n')[0]}`)
    })
    stream.compose(spec).pipe(process.stdout)
    stream.on('end', () => resolve(outcomes))
  })

const outcomes = await runFiles(files, Math.max(1, Math.min(2, availableParallelism())))

// Real processes, sockets and browsers share this machine with whatever else runs on it: what failed there is run once more
// alone, and told. Code on an injected clock has no such excuse.
const MOST_AGAIN = 3
const isOfMachine = (file) => /^test\/(e2e|chaos|engine|interop)\//.test(relative(dist, file).replaceAll('\\', '/'))
const failed = [...outcomes.keys()].filter((file) => outcomes.get(file).failures.length > 0)
const unsteady = []
if (failed.length <= MOST_AGAIN) {
  for (const file of failed.filter(isOfMachine)) {
    const before = outcomes.get(file).failures
    const again = (await runFiles([file], 1)).get(file)
    outcomes.set(file, again)
    if (again.failures.length === 0) unsteady.push(...before)
  }
}

process.on('exit', () => {
  const all = [...outcomes.values()]
  const sum = (of) => all.reduce((total, outcome) => total + of(outcome), 0)
  const [passed, skipped] = [sum((one) => one.passed), sum((one) => one.skipped)]
  const failures = all.flatMap((one) => one.failures)
  for (const failure of unsteady) console.log(`unsteady (passed when run alone): ${failure}`)
  for (const failure of failures) console.log(`failed: ${failure}`)
  console.log(`${passed} passed, ${failures.length} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  process.exitCode = failures.length > 0 || passed === 0 ? 1 : 0
})
