// `lint FILE`: checks a metadata document or a message of a recording session.

import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { messageOf } from '#kernel'
import { exitCodeOf, lint, reportJson, reportText } from '#lint'

/** What a command wrote and how it ended. */
export interface CommandResult {
  readonly output: string
  readonly exitCode: number
}

/** Adds the command. */
export function addLintCommand(program: Command): void {
  program
    .command('lint')
    .description('check a metadata document (XML) or a whole SIP message of a recording session')
    .argument('<file>', 'the document, or the message with its headers, with CRLF or LF')
    .option('--json', 'write JSON instead of text', false)
    .addHelpText('after', '\nExit code: 0 no errors, 1 errors found, 2 the file cannot be checked.')
    .action(async (file: string, { json }: { json: boolean }) => {
      const { output, exitCode } = await lintFile(file, json)
      process.stdout.write(output)
      process.exitCode = exitCode
    })
}

/** Checks a file; one that cannot be opened is exit code 2. */
export async function lintFile(path: string, asJson: boolean): Promise<CommandResult> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (fault) {
    return { output: `${path}: ${messageOf(fault)}\n`, exitCode: 2 }
  }
  const report = lint(bytes)
  return { output: (asJson ? reportJson : reportText)(path, report), exitCode: exitCodeOf(report) }
}
