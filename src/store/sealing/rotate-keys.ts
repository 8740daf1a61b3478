// A new key for the data keys of all recordings, old and to come; audio is not touched.

import { messageOf } from '#kernel'
import { recordingFolders } from '../recovery.ts'
import { addKey, checkKeyRing, readKeyRing, writeMarks } from './key-ring.ts'
import { rewrapDataKey, type VaultOptions } from './vault.ts'

/** What a rotation did. */
export interface Rotation {
  /** Name of the newest key. */
  readonly key: string
  readonly rewrapped: number
  /** Recordings whose data key could not be opened, and why. */
  readonly failed: readonly { readonly folder: string; readonly cause: string }[]
}

/**
 * Seals every data key with the newest key, after adding one if told; a recorder that runs uses it from its next recording on.
 * Keys that are needed no more may then be removed from the file. Throws AppError `store.encryption-key`, and what the file system throws.
 */
export function rotateKeys({ root, keyFile }: VaultOptions, isKeyAdded: boolean): Rotation {
  checkKeyRing(root, keyFile)
  const before = readKeyRing(keyFile)
  if (isKeyAdded) addKey(keyFile, nameAfter(before.map(({ name }) => name)))
  const keys = readKeyRing(keyFile)
  const newest = keys.at(-1)!
  writeMarks(root, keys)
  let rewrapped = 0
  const failed: { folder: string; cause: string }[] = []
  for (const folder of recordingFolders(root)) {
    try {
      if (rewrapDataKey(folder, keyFile)) rewrapped += 1
    } catch (thrown) {
      failed.push({ folder, cause: messageOf(thrown) })
    }
  }
  if (failed.length === 0) writeMarks(root, [newest])
  return { key: newest.name, rewrapped, failed }
}

function nameAfter(names: readonly string[]): string {
  for (let number = names.length + 1; ; number++) if (!names.includes(`key-${number}`)) return `key-${number}`
}
