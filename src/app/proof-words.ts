// What verification says of a recording, in words: what it means, and what to do.

import type { EvidenceView, ProofView } from '#control'
import type { ProofOutcome, RecordingEvidence, RecordingProof } from '#store'

/** Reads evidence and verifies by it; rejects with AppError `store.catalogue` while the database is away. */
export interface EvidenceReader {
  evidence(recordingId: string): Promise<RecordingEvidence | undefined>
  verify(recordingId: string): Promise<RecordingProof | undefined>
}

const MOST_FINDINGS = 100

const words: Readonly<Record<ProofOutcome, readonly [text: string, advice: string]>> = {
  proved: [
    'Every file is as it was when the recording was published; signature and chain hold.',
    'Nothing has to be done. For a proof that does not rest on this machine, export it and verify it elsewhere with the public key.',
  ],
  altered: [
    'The recording is not as it was published.',
    'Leave the folder as it is, put a legal hold on the recording, compare it with a copy (object storage, backup), and look in the audit log and at who can write to the disk.',
  ],
  'not-chained': [
    'The files are as they were signed, but the chain of its day does not have the recording.',
    'Either the chain was cut off or replaced, or the folder was put in. Verify the whole store with the command line and compare the head of the chain with one kept elsewhere.',
  ],
  'unknown-key': [
    'It is signed by a key that neither is nor was one of this recorder.',
    'If the key was changed without rotate-evidence-key, put the public key of that time into the file .former.pub beside the private one; if not, somebody else signed it.',
  ],
  unvouched: [
    'Nothing vouches for the recording: it was recorded before evidence was switched on, or put in.',
    'Set recorder.store.evidence.keyFile, so that recordings from then on are vouched for.',
  ],
  incomplete: [
    'What is on this machine is as it was published; other files are in object storage alone and were not looked at.',
    'Fetch those files into the folder of a copy and verify that with the command line.',
  ],
}

/** The evidence of a recording for the HTTP API. */
export function evidenceViewOf({ evidence, hash, signature, line }: RecordingEvidence): EvidenceView {
  const { recordingId, attestedAt, keyId, files } = evidence
  return {
    recordingId,
    attestedAt,
    keyId,
    sha256: hash,
    ...(signature !== undefined && { signature }),
    ...(line !== undefined && { line }),
    files: files.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
  }
}

/** The proof of a recording for the HTTP API. */
export function proofViewOf(recordingId: string, proof: RecordingProof, nowMs: number): ProofView {
  const { outcome, findings, day, line, evidence, keyIds, isFormerKey, elsewhere } = proof
  const [text, advice] = words[outcome]
  return {
    recordingId,
    outcome,
    text: isFormerKey === true ? `${text} ${byFormerKey(evidence?.keyId)}` : text,
    advice,
    verifiedAt: new Date(nowMs).toISOString(),
    ...(evidence && { attestedAt: evidence.attestedAt, keyId: evidence.keyId }),
    ...(isFormerKey !== undefined && { isFormerKey }),
    trustedKeyIds: [...keyIds],
    files: evidence?.files.length ?? 0,
    findings: findings.slice(0, MOST_FINDINGS).map((one) => ({ ...one })),
    ...(line && { line: { day: line.day, number: line.number, at: line.at } }),
    ...(day && {
      day: {
        name: day.name,
        lines: day.lines,
        isIntact: day.findings.length === 0,
        findings: day.findings.slice(0, MOST_FINDINGS).map((one) => ({ ...one })),
      },
    }),
    elsewhere: [...elsewhere],
  }
}

function byFormerKey(keyId = ''): string {
  return `It was signed by key ${keyId}, which this recorder signed with before its present one.`
}
