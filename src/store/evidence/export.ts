// A recording for somebody else: its files, its lines of the chain, and how to verify both.

import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { AppError } from '#kernel'
import { parseManifest } from '../manifest.ts'
import { MANIFEST_FILE, OPEN_SUFFIX } from '../recording-folder.ts'
import { plainFiles, type RecordingFiles } from '../sealing/recording-files.ts'
import { g711FormatOf } from '../stream-files.ts'
import { repairWavHeader } from '../wav-run-file.ts'
import { CHAIN_FILE, parseChainLine, readChain } from './chain.ts'
import { EVIDENCE_FILE, entriesOf, parseEvidence, SIGNATURE_FILE } from './evidence-file.ts'
import { pemsOf } from './former-keys.ts'
import { PUBLIC_KEY_FILE } from './notary.ts'
import { keyIdOfPem } from './signing-key.ts'
import { placeOf } from './verify-place.ts'

/** Of an encrypted recording; itself sealed with the recorder's key. */
const DATA_KEY_FILE = 'data-key.json'
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
  if (path.endsWith(OPEN_SUFFIX)) throw cannotExport(`${given} is still being received`)
  const recordingId = basename(path)
  const target = join(to, recordingId)
  if (existsSync(target)) throw cannotExport(`${target} is there already`)
  mkdirSync(to, { recursive: true })
  cpSync(path, target, { recursive: true, filter: (from) => !isNote(basename(from)) })
  if (files.placeOf(join(path, MANIFEST_FILE)) !== undefined) writePlain(path, join(to, PLAIN_FOLDER), files)
  for (const { name, content } of proofFiles(root, relative(root, path))) writeFileSync(join(to, name), content)
}

/** What goes beside a recording's folder so that it can be verified elsewhere; nothing where nothing vouches for it. */
export function proofFiles(
  root: string,
  folder: string,
): { readonly name: string; readonly content: string | Uint8Array }[] {
  const path = join(root, folder, EVIDENCE_FILE)
  const evidence = existsSync(path) ? parseEvidence(readFileSync(path, 'utf8')) : undefined
  if (evidence === undefined) return []
  const { chain: day, keyId } = evidence
  const recordingId = basename(folder)
  const lines = existsSync(join(root, day, CHAIN_FILE)) ? readChain(root, day).lines : []
  const own = lines.filter((line) => parseChainLine(line)?.entry.recordingId === recordingId)
  const key = join(root, PUBLIC_KEY_FILE)
  return [
    { name: CHAIN_FILE, content: own.map((line) => `${line}\n`).join('') },
    ...(existsSync(key) ? [{ name: PUBLIC_KEY_FILE, content: keyFirst(readFileSync(key, 'utf8'), keyId) }] : []),
    { name: GUIDE_FILE, content: guideOf(recordingId) },
  ]
}

/** OpenSSL reads the first key of a file: that is to be the one that signed. */
function keyFirst(text: string, keyId: string): string {
  const pems = pemsOf(text)
  const isSigner = (pem: string): boolean => keyIdOfPem(pem) === keyId
  return [...pems.filter(isSigner), ...pems.filter((pem) => !isSigner(pem))].join('')
}

/** Whether a file is what its keepers noted of a recording. */
export function isNote(name: string): boolean {
  return NOTES.has(name)
}

/** The files of a recording's folder that are given away with it, by name. */
export function storedFiles(path: string): string[] {
  const beside = [EVIDENCE_FILE, SIGNATURE_FILE, DATA_KEY_FILE].filter((name) => existsSync(join(path, name)))
  return [
    ...entriesOf(path)
      .filter(({ isFile }) => isFile)
      .map(({ name }) => name),
    ...beside,
  ]
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

The first key of ${PUBLIC_KEY_FILE} is the one that the recorder said it signed this with; the others are those that it signs,
or signed, others with. It proves something only if you have it, or its hash, from its owner by another way than this folder.

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
