// The machine that a benchmark ran on.

import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { canPin } from './child.ts'
import { figure } from './report.ts'

/** Name and value of everything that makes figures differ. */
export function machineFacts(): [name: string, value: string][] {
  const all = cpus()
  return [
    ['Processor', `${all[0]?.model.trim() || 'unknown'}, ${all.length} cores`],
    ['Memory', `${figure(totalmem() / 2 ** 30, 1)} GiB`],
    ['System', `${type()} ${release()}${distribution()}`],
    ['Node', `${process.version}, V8 ${process.versions.v8}`],
    ['Processes bound to cores', canPin ? 'yes, by taskset' : 'no'],
    ['Load average at the start', loadText()],
  ]
}

/** Load averages of 1, 5 and 15 minutes. */
export function loadText(): string {
  return loadavg()
    .map((load) => figure(load, 2))
    .join(', ')
}

function distribution(): string {
  try {
    return `, ${/^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? ''}`
  } catch {
    return ''
  }
}
