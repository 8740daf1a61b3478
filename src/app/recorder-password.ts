// The password of a recorder's digest credentials, out of the environment or a file; never out of the configuration itself.

import { readFile } from 'node:fs/promises'
import { env } from 'node:process'
import { err, messageOf, ok, type Result } from '#kernel'
import type { Environment } from './config.ts'
import type { ProfileConfig } from './config-schema.ts'

type PasswordPlace = Pick<NonNullable<ProfileConfig['credentials']>, 'passwordVariable' | 'passwordFile'>

/** Why there is no password, and the key that names its place. */
export interface PasswordProblem {
  readonly key: 'passwordVariable' | 'passwordFile'
  readonly expected: string
}

/** Reads the password. */
export async function readPassword(
  { passwordVariable = '', passwordFile }: PasswordPlace,
  environment: Environment = env,
): Promise<Result<string, PasswordProblem>> {
  if (passwordFile === undefined) {
    const value = environment[passwordVariable] ?? ''
    // The name is not told: it may be the password itself, put in the wrong place.
    return value === '' ? err({ key: 'passwordVariable', expected: 'the name of a variable that is set' }) : ok(value)
  }
  let text: string
  try {
    text = await readFile(passwordFile, 'utf8')
  } catch (fault) {
    return err({ key: 'passwordFile', expected: `a readable file: ${messageOf(fault)}` })
  }
  const [line = ''] = text.split(/\r?\n/, 1)
  return line === '' ? err({ key: 'passwordFile', expected: 'a password in the first line of the file' }) : ok(line)
}
