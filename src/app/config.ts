// Reads the configuration: YAML file, then environment, defaults, checks; the result is frozen.

import { readFile } from 'node:fs/promises'
import { Default } from 'typebox/value'
import { stringify } from 'yaml'
import { readYaml } from '#flow'
import { AppError, err, messageOf, ok, type Result } from '#kernel'
import { violations } from './config-check.ts'
import { fileBreaches } from './config-files.ts'
import { ruleBreaches } from './config-rules.ts'
import { type Config, configSchema } from './config-schema.ts'

/** One problem of a configuration. */
export interface ConfigProblem {
  /** The file, or the environment variable, that the problem is in. */
  readonly source: string
  /** Line in the file; absent for a variable. */
  readonly line?: number
  /** Dotted path of the key; empty for the file as a whole. */
  readonly key: string
  readonly expected: string
}

/** Variables by name; `process.env` has this shape. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Variables that go before the file, and the keys that they set. */
const VARIABLES: readonly (readonly [name: string, ...path: string[]])[] = [
  ['SIPREC_LOG_LEVEL', 'log', 'level'],
  ['SIPREC_HTTP_HOST', 'http', 'host'],
  ['SIPREC_HTTP_PORT', 'http', 'port'],
  ['DATABASE_URL', 'recorder', 'store', 'database'],
]
/** Sections that a variable does not switch on. */
const ONLY_IF_WRITTEN = new Set(['recorder'])

/** `file:line: key: what was expected`. */
export function configProblemText({ source, line, key, expected }: ConfigProblem): string {
  return [line === undefined ? source : `${source}:${line}`, key, expected].filter((part) => part !== '').join(': ')
}

/** Reads and checks a file; rejects with AppError `config.unreadable` or `config.invalid`, which lists every problem. */
export async function loadConfig(file: string, environment: Environment): Promise<Config> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (fault) {
    const message = `cannot read the configuration: ${messageOf(fault)}`
    throw new AppError(
      'config.unreadable',
      message,
      { result: 'client', reason: 'config-unreadable' },
      { cause: fault },
    )
  }
  const checked = await checkConfig(text, file, environment)
  if (checked.ok) return checked.value
  const message = checked.error.map(configProblemText).join('\n')
  throw new AppError('config.invalid', message, { result: 'client', reason: 'config-invalid' })
}

async function checkConfig(
  text: string,
  file: string,
  environment: Environment,
): Promise<Result<Config, ConfigProblem[]>> {
  const parsed = parseConfig(text, file, environment)
  if (!parsed.ok) return parsed
  const { position } = readYaml(text)
  const breaches = await fileBreaches(parsed.value, environment)
  if (breaches.length === 0) return parsed
  return err(
    breaches.map(({ path, expected }) => ({
      source: file,
      line: position(path).line,
      key: path.join('.'),
      expected,
    })),
  )
}

/** Checks the text of a file; `environment` goes before it. */
export function parseConfig(
  text: string,
  file: string,
  environment: Environment = {},
): Result<Config, ConfigProblem[]> {
  const yaml = readYaml(text)
  if (yaml.problems.length > 0) {
    return err(yaml.problems.map(({ line, expected }) => ({ source: file, line, key: '', expected })))
  }
  const overridden = new Map<string, string>()
  const value = withVariables(yaml.value ?? {}, environment, overridden)
  const problem = (path: readonly (string | number)[], expected: string, isKey: boolean): ConfigProblem => {
    const key = path.join('.')
    const variable = overridden.get(key)
    if (variable !== undefined) return { source: variable, key, expected }
    return { source: file, line: yaml.position(path, isKey).line, key, expected }
  }
  const complete = Default(configSchema, value)
  const wrong = violations(configSchema, complete)
  if (wrong.length > 0) return err(wrong.map(({ path, expected, isKey }) => problem(path, expected, isKey)))
  const config = complete as Config
  const breaches = ruleBreaches(config)
  if (breaches.length > 0) return err(breaches.map(({ path, expected }) => problem(path, expected, false)))
  return ok(deepFreeze(config))
}

/** The effective configuration as YAML; passwords in URIs are masked. */
export function printConfig(config: Config): string {
  return stringify(
    config,
    (key, value) => (key === 'passwordHash' ? '***' : typeof value === 'string' ? maskPassword(value) : value),
    { lineWidth: 0 },
  )
}

function maskPassword(text: string): string {
  return text.replace(/^((?:sips?:|postgres(?:ql)?:\/\/)[^:@/]*:)[^@]*@/i, '$1***@')
}

function withVariables(value: unknown, environment: Environment, overridden: Map<string, string>): unknown {
  if (!isMapping(value)) return value
  let result: Record<string, unknown> = value
  for (const [name, ...path] of VARIABLES) {
    const text = environment[name]
    if (text === undefined || (ONLY_IF_WRITTEN.has(path[0]!) && !isMapping(result[path[0]!]))) continue
    const changed = withValue(result, path, /^\d+$/.test(text) ? Number(text) : text)
    if (changed === undefined) continue
    result = changed
    overridden.set(path.join('.'), name)
  }
  return result
}

/** A copy with one value replaced; undefined where something else than a section is in its way. */
function withValue(
  section: Record<string, unknown>,
  [key = '', ...below]: readonly string[],
  value: unknown,
): Record<string, unknown> | undefined {
  if (below.length === 0) return { ...section, [key]: value }
  const old = section[key] ?? {}
  const changed = isMapping(old) ? withValue(old, below, value) : undefined
  return changed && { ...section, [key]: changed }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const child of Object.values(value)) deepFreeze(child)
  return Object.freeze(value)
}
