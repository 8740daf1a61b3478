// The keys of the evidence: Ed25519, the private one in a file that only its owner can read, the public one beside it.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { AppError, messageOf } from '#kernel'
import { replaceWhole } from '../sealing/recording-files.ts'
import { keepFormerKey, pemsOf } from './former-keys.ts'

const KEY_TYPE = 'ed25519'
const KEY_ID_DIGITS = 32
/** Behind the name of the private key's file. */
const PUBLIC_SUFFIX = '.pub'
const BAD_KEY = { result: 'client', reason: 'bad-key' } as const

/** The private key. */
export interface SigningKey {
  readonly keyId: string
  /** PEM of its public half. */
  readonly publicPem: string
  sign(bytes: Uint8Array): Buffer
}

/** Public keys by their ids. */
export type PublicKeys = ReadonlyMap<string, KeyObject>

/** Reads the key, or makes one at first use; a public one beside it that is of another key is kept as a former one. Throws AppError `store.evidence-key`, and what the file system throws. */
export function openSigningKey(path: string): SigningKey {
  mkdirSync(dirname(path), { recursive: true })
  writeNew(path, newKeyPem(), 0o600)
  const key = parsed(path, createPrivateKey)
  const publicKey = createPublicKey(key)
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  settlePublicKey(path, publicPem)
  return { keyId: keyIdOf(publicKey), publicPem, sign: (bytes) => sign(null, bytes, key) }
}

/** Puts a new key in the place of the present one, whose public half is kept; its private half is gone. Throws as `openSigningKey` does. */
export function rotateSigningKey(path: string): { readonly former: string; readonly keyId: string } {
  if (!existsSync(path)) throw new AppError('store.evidence-key', `${path}: there is no key yet`, BAD_KEY)
  const former = openSigningKey(path)
  keepFormerKey(path, former.publicPem)
  writeFileSync(`${path}.part`, newKeyPem(), { mode: 0o600, flush: true })
  renameSync(`${path}.part`, path)
  return { former: former.keyId, keyId: openSigningKey(path).keyId }
}

/** Where the public half of a private key is. */
export function publicKeyFileOf(path: string): string {
  return `${path}${PUBLIC_SUFFIX}`
}

/** Reads public keys in PEM files, of which each may have several; throws AppError `store.evidence-key`, and what the file system throws. */
export function readPublicKeys(paths: readonly string[]): PublicKeys {
  return new Map(
    paths.flatMap((path) => {
      const text = readFileSync(path, 'utf8')
      const pems = pemsOf(text)
      return (pems.length === 0 ? [text] : pems).map((pem) => {
        const key = parsedPem(path, pem, createPublicKey)
        return [keyIdOf(key), key] as const
      })
    }),
  )
}

/** The id of a public key in PEM. */
export function keyIdOfPem(pem: string): string {
  return keyIdOf(createPublicKey(pem))
}

/** What a signature says of some bytes: it holds, it does not, or it is by a key that is not among those given. */
export function judgeSignature(
  keys: PublicKeys,
  keyId: unknown,
  bytes: Uint8Array,
  signature: Uint8Array,
): 'good' | 'bad' | 'foreign' {
  const key = keys.get(String(keyId))
  if (key === undefined) return 'foreign'
  return verify(null, bytes, key, signature) ? 'good' : 'bad'
}

function keyIdOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, KEY_ID_DIGITS)
}

/** Whoever changed the private key by hand has left the public one of before. */
function settlePublicKey(path: string, publicPem: string): void {
  const file = publicKeyFileOf(path)
  writeNew(file, publicPem, 0o644)
  const found = readFileSync(file, 'utf8')
  if (found === publicPem) return
  keepFormerKey(path, found)
  replaceWhole(file, publicPem)
}

function newKeyPem(): string {
  return generateKeyPairSync(KEY_TYPE).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function parsed(path: string, parse: (pem: string) => KeyObject): KeyObject {
  return parsedPem(path, readFileSync(path, 'utf8'), parse)
}

function parsedPem(path: string, pem: string, parse: (pem: string) => KeyObject): KeyObject {
  let key: KeyObject
  try {
    key = parse(pem)
  } catch (fault) {
    throw new AppError('store.evidence-key', `${path}: no key in PEM: ${messageOf(fault)}`, BAD_KEY)
  }
  if (key.asymmetricKeyType === KEY_TYPE) return key
  throw new AppError('store.evidence-key', `${path}: expected an Ed25519 key`, BAD_KEY)
}

function writeNew(path: string, text: string, mode: number): void {
  try {
    writeFileSync(path, text, { mode, flag: 'wx', flush: true })
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'EEXIST') throw fault
  }
}
