// The files that a configuration names, looked at before anything is opened: certificates, keys, passwords.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { messageOf } from '#kernel'
import type { Environment } from './config.ts'
import type { RuleBreach } from './config-rules.ts'
import type { Config, SipConfig, TlsFiles } from './config-schema.ts'
import { isSecretNamed, readSecret } from './http-secret.ts'
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
  for (const [at, webhook] of (config.http?.webhooks ?? []).entries()) {
    const read = readSecret(webhook, environment)
    checks.push(
      read.then((found) => (found.ok ? [] : [breach(['http', 'webhooks', at], found.error.key, found.error.expected)])),
    )
  }
  const oidc = config.http?.oidc
  if (oidc !== undefined && isSecretNamed(oidc)) {
    const read = readSecret(oidc, environment)
    checks.push(
      read.then((found) => (found.ok ? [] : [breach(['http', 'oidc'], found.error.key, found.error.expected)])),
    )
  }
  for (const [at, api] of (config.gateway?.recording.recorderApis ?? []).entries()) {
    if (!isSecretNamed(api)) continue
    const path = ['gateway', 'recording', 'recorderApis', at]
    const read = readSecret(api, environment)
    checks.push(read.then((found) => (found.ok ? [] : [breach(path, found.error.key, found.error.expected)])))
  }
  if (config.http?.tls !== undefined) checks.push(tlsBreaches(['http', 'tls'], config.http.tls))
  for (const [at, { credentials }] of (config.gateway?.recording.profiles ?? []).entries()) {
    if (credentials === undefined) continue
    const path = ['gateway', 'recording', 'profiles', at, 'credentials']
    const read = readPassword(credentials, environment)
    checks.push(read.then((found) => (found.ok ? [] : [breach(path, found.error.key, found.error.expected)])))
  }
  return (await Promise.all(checks)).flat()
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
