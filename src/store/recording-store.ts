// Published recordings for those who read them: manifests, files, free space, and what a dead recorder left.

import { existsSync } from 'node:fs'
import { mkdir, rm, statfs } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { type Catalogue, rowOf } from './catalogue/catalogue.ts'
import type { Deriver } from './derived/deriver.ts'
import type { Notary } from './evidence/notary.ts'
import { type Manifest, parseManifest } from './manifest.ts'
import { MANIFEST_FILE, openFolder, settledName } from './recording-folder.ts'
import { type ClosedFolder, type RecoveryFailure, recoverOpenFolders } from './recovery.ts'
import { plainFiles, type RecordingFiles } from './sealing/recording-files.ts'

/** Reader of the recordings under one root folder. */
export class RecordingStore {
  readonly root: string
  /** How files of recordings are read. */
  readonly files: RecordingFiles
  readonly #leastFreeBytes: number

  /** `leastFreeBytes`: below this no recording is accepted. */
  constructor(options: { root: string; leastFreeBytes?: number; files?: RecordingFiles }) {
    this.root = options.root
    this.files = options.files ?? plainFiles
    this.#leastFreeBytes = options.leastFreeBytes ?? 0
  }

  /** Why no new recording can be taken, undefined if one can. */
  async refusal(): Promise<'disk-full' | 'disk-unusable' | undefined> {
    try {
      await mkdir(this.root, { recursive: true })
      const { bavail, bsize } = await statfs(this.root)
      return bavail * bsize < this.#leastFreeBytes ? 'disk-full' : undefined
    } catch {
      return 'disk-unusable'
    }
  }

  /** The path of a folder as the catalogue keeps it. */
  relativeFolder(folder: string): string {
    return relative(this.root, folder).split(sep).join('/')
  }

  /** Path of a file of a recording, from the catalogue's folder and a name in the manifest; undefined if it leads outside. */
  pathOf(folder: string, file: string): string | undefined {
    const path = join(this.root, folder, file)
    return path.startsWith(join(this.root, sep)) ? path : undefined
  }

  /** Where a recording is that the catalogue has no folder of yet: while it is received, or just published. */
  newFolder(recordingId: string, startedAtMs: number): string {
    const folder = openFolder(recordingId, startedAtMs)
    const settled = settledName(folder)
    return existsSync(join(this.root, settled)) ? settled : folder
  }

  /** Manifest of a recording by the catalogue's folder; undefined if there is none that can be read. */
  async manifest(folder: string): Promise<Manifest | undefined> {
    try {
      const text = await this.file(folder, MANIFEST_FILE)
      return text && parseManifest(Buffer.from(text).toString())
    } catch {
      return undefined
    }
  }

  /** A small file of a recording, by the catalogue's folder and a name in the manifest; undefined where it cannot be read. */
  async file(folder: string, name: string): Promise<Uint8Array | undefined> {
    const path = this.pathOf(folder, name)
    try {
      return path === undefined ? undefined : this.files.read(path)
    } catch {
      // It may have been published since somebody asked where it is.
      const settled = settledName(folder)
      return settled === folder ? undefined : await this.file(settled, name)
    }
  }

  /** Deletes a recording's folder. */
  async remove(folder: string): Promise<void> {
    const path = this.pathOf(folder, '')
    if (path !== undefined && folder !== '') await rm(path, { recursive: true, force: true })
  }
}

/** Closes what a dead recorder left open, all of it unless told which folders, and tells the catalogue. */
export async function recoverRecordings(
  store: RecordingStore,
  catalogue: Catalogue,
  derive?: Deriver,
  folders?: readonly ClosedFolder[],
  notary?: Notary,
): Promise<{ recovered: Manifest[]; failures: RecoveryFailure[] }> {
  const { recovered, failures } = await recoverOpenFolders(store.root, derive, folders, notary, store.files)
  for (const { manifest, folder } of recovered) await catalogue.put(rowOf(manifest, store.relativeFolder(folder)))
  return { recovered: recovered.map(({ manifest }) => manifest), failures }
}
