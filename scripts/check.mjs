// All checks that are no tests: types, lint and format, unused code, architecture, licences, lockfile, generated documents.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const node = process.execPath
const bin = (...path) => join(root, 'node_modules', ...path)

const allowedLicences = new Set([
  'MIT',
  'Apache-2.0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
  'CC0-1.0',
  'Python-2.0',
])

function run(args) {
  const outcome = spawnSync(node, args, { cwd: root, encoding: 'utf8' })
  return outcome.status === 0 ? [] : [`${outcome.stdout}${outcome.stderr}`.trim()]
}

function lockfile() {
  return JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
}

/** Licences of the runtime tree, by the lockfile; packages that are not installed here are named there too. */
function licences() {
  const faults = []
  let seen = 0
  for (const [path, entry] of Object.entries(lockfile().packages)) {
    if (path === '' || entry.dev) continue
    seen += 1
    const manifest = join(root, path, 'package.json')
    const licence =
      entry.license ?? (existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).license : undefined)
    const choices = String(licence ?? 'none')
      .replace(/[()]/g, '')
      .split(' OR ')
    if (!choices.some((choice) => allowedLicences.has(choice))) faults.push(`${path}: ${licence ?? 'no licence'}`)
    if (entry.hasInstallScript && !entry.optional) faults.push(`${path} needs an install script`)
  }
  return seen > 10 ? faults : [...faults, `only ${seen} packages found`]
}

function addresses() {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8')
  return /"resolved":/.test(text) ? ['package-lock.json records download addresses'] : []
}

const checks = [
  ['types', () => run([bin('typescript', 'bin', 'tsc'), '-p', root, '--noEmit', '--incremental', 'false'])],
  ['types of the console', () => run([bin('typescript', 'bin', 'tsc'), '-p', join(root, 'tsconfig.console.json')])],
  [
    'lint and format',
    () => run([bin('@biomejs', 'biome', 'bin', 'biome'), 'ci', '--colors=off', 'src', 'test', 'scripts', 'console']),
  ],
  ['unused code', () => run([bin('knip', 'bin', 'knip.js')])],
  ['architecture', () => run([join(root, 'scripts', 'test.mjs'), 'all', 'test/architecture'])],
  ['licences', licences],
  ['lockfile', addresses],
  ['generated documents', () => run([join(root, 'scripts', 'docs.mjs'), '--check'])],
]

let passed = 0
for (const [name, check] of checks) {
  const faults = check()
  console.log(`${faults.length === 0 ? 'ok  ' : 'FAIL'} ${name}`)
  for (const fault of faults) console.log(fault.replace(/^/gm, '     '))
  if (faults.length === 0) passed += 1
}
console.log(`${passed} passed, ${checks.length - passed} failed`)
process.exitCode = passed === checks.length ? 0 : 1
