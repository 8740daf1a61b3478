// Runs the shell blocks of README.md that follow a mark, in the folder given: `<!-- ci -->` is run to its end; `<!-- ci serve -->`
// is a server, which is waited for until it logs `ready` and stopped after the last block. Closes with `N passed, N failed`.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const blockTimeoutMs = 240_000
const stopTimeoutMs = 15_000
const folder = process.argv[2] ?? '.'

function blocks(text) {
  const marked = /<!-- ci( serve)? -->\n+```sh\n([\s\S]*?)```/g
  return [...text.matchAll(marked)].map((match) => ({ isServer: match[1] !== undefined, script: match[2].trim() }))
}

/** A process group of its own, so that nothing that the block started outlives it. */
function start(script) {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) stream.pipe(process.stdout, { end: false })
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal)))
  return { child, ended }
}

function signal({ child }, name) {
  try {
    process.kill(-child.pid, name)
  } catch {
    // It is gone already.
  }
}

async function within(timeoutMs, promise) {
  let timer
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, timeoutMs, 'late')
  })
  const outcome = await Promise.race([promise, late])
  clearTimeout(timer)
  return outcome
}

function ready({ child, ended }) {
  const said = new Promise((resolve) => {
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
      if (text.includes('"ready"')) resolve('ready')
    })
  })
  return Promise.race([said, ended])
}

const servers = []
const all = blocks(readFileSync(join(folder, 'README.md'), 'utf8'))
let passed = 0
for (const { isServer, script } of all) {
  console.log(`$ ${script.replaceAll('\n', '\n$ ')}`)
  const running = start(script)
  const outcome = await within(blockTimeoutMs, isServer ? ready(running) : running.ended)
  if (isServer && outcome === 'ready') servers.push(running)
  else signal(running, 'SIGKILL')
  const isRight = outcome === (isServer ? 'ready' : 0)
  if (isRight) passed += 1
  else console.log(`failed: ${outcome}`)
}
for (const server of servers) {
  signal(server, 'SIGTERM')
  await within(stopTimeoutMs, server.ended)
  signal(server, 'SIGKILL')
}
if (all.length === 0) console.log('no marked block in README.md')
console.log(`${passed} passed, ${all.length - passed} failed`)
process.exitCode = all.length > 0 && passed === all.length ? 0 : 1
