// One recording against its own evidence: signature, and every file.

import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readUploadRecord } from '../upload/upload-file.ts'
import {
  EVIDENCE_FILE,
  type Evidence,
  entriesOf,
  type FileEvidence,
  type FolderEntry,
  hashFile,
  parseEvidence,
  SIGNATURE_FILE,
  sha256Of,
} from './evidence-file.ts'
import type { Finding, FindingCode } from './finding.ts'
import { judgeSignature, type PublicKeys } from './signing-key.ts'

/** What became of a recording's own evidence. */
export interface RecordingVerdict {
  readonly recordingId: string
  readonly findings: readonly Finding[]
  /** Files that were moved to object storage: not looked at, and not held against the recording. */
  readonly elsewhere: readonly string[]
  /** Undefined where evidence.json cannot be read. */
  readonly evidence?: Evidence
  /** SHA-256 of evidence.json, which the chain must hold. */
  readonly hash?: string
}

/** Checks the files of a published recording; `where` is what findings call the folder. Rejects with what the file system says. */
export async function verifyFiles(folder: string, where: string, keys: PublicKeys): Promise<RecordingVerdict> {
  const recordingId = basename(folder).replace(/\.open$/, '')
  const path = join(folder, EVIDENCE_FILE)
  if (!existsSync(path)) {
    return {
      recordingId,
      findings: [finding('evidence-missing', `${where}/${EVIDENCE_FILE}`, 'not there')],
      elsewhere: [],
    }
  }
  const bytes = readFileSync(path)
  const evidence = parseEvidence(bytes.toString())
  const hash = sha256Of(bytes)
  if (evidence === undefined) {
    const unreadable = finding('evidence-changed', `${where}/${EVIDENCE_FILE}`, 'not readable')
    return { recordingId, findings: [unreadable], elsewhere: [], hash }
  }
  const findings = [...signatureFindings(folder, where, evidence, bytes, keys)]
  if (evidence.recordingId !== recordingId) {
    findings.push(finding('evidence-swapped', `${where}/${EVIDENCE_FILE}`, `is of ${evidence.recordingId}`))
  }
  const { localRemovedAtMs, files: uploaded } = await readUploadRecord(folder)
  const isElsewhere = ({ name, sha256 }: FileEvidence): boolean =>
    localRemovedAtMs !== undefined && uploaded[name]?.sha256 === sha256
  const entries = new Map(entriesOf(folder).map((entry) => [entry.name, entry]))
  const elsewhere: string[] = []
  for (const file of evidence.files) {
    const entry = entries.get(file.name)
    entries.delete(file.name)
    if (entry === undefined && isElsewhere(file)) elsewhere.push(file.name)
    else findings.push(...(await fileFindings(entry, file, where)))
  }
  for (const name of entries.keys())
    findings.push(finding('file-inserted', `${where}/${name}`, 'nobody vouches for it'))
  return { recordingId, findings, elsewhere, evidence, hash }
}

function signatureFindings(
  folder: string,
  where: string,
  evidence: Evidence,
  bytes: Uint8Array,
  keys: PublicKeys,
): Finding[] {
  const path = join(folder, SIGNATURE_FILE)
  if (!existsSync(path)) return [finding('evidence-missing', `${where}/${SIGNATURE_FILE}`, 'not there')]
  const judged = judgeSignature(keys, evidence.keyId, bytes, readFileSync(path))
  if (judged === 'good') return []
  return judged === 'foreign'
    ? [finding('foreign-key', `${where}/${EVIDENCE_FILE}`, `signed by key ${evidence.keyId}, which is not given`)]
    : [finding('evidence-changed', `${where}/${EVIDENCE_FILE}`, 'its signature does not hold')]
}

async function fileFindings(entry: FolderEntry | undefined, file: FileEvidence, where: string): Promise<Finding[]> {
  const place = `${where}/${file.name}`
  if (entry === undefined) return [finding('file-missing', place, `${file.bytes} bytes were vouched for`)]
  if (!entry.isFile) return [finding('file-changed', place, 'is no file any more')]
  const found = await hashFile(entry.path)
  if (found.sha256 === file.sha256) return []
  const sizes = `${found.bytes} bytes instead of ${file.bytes}`
  if (found.bytes < file.bytes) return [finding('file-truncated', place, sizes)]
  if (found.bytes > file.bytes) return [finding('file-extended', place, sizes)]
  return [finding('file-changed', place, `its SHA-256 is ${found.sha256} instead of ${file.sha256}`)]
}

/** Makes a finding. */
export function finding(code: FindingCode, where: string, detail: string): Finding {
  return { code, where, detail }
}
