// `verify` and `export`: whether recordings are as they were when they were published, with nothing but the files and a
// public key; and a recording with all that is needed to verify it elsewhere.

import type { Command } from 'commander'
import { messageOf } from '#kernel'
import { exportRecording, readPublicKeys, Vault, type Verification, verifyEvidence } from '#store'
import type { CommandResult } from './lint.ts'

interface VerifyArguments {
  readonly publicKey: readonly string[]
  readonly head?: string
  readonly json: boolean
}

/** Adds the commands. */
export function addEvidenceCommands(program: Command): void {
  program
    .command('verify')
    .description('check that recordings are as they were published: nothing changed, missing, put in, moved or cut off')
    .argument('<folder>', 'the folder of the recordings, of a day, of a recording, or of one that was exported')
    .requiredOption(
      '-k, --public-key <file...>',
      'public keys (PEM) of those whose word counts, former ones among them, kept apart from the recordings',
    )
    .option('--head <hash>', 'last line of the chain as an earlier run printed it: shows whether the end was cut off')
    .option('--json', 'write JSON instead of text', false)
    .addHelpText(
      'after',
      '\nExit code: 0 all is proved, 1 something is not as it was, 2 it cannot be told, or not of files that are in object storage.',
    )
    .action(async (folder: string, given: VerifyArguments) => {
      const { output, exitCode } = await verifyFolder(folder, given)
      process.stdout.write(output)
      process.exitCode = exitCode
    })
  program
    .command('export')
    .description('copy a recording with its evidence, and how to verify it, into a folder')
    .argument('<folder>', 'the folder of the recording')
    .requiredOption('--to <folder>', 'where to; made if need be')
    .option('--key-file <file>', 'keys of an encrypted recording: what its files say is put beside, in clear')
    .action((folder: string, { to, keyFile }: { to: string; keyFile?: string }) => {
      if (keyFile === undefined) exportRecording(folder, to)
      else exportRecording(folder, to, new Vault({ root: folder, keyFile }))
    })
}

/** Verifies a folder; one that cannot be read is exit code 2. */
export async function verifyFolder(path: string, { publicKey, head, json }: VerifyArguments): Promise<CommandResult> {
  let found: Verification
  try {
    found = await verifyEvidence({ path, keys: readPublicKeys(publicKey), ...(head !== undefined && { head }) })
  } catch (fault) {
    return { output: `${messageOf(fault)}\n`, exitCode: 2 }
  }
  const output = json ? `${JSON.stringify(found, null, 2)}\n` : verificationText(found)
  return { output, exitCode: found.findings.length > 0 ? 1 : found.elsewhere.length > 0 ? 2 : 0 }
}

function verificationText({ findings, elsewhere, head, ...sums }: Verification): string {
  const { recordings, proved, provedBy, deleted, open, lines } = sums
  return `${[
    ...findings.map(({ code, where, detail }) => `${code.padEnd(20)}  ${where}  ${detail}`),
    ...elsewhere.map((name) => `${'in-object-storage'.padEnd(20)}  ${name}  not looked at`),
    `${proved} of ${recordings} recordings proved, ${deleted} deleted, ${open} not published yet, ${lines} lines of the chain`,
    ...Object.entries(provedBy).map(([keyId, count]) => `signed by key ${keyId}: ${count}`),
    ...(head === undefined ? [] : [`head of the chain: line ${head.number}, ${head.hash}`]),
    findings.length === 0 ? 'nothing was changed' : `${findings.length} findings`,
  ].join('\n')}\n`
}
