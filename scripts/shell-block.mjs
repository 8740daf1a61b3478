// Shell blocks of a document: finds those that follow a mark, and runs one in a folder, with all that it starts.
import { spawn } from 'node:child_process'

const stopTimeoutMs = 15_000

/** The blocks after `<!-- ci -->`, and after `<!-- ci serve -->`, which are servers. */
export function shellBlocks(text) {
  const marked = /<!-- ci( serve)? -->\n+```sh\n([\s\S]*?)```/g
  return [...text.matchAll(marked)].map((match) => ({ isServer: match[1] !== undefined, script: match[2].trim() }))
}

/** Starts a block in a process group of its own, so that nothing that it started outlives it. */
export function start(script, folder) {
  console.log(`$ ${script.replaceAll('\n', '\n$ ')}`)
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) stream.pipe(process.stdout, { end: false })
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal)))
  return { child, ended }
}

/** Sends a signal to all of a block. */
export function signal({ child }, name) {
  try {
    process.kill(-child.pid, name)
  } catch {
    // It is gone already.
  }
}

/** What a promise comes to, or `late`. */
export async function within(timeoutMs, promise) {
  let timer
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, timeoutMs, 'late')
  })
  const outcome = await Promise.race([promise, late])
  clearTimeout(timer)
  return outcome
}

/** `ready` when a server logs that it is, else how it ended. */
export function ready({ child, ended }) {
  const said = new Promise((resolve) => {
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
      if (text.includes('"ready"')) resolve('ready')
    })
  })
  return Promise.race([said, ended])
}

/** Has a server stop in good order, and by force when it does not. */
export async function stop(server) {
  signal(server, 'SIGTERM')
  await within(stopTimeoutMs, server.ended)
  signal(server, 'SIGKILL')
}
