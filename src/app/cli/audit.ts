// `audit verify`: whether the audit log is as it was written.

import type { Command } from 'commander'
import { verifyAudit } from '#control'

/** Adds the command. */
export function addAuditCommand(program: Command): void {
  program
    .command('audit')
    .description('look at the audit log of the HTTP API')
    .command('verify')
    .description('check that no entry was changed or left out; exit code 1 if one was')
    .argument('<folder>', 'the folder of the log, by default http.folder with audit behind it')
    .action(async (folder: string) => {
      const { entries, brokenAt } = await verifyAudit(folder)
      process.stdout.write(brokenAt === undefined ? `${entries} entries, unbroken\n` : `broken at entry ${brokenAt}\n`)
      process.exitCode = brokenAt === undefined ? 0 : 1
    })
}
