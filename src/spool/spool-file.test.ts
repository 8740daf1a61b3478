// What is written to a spool file is read again, and nothing else is.

import assert from 'node:assert/strict'
import fs, { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { KEY_BYTES } from '#sealing'
import { SpoolReader, SpoolWriter } from './spool-file.ts'
import { SpoolFolder } from './spool-folder.ts'
import { FILE_HEAD_BYTES, type SpoolRecord } from './spool-format.ts'
import { readSpoolKey } from './spool-key.ts'

const ID = 'one'
const KEY = new Uint8Array(KEY_BYTES).fill(7)
const WALL_MS = 1_767_603_600_000
const HOUR_MS = 3_600_000

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'spool-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

function recordOf(n: number): SpoolRecord {
  return { stream: n % 2, atMs: WALL_MS + n * 20, packet: Buffer.from(`the words of packet ${n}`) }
}

/** A file with facts, three chunks of ten packets, and facts again. */
function written(t: TestContext): string {
  const path = join(folderOf(t), `${ID}.spool`)
  const writer = new SpoolWriter(path, ID, KEY, WALL_MS)
  writer.note('first facts')
  for (let n = 0; n < 30; n++) {
    writer.append(recordOf(n))
    if (n % 10 === 9) writer.flush()
  }
  writer.note('last facts')
  writer.close()
  return path
}

function packetsOf(path: string): { readonly texts: string[]; readonly isDamaged: boolean } {
  const opened = SpoolReader.open(path, ID, KEY)
  assert.ok(opened.ok)
  const texts: string[] = []
  for (let records = opened.value.nextPackets(); records !== undefined; records = opened.value.nextPackets()) {
    texts.push(...records.map(({ packet }) => `${packet}`))
  }
  opened.value.close()
  return { texts, isDamaged: opened.value.isDamaged }
}

function factsOf(path: string): string | undefined {
  const opened = SpoolReader.open(path, ID, KEY)
  assert.ok(opened.ok)
  const facts = opened.value.lastFacts()
  opened.value.close()
  return facts
}

test('packets, their streams and times, and the last facts are read as they were written', (t) => {
  const path = written(t)
  const opened = SpoolReader.open(path, ID, KEY)
  assert.ok(opened.ok)
  assert.equal(opened.value.madeAtMs, WALL_MS)
  const first = opened.value.nextPackets()
  opened.value.close()
  assert.deepEqual(first?.map(({ stream, atMs }) => [stream, atMs]).slice(0, 2), [
    [0, WALL_MS],
    [1, WALL_MS + 20],
  ])
  assert.deepEqual(packetsOf(path), {
    texts: Array.from({ length: 30 }, (_, n) => `the words of packet ${n}`),
    isDamaged: false,
  })
  assert.equal(factsOf(path), 'last facts')
})

test('no word of it stands in the file, which is for its owner only', (t) => {
  const path = written(t)
  const bytes = readFileSync(path)
  for (const text of ['the words', 'facts']) assert.equal(bytes.indexOf(text), -1)
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('a torn tail costs the chunk that was torn and nothing before it', (t) => {
  const path = written(t)
  const whole = statSync(path).size
  for (const lost of [1, 40, 200]) {
    truncateSync(path, whole - lost)
    const { texts, isDamaged } = packetsOf(path)
    assert.ok(texts.length >= 20 && texts.length % 10 === 0, `${texts.length} packets`)
    assert.equal(isDamaged, true)
    assert.equal(factsOf(path), 'first facts')
  }
})

test('every byte counts: whatever is changed behind the head ends the file there', (t) => {
  const path = written(t)
  const bytes = readFileSync(path)
  for (let at = FILE_HEAD_BYTES; at < bytes.length; at += 13) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 0x01
    writeFileSync(path, changed)
    const isWhole = packetsOf(path).texts.length === 30 && factsOf(path) === 'last facts'
    assert.equal(isWhole, false, `byte ${at} was changed`)
  }
})

test('chunks cannot change places, be repeated or come from another file', (t) => {
  const path = written(t)
  const bytes = readFileSync(path)
  appendFileSync(path, bytes.subarray(FILE_HEAD_BYTES))
  assert.equal(packetsOf(path).texts.length, 30)
  const other = SpoolReader.open(path, 'two', KEY)
  assert.deepEqual(other, { ok: false, error: 'not sealed with this key' })
})

test('another key opens nothing, and other files are no spool files', (t) => {
  const path = written(t)
  assert.deepEqual(SpoolReader.open(path, ID, new Uint8Array(KEY_BYTES)), {
    ok: false,
    error: 'not sealed with this key',
  })
  writeFileSync(path, 'short')
  assert.deepEqual(SpoolReader.open(path, ID, KEY), { ok: false, error: 'not a spool file' })
})

test('a key is made once, for its owner only; a file that holds none is refused', (t) => {
  const path = join(folderOf(t), 'keys', 'spool.key')
  const made = readSpoolKey(path)
  assert.equal(made.length, KEY_BYTES)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(readSpoolKey(path), made)
  writeFileSync(path, 'not a key')
  assert.throws(() => readSpoolKey(path), { code: 'spool.bad-key' })
})

test('a folder takes nothing more at its limits, and lists what it has, oldest first, with what is too old or unreadable', (t) => {
  const folder = folderOf(t)
  const limits = { maxBytes: 1_000, minFreeBytes: 0, maxAgeHours: 2 }
  const spool = new SpoolFolder(folder, KEY, limits)
  assert.equal(spool.refusal(0), undefined)
  for (const [id, madeAtMs] of [
    ['young', WALL_MS],
    ['old', WALL_MS - 3 * HOUR_MS],
  ] as const) {
    const writer = new SpoolWriter(spool.pathOf(id), id, KEY, madeAtMs)
    writer.note(`facts of ${id}`)
    writer.append({ stream: 0, atMs: WALL_MS, packet: new Uint8Array(500) })
    writer.close()
  }
  writeFileSync(spool.pathOf('alien'), 'what is this')
  const listed = spool.list(new Set(), WALL_MS)
  assert.deepEqual(listed.map(({ id, facts, isExpired, problem }) => [id, facts ?? problem, isExpired]).slice(0, 2), [
    ['old', 'facts of old', true],
    ['young', 'facts of young', false],
  ])
  assert.equal(listed.find(({ id }) => id === 'alien')?.problem, 'not a spool file')
  assert.equal(spool.list(new Set(['young', 'alien']), WALL_MS).length, 1)
  assert.equal(spool.refusal(1_000), 'the spool is full')
  const narrow = new SpoolFolder(folder, KEY, { ...limits, maxBytes: 1_000_000, minFreeBytes: Number.MAX_SAFE_INTEGER })
  assert.equal(narrow.refusal(0), 'the disk of the spool is nearly full')
  spool.remove('old')
  assert.equal(
    spool.list(new Set(), WALL_MS).some(({ id }) => id === 'old'),
    false,
  )
})

/** A disk that takes a few bytes of one write, and nothing more of it. */
function filledOnce(t: TestContext): void {
  const { writeSync } = fs
  let writes = 0
  const fill = (fd: number, bytes: Buffer, offset: number, length: number, position: number | null): number => {
    writes += 1
    if (writes === 2) throw new Error('ENOSPC: no space left on device, write')
    return writeSync(fd, bytes, offset, writes === 1 ? 20 : length, position)
  }
  t.mock.method(fs, 'writeSync', fill)
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
}

test('what is written after the disk was full for a moment is read, and what waited meanwhile too', (t) => {
  const path = join(folderOf(t), `${ID}.spool`)
  const writer = new SpoolWriter(path, ID, KEY, WALL_MS)
  writer.note('first facts')
  writer.append(recordOf(0))
  filledOnce(t)
  assert.throws(() => writer.note('facts that the disk does not take'))
  writer.append(recordOf(1))
  writer.note('last facts')
  writer.close()
  assert.deepEqual(packetsOf(path), { texts: ['the words of packet 0', 'the words of packet 1'], isDamaged: false })
  assert.equal(factsOf(path), 'last facts')
})
