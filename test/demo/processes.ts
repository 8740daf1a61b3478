// The programs of the demo: each role in a process of its own, as in life; ports are free ones.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { stringify } from 'yaml'

/** One line of a program's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly message: string }

interface ListeningAt {
  readonly transport: string
  readonly host: string
  readonly port: number
}

/** A running program. */
export interface RunningProgram {
  readonly pid: number
  /** SIP ports by transport. */
  sipPort(transport: 'udp' | 'tcp' | 'tls'): number
  readonly httpUrl: string
  /** Calls `listener` for every log line from now on. */
  onLine(listener: (line: LogLine) => void): void
  /** Asks it to stop in good order and waits until it has. */
  stop(): Promise<void>
  /** Kills it, as the system would: it can do nothing about it. Resolves when it is gone. */
  kill(): Promise<void>
}

const START_DEADLINE_MS = 60_000
const main = join(import.meta.dirname, '..', '..', 'src', 'app', 'main.js')
const listen = [
  { transport: 'udp', port: 0 },
  { transport: 'tcp', port: 0 },
]

/** SIP listeners on ports of the system's choice. */
export const anySipPorts = { listen }

/** How a program is started. */
export interface StartOptions {
  /** Told how to kill it, before it is ready. */
  readonly onSpawn?: (kill: () => Promise<void>, pid: number) => void
  /** What it is started behind. */
  readonly command?: readonly string[]
  /** To be ready in. */
  readonly deadlineMs?: number
}

/** Starts a program with a configuration; its log is kept beside the configuration. One that does not get ready is killed. */
export async function startProgram(
  folder: string,
  name: string,
  config: Record<string, unknown>,
  { onSpawn, command = [], deadlineMs = START_DEADLINE_MS }: StartOptions = {},
): Promise<RunningProgram> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, `${name}.yaml`)
  await writeFile(file, stringify(config))
  const [program, ...rest] = [...command, process.execPath, main, 'start', '--config', file]
  const child = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  const log = createWriteStream(join(folder, `${name}.log`))
  child.stdout.pipe(log)
  const listeners = new Set<(line: LogLine) => void>()
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = parseLine(text)
    if (line !== undefined) for (const listener of [...listeners]) listener(line)
  })
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  onSpawn?.(() => end('SIGKILL'), child.pid ?? 0)
  const ready = await readyLine(name, child, listeners, deadlineMs).catch(async (fault: unknown) => {
    await end('SIGKILL')
    throw fault
  })
  const sip = (ready['gateway'] ?? ready['recorder']) as readonly ListeningAt[]
  const http = ready['http'] as ListeningAt
  return {
    pid: child.pid ?? 0,
    sipPort: (transport) => sip.find((listener) => listener.transport === transport)?.port ?? 0,
    httpUrl: `http://${http.host}:${http.port}`,
    onLine: (listener) => void listeners.add(listener),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

function readyLine(
  name: string,
  child: ChildProcess,
  listeners: Set<(line: LogLine) => void>,
  deadlineMs: number,
): Promise<LogLine> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} was not ready in ${deadlineMs} ms`)), deadlineMs)
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`${name} ended with code ${code} before it was ready`))
    })
    const listener = (line: LogLine): void => {
      if (line.message !== 'ready') return
      clearTimeout(timer)
      listeners.delete(listener)
      resolve(line)
    }
    listeners.add(listener)
  })
}

function parseLine(text: string): LogLine | undefined {
  try {
    return JSON.parse(text) as LogLine
  } catch {
    return undefined
  }
}
