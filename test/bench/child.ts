// Processes of the benchmarks: each on a core of its own where the system allows it, with its CPU time.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { availableParallelism, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { BenchTargets, Device } from './relay.ts'

/** Core of what is measured, and core of what measures it. */
export const deviceCore = 0
export const loadCore = 1

const CLOCK_TICKS_PER_SECOND = 100
const TASKSET = '/usr/bin/taskset'
/** Niceness of what is measured. */
const FIRST = -15

/** Whether processes are bound to cores: it takes two cores and the taskset of util-linux. */
export const canPin = process.platform === 'linux' && availableParallelism() >= 2 && existsSync(TASKSET)

/** Starts a program on a core; it is ended when this process exits. */
export function startProgram(
  core: number,
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  const child = canPin ? spawn(TASKSET, ['-c', `${core}`, command, ...args], options) : spawn(command, args, options)
  const end = (): void => void child.kill()
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
  return child
}

/** A device of the relay bench in a process of its own: a built module that takes targets, and tells the ports of its legs. */
export async function openChildDevice(module: URL, role: string, targets: BenchTargets): Promise<Device> {
  const child = startModule(deviceCore, module, [role])
  child.send(targets)
  const legPorts = await nextMessage<number[]>(child)
  const close = async (): Promise<void> => {
    const ended = once(child, 'exit')
    child.disconnect()
    await ended
  }
  return { pid: child.pid ?? 0, legPorts, close }
}

/** Starts a built module on a core, with a message channel; `nodeArgs` go to node itself. */
export function startModule(core: number, module: URL, args: readonly string[] = []): ChildProcess {
  return startProgram(core, process.execPath, [fileURLToPath(module), ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  })
}

/**
 * Lets processes, with all their threads, go before all other work of the machine, or no more; false where that is not allowed.
 * By niceness: in the real-time class a thread that waits in a loop for one that has to wait itself holds its core for ever.
 */
export function goFirst(pids: readonly number[], isFirst: boolean): boolean {
  try {
    for (const pid of pids) {
      for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), isFirst ? FIRST : 0)
    }
    return true
  } catch {
    return false
  }
}

/** The next message of a child; rejects when it ends instead. */
export async function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  const over = new AbortController()
  try {
    return await Promise.race([
      once(child, 'message', { signal: over.signal }).then(([message]) => message as Message),
      once(child, 'exit', { signal: over.signal }).then(([code]) => {
        throw new Error(`a bench process ended with ${code}`)
      }),
    ])
  } finally {
    over.abort()
  }
}

/** Ends a child by signal and waits for its end. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

/** User and system CPU time of a process with all its threads, in µs (proc(5): fields 14 and 15). */
export async function cpuMicros(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / CLOCK_TICKS_PER_SECOND
}
