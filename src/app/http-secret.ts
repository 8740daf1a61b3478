// Secrets of the HTTP API, of webhooks and of the sign-in service, out of the environment or a file.

import { env } from 'node:process'
import { AppError, err, ok, type Result } from '#kernel'
import type { Environment } from './config.ts'
import { readPassword } from './recorder-password.ts'

/** Where a secret is; a section of the configuration. */
export interface SecretPlace {
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

/** Reads the secret of a section; rejects with AppError `config.secret-unreadable`, which names the section. */
export async function requireSecret(section: string, place: SecretPlace): Promise<string> {
  const secret = await readSecret(place)
  if (secret.ok) return secret.value
  const verdict = { result: 'client', reason: 'secret-unreadable' } as const
  throw new AppError('config.secret-unreadable', `${section}: ${secret.error.expected}`, verdict)
}

/** Whether a section names a secret at all. */
export function isSecretNamed({ secretVariable, secretFile }: SecretPlace): boolean {
  return secretVariable !== undefined || secretFile !== undefined
}
