// Makes evidence: hashes and signs what is about to be published, and adds to the chain.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'
import type { Act } from '../catalogue/catalogue.ts'
import { isoTime } from '../iso-time.ts'
import { appendToChain, CHAIN_FILE, type ChainSubject, lastLine, parseChainLine, readChain } from './chain.ts'
import { ChainLock } from './chain-lock.ts'
import {
  EVIDENCE_FILE,
  evidenceHashOf,
  hashFolder,
  parseEvidence,
  SIGNATURE_FILE,
  serializeEvidence,
  sha256Of,
} from './evidence-file.ts'
import { formerKeys } from './former-keys.ts'
import { openSigningKey, type SigningKey } from './signing-key.ts'

const LOCK_FILE = 'chain.lock'
/** The public key, and those before it, below the root, for those who verify; whom they trust is for them to decide. */
export const PUBLIC_KEY_FILE = 'evidence-public-key.pem'

/** What a notary works with; plain data but for the clock, since it goes to threads. */
export interface NotaryOptions {
  /** Root folder of the recordings. */
  readonly root: string
  readonly keyFile: string
}

/** Maker of evidence of one store; several may work at once, in threads and processes. */
export class Notary {
  readonly #root: string
  readonly #key: SigningKey
  readonly #lock: ChainLock
  readonly #wallMs: () => number

  private constructor(root: string, key: SigningKey, lock: ChainLock, wallMs: () => number) {
    this.#root = root
    this.#key = key
    this.#lock = lock
    this.#wallMs = wallMs
  }

  /** Reads the key, or makes it at first use; rejects with AppError `store.evidence-key`, or what the file system throws. */
  static async open({ root, keyFile }: NotaryOptions, wallMs: () => number): Promise<Notary> {
    const key = openSigningKey(keyFile)
    mkdirSync(root, { recursive: true })
    writeFileSync(join(root, PUBLIC_KEY_FILE), [key.publicPem, ...formerKeys(keyFile)].join(''))
    return new Notary(root, key, await ChainLock.open(join(root, LOCK_FILE)), wallMs)
  }

  /** Vouches for a folder as it is, still under its name of an open one; rejects with what the file system says. */
  async attest(folder: string): Promise<void> {
    forgetEvidence(folder)
    const files = await hashFolder(folder)
    const settled = folder.replace(/\.open$/, '')
    const recordingId = basename(settled)
    this.#append((day, at) => {
      const text = serializeEvidence({
        version: 1,
        recordingId,
        attestedAt: at,
        chain: day,
        keyId: this.#key.keyId,
        files,
      })
      writeFileSync(join(folder, SIGNATURE_FILE), this.#key.sign(Buffer.from(text)), { flush: true })
      writeFileSync(join(folder, EVIDENCE_FILE), text, { flush: true })
      const below = relative(this.#root, settled).split(sep).join('/')
      return { type: 'recording', recordingId, folder: below, evidence: sha256Of(text) }
    })
  }

  /** Whether a folder that is still open was vouched for, and lacks only its name. */
  isAttested(folder: string): boolean {
    const hash = evidenceHashOf(folder)
    if (hash === undefined) return false
    const evidence = parseEvidence(readFileSync(join(folder, EVIDENCE_FILE), 'utf8'))
    if (evidence === undefined || !existsSync(join(this.#root, evidence.chain, CHAIN_FILE))) return false
    return readChain(this.#root, evidence.chain).lines.some((line) => {
      const entry = line.includes(hash) ? parseChainLine(line)?.entry : undefined
      return entry?.type === 'recording' && entry.evidence === hash
    })
  }

  /** Notes that a recording is deleted on purpose, before it is; throws what the file system throws. */
  noteDeletion(recordingId: string, folder: string, { reason, actor, atMs }: Act): void {
    const evidence = evidenceHashOf(folder)
    const known = evidence === undefined ? {} : { evidence }
    this.#append(() => ({ type: 'deleted', recordingId, ...known, reason, actor, deletedAt: isoTime(atMs) }))
  }

  close(): void {
    this.#lock.close()
  }

  #append(subjectOf: (day: string, at: string) => ChainSubject): void {
    this.#lock.hold(() => {
      const last = lastLine(this.#root)
      const at = isoTime(this.#wallMs())
      const today = at.slice(0, 10).replaceAll('-', '/')
      // A clock that was set back does not take the chain back.
      const day = last !== undefined && last.day > today ? last.day : today
      mkdirSync(join(this.#root, day), { recursive: true })
      appendToChain(this.#root, day, last?.line, { at, subject: subjectOf(day, at) }, this.#key)
    })
  }
}

/** Removes evidence of before from a folder that is published anew. */
export function forgetEvidence(folder: string): void {
  for (const name of [EVIDENCE_FILE, SIGNATURE_FILE]) rmSync(join(folder, name), { force: true })
}
