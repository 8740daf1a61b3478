// The keys that the data keys of recordings are sealed with: a file of lines `name key`, the newest last, 64 hexadecimal
// digits each, `#` begins a comment; and encryption.json in the store, which tells a wrong key from the right one.

import { createHmac, randomBytes } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AppError } from '#kernel'
import { KEY_BYTES } from '#sealing'

const MARK_FILE = 'encryption.json'
const MARK_DIGITS = 16

/** One key. */
export interface RingKey {
  readonly name: string
  readonly key: Uint8Array
  readonly line: number
}

/** Reads the keys, oldest first; throws AppError `store.encryption-key` with file and line, and what the file system throws. */
export function readKeyRing(path: string): readonly RingKey[] {
  const keys: RingKey[] = []
  readFileSync(path, 'latin1')
    .split('\n')
    .forEach((text, index) => {
      const line = index + 1
      const written = text.replace(/#.*/, '').trim()
      if (written === '') return
      const [, name = '', digits = ''] = /^([\w.-]{1,64})\s+([0-9a-f]{64})$/i.exec(written) ?? []
      if (name === '') throw badKey(`${path}:${line}: expected a name and a key of 64 hexadecimal digits`)
      if (keys.some((one) => one.name === name)) throw badKey(`${path}:${line}: the key ${name} is there twice`)
      keys.push({ name, key: Buffer.from(digits, 'hex'), line })
    })
  if (keys.length === 0) throw badKey(`${path}: holds no key`)
  return keys
}

/** Whether recordings of a store are sealed. */
export function isSealedStore(root: string): boolean {
  return existsSync(join(root, MARK_FILE))
}

/**
 * Makes sure that every key is there that recordings of the store are sealed with, and the right one; makes the first key where
 * there are none. Throws AppError `store.encryption-key` with file, line and key.
 */
export function checkKeyRing(root: string, path: string): void {
  const marks = readMarks(root)
  if (!existsSync(path)) {
    const names = Object.keys(marks)
    if (names.length > 0) throw badKey(`${path}: not there, and recordings are sealed with ${names.join(', ')}`)
    addKey(path, 'key-1')
  }
  const keys = readKeyRing(path)
  for (const [name, mark] of Object.entries(marks)) {
    const found = keys.find((one) => one.name === name)
    if (found === undefined) throw badKey(`${path}: the key ${name} is missing, and recordings are sealed with it`)
    if (markOf(found.key) !== mark)
      throw badKey(`${path}:${found.line}: ${name} is not the key that recordings are sealed with`)
  }
  writeMarks(root, [...keys.filter(({ name }) => marks[name] !== undefined), keys.at(-1)!])
}

/** Notes which keys recordings are sealed with from now on. */
export function writeMarks(root: string, keys: readonly RingKey[]): void {
  const marks = Object.fromEntries(keys.map(({ name, key }) => [name, markOf(key)]))
  writeFileSync(join(root, MARK_FILE), `${JSON.stringify({ version: 1, keys: marks }, null, 2)}\n`, { flush: true })
}

/** Adds a new key, which is the newest then. */
export function addKey(path: string, name: string): void {
  mkdirSync(dirname(path), { recursive: true })
  appendFileSync(path, `${name} ${randomBytes(KEY_BYTES).toString('hex')}\n`, { mode: 0o600, flush: true })
}

function readMarks(root: string): Readonly<Record<string, string>> {
  const path = join(root, MARK_FILE)
  if (!existsSync(path)) return {}
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { readonly keys: Record<string, string> }).keys
  } catch {
    throw badKey(`${path}: not readable`)
  }
}

function markOf(key: Uint8Array): string {
  return createHmac('sha256', key).update('siprec-gateway store').digest('hex').slice(0, MARK_DIGITS)
}

/** The error of a key that is missing or wrong. */
export function badKey(message: string): AppError {
  return new AppError('store.encryption-key', message, { result: 'client', reason: 'bad-key' })
}
