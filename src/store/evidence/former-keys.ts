// Public keys that evidence was signed with before the present one. They lie beside the private key and never with the recordings:
// who can write there could sign anyway, who can only write to the recordings gains nothing.

import { existsSync, readFileSync } from 'node:fs'
import { replaceWhole } from '../sealing/recording-files.ts'

/** Behind the name of the private key's file. */
const FORMER_SUFFIX = '.former.pub'
const PEM = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----\r?\n?/g

/** Where the former public keys of a private key are. */
export function formerKeyFileOf(path: string): string {
  return `${path}${FORMER_SUFFIX}`
}

/** The former public keys of a private key in PEM, the oldest first; throws what the file system throws. */
export function formerKeys(path: string): string[] {
  const file = formerKeyFileOf(path)
  return existsSync(file) ? pemsOf(readFileSync(file, 'utf8')) : []
}

/** Keeps a public key (PEM) that is followed by another, once; throws what the file system throws. */
export function keepFormerKey(path: string, pem: string): void {
  const former = formerKeys(path)
  const [own] = pemsOf(pem)
  if (own === undefined || former.includes(own)) return
  replaceWhole(formerKeyFileOf(path), [...former, own].join(''))
}

/** Each public key of a text in PEM. */
export function pemsOf(text: string): string[] {
  return (text.match(PEM) ?? []).map((pem) => `${pem.trimEnd()}\n`)
}
