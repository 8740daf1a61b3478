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
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { AppError, messageOf } from '#kernel'

const KEY_TYPE = 'ed25519'
const KEY_ID_DIGITS = 32
/** Behind the name of the private key's file. */
const PUBLIC_SUFFIX = '.pub'

/** The private key. */
export interface SigningKey {
  readonly keyId: string
  /** PEM of its public half. */
  readonly publicPem: string
  sign(bytes: Uint8Array): Buffer
}

/** Public keys by their ids. */
export type PublicKeys = ReadonlyMap<string, KeyObject>

/** Reads the key, or makes one at first use; throws AppError `store.evidence-key`, and what the file system throws. */
export function openSigningKey(path: string): SigningKey {
  mkdirSync(dirname(path), { recursive: true })
  const { privateKey: made } = generateKeyPairSync(KEY_TYPE)
  writeNew(path, made.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600)
  const key = parsed(path, createPrivateKey)
  const publicKey = createPublicKey(key)
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  writeNew(publicKeyFileOf(path), publicPem, 0o644)
  return { keyId: keyIdOf(publicKey), publicPem, sign: (bytes) => sign(null, bytes, key) }
}

/** Where the public half of a private key is. */
export function publicKeyFileOf(path: string): string {
  return `${path}${PUBLIC_SUFFIX}`
}

/** Reads public keys in PEM files; throws AppError `store.evidence-key`, and what the file system throws. */
export function readPublicKeys(paths: readonly string[]): PublicKeys {
  return new Map(
    paths.map((path) => {
      const key = parsed(path, createPublicKey)
      return [keyIdOf(key), key]
    }),
  )
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

function parsed(path: string, parse: (pem: string) => KeyObject): KeyObject {
  const pem = readFileSync(path, 'utf8')
  const verdict = { result: 'client', reason: 'bad-key' } as const
  let key: KeyObject
  try {
    key = parse(pem)
  } catch (fault) {
    throw new AppError('store.evidence-key', `${path}: no key in PEM: ${messageOf(fault)}`, verdict)
  }
  if (key.asymmetricKeyType === KEY_TYPE) return key
  throw new AppError('store.evidence-key', `${path}: expected an Ed25519 key`, verdict)
}

function writeNew(path: string, text: string, mode: number): void {
  try {
    writeFileSync(path, text, { mode, flag: 'wx', flush: true })
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'EEXIST') throw fault
  }
}
