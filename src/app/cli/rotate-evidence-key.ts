// `rotate-evidence-key`: a new key to sign recordings with; what the one before has signed stays proved.

import type { Command } from 'commander'
import { AppError } from '#kernel'
import { rotateSigningKey } from '#store'
import { recorderOf } from './catalogue.ts'

/** Adds the command. */
export function addRotateEvidenceKeyCommand(program: Command): void {
  program
    .command('rotate-evidence-key')
    .description(
      'make a new key to sign recordings with, and keep the public half of the one before, whose private half is destroyed',
    )
    .requiredOption('-c, --config <file>', 'configuration file')
    .addHelpText('after', '\nA recorder that runs signs with the key before until it is started anew.')
    .action(async ({ config }: { config: string }) => {
      const { evidence } = (await recorderOf(config)).store
      if (evidence === undefined) {
        const verdict = { result: 'client', reason: 'bad-key' } as const
        throw new AppError('store.evidence-key', `${config} has no section recorder.store.evidence`, verdict)
      }
      const { former, keyId } = rotateSigningKey(evidence.keyFile)
      process.stdout.write(`recordings will be signed by key ${keyId}; what key ${former} has signed stays proved\n`)
    })
}
