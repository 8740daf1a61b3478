// Uploads to a real S3 server that fails now and then.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ManualClock, MemoryLogger } from '#kernel'
import { catalogueRow as row } from '../../../test/harness/catalogue-row.ts'
import { type Fault, startObjectServer } from '../../../test/harness/object-server.ts'
import { openCatalogueAndJobs } from '../catalogue/open-database.ts'
import { FolderLibrary } from '../library/recording-library.ts'
import { RecordingStore } from '../recording-store.ts'
import { uploadFolder } from './folder-upload.ts'
import type { ObjectStorage } from './object-storage.ts'
import { openS3 } from './s3-storage.ts'
import { readUploadRecord } from './upload-file.ts'
import { eraseObjects, UploadLine, type UploadPolicy } from './upload-line.ts'

const MIB = 2 ** 20
const PART = 5 * MIB
const FOLDER = '2026/01/05/r1'
const doing = { reason: 'case', actor: 'ada' }

async function openScene(t: TestContext, policy: Partial<UploadPolicy> = {}, wrap = (s: ObjectStorage) => s) {
  const root = mkdtempSync(join(tmpdir(), 'upload-'))
  const server = await startObjectServer()
  const { catalogue, jobs } = await openCatalogueAndJobs(':memory:', 'recorder')
  const clock = new ManualClock()
  const log = new MemoryLogger()
  const store = new RecordingStore({ root })
  const storage = wrap(openS3(server.settings))
  const full: UploadPolicy = { prefix: 'a/', partBytes: PART, parallel: 2, ...policy }
  const eraseRemote = async ({ folder }: { folder?: string }) => eraseObjects(storage, full.prefix, folder ?? '')
  const library = new FolderLibrary({ store, storeName: 'recorder', catalogue, jobs, clock, log, eraseRemote })
  const line = () => new UploadLine({ store, storeName: 'recorder', library, jobs, storage, policy: full, clock, log })
  t.after(async () => {
    await catalogue.close()
    await server.close()
    rmSync(root, { recursive: true })
  })
  const path = join(root, FOLDER)
  mkdirSync(join(path, 'metadata'), { recursive: true })
  const audio = Buffer.alloc(2 * PART + 1000, 'audio of a recording ')
  writeFileSync(join(path, 'recording.wav'), audio)
  writeFileSync(join(path, 'manifest.json'), '{}')
  writeFileSync(join(path, 'metadata', '0001.xml'), '<a/>')
  await catalogue.put(row(1, { folder: FOLDER }))
  return { path, root, server, library, catalogue, jobs, clock, log, audio, line, storage }
}

async function content(storage: ObjectStorage, key: string, range?: { start: number; end: number }): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of storage.read(key, range)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

test('a recording is uploaded whole, large files in parts, each file proved by its checksum; the manifest goes last', async (t) => {
  const { server, library, line, audio, path } = await openScene(t)
  await line().run()
  assert.equal((await library.get('r1'))?.uploadState, 'verified')
  const keys = ['manifest.json', 'metadata/0001.xml', 'recording.wav'].map((name) => `a/${FOLDER}/${name}`)
  assert.deepEqual([...(await server.storage.list('a/'))].sort(), keys)
  assert.ok((await content(server.storage, keys[2]!)).equals(audio))
  const puts = server.requests.filter((request) => request.startsWith('PUT'))
  assert.equal(puts.length, 5)
  assert.match(puts.at(-1) ?? '', /manifest\.json/)
  const { files, verifiedAtMs, partial } = await readUploadRecord(path)
  assert.equal(partial, undefined)
  assert.ok(verifiedAtMs !== undefined)
  assert.deepEqual(
    Object.values(files).map(({ provedBy }) => provedBy),
    ['etag', 'etag', 'etag'],
  )
  assert.equal(files['recording.wav']?.sha256, createHash('sha256').update(audio).digest('hex'))
  const before = server.requests.length
  await line().run()
  assert.equal(server.requests.length, before)
})

test('ranges of an object include both ends', async (t) => {
  const { server, line, audio } = await openScene(t)
  await line().run()
  const key = `a/${FOLDER}/recording.wav`
  assert.equal(await server.storage.sizeOf(key), audio.length)
  assert.ok((await content(server.storage, key, { start: 0, end: 9 })).equals(audio.subarray(0, 10)))
  const end = audio.length - 1
  assert.ok((await content(server.storage, key, { start: end - 4, end })).equals(audio.subarray(-5)))
})

for (const fault of ['error', 'cut'] as const) {
  test(`a server that fails mid-upload (${fault}) is tried again later, from the part that is missing, also by another process`, async (t) => {
    const { server, library, line, clock, audio, jobs } = await openScene(t)
    server.fault = (_method, target): Fault => (target.includes('partNumber=2') ? fault : undefined)
    await line().run()
    assert.equal((await library.get('r1'))?.uploadState, 'failed')
    await line().run()
    assert.equal(await jobs.count('upload'), 1)
    server.fault = () => undefined
    server.requests.length = 0
    clock.advance(5000)
    await line().run()
    assert.equal((await library.get('r1'))?.uploadState, 'verified')
    assert.deepEqual(
      server.requests.filter((request) => request.includes('partNumber=1')),
      [],
    )
    assert.ok((await content(server.storage, `a/${FOLDER}/recording.wav`)).equals(audio))
    assert.equal(await jobs.count('upload'), 0)
  })
}

test('a part that arrives corrupted is sent again; a file that always does is never taken for uploaded', async (t) => {
  const { server, library, line, audio, log } = await openScene(t)
  let corruptions = 0
  server.fault = (_method, target) => (target.includes('partNumber=2') && corruptions++ === 0 ? 'corrupt' : undefined)
  await line().run()
  assert.equal(corruptions, 2)
  assert.equal((await library.get('r1'))?.uploadState, 'verified')
  assert.ok((await content(server.storage, `a/${FOLDER}/recording.wav`)).equals(audio))

  const other = await openScene(t)
  other.server.fault = (method, target) => (method === 'PUT' && target.includes('0001.xml') ? 'corrupt' : undefined)
  await other.line().run()
  assert.equal((await other.library.get('r1'))?.uploadState, 'failed')
  assert.ok(other.log.messages().includes('object storage does not have a recording yet; it is tried again'))
  assert.deepEqual(
    log.lines.filter(({ level }) => level === 'warn'),
    [],
  )
})

test('where ETags are no checksums, objects are read back', async (t) => {
  const opaque = (storage: ObjectStorage): ObjectStorage => ({
    ...storage,
    put: async (key, bytes) => `kms-${(await storage.put(key, bytes)).length}`,
    completeParts: async (...args) => `kms-${(await storage.completeParts(...args)).length}`,
  })
  const { line, path, server } = await openScene(t, {}, opaque)
  await line().run()
  const { files } = await readUploadRecord(path)
  assert.deepEqual(
    Object.values(files).map(({ provedBy }) => provedBy),
    ['read-back', 'read-back', 'read-back'],
  )
  assert.equal(server.requests.filter((request) => request.startsWith('GET')).length, 3)
})

test('an upload that the server has forgotten begins anew', async (t) => {
  const { server, library, line, clock, path } = await openScene(t)
  server.fault = (_method, target): Fault => (target.includes('partNumber=2') ? 'error' : undefined)
  await line().run()
  const { partial } = await readUploadRecord(path)
  assert.equal(partial?.etags.length, 1)
  server.fault = (_method, target): Fault => (target.includes(partial.uploadId) ? 'missing' : undefined)
  for (const seconds of [5, 10, 20]) {
    clock.advance(seconds * 1000)
    await line().run()
  }
  assert.equal((await library.get('r1'))?.uploadState, 'verified')
})

test('a checksum of checksums, as Amazon gives for an object in parts, proves it', async (t) => {
  const sums: Buffer[] = []
  const amazon = (storage: ObjectStorage): ObjectStorage => ({
    ...storage,
    putPart: (key, uploadId, number, bytes) => {
      sums.push(createHash('md5').update(bytes).digest())
      return storage.putPart(key, uploadId, number, bytes)
    },
    completeParts: async (...args) => {
      await storage.completeParts(...args)
      return `${createHash('md5').update(Buffer.concat(sums)).digest('hex')}-${sums.length}`
    },
  })
  const { line, path } = await openScene(t, {}, amazon)
  await line().run()
  assert.equal((await readUploadRecord(path)).files['recording.wav']?.provedBy, 'etag')
})

test('the local audio goes so many days after the upload was proved, if it is still there; the manifest stays', async (t) => {
  const { server, library, line, clock, path } = await openScene(t, { keepLocalDays: 2 })
  await line().run()
  clock.advance(2 * 86_400_000 - 1)
  await line().run()
  assert.ok(existsSync(join(path, 'recording.wav')))
  clock.advance(1)
  await server.storage.remove(`a/${FOLDER}/recording.wav`)
  await line().run()
  assert.ok(existsSync(join(path, 'recording.wav')))
  await server.storage.put(`a/${FOLDER}/recording.wav`, readFileSync(join(path, 'recording.wav')))
  clock.advance(3_600_000)
  await line().run()
  assert.deepEqual(readdirSync(path).sort(), ['manifest.json', 'metadata', 'notes.json', 'upload.json'])
  assert.equal((await library.get('r1'))?.uploadState, 'local-removed')
  assert.ok((await library.delete('r1', doing)).ok)
  assert.deepEqual(await server.storage.list('a/'), [])
})

test('bandwidth is a limit of all uploads together, by the clock', async (t) => {
  const { path, clock, storage } = await openScene(t)
  const spent: number[] = []
  await uploadFolder(path, {
    storage,
    keyPrefix: 'b/',
    partBytes: PART,
    spend: async (bytes) => void spent.push(bytes),
    nowMs: () => clock.wallMs(),
  })
  assert.deepEqual(spent, [4, PART, PART, 1000, 2])

  const { line, library, clock: slow } = await openScene(t, { bytesPerSecond: MIB })
  const running = line().run()
  let isDone = false
  void running.then(() => {
    isDone = true
  })
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve))
  }
  const begun = slow.nowMs()
  while (!isDone) {
    await until(() => isDone || slow.pendingNames().length > 0)
    if (isDone) break
    slow.advance(100)
  }
  assert.equal((await library.get('r1'))?.uploadState, 'verified')
  assert.ok(slow.nowMs() - begun >= 10_000, `${slow.nowMs() - begun} ms`)
})

test('after a rebuild every recording that is on its way has a job, however many they are', async (t) => {
  const { catalogue, line, jobs } = await openScene(t)
  for (const [from, uploadState] of [
    [1000, 'waiting'],
    [2000, 'failed'],
  ] as const) {
    const rows = Array.from({ length: 450 }, (_unused, n) => row(from + n, { uploadState }))
    await catalogue.putAll(rows.map((one) => ({ row: one })))
  }
  await line().enqueue(true)
  // With the one of the scene.
  assert.equal(await jobs.count('upload'), 901)
})
