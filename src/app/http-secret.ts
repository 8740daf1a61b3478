// Secrets of the HTTP API, of webhooks and of the sign-in service, out of the environment or a file.

import { env } from 'node:process'
import { err, ok, type Result } from '#kernel'
import type { Environment } from './config.ts'
import { readPassword } from './recorder-password.ts'

/** Where a secret is; a section of the configuration. */
interface SecretPlace {
  readonly secretVariable?: string
  readonly secretFile?: string
}

/** Why there is no secret, and the key that names its place. */
export interface SecretProblem {
  readonly key: 'secretVariable' | 'secretFile'
  readonly expected: string
}

/** Reads the secret. */
export async function readSecret(
  { secretVariable, secretFile }: SecretPlace,
  environment: Environment = env,
): Promise<Result<string, SecretProblem>> {
  const found = await readPassword(
    {
      ...(secretVariable === undefined ? {} : { passwordVariable: secretVariable }),
      ...(secretFile === undefined ? {} : { passwordFile: secretFile }),
    },
    environment,
  )
  if (found.ok) return ok(found.value)
  const key = found.error.key === 'passwordFile' ? 'secretFile' : 'secretVariable'
  return err({ key, expected: found.error.expected.replace('a password', 'a secret') })
}

/** Whether a section names a secret at all. */
export function isSecretNamed({ secretVariable, secretFile }: SecretPlace): boolean {
  return secretVariable !== undefined || secretFile !== undefined
}
