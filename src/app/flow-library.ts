// The flows of one folder, read and checked at start.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { type Flow, type FlowError, flowErrorText, parseFlow } from '#flow'
import { err, type Logger, ok, type Result } from '#kernel'

/** Flows by the name that they give themselves. */
export type FlowLibrary = ReadonlyMap<string, Flow>

/** Reads every `.yaml` file of the folder; all mistakes of all files come back at once. Rejects when the folder cannot be read. */
export async function loadFlows(folder: string, log: Logger): Promise<Result<FlowLibrary, FlowError[]>> {
  const flows = new Map<string, Flow>()
  const errors: FlowError[] = []
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort()
  for (const name of names) {
    const file = join(folder, name)
    const parsed = parseFlow(await readFile(file, 'utf8'), file)
    if (!parsed.ok) errors.push(...parsed.error)
    else if (flows.has(parsed.value.name)) {
      errors.push({ file, line: 1, column: 1, path: 'name', expected: `expected a name that no other flow has` })
    } else {
      flows.set(parsed.value.name, parsed.value)
      for (const warning of parsed.value.warnings) log.warn('flow warning', { warning: flowErrorText(warning) })
    }
  }
  return errors.length > 0 ? err(errors) : ok(flows)
}
