// Finds test data from the built tests.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'test', 'fixtures')

/** Bytes of a file under test/fixtures. */
export function fixture(path: string): Uint8Array {
  return new Uint8Array(readFileSync(join(FOLDER, path)))
}

/** Text of a file under test/fixtures. */
export function fixtureText(path: string): string {
  return readFileSync(join(FOLDER, path), 'utf8')
}

/** Path of a file or folder under test/fixtures. */
export function fixturePath(path: string): string {
  return join(FOLDER, path)
}
