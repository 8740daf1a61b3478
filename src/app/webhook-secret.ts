// The secret that the events of a webhook are signed with, out of the environment or a file.

import { env } from 'node:process'
import { err, ok, type Result } from '#kernel'
import type { Environment } from './config.ts'
import type { HttpConfig } from './config-schema.ts'
import { readPassword } from './recorder-password.ts'

type WebhookConfig = HttpConfig['webhooks'][number]

/** Why there is no secret, and the key that names its place. */
export interface SecretProblem {
  readonly key: 'secretVariable' | 'secretFile'
  readonly expected: string
}

/** Reads the secret. */
export async function readSecret(
  { secretVariable, secretFile }: WebhookConfig,
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
