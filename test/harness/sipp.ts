// SIPp running one scenario of test/interop/scenarios on free ports.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { cryptoIds } from '#net'
import { startTool } from './tools.ts'

const HOST = '127.0.0.1'
const DEADLINE_MS = 30_000
/** A scenario that has not run its course by then has failed; long for the sake of busy machines. */
const COURSE_S = 120
const scenarios = resolve('test', 'interop', 'scenarios')

/** How a scenario is run. */
export interface SippOptions {
  readonly scenario: string
  readonly transport: 'udp' | 'tcp'
  /** Working directory, which takes the logs too. */
  readonly folder: string
  /** Where a client scenario sends; absent for a server scenario. */
  readonly remote?: { readonly user: string; readonly port: number }
  /** Further arguments, where they need it by the SIP port. */
  readonly args?: readonly string[] | ((port: number) => readonly string[])
}

/** SIPp with a scenario under way. */
export interface Sipp {
  /** SIP port. */
  readonly port: number
  /** Resolves when the scenario has run its course; fails with SIPp's own log unless each call did as it should. */
  succeeded(): Promise<void>
  /** All SIP messages so far, as SIPp's log has them. */
  messages(): Promise<string>
  stop(): void
}

/** Starts SIPp for one call. */
export async function startSipp(options: SippOptions): Promise<Sipp> {
  const { scenario, transport, folder, remote, args = [] } = options
  const port = await freeSipPort()
  const mediaPort = await freeMediaPort()
  const name = `${scenario}-${port}`
  const running = startTool(
    'sipp',
    [
      ...['-sf', join(scenarios, `${scenario}.xml`), '-i', HOST, '-p', `${port}`, '-mi', HOST, '-mp', `${mediaPort}`],
      ...['-m', '1', '-t', transport === 'tcp' ? 't1' : 'u1', '-nostdin', '-timeout', `${COURSE_S}`, '-timeout_error'],
      ...['-trace_err', '-error_file', `${name}-errors.log`, '-trace_msg', '-message_file', `${name}-messages.log`],
      ...(typeof args === 'function' ? args(port) : args),
      ...(remote === undefined ? [] : ['-s', remote.user, `${HOST}:${remote.port}`]),
    ],
    folder,
    { deadlineMs: (COURSE_S + 10) * 1000 },
  )
  if (remote === undefined) await listening(port, transport)
  return {
    port,
    succeeded: async () => {
      const { code, stderr } = await running.ended
      if (code === 0) return
      const logs = (await readdir(folder)).filter((file) => file.startsWith(name))
      const texts = await Promise.all(logs.sort().map((file) => readFile(join(folder, file), 'utf8')))
      assert.fail(`${scenario} ended with ${code}\n${stderr}\n${texts.join('\n').slice(0, 12_000)}`)
    },
    messages: () => readFile(join(folder, `${name}-messages.log`), 'utf8'),
    stop: () => running.stop(),
  }
}

/** One above the ports that the system gives to others, who might take it before SIPp does. */
async function freeSipPort(): Promise<number> {
  for (;;) {
    const port = 64_200 + cryptoIds.integer(1300)
    if (!(await isTaken(port, 'udp')) && !(await isTaken(port, 'tcp'))) return port
  }
}

/** The first of eight, above the ports that the system gives to others. */
async function freeMediaPort(): Promise<number> {
  for (;;) {
    const port = 61_000 + 8 * cryptoIds.integer(400)
    if (!(await isTaken(port, 'udp')) && !(await isTaken(port + 2, 'udp'))) return port
  }
}

/** Waits until a port is taken: SIPp says nothing when it is ready. */
async function listening(port: number, transport: 'udp' | 'tcp'): Promise<void> {
  const endMs = Date.now() + DEADLINE_MS
  while (!(await isTaken(port, transport))) {
    assert.ok(Date.now() < endMs, `SIPp did not listen on ${transport} ${port}`)
    await new Promise((again) => setTimeout(again, 50))
  }
}

function isTaken(port: number, transport: 'udp' | 'tcp'): Promise<boolean> {
  return new Promise((done) => {
    if (transport === 'udp') {
      const socket = createSocket('udp4')
      socket.once('error', () => done(true))
      socket.bind({ port, address: HOST, exclusive: true }, () => socket.close(() => done(false)))
    } else {
      const server = createServer()
      server.once('error', () => done(true))
      server.listen(port, HOST, () => server.close(() => done(false)))
    }
  })
}
