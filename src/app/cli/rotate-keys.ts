// `rotate-keys`: a new key for recordings that are encrypted.

import type { Command } from 'commander'
import { AppError } from '#kernel'
import { rotateKeys } from '#store'
import { vaultOptions } from '../recorder.ts'
import { recorderOf } from './catalogue.ts'

/** Adds the command. */
export function addRotateKeysCommand(program: Command): void {
  program
    .command('rotate-keys')
    .description(
      'add a key, and seal the data keys of all recordings with it; audio is not touched, the recorder may run',
    )
    .requiredOption('-c, --config <file>', 'configuration file')
    .option('--no-add', 'add none: seal with the newest key that is in the file')
    .addHelpText('after', '\nExit code: 0 all are sealed with the newest key, 1 some could not be opened.')
    .action(async ({ config, add }: { config: string; add: boolean }) => {
      const options = vaultOptions(await recorderOf(config))
      if (options === undefined) {
        const verdict = { result: 'client', reason: 'bad-key' } as const
        throw new AppError('store.encryption-key', `${config} has no section recorder.store.encryption`, verdict)
      }
      const { key, rewrapped, failed } = rotateKeys(options, add)
      process.stdout.write(`${rewrapped} recordings sealed with ${key}, ${failed.length} not\n`)
      for (const { folder, cause } of failed) process.stdout.write(`${folder}: ${cause}\n`)
      process.exitCode = failed.length === 0 ? 0 : 1
    })
}
