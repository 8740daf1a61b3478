// What the gateway answers digest challenges of callees and trunks with.

import { createDestinationPolicy } from '#call'
import { AppError } from '#kernel'
import type { Credentials, SipUri } from '#sip'
import type { GatewayConfig } from '../config-schema.ts'
import { readPassword } from '../recorder-password.ts'

/** Reads the passwords; the first entry with the host of a URI counts. Throws AppError `config.password-unreadable`. */
export async function readCalleeCredentials({
  credentials,
}: Pick<GatewayConfig, 'credentials'>): Promise<(uri: SipUri) => Credentials | undefined> {
  const entries = await Promise.all(
    credentials.map(async ({ hosts, username, allowMd5, ...place }, at) => {
      const password = await readPassword(place)
      if (!password.ok) {
        const verdict = { result: 'client', reason: 'password-unreadable' } as const
        throw new AppError('config.password-unreadable', `credentials ${at}: ${password.error.expected}`, verdict)
      }
      return { hosts: createDestinationPolicy(hosts), credentials: { username, password: password.value, allowMd5 } }
    }),
  )
  return (uri) => entries.find(({ hosts }) => hosts.allows(uri))?.credentials
}
