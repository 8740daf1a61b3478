// API tokens in a file that the server and the command line share. Only hashes are kept: a token is shown once.

import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Type } from 'typebox'
import { Check } from 'typebox/value'
import { AppError, type Ids, messageOf } from '#kernel'
import { type Scope, scopeNames } from './scopes.ts'

const storedToken = Type.Object({
  id: Type.String(),
  name: Type.String(),
  scopes: Type.Array(Type.String()),
  createdAt: Type.String(),
  expiresAt: Type.Optional(Type.String()),
  hash: Type.String(),
})
const tokenFile = Type.Object({ tokens: Type.Array(storedToken) })

type StoredToken = Type.Static<typeof storedToken>

/** What is known of a token, but the token. */
export interface TokenView {
  readonly id: string
  readonly name: string
  readonly scopes: readonly Scope[]
  /** ISO 8601. */
  readonly createdAt: string
  readonly expiresAt?: string
}

/** What a token is to be. */
export interface TokenOrder {
  readonly name: string
  readonly scopes: readonly Scope[]
  /** Wall clock, ms since 1970. */
  readonly nowMs: number
  readonly expiresAtMs?: number
}

const SECRET_BYTES = 24
const ID_BYTES = 4
const PREFIX = 'srg'

/** The tokens of one file; what another process changes there holds from the next request on. */
export class TokenFile {
  readonly #path: string
  readonly #ids: Ids
  #stamp = ''
  #tokens: readonly StoredToken[] = []
  #turn: Promise<unknown> = Promise.resolve()

  constructor(path: string, ids: Ids) {
    this.#path = path
    this.#ids = ids
  }

  /** Oldest first; rejects with AppError `access.tokens-unreadable`. */
  async list(): Promise<readonly TokenView[]> {
    return (await this.#read()).map(viewOf)
  }

  /** Makes a token; its text is known to nobody afterwards. */
  async create({
    name,
    scopes,
    nowMs,
    expiresAtMs,
  }: TokenOrder): Promise<{ readonly text: string; readonly view: TokenView }> {
    const id = this.#ids.hex(ID_BYTES)
    const text = `${PREFIX}_${id}_${this.#ids.hex(SECRET_BYTES)}`
    const token: StoredToken = {
      id,
      name,
      scopes: [...scopes],
      createdAt: new Date(nowMs).toISOString(),
      ...(expiresAtMs === undefined ? {} : { expiresAt: new Date(expiresAtMs).toISOString() }),
      hash: hashOf(text),
    }
    await this.#change((tokens) => [...tokens, token])
    return { text, view: viewOf(token) }
  }

  /** False when there is no such token. */
  async revoke(id: string): Promise<boolean> {
    let isKnown = false
    await this.#change((tokens) => {
      isKnown = tokens.some((token) => token.id === id)
      return tokens.filter((token) => token.id !== id)
    })
    return isKnown
  }

  /** The token with this text that has not expired; undefined when there is none. */
  async find(text: string, nowMs: number): Promise<TokenView | undefined> {
    if (!text.startsWith(`${PREFIX}_`)) return undefined
    const hash = hashOf(text)
    const token = (await this.#read()).find((one) => one.hash === hash)
    if (token === undefined || (token.expiresAt !== undefined && Date.parse(token.expiresAt) <= nowMs)) return undefined
    return viewOf(token)
  }

  #change(change: (tokens: readonly StoredToken[]) => readonly StoredToken[]): Promise<void> {
    const done = this.#turn.then(async () => {
      const text = JSON.stringify({ tokens: change(await this.#read()) }, undefined, 2)
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
      const fresh = `${this.#path}.${this.#ids.hex(ID_BYTES)}`
      await writeFile(fresh, `${text}\n`, { mode: 0o600 })
      await rename(fresh, this.#path)
    })
    this.#turn = done.catch(() => {})
    return done
  }

  async #read(): Promise<readonly StoredToken[]> {
    const facts = await stat(this.#path, { bigint: true }).catch(() => undefined)
    const stamp = facts === undefined ? '' : `${facts.ino}-${facts.mtimeNs}-${facts.size}`
    if (stamp === this.#stamp) return this.#tokens
    this.#tokens = facts === undefined ? [] : await readTokens(this.#path)
    this.#stamp = stamp
    return this.#tokens
  }
}

async function readTokens(path: string): Promise<readonly StoredToken[]> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(path, 'utf8'))
  } catch (fault) {
    throw unreadable(path, messageOf(fault))
  }
  if (!Check(tokenFile, value)) throw unreadable(path, 'not a list of tokens')
  return value.tokens
}

function unreadable(path: string, why: string): AppError {
  const verdict = { result: 'server', reason: 'tokens-unreadable' } as const
  return new AppError('access.tokens-unreadable', `cannot read ${path}: ${why}`, verdict)
}

function viewOf({ id, name, scopes, createdAt, expiresAt }: StoredToken): TokenView {
  const known = scopes.filter((scope): scope is Scope => scopeNames.includes(scope as Scope))
  return { id, name, scopes: known, createdAt, ...(expiresAt === undefined ? {} : { expiresAt }) }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
