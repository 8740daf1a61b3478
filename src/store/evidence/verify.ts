// Verification of a whole store, a day of it or one recording, with nothing but the files and a public key.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CHAIN_FILE, type ChainEntry, chainDays } from './chain.ts'
import type { Finding } from './finding.ts'
import type { PublicKeys } from './signing-key.ts'
import { type ChainHead, type ChainVerdict, verifyChain } from './verify-chain.ts'
import { placeOf, type VerifyPlace } from './verify-place.ts'
import { finding, type RecordingVerdict, verifyFiles } from './verify-recording.ts'

/** What is verified, and by whose word. */
export interface VerifyOptions {
  /** Root folder of the recordings, a day's folder, a recording's folder, or a recording that was exported. */
  readonly path: string
  readonly keys: PublicKeys
  /** Hash of a line that the chain is known to have had. */
  readonly head?: string
}

/** What was found. */
export interface Verification {
  readonly scope: VerifyPlace['scope']
  /** Recordings that were looked at. */
  readonly recordings: number
  /** Those of which nothing is to be said. */
  readonly proved: number
  /** How many of those each key has signed, by its id. */
  readonly provedBy: Readonly<Record<string, number>>
  /** Recordings that the chain says were deleted. */
  readonly deleted: number
  /** Recordings that are not published yet. */
  readonly open: number
  /** Lines of the chain whose signature holds. */
  readonly lines: number
  /** Files that are in object storage and were not looked at. */
  readonly elsewhere: readonly string[]
  /** Last line of the chain: who keeps it elsewhere can prove later that nothing was cut off. */
  readonly head?: ChainHead
  readonly findings: readonly Finding[]
}

type Lines = ReadonlyMap<string, readonly ChainEntry[]>

/** Verifies, and changes nothing; rejects with AppError `store.nothing-to-verify`, and what the file system says. */
export async function verifyEvidence({ path, keys, head }: VerifyOptions): Promise<Verification> {
  const place = placeOf(path)
  const { scope, root, folders } = place
  const verdicts: RecordingVerdict[] = []
  for (const folder of folders) verdicts.push(await verifyFiles(join(root, folder), folder, keys))
  const chain = verifyChain(root, place.days ?? daysOfLine(place, verdicts[0]), scope === 'store', keys)
  const lines = linesByRecording(chain.entries)
  const findings = [
    ...chain.findings.filter((one) => isOf(place, one)),
    ...verdicts.flatMap((verdict, index) => findingsOf(verdict, folders[index]!, lines)),
    ...missingOf(place, lines),
    ...headFindings(chain, head),
  ]
  const isFound = (folder: string): boolean => findings.some(({ where }) => `${where}/`.startsWith(`${folder}/`))
  const proved = verdicts.filter((_verdict, index) => !isFound(folders[index]!))
  const signers = proved.flatMap(({ evidence }) => (evidence === undefined ? [] : [evidence.keyId]))
  return {
    scope,
    recordings: folders.length,
    proved: proved.length,
    provedBy: Object.fromEntries([...new Set(signers)].map((id) => [id, signers.filter((one) => one === id).length])),
    deleted: [...lines.values()].filter((entries) => entries.at(-1)?.type === 'deleted').length,
    open: place.open.length,
    lines: chain.entries.length,
    elsewhere: verdicts.flatMap(({ elsewhere }, index) => elsewhere.map((name) => `${folders[index]}/${name}`)),
    ...(chain.head && { head: chain.head }),
    findings,
  }
}

/** The day that a recording's evidence names; without evidence it may be any from the recording's own on. */
function daysOfLine({ root, folders }: VerifyPlace, verdict: RecordingVerdict | undefined): string[] {
  const day = verdict?.evidence?.chain
  if (day !== undefined) return existsSync(join(root, day, CHAIN_FILE)) ? [day] : []
  return chainDays(root).filter((one) => one >= dirname(folders[0] ?? ''))
}

function linesByRecording(entries: readonly ChainEntry[]): Lines {
  const lines = new Map<string, ChainEntry[]>()
  for (const entry of entries) lines.set(entry.recordingId, [...(lines.get(entry.recordingId) ?? []), entry])
  return lines
}

/** Whether a finding in the chain concerns what is verified: lines cut off at a day's end are missed where the next begins. */
function isOf({ scope, day }: VerifyPlace, { code, where }: Finding): boolean {
  if (scope !== 'day') return scope === 'store'
  return where.startsWith(`${day}/`) || (code === 'line-missing' && where.endsWith(`${CHAIN_FILE}:1`))
}

function findingsOf(verdict: RecordingVerdict, folder: string, lines: Lines): Finding[] {
  const last = lines.get(verdict.recordingId)?.at(-1)
  if (last === undefined && verdict.hash === undefined) {
    return [finding('recording-inserted', folder, 'nobody vouches for it: put in, or recorded without evidence')]
  }
  if (last === undefined) return [...verdict.findings, finding('not-in-chain', folder, 'the chain has no line of it')]
  if (last.type === 'deleted') {
    return [...verdict.findings, finding('recording-came-back', folder, `deleted ${last.deletedAt} by ${last.actor}`)]
  }
  if (last.evidence === verdict.hash || verdict.hash === undefined) return [...verdict.findings]
  return [...verdict.findings, finding('not-in-chain', folder, 'the chain vouches for other evidence')]
}

function missingOf({ scope, day, folders, open }: VerifyPlace, lines: Lines): Finding[] {
  if (scope === 'recording') return []
  const there = new Set([...folders, ...open])
  return [...lines.values()].flatMap((entries) => {
    const last = entries.at(-1)
    if (last?.type !== 'recording' || there.has(last.folder)) return []
    if (day !== undefined && !last.folder.startsWith(`${day}/`)) return []
    return [finding('recording-missing', last.folder, `published ${last.at}, and not deleted by anyone`)]
  })
}

function headFindings({ hashes }: ChainVerdict, head: string | undefined): Finding[] {
  if (head === undefined || hashes.has(head)) return []
  return [finding('head-missing', CHAIN_FILE, `no line with hash ${head}: lines were cut off or replaced`)]
}
