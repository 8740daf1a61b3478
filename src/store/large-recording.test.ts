// A recording beyond 4 GiB: what is published is RF64 (EBU Tech 3306), read here by code of its own.

import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { FACTS } from '../../test/harness/room-bench.ts'
import { instantPort, testDisk } from '../../test/harness/test-disk.ts'
import type { DiskPort } from './disk.ts'
import { NO_TOTALS } from './manifest.ts'
import { RecordingFolder } from './recording-folder.ts'

const SILENCE_BYTES = 2 ** 32 + 1000
const STARTED_MS = Date.UTC(2026, 0, 5)
const PCMU = { payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }
const SILENCE = 0xff
/** So many writes in a row return at once; more would be too deep. */
const WRITES_AT_ONCE = 100

/** A disk that leaves out long silence: a hole in the file, which takes no room. */
function sparsePort(): DiskPort {
  let writes = 0
  return {
    ...instantPort,
    write: (fd, bytes, position, done) => {
      const isSilence = bytes.length >= 4096 && bytes[0] === SILENCE && bytes.at(-1) === SILENCE
      const write = (): void => {
        if (isSilence) done(null, bytes.length)
        else instantPort.write(fd, bytes, position, done)
      }
      writes += 1
      if (writes % WRITES_AT_ONCE === 0) setImmediate(write)
      else write()
    },
  }
}

/** What a reader of RF64 finds in a file, without our own reader. */
function chunksOf(path: string): {
  form: string
  riffBytes: number
  dataBytes: number
  frames: number
  dataAt: number
} {
  const head = read(path, 0, 256)
  const form = head.toString('latin1', 0, 4)
  assert.equal(head.toString('latin1', 8, 12), 'WAVE')
  let large: { riffBytes: number; dataBytes: number; frames: number } | undefined
  for (let at = 12; at + 8 <= head.length; ) {
    const tag = head.toString('latin1', at, at + 4)
    const size = head.readUInt32LE(at + 4)
    if (tag === 'ds64') {
      const [riffBytes, dataBytes, frames] = [8, 16, 24].map((offset) => Number(head.readBigUInt64LE(at + offset)))
      large = { riffBytes: riffBytes!, dataBytes: dataBytes!, frames: frames! }
    }
    if (tag === 'data') {
      assert.ok(large !== undefined, 'ds64 comes before the data')
      assert.deepEqual([size, head.readUInt32LE(4)], [0xffff_ffff, 0xffff_ffff])
      return { form, ...large, dataAt: at + 8 }
    }
    at += 8 + size + (size & 1)
  }
  throw new Error('no data chunk')
}

function read(path: string, position: number, length: number): Buffer {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(length)
    return bytes.subarray(0, readSync(fd, bytes, 0, length, position))
  } finally {
    closeSync(fd)
  }
}

/** A folder that keeps a word, silence of six days, and another word. */
async function longRecording(t: TestContext): Promise<RecordingFolder> {
  const root = mkdtempSync(join(tmpdir(), 'large-'))
  t.after(() => rmSync(root, { recursive: true }))
  const folder = new RecordingFolder(testDisk(sparsePort()), root, 'r1', STARTED_MS, FACTS)
  const stream = folder.addStream('1')
  const run = stream.startWavRun(PCMU, 'pcmu', 0)
  run.append(new Uint8Array(800).fill(1))
  run.appendSilence(SILENCE_BYTES)
  run.append(new Uint8Array(800).fill(2))
  stream.flush()
  return folder
}

test('a recording of more than 4 GiB is published as RF64, whose sizes are those of the file and whose last word is at its place', async (t) => {
  const folder = await longRecording(t)
  const dataBytes = SILENCE_BYTES + 1600
  const durationMs = dataBytes / 8
  const closing = {
    endedAtMs: STARTED_MS + durationMs,
    durationMs,
    totals: [NO_TOTALS],
    noAudioCause: 'no-rtp',
  } as const
  // What players get is made elsewhere; a file of 4 GiB that is no hole would take longer than a test may.
  const { manifest, folder: path } = await folder.publish(closing, () => Promise.resolve({}))
  const [run] = manifest.streams[0]!.runs
  assert.equal(run?.bytes, dataBytes)
  const file = join(path, run.file)
  const found = chunksOf(file)
  const { size } = statSync(file)
  assert.equal(found.form, 'RF64')
  assert.deepEqual([found.dataBytes, found.frames], [dataBytes, dataBytes])
  assert.equal(found.riffBytes, size - 8)
  assert.equal(size, found.dataAt + dataBytes)
  assert.deepEqual([...new Set(read(file, found.dataAt, 800))], [1])
  assert.deepEqual([...new Set(read(file, found.dataAt + SILENCE_BYTES + 800, 2000))], [2])
})
