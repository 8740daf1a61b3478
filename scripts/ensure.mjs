// Installs and builds only what is stale, with nothing but Node and npm. Runs before demo, start, test, check and bench.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const lock = join(root, '.ensure-lock')
const consoleFolder = join(root, 'dist', 'console')
const lockTimeoutMs = 10 * 60_000

function fail(message) {
  console.error(message)
  process.exit(1)
}

function files(folder, keep) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && keep(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}

function digest(paths) {
  const hash = createHash('sha256')
  for (const path of paths) hash.update(relative(root, path)).update('\0').update(readFileSync(path)).update('\0')
  return hash.digest('hex')
}

function stampMatches(stamp, value) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === value
}

function run(what, command, args) {
  console.error(`${what} ...`)
  const outcome = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (outcome.status !== 0) fail(`${what} failed: ${command} ${args.join(' ')}`)
}

function install() {
  const stamp = join(root, 'node_modules', '.installed')
  const wanted = `${digest([join(root, 'package-lock.json')])} abi ${process.versions.modules} ${process.platform}-${process.arch}`
  if (stampMatches(stamp, wanted)) return
  const npm = process.env.npm_execpath
  const args = ['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund']
  if (npm?.endsWith('.js')) run('installing packages', process.execPath, [npm, ...args])
  else run('installing packages', 'npm', args)
  writeFileSync(stamp, wanted)
}

function removeOrphans() {
  for (const path of files(join(root, 'dist'), (name) => /\.js(\.map)?$/.test(name))) {
    if (path.startsWith(consoleFolder)) continue
    const source = join(root, relative(join(root, 'dist'), path).replace(/\.js(\.map)?$/, '.ts'))
    if (!existsSync(source)) rmSync(path)
  }
}

function build() {
  const stamp = join(root, 'dist', '.built')
  const sources = [
    ...files(join(root, 'src'), (name) => name.endsWith('.ts')),
    ...files(join(root, 'test'), (name) => name.endsWith('.ts')),
  ]
  const wanted = digest([join(root, 'package-lock.json'), join(root, 'tsconfig.json'), ...sources])
  if (stampMatches(stamp, wanted)) return
  run('building', process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', root])
  removeOrphans()
  writeFileSync(stamp, wanted)
}

function buildConsole() {
  const stamp = join(root, 'dist', '.console-built')
  // The console shows pages of the documents.
  const sources = [
    ...files(join(root, 'console'), () => true),
    ...files(join(root, 'docs'), (name) => name.endsWith('.md')),
  ]
  const wanted = digest([join(root, 'package-lock.json'), join(root, 'vite.config.ts'), ...sources])
  if (stampMatches(stamp, wanted) && existsSync(consoleFolder)) return
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  run('building the console', process.execPath, [vite, 'build', '--logLevel', 'warn'])
  writeFileSync(stamp, wanted)
}

function takeLock() {
  const deadline = Date.now() + lockTimeoutMs
  for (;;) {
    try {
      mkdirSync(lock)
      return
    } catch {
      const heldForMs = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
      if (heldForMs > lockTimeoutMs) rmSync(lock, { recursive: true, force: true })
      if (Date.now() > deadline) fail(`another install or build holds ${lock}; remove that folder if none is running`)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  }
}

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19))
  fail(`Node ${process.versions.node} is too old: 20.19 or newer is needed`)
takeLock()
process.on('exit', () => rmSync(lock, { recursive: true, force: true }))
install()
build()
buildConsole()
