// Access to the HTTP API as configured; where somebody has to sign in and nobody could, an administrator is made.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { BlockList, isIP } from 'node:net'
import { join } from 'node:path'
import { Access, type Account, AccountSignIn, hashPassword, OidcSignIn, TokenFile } from '#control'
import { AppError, messageOf } from '#kernel'
import type { HttpConfig } from './config-schema.ts'
import { isSecretNamed, requireSecret } from './http-secret.ts'
import type { Surroundings } from './sip-role.ts'

const tokenFileName = 'tokens.json'
const accountFileName = 'accounts.json'
const PASSWORD_BYTES = 9
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/** The tokens of a configuration. */
export function tokensOf({ folder }: HttpConfig, ids: Surroundings['ids']): TokenFile {
  return new TokenFile(join(folder, tokenFileName), ids)
}

/** Makes the access; `tell` shows a new administrator's password, once. Rejects with AppError `config.nobody-may-sign-in`. */
export async function openAccess(
  config: HttpConfig,
  around: Surroundings,
  tell: (text: string) => void,
): Promise<Access> {
  const { clock, ids } = around
  const tokens = tokensOf(config, ids)
  const file = join(config.folder, accountFileName)
  const accounts = [...config.accounts, ...(await readAccounts(file))]
  const isLocal = isLoopback(config.host)
  const oidc = await openOidc(config.oidc, around)
  if (!isLocal && oidc === undefined && accounts.length === 0 && (await tokens.list()).length === 0) {
    const password = ids.hex(PASSWORD_BYTES)
    const account: Account = { name: 'admin', passwordHash: await hashPassword(password), role: 'admin' }
    await writeAccount(file, account)
    accounts.push(account)
    tell(`The HTTP API is open to other machines, so an account was made: name admin, password ${password}\n`)
  }
  const { idleMinutes, maxHours } = config.session
  return new Access({
    isOpen: isLocal && accounts.length === 0 && oidc === undefined,
    ...(accounts.length === 0 ? {} : { signIn: new AccountSignIn(accounts) }),
    ...(oidc === undefined ? {} : { oidc }),
    tokens,
    session: { idleMs: idleMinutes * MINUTE_MS, longestMs: maxHours * HOUR_MS },
    clock,
    ids,
  })
}

/** Sign-in by the provider of the configuration; it is not asked anything yet. */
async function openOidc(
  config: HttpConfig['oidc'],
  { clock, ids, log }: Surroundings,
): Promise<OidcSignIn | undefined> {
  if (config === undefined) return undefined
  const { secretVariable: _variable, secretFile: _file, scopes, ...settings } = config
  const clientSecret = isSecretNamed(config) ? await requireSecret('http.oidc', config) : undefined
  return new OidcSignIn({
    ...settings,
    scopes: [...new Set(['openid', ...scopes])],
    ...(clientSecret === undefined ? {} : { clientSecret }),
    clock,
    ids,
    log: log.child({ role: 'http' }),
  })
}

async function readAccounts(file: string): Promise<readonly Account[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch {
    return []
  }
  try {
    return (JSON.parse(text) as { readonly accounts: readonly Account[] }).accounts
  } catch (fault) {
    throw nobody(`${file} cannot be read: ${messageOf(fault)}`, fault)
  }
}

async function writeAccount(file: string, account: Account): Promise<void> {
  try {
    await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
    await writeFile(file, `${JSON.stringify({ accounts: [account] }, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' })
  } catch (fault) {
    throw nobody(
      `http.host is no loopback address, so that everybody has to sign in, and nobody can: set http.accounts, or make a token, or let http.folder be written (${messageOf(fault)})`,
      fault,
    )
  }
}

function nobody(message: string, cause: unknown): AppError {
  const verdict = { result: 'client', reason: 'nobody-may-sign-in' } as const
  return new AppError('config.nobody-may-sign-in', message, verdict, { cause })
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

function isLoopback(host: string): boolean {
  return loopback.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
}
