// The files that a configuration names, looked at before anything is opened: certificates, keys, passwords.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { messageOf } from '#kernel'
import type { Environment } from './config.ts'
import type { RuleBreach } from './config-rules.ts'
import type { Config, SipConfig, TlsFiles } from './config-schema.ts'
import { isSecretNamed, readSecret, type SecretPlace } from './http-secret.ts'
import { readPassword } from './recorder-password.ts'

type Path = RuleBreach['path']

/** What is wrong with the files, by key; what a file holds is never told. */
export async function fileBreaches(config: Config, environment: Environment): Promise<RuleBreach[]> {
  const checks: Promise<RuleBreach[]>[] = []
  for (const role of ['gateway', 'recorder'] as const) {
    const tls: SipConfig['tls'] = config[role]?.sip.tls
    if (tls === undefined) continue
    const path = [role, 'sip', 'tls']
    checks.push(tlsBreaches(path, tls))
    const identities = 'identities' in tls ? tls.identities : []
    for (const [at, files] of identities.entries()) checks.push(tlsBreaches([...path, 'identities', at], files))
  }
  for (const [path, place, isNeeded] of secretsOf(config)) {
    if (!isNeeded && !isSecretNamed(place)) continue
    const read = readSecret(place, environment)
    checks.push(read.then((found) => (found.ok ? [] : [breach(path, found.error.key, found.error.expected)])))
  }
  if (config.http?.tls !== undefined) checks.push(tlsBreaches(['http', 'tls'], config.http.tls))
  for (const [at, { credentials }] of (config.gateway?.recording.profiles ?? []).entries()) {
    if (credentials === undefined) continue
    const path = ['gateway', 'recording', 'profiles', at, 'credentials']
    const read = readPassword(credentials, environment)
    checks.push(read.then((found) => (found.ok ? [] : [breach(path, found.error.key, found.error.expected)])))
  }
  for (const [at, credentials] of (config.gateway?.credentials ?? []).entries()) {
    const read = readPassword(credentials, environment)
    const path = ['gateway', 'credentials', at]
    checks.push(read.then((found) => (found.ok ? [] : [breach(path, found.error.key, found.error.expected)])))
  }
  for (const [path, user] of usersOf(config)) {
    const read = readPassword(user, environment)
    checks.push(read.then((found) => (found.ok ? [] : [breach(path, found.error.key, found.error.expected)])))
  }
  return (await Promise.all(checks)).flat()
}

/** The digest users of the recorder. */
function usersOf({ recorder }: Config) {
  return (recorder?.admit ?? []).flatMap(({ users = [] }, at) =>
    users.map((user, index) => [['recorder', 'admit', at, 'users', index] as Path, user] as const),
  )
}

/** Where secrets are named, and whether there has to be one. */
function secretsOf({ http, gateway }: Config): (readonly [path: Path, place: SecretPlace, isNeeded: boolean])[] {
  const { webhooks = [], oidc } = http ?? {}
  const apis = gateway?.recording.recorderApis ?? []
  return [
    ...webhooks.map((webhook, at) => [['http', 'webhooks', at], webhook, true] as const),
    ...(oidc === undefined ? [] : [[['http', 'oidc'], oidc, false] as const]),
    ...apis.map((api, at) => [['gateway', 'recording', 'recorderApis', at], api, false] as const),
  ]
}

async function tlsBreaches(
  path: Path,
  { certFile, keyFile, caFile }: Omit<TlsFiles, 'allowWildcard'>,
): Promise<RuleBreach[]> {
  const breaches: RuleBreach[] = []
  const read = async <T>(
    key: string,
    file: string,
    what: string,
    parse: (pem: string) => T,
  ): Promise<T | undefined> => {
    let pem: string
    try {
      pem = await readFile(file, 'utf8')
    } catch (fault) {
      breaches.push(breach(path, key, `a readable file: ${messageOf(fault)}`))
      return undefined
    }
    try {
      return parse(pem)
    } catch {
      breaches.push(breach(path, key, `${what} in PEM form`))
      return undefined
    }
  }
  const certificate = await read('certFile', certFile, 'a certificate', (pem) => new X509Certificate(pem))
  const key = await read('keyFile', keyFile, 'a private key without a passphrase', createPrivateKey)
  if (caFile !== undefined) await read('caFile', caFile, 'certificates', (pem) => new X509Certificate(pem))
  if (certificate !== undefined && key !== undefined && !certificate.checkPrivateKey(key)) {
    breaches.push(breach(path, 'keyFile', 'the private key of the certificate in certFile'))
  }
  return breaches
}

function breach(path: Path, key: string, expected: string): RuleBreach {
  return { path: [...path, key], expected }
}
