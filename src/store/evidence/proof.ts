// One recording of a store for those who ask for it by its id: what vouches for it, and whether it still is as it was published.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHAIN_FILE, type ChainEntry, chainDays, parseChainLine, readChain } from './chain.ts'
import { EVIDENCE_FILE, type Evidence, parseEvidence, SIGNATURE_FILE, sha256Of } from './evidence-file.ts'
import type { Finding } from './finding.ts'
import { formerKeyFileOf } from './former-keys.ts'
import { PUBLIC_KEY_FILE } from './notary.ts'
import { type PublicKeys, publicKeyFileOf, readPublicKeys } from './signing-key.ts'
import { verifyEvidence } from './verify.ts'
import { verifyChain } from './verify-chain.ts'

/** The line of the chain that names a recording. */
export interface ProofLine {
  readonly day: string
  readonly number: number
  /** ISO 8601, UTC. */
  readonly at: string
  /** As it stands in the file. */
  readonly text: string
}

/** What vouches for a recording. */
export interface RecordingEvidence {
  readonly evidence: Evidence
  /** SHA-256 of evidence.json, which the line holds. */
  readonly hash: string
  /** Ed25519 signature of evidence.json, in base64. */
  readonly signature?: string
  /** Absent where the chain has no such line. */
  readonly line?: ProofLine
}

/**
 * What verification says: `proved`; `altered`, something is not as it was; `not-chained`, it is as it was signed but the chain
 * does not have it; `unknown-key`, signed by a key that neither is nor was ours; `unvouched`, nothing vouches for it; `incomplete`, files are in
 * object storage alone and were not looked at.
 */
export type ProofOutcome = 'proved' | 'altered' | 'not-chained' | 'unknown-key' | 'unvouched' | 'incomplete'

/** Whether a recording is as it was published. */
export interface RecordingProof {
  readonly outcome: ProofOutcome
  /** About the recording. */
  readonly findings: readonly Finding[]
  /** The chain of the day in which it has its line, with the links to the days before and behind. */
  readonly day?: { readonly name: string; readonly lines: number; readonly findings: readonly Finding[] }
  readonly line?: ProofLine
  readonly evidence?: Evidence
  /** Ids of the keys whose word counted, the present one first. */
  readonly keyIds: readonly string[]
  /** It was signed by a key that was followed by another. */
  readonly isFormerKey?: boolean
  /** Files that are in object storage alone. */
  readonly elsewhere: readonly string[]
}

/** The evidence of a published recording by its folder below `root`; undefined where none can be read. */
export function evidenceOf(root: string, folder: string): RecordingEvidence | undefined {
  const path = join(root, folder, EVIDENCE_FILE)
  if (!existsSync(path)) return undefined
  const bytes = readFileSync(path)
  const evidence = parseEvidence(bytes.toString())
  if (evidence === undefined) return undefined
  const hash = sha256Of(bytes)
  const signed = join(root, folder, SIGNATURE_FILE)
  const line = lineOf(root, evidence, hash)
  return {
    evidence,
    hash,
    ...(existsSync(signed) && { signature: readFileSync(signed).toString('base64') }),
    ...(line && { line }),
  }
}

/** Verifies one recording and the day of its line by our own key; rejects with what the file system says. */
export async function proveRecording(
  root: string,
  folder: string,
  keyFile: string | undefined,
): Promise<RecordingProof> {
  const keys = ownKeys(root, keyFile)
  const [present] = keys.keys()
  const { findings, elsewhere } = await verifyEvidence({ path: join(root, folder), keys })
  const vouched = evidenceOf(root, folder)
  const day = vouched?.evidence.chain
  return {
    outcome: outcomeOf(findings, elsewhere.length),
    findings,
    ...(day !== undefined && { day: judgedDay(root, day, keys) }),
    ...(vouched && { evidence: vouched.evidence }),
    ...(vouched?.line && { line: vouched.line }),
    keyIds: [...keys.keys()],
    ...(vouched && keys.has(vouched.evidence.keyId) && { isFormerKey: vouched.evidence.keyId !== present }),
    elsewhere: elsewhere.map((name) => name.slice(folder.length + 1)),
  }
}

/** The key that this recorder signs with, and those before it; else those that the store names, as when evidence was switched off since. */
function ownKeys(root: string, keyFile: string | undefined): PublicKeys {
  const own = keyFile === undefined ? [] : [publicKeyFileOf(keyFile), formerKeyFileOf(keyFile)]
  const there = own.filter((path) => existsSync(path))
  return readPublicKeys(there.length > 0 ? there : [join(root, PUBLIC_KEY_FILE)].filter((path) => existsSync(path)))
}

function outcomeOf(findings: readonly Finding[], elsewhere: number): ProofOutcome {
  const codes = new Set(findings.map(({ code }) => code))
  const are = (...some: readonly Finding['code'][]): boolean => [...codes].every((code) => some.includes(code))
  if (codes.size === 0) return elsewhere === 0 ? 'proved' : 'incomplete'
  if (are('recording-inserted')) return 'unvouched'
  if (are('not-in-chain')) return 'not-chained'
  // Lines of a key that is not ours do not count either.
  return are('foreign-key', 'not-in-chain') ? 'unknown-key' : 'altered'
}

/** The lines of a day against each other, and against the line before its first and behind its last. */
function judgedDay(root: string, day: string, keys: PublicKeys): NonNullable<RecordingProof['day']> {
  const days = chainDays(root)
  const at = days.indexOf(day)
  const around = at < 0 ? [] : days.slice(Math.max(0, at - 1), at + 2)
  const { findings } = verifyChain(root, around, false, keys)
  const isMissed = ({ code, where }: Finding): boolean =>
    code === 'line-missing' && where === `${days[at + 1]}/${CHAIN_FILE}:1`
  const own = findings.filter((one) => one.where.startsWith(`${day}/`) || isMissed(one))
  const lines = at < 0 ? 0 : readChain(root, day).lines.length
  const none: Finding = {
    code: 'line-missing',
    where: `${day}/${CHAIN_FILE}`,
    detail: 'the chain of the day is not there',
  }
  return { name: day, lines, findings: at < 0 ? [none] : own }
}

function lineOf(root: string, { chain, recordingId }: Evidence, hash: string): ProofLine | undefined {
  if (!existsSync(join(root, chain, CHAIN_FILE))) return undefined
  for (const text of readChain(root, chain).lines) {
    const entry = text.includes(hash) ? parseChainLine(text)?.entry : undefined
    if (isOf(entry, recordingId)) return { day: chain, number: entry.number, at: entry.at, text }
  }
  return undefined
}

function isOf(entry: ChainEntry | undefined, recordingId: string): entry is ChainEntry {
  return entry?.type === 'recording' && entry.recordingId === recordingId
}
