// The flows that the routes name, read and checked at start.

import { readFile } from 'node:fs/promises'

import { type Flow, type FlowError, flowErrorText, parseFlow } from '#flow'
import { AppError, type Logger, messageOf } from '#kernel'

/** Flows by the file that the configuration names. */
export type FlowLibrary = ReadonlyMap<string, Flow>

/** Reads the files; rejects with AppError `flow.invalid`, which lists the mistakes of all files, each with file, line and column. */
export async function loadFlows(files: readonly string[], log: Logger): Promise<FlowLibrary> {
  const flows = new Map<string, Flow>()
  const mistakes: string[] = []
  for (const file of new Set(files)) {
    const parsed = await readFlow(file)
    if ('mistakes' in parsed) mistakes.push(...parsed.mistakes)
    else flows.set(file, parsed.flow)
  }
  if (mistakes.length > 0) {
    throw new AppError('flow.invalid', mistakes.join('\n'), { result: 'client', reason: 'flow-invalid' })
  }
  for (const flow of flows.values()) {
    for (const warning of flow.warnings) log.warn('flow warning', { warning: flowErrorText(warning) })
  }
  return flows
}

async function readFlow(file: string): Promise<{ readonly flow: Flow } | { readonly mistakes: readonly string[] }> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (fault) {
    return { mistakes: [`${file}: cannot be read: ${messageOf(fault)}`] }
  }
  const parsed = parseFlow(text, file)
  return parsed.ok ? { flow: parsed.value } : { mistakes: parsed.error.map((error: FlowError) => flowErrorText(error)) }
}
