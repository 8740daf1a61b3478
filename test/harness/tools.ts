// Foreign programs of the interoperation tests: found, run with a deadline, their output kept.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

const PACKAGES = {
  sipp: 'sip-tester',
  tshark: 'tshark',
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffmpeg',
  sox: 'sox',
  soxi: 'sox',
  baresip: 'baresip-core',
  linphonec: 'linphone-cli',
  kamailio: 'kamailio',
  'espeak-ng': 'espeak-ng',
} as const
const RUN_DEADLINE_MS = 60_000

/** A foreign program. */
export type Tool = keyof typeof PACKAGES

/** What a program left. */
export interface ToolRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A program under way. */
export interface RunningTool {
  /** Calls `look` with all of standard error so far, each time more comes. */
  onStderr(look: (text: string) => void): void
  /** Writes a line to its standard input; only for one that was started to be told things. */
  tell(line: string): void
  /** All of standard output so far. */
  heard(): string
  /** Tells it to stop. */
  stop(): void
  readonly ended: Promise<ToolRun>
}

/** Fails, with the line that installs them, when one is missing. */
export function requireTools(...tools: readonly Tool[]): void {
  const missing = tools.filter((tool) => spawnSync('which', [tool]).status !== 0)
  const packages = [...new Set(missing.map((tool) => PACKAGES[tool]))].join(' ')
  assert.equal(missing.length, 0, `${missing.join(', ')} not found: apt-get install -y ${packages}`)
}

/** How a program is started that wants more than arguments. */
export interface ToolManner {
  /** Whether it reads what it is told from standard input. */
  readonly isTold?: boolean
  /** Set beside the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>
  /** A minute unless told. */
  readonly deadlineMs?: number
}

/** Starts a program; it is killed at the deadline. */
export function startTool(tool: Tool, args: readonly string[], cwd: string, manner: ToolManner = {}): RunningTool {
  const child: ChildProcess = spawn(tool, [...args], {
    cwd,
    env: { ...process.env, ...manner.env },
    stdio: [manner.isTold === true ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  })
  // One that has ended does not listen; what it left says why.
  child.stdin?.on('error', () => {})
  const output = { stdout: '', stderr: '' }
  const looks = new Set<(text: string) => void>()
  child.stdout?.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString('latin1')
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString('latin1')
    for (const look of looks) look(output.stderr)
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), manner.deadlineMs ?? RUN_DEADLINE_MS)
  const ended = once(child, 'close').then(([code]): ToolRun => {
    clearTimeout(timer)
    return { code: code as number | null, ...output }
  })
  return {
    onStderr: (look) => void looks.add(look),
    tell: (line) => void child.stdin?.write(`${line}\n`),
    heard: () => output.stdout,
    stop: () => void child.kill('SIGINT'),
    ended,
  }
}

/** Runs a program to its end; fails unless it ends with 0. */
export async function runTool(tool: Tool, args: readonly string[], cwd = '.'): Promise<ToolRun> {
  const run = await startTool(tool, args, cwd).ended
  assert.equal(run.code, 0, `${tool} ${args.join(' ')}\n${run.stdout.slice(-2000)}\n${run.stderr.slice(-2000)}`)
  return run
}
