// `dry-run FLOW`: says node by node what a flow would do, without a call.

import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { DryAnswers, type DryRun, dryRun, flowErrorText, parseFlow } from '#flow'
import { messageOf, silentLogger } from '#kernel'
import { systemClock } from '#net'
import { dryInput } from '../flows-view.ts'
import { SandboxPool } from '../sandbox/sandbox-pool.ts'
import { invalidArgument } from './addresses.ts'

interface DryRunArguments {
  readonly input?: string
  readonly profile?: string
  readonly answers: string
  readonly json: boolean
}

/** Adds the command. */
export function addDryRunCommand(program: Command): void {
  program
    .command('dry-run')
    .description('say node by node what a flow would do; no call is made and nobody is asked')
    .argument('<flow>', 'file of the flow')
    .option('--input <file>', 'JSON file: what the flow finds as input')
    .option('--profile <file>', 'JSON file: what the flow finds as profile')
    .option('--answers <list>', "what the flow hears, e.g. 'collect=1234#,dial=busy'; what is left out goes well", '')
    .option('--json', 'write JSON instead of text', false)
    .addHelpText('after', '\nExit code: 0 the flow ran to its end, 1 it is invalid or did not end.')
    .action(async (file: string, given: DryRunArguments) => {
      const parsed = parseFlow(await read(file), file)
      if (!parsed.ok) {
        process.stderr.write(`${parsed.error.map(flowErrorText).join('\n')}\n`)
        process.exitCode = 1
        return
      }
      for (const warning of parsed.value.warnings) process.stderr.write(`warning: ${flowErrorText(warning)}\n`)
      const answers = DryAnswers.parse(given.answers)
      if (!answers.ok) throw invalidArgument(`--answers: ${answers.error}`)
      const sandbox = new SandboxPool({ clock: systemClock, log: silentLogger })
      const [input, profile] = [await objectOf(given.input), await objectOf(given.profile)]
      const run = await dryRun(parsed.value, {
        input: { ...dryInput, ...input },
        profile,
        answers: answers.value,
        sandbox,
      })
      await sandbox.close()
      process.stdout.write(given.json ? `${JSON.stringify(run, null, 2)}\n` : dryRunText(run))
      process.exitCode = run.end === 'failed' || run.end === 'cut' ? 1 : 0
    })
}

/** The run for people, a node to a line and what it does below. */
export function dryRunText({ steps, end, context }: DryRun): string {
  const lines = steps.flatMap(({ node, actions, says }) => [
    node,
    ...actions.map(({ asks, with: options, gets }) => {
      const asked = options === undefined ? asks : `${asks} ${JSON.stringify(options)}`
      return gets === undefined ? `    ${asked}` : `    ${asked} -> ${JSON.stringify(gets)}`
    }),
    ...says.map((text) => `    says: ${text}`),
  ])
  return `${[...lines, `end: ${end}`, `context: ${JSON.stringify(context)}`].join('\n')}\n`
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (fault) {
    throw invalidArgument(`${file} cannot be read: ${messageOf(fault)}`)
  }
}

async function objectOf(file: string | undefined): Promise<Record<string, unknown>> {
  if (file === undefined) return {}
  try {
    const value: unknown = JSON.parse(await read(file))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (fault) {
    throw invalidArgument(`${file}: ${messageOf(fault)}`)
  }
  throw invalidArgument(`${file}: expected a JSON object`)
}
