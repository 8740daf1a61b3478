import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { littleKnown } from '../../test/harness/attested-store.ts'
import { instantPort, testDisk } from '../../test/harness/test-disk.ts'
import { systemDisk } from './disk.ts'
import { MAX_LISTED } from './manifest.ts'
import { RecordingFolder } from './recording-folder.ts'
import { leftFolders, recoverOpenFolders, streamsLeft } from './recovery.ts'
import { StreamFiles } from './stream-files.ts'
import { streamFromIndex } from './stream-index.ts'

const PCMU = { encoding: 'PCMU/8000', clockRateHz: 8000 }

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'stream-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('what a silence is because of is on its way to disk before the silence, and the audio is not kept from it by an index that fails', (t) => {
  for (const fault of [null, new Error('ENOSPC')]) {
    const names = new Map<number, string>()
    const writing: { readonly name: string; readonly done: () => void }[] = []
    let isHeld = false
    const port = {
      ...instantPort,
      create: (path: string, head: Uint8Array) => {
        const fd = systemDisk.create(path, head)
        names.set(fd, basename(path))
        return fd
      },
      write: (...[fd, bytes, position, done]: Parameters<typeof instantPort.write>) => {
        const isIndex = names.get(fd)!.endsWith('.jsonl')
        const finish = (): void =>
          fault !== null && isIndex ? done(fault, 0) : instantPort.write(fd, bytes, position, done)
        if (isHeld) writing.push({ name: names.get(fd)!, done: finish })
        else instantPort.write(fd, bytes, position, done)
      },
    }
    const files = new StreamFiles(testDisk(port), folderOf(t), 0, undefined)
    const run = files.startWavRun(PCMU, 'pcmu', 0)
    files.flush()
    isHeld = true
    files.addGap({ fromMs: 0, toMs: 20, cause: 'lost' })
    run.appendSilence(160)
    files.flush()
    files.flush()
    assert.deepEqual(
      writing.map(({ name }) => name),
      ['stream-1.index.jsonl'],
    )
    writing.shift()!.done()
    assert.equal(writing[0]!.name, 'stream-1.run-1.pcmu.wav')
    isHeld = false
    for (const { done } of writing.splice(0)) done()
    files.abandon()
  }
})

test('an index tells once of a run whose file was made by the process after', () => {
  const run = { type: 'run', file: 'stream-1.run-1.pcmu.wav', ...PCMU, decoded: true }
  const lines = [
    { type: 'stream', channel: 0 },
    { ...run, startMs: 0 },
    { type: 'left', endMs: 0 },
    { ...run, startMs: 900 },
  ]
  const stream = streamFromIndex(lines.map((line) => JSON.stringify(line)).join('\n'))
  assert.deepEqual(
    stream?.runs.map(({ startMs }) => startMs),
    [900],
  )
})

test('what a process told of behind its end is forgotten, whatever the next one tells', () => {
  const lines = [
    { type: 'stream', channel: 0 },
    { type: 'gap', fromMs: 0, toMs: 100, cause: 'no-rtp-yet' },
    { type: 'gap', fromMs: 900, toMs: 1100, cause: 'lost' },
    { type: 'gap', fromMs: 1200, toMs: 1220, cause: 'lost' },
    { type: 'left', endMs: 1000 },
    { type: 'gap', fromMs: 1000, toMs: 1300, cause: 'recorder-restart' },
  ]
  const stream = streamFromIndex(lines.map((line) => JSON.stringify(line)).join('\n'))
  assert.deepEqual(stream?.gaps, [
    { fromMs: 0, toMs: 100, cause: 'no-rtp-yet' },
    { fromMs: 900, toMs: 1000, cause: 'lost' },
    { fromMs: 1000, toMs: 1300, cause: 'recorder-restart' },
  ])
})

test('after a crash the account has every gap in its sums, also those that are too many for the list', async (t) => {
  const root = folderOf(t)
  const disk = testDisk()
  const folder = new RecordingFolder(disk, root, 'rec-1', 0, littleKnown)
  const stream = folder.addStream('1')
  const run = stream.startWavRun(PCMU, 'pcmu', 0)
  const count = MAX_LISTED + 2000
  const endMs = 40 * count
  for (let at = 0; at < count; at += 1) stream.addGap({ fromMs: 40 * at, toMs: 40 * at + 20, cause: 'lost' })
  run.append(new Uint8Array(8 * endMs).fill(1))
  folder.flush()
  folder.abandon()
  const [left] = leftFolders(root)
  assert.ok(left?.manifest)
  const [found] = streamsLeft(left.folder, left.manifest)
  const next = new StreamFiles(disk, left.folder, 0, '1', found)
  next.setAudio(0)
  const expected = { audioMs: 20 * count, missingMs: { lost: 20 * count } }
  assert.deepEqual(next.manifest([]).account, expected)
  next.abandon()
  const { recovered, failures } = await recoverOpenFolders(root)
  assert.deepEqual(failures, [])
  const { account, gaps = [] } = recovered[0]?.manifest.streams[0] ?? {}
  assert.deepEqual([account, gaps.length], [expected, MAX_LISTED])
})
