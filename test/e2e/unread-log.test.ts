// A gateway whose log nobody reads: the pipe is full, and calls and API must not notice.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { freeTcpPort } from '../harness/free-port.ts'
import { until } from '../harness/until.ts'

const main = join(import.meta.dirname, '..', '..', 'src', 'app', 'main.js')
/** Their lines are many times what a pipe holds. */
const REQUESTS = 4000
const TOGETHER = 50

/** Takes the log as its standard input, and reads nothing before it is told to; then says how many lines there were. */
const reader = `process.once('message', () => {
  let text = ''
  process.stdin.on('data', (chunk) => { text += chunk })
  process.stdin.on('end', () => process.send(text.split('\\n').filter(Boolean).length, () => process.exit()))
})`

test('a log that nobody reads holds up neither calls nor API, and is written when it is read again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'unread-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const [file, port] = [join(folder, 'config.json'), await freeTcpPort()]
  const gateway = { sip: { listen: [{ transport: 'udp', port: 0 }] }, media: { portMin: 25_000, portMax: 25_100 } }
  await writeFile(file, JSON.stringify({ log: { level: 'debug' }, http: { port, console: false }, gateway }))
  const log = spawn(process.execPath, ['-e', reader], { stdio: ['pipe', 'inherit', 'inherit', 'ipc'] })
  t.after(() => log.kill('SIGKILL'))
  const program = spawn(process.execPath, [main, 'start', '--config', file], {
    stdio: ['ignore', log.stdin!, 'inherit'],
  })
  t.after(() => program.kill('SIGKILL'))
  log.stdin?.destroy()
  const url = `http://127.0.0.1:${port}/healthz`
  const answered = async () => (await fetch(url).catch(() => undefined))?.status === 200
  await until('the program serves', answered)
  for (let sent = 0; sent < REQUESTS; sent += TOGETHER) {
    const asked = Array.from({ length: TOGETHER }, () => fetch(url, { signal: AbortSignal.timeout(30_000) }))
    for (const answer of await Promise.all(asked)) assert.equal(answer.status, 200)
  }
  const counted = once(log, 'message') as Promise<[number]>
  log.send('read')
  program.kill('SIGTERM')
  const [code] = (await once(program, 'exit')) as [number]
  const [lines] = await counted
  assert.equal(code, 0)
  assert.ok(lines >= REQUESTS, `${lines} lines`)
})
