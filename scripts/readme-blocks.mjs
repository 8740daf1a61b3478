// Runs the shell blocks of README.md that follow a mark, in the folder given: `<!-- ci -->` is run to its end; `<!-- ci serve -->`
// is a server, which is waited for until it logs `ready` and stopped after the last block. Closes with `N passed, N failed`.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ready, shellBlocks, signal, start, stop, within } from './shell-block.mjs'

const blockTimeoutMs = 240_000
const folder = process.argv[2] ?? '.'

const servers = []
const all = shellBlocks(readFileSync(join(folder, 'README.md'), 'utf8'))
let passed = 0
for (const { isServer, script } of all) {
  const running = start(script, folder)
  const outcome = await within(blockTimeoutMs, isServer ? ready(running) : running.ended)
  if (isServer && outcome === 'ready') servers.push(running)
  else signal(running, 'SIGKILL')
  const isRight = outcome === (isServer ? 'ready' : 0)
  if (isRight) passed += 1
  else console.log(`failed: ${outcome}`)
}
for (const server of servers) await stop(server)
if (all.length === 0) console.log('no marked block in README.md')
console.log(`${passed} passed, ${all.length - passed} failed`)
process.exitCode = all.length > 0 && passed === all.length ? 0 : 1
