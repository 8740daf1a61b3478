// What the recording client knows of its recorders, made from the configuration.

import { AppError } from '#kernel'
import { createProfileChoice, type RecorderCredentials, type RecorderDirectory } from '#recording-client'
import type { GatewayConfig, ProfileConfig } from './config-schema.ts'
import { readPassword } from './recorder-password.ts'
import { profileOf } from './recorder-presets.ts'

/** Makes the directory; rejects with AppError `config.password-unreadable`. */
export async function openRecorders({ recording }: GatewayConfig): Promise<RecorderDirectory> {
  const rules = await Promise.all(
    recording.profiles.map(async (written) => ({
      hosts: written.match,
      profile: { ...profileOf(written), ...(await credentialsOf(written)) },
    })),
  )
  return { profileOf: createProfileChoice(rules), candidates: (entry) => entry, report: () => {} }
}

async function credentialsOf({
  name,
  credentials,
}: ProfileConfig): Promise<{ readonly credentials?: RecorderCredentials }> {
  if (credentials === undefined) return {}
  const password = await readPassword(credentials)
  if (!password.ok) {
    const verdict = { result: 'client', reason: 'password-unreadable' } as const
    throw new AppError('config.password-unreadable', `recorder profile ${name}: ${password.error.expected}`, verdict)
  }
  const { username, allowMd5 } = credentials
  return { credentials: { username, password: password.value, allowMd5 } }
}
