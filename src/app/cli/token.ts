// `token` and `hash-password`: who may use the HTTP API.

import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { hashPassword, type Scope, scopeNames, scopes } from '#control'
import { AppError } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import { loadConfig } from '../config.ts'
import { tokensOf } from '../http-access.ts'
import { invalidArgument } from './addresses.ts'

const DAY_MS = 86_400_000
const defaultFile = 'config/example.yaml'

/** Adds the commands. */
export function addAccessCommands(program: Command): void {
  const token = program.command('token').description('make, list and revoke tokens of the HTTP API')
  token
    .command('create')
    .description('make a token and print it; it cannot be shown again')
    .requiredOption('-n, --name <text>', 'whom or what it is for')
    .requiredOption('-s, --scopes <list>', 'what it allows, separated by commas')
    .option('-d, --days <n>', 'days until it expires; for ever when left out')
    .option('-c, --config <file>', 'configuration file', defaultFile)
    .addHelpText('after', `\nScopes:\n${scopeTable()}`)
    .action(createToken)
  token
    .command('list')
    .description('list the tokens, without their text')
    .option('-c, --config <file>', 'configuration file', defaultFile)
    .action(async ({ config }: { config: string }) => {
      for (const { id, name, scopes: given, expiresAt = 'never expires' } of await (await tokenFile(config)).list()) {
        process.stdout.write(`${id}  ${expiresAt.padEnd(24)}  ${name}  ${given.join(',')}\n`)
      }
    })
  token
    .command('revoke')
    .description('revoke a token; a server that runs refuses it from then on')
    .argument('<id>', 'as `token list` shows it')
    .option('-c, --config <file>', 'configuration file', defaultFile)
    .action(async (id: string, { config }: { config: string }) => {
      if (!(await (await tokenFile(config)).revoke(id))) throw invalidArgument(`there is no token ${id}`)
    })
  program
    .command('hash-password')
    .description('read a password from standard input and print its hash, for http.accounts')
    .action(async () => {
      process.stdout.write(`${await hashPassword(await firstLine())}\n`)
    })
}

interface CreateArguments {
  readonly name: string
  readonly scopes: string
  readonly days?: string
  readonly config: string
}

async function createToken({ name, scopes: list, days, config }: CreateArguments): Promise<void> {
  const given = list.split(',').map((scope) => scope.trim())
  const unknown = given.find((scope) => !scopeNames.includes(scope as Scope))
  if (unknown !== undefined) throw invalidArgument(`${unknown} is no scope; one of ${scopeNames.join(', ')}`)
  const lifetime = days === undefined ? undefined : Number(days)
  if (lifetime !== undefined && !(lifetime > 0)) throw invalidArgument('--days is a number above 0')
  const nowMs = systemClock.wallMs()
  const { text } = await (await tokenFile(config)).create({
    name,
    scopes: given as Scope[],
    nowMs,
    ...(lifetime === undefined ? {} : { expiresAtMs: nowMs + lifetime * DAY_MS }),
  })
  process.stdout.write(`${text}\n`)
}

async function tokenFile(file: string) {
  const { http } = await loadConfig(file, process.env)
  if (http !== undefined) return tokensOf(http, cryptoIds)
  const verdict = { result: 'client', reason: 'no-http' } as const
  throw new AppError('app.no-http', `${file} has no section http`, verdict)
}

async function firstLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin })
  for await (const line of lines) {
    if (line !== '') return line
  }
  throw invalidArgument('no password on standard input')
}

function scopeTable(): string {
  return Object.entries(scopes)
    .map(([name, allows]) => `  ${name.padEnd(18)}${allows}`)
    .join('\n')
}
