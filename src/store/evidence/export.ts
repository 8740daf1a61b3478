// A recording for somebody else: its files, its lines of the chain, and how to verify both.

import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { AppError } from '#kernel'
import { parseManifest } from '../manifest.ts'
import { MANIFEST_FILE } from '../recording-folder.ts'
import { plainFiles, type RecordingFiles } from '../sealing/recording-files.ts'
import { g711FormatOf } from '../stream-files.ts'
import { repairWavHeader } from '../wav-run-file.ts'
import { CHAIN_FILE, parseChainLine, readChain } from './chain.ts'
import { EVIDENCE_FILE, entriesOf, parseEvidence } from './evidence-file.ts'
import { PUBLIC_KEY_FILE } from './notary.ts'
import { placeOf } from './verify-place.ts'

const GUIDE_FILE = 'VERIFY.txt'
const PLAIN_FOLDER = 'plain'
const PART_BYTES = 1 << 20
/** What its keepers noted of a recording is not theirs who get it. */
const NOTES = new Set(['notes.json', 'upload.json'])

/**
 * Copies a published recording into a folder that is made for it; of a sealed one, what it says stands beside in clear.
 * Throws AppError `store.export`, and what the file system throws.
 */
export function exportRecording(given: string, to: string, files: RecordingFiles = plainFiles): void {
  const path = resolve(given)
  const { scope, root } = placeOf(path)
  if (scope !== 'recording') throw cannotExport(`${given} is no recording`)
  const recordingId = basename(path)
  const target = join(to, recordingId)
  if (existsSync(target)) throw cannotExport(`${target} is there already`)
  mkdirSync(to, { recursive: true })
  cpSync(path, target, { recursive: true, filter: (from) => !NOTES.has(basename(from)) })
  if (files.placeOf(join(path, MANIFEST_FILE)) !== undefined) writePlain(path, join(to, PLAIN_FOLDER), files)
  const day = existsSync(join(path, EVIDENCE_FILE))
    ? parseEvidence(readFileSync(join(path, EVIDENCE_FILE), 'utf8'))?.chain
    : undefined
  if (day === undefined) return
  const lines = readChain(root, day).lines.filter((line) => parseChainLine(line)?.entry.recordingId === recordingId)
  writeFileSync(join(to, CHAIN_FILE), lines.map((line) => `${line}\n`).join(''))
  if (existsSync(join(root, PUBLIC_KEY_FILE))) copyFileSync(join(root, PUBLIC_KEY_FILE), join(to, PUBLIC_KEY_FILE))
  writeFileSync(join(to, GUIDE_FILE), guideOf(recordingId))
}

/** Writes what the files say, with heads that tell their length. */
function writePlain(path: string, to: string, files: RecordingFiles): void {
  for (const { name } of entriesOf(path)) {
    mkdirSync(dirname(join(to, name)), { recursive: true })
    const [from, output] = [files.open(join(path, name)), plainFiles.output(join(to, name))]
    const part = Buffer.alloc(PART_BYTES)
    for (let at = 0; at < from.size; at += PART_BYTES) output.append(part.subarray(0, from.readAt(part, at)))
    output.close()
    from.close()
  }
  const manifest = parseManifest(files.read(join(path, MANIFEST_FILE)).toString())
  for (const { file, encoding, clockRateHz, decoded } of (manifest?.streams ?? []).flatMap(({ runs }) => runs)) {
    const format = decoded ? g711FormatOf(encoding) : undefined
    if (format !== undefined && existsSync(join(to, file)))
      repairWavHeader(join(to, file), format, clockRateHz, plainFiles)
  }
}

function guideOf(recordingId: string): string {
  return `How to verify recording ${recordingId}

${PUBLIC_KEY_FILE} is the key that the recorder said it signs with. It proves something only if you have it, or its
hash, from its owner by another way than this folder.

With siprec-gateway:

  siprec-gateway verify ${recordingId} --public-key ${PUBLIC_KEY_FILE}

Without it, in the folder ${recordingId}:

  openssl pkeyutl -verify -pubin -inkey ../${PUBLIC_KEY_FILE} -rawin -in ${EVIDENCE_FILE} -sigfile evidence.sig

and then the SHA-256 of each file that ${EVIDENCE_FILE} lists, e.g. with sha256sum. ${CHAIN_FILE} holds the signed line
with which the recorder put the recording, by the SHA-256 of ${EVIDENCE_FILE}, in order among all others.

If there is a folder ${PLAIN_FOLDER}, the recording was encrypted: it holds what the files say, opened with the recorder's
key. The evidence is of the files as they were stored. Each is authenticated by its key, so who has the data key can
check that one follows from the other.
`
}

function cannotExport(message: string): AppError {
  return new AppError('store.export', message, { result: 'client', reason: 'export' })
}
