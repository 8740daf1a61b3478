import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { sealedDisk } from '../../../test/harness/test-disk.ts'
import { GrowingFile } from '../growing-file.ts'
import { openRemoteFile, readRemoteGrown } from './remote-file.ts'
import { CHUNK_BYTES } from './sealed-format.ts'
import { Vault } from './vault.ts'

/** A place for a file of an encrypted recording. */
function open(t: TestContext): { readonly path: string; readonly vault: Vault } {
  const folder = mkdtempSync(join(tmpdir(), 'remote-file-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const root = join(folder, 'recordings')
  const recording = join(root, '2026/03/01/one')
  mkdirSync(recording, { recursive: true })
  const vault = Vault.checked({ root, keyFile: join(folder, 'keys/store.keys') })
  vault.begin(recording)
  return { path: join(recording, 'file.bin'), vault }
}

test('a part of a copy in object storage is opened from the frames that hold it, and no others are fetched', async (t) => {
  const { path, vault } = open(t)
  const plain = Buffer.from(Uint8Array.from({ length: 5 * CHUNK_BYTES + 77 }, (_unused, i) => (i * 7) & 255))
  const output = vault.output(path)
  output.append(plain)
  output.close()
  const stored = readFileSync(path)
  let fetched = 0
  const remote = await openRemoteFile(vault.placeOf(path)!, stored.length, async function* (start, end) {
    fetched += end + 1 - start
    for (let at = start; at <= end; at += 5000) yield stored.subarray(at, Math.min(at + 5000, end + 1))
  })
  assert.equal(remote.size, plain.length)
  const read = async (start: number, end: number) => {
    const parts: Uint8Array[] = []
    for await (const part of remote.read(start, end)) parts.push(part)
    return Buffer.concat(parts)
  }
  assert.deepEqual(await read(CHUNK_BYTES - 3, CHUNK_BYTES + 3), plain.subarray(CHUNK_BYTES - 3, CHUNK_BYTES + 4))
  assert.ok(fetched < 3 * CHUNK_BYTES)
  assert.deepEqual(await read(0, plain.length - 1), plain)
  stored[stored.length - 30]! ^= 1
  await assert.rejects(read(plain.length - 5, plain.length - 1), /frame 5 .* is not what was written/)
})

test('a copy in object storage of a file that grew is read from its beginning to its end, and nothing of one that is not whole is taken for whole', async (t) => {
  const { path, vault } = open(t)
  const grown = new GrowingFile(sealedDisk(vault), path)
  const plain = Buffer.from(Uint8Array.from({ length: 3000 }, (_unused, i) => (i * 11) & 255))
  for (let at = 0; at < plain.length; at += 700) {
    grown.append(plain.subarray(at, at + 700))
    grown.flush()
  }
  await grown.close()
  const stored = readFileSync(path)
  const read = async (bytes: Buffer, step: number): Promise<Buffer> => {
    const fetch = async function* (start: number, end: number) {
      for (let at = start; at <= end; at += step) yield bytes.subarray(at, Math.min(at + step, end + 1))
    }
    const parts: Buffer[] = []
    for await (const part of readRemoteGrown(vault.placeOf(path)!, bytes.length, fetch)) parts.push(part)
    return Buffer.concat(parts)
  }
  for (const step of [1, 97, 10_000]) assert.deepEqual(await read(stored, step), plain)
  await assert.rejects(read(stored.subarray(0, -1), 97), /cut off/)
  await assert.rejects(read(plain, 97), /not a sealed/)
  const altered = Buffer.from(stored)
  altered[stored.length >> 1]! ^= 1
  await assert.rejects(read(altered, 97), /not what was written|cut off/)
})
