import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { decodePcmu, encodePcmu, readWav, tone } from '#audio'
import { TestDiskPort, testDisk } from '../../test/harness/test-disk.ts'
import { GrowingFile } from './growing-file.ts'
import { NO_TOTALS, type RecordingFacts } from './manifest.ts'
import { RecordingFolder } from './recording-folder.ts'

const PCMU = { encoding: 'PCMU/8000', clockRateHz: 8000 }
const FACTS: RecordingFacts = {
  sip: { callId: 'c', fromUri: 'sip:a@b', toUri: 'sip:c@d', requestUri: 'sip:c@d', source: 'x', transport: 'udp' },
  participants: [],
  sessionIds: [],
  groupIds: [],
  metadataInvalid: false,
  speakers: [],
  speakersInferred: false,
  warnings: [],
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'growing-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('what a disk did not take is written by a later flush, in order and once', async (t) => {
  const path = join(folderOf(t), 'file')
  const port = new TestDiskPort()
  const disk = testDisk(port)
  const file = new GrowingFile(disk, path)
  const texts = Array.from({ length: 200 }, (_unused, n) => `line ${n}\n`)
  for (const [n, text] of texts.entries()) {
    port.failsWith = n % 50 > 25 ? 'ENOSPC' : undefined
    assert.ok(file.append(new TextEncoder().encode(text)))
    file.flush()
    await new Promise<void>((resolve) => setImmediate(resolve))
    assert.equal(disk.condition, port.failsWith === undefined ? 'well' : 'full')
  }
  await assert.rejects(file.close(), /ENOSPC/)
  port.failsWith = undefined
  await file.close()
  assert.equal(readFileSync(path, 'utf8'), texts.join(''))
  assert.equal(disk.waitingBytes, 0)
})

test('a disk that hangs is slow after a second, and what waits for it is written when it moves', async (t) => {
  const path = join(folderOf(t), 'file')
  const port = new TestDiskPort()
  let nowMs = 0
  const disk = testDisk(port, 1000, () => nowMs)
  const file = new GrowingFile(disk, path)
  port.isStuck = true
  assert.ok(file.append(new Uint8Array(400).fill(1)))
  file.flush()
  assert.ok(file.append(new Uint8Array(600).fill(2)))
  assert.equal(file.append(Uint8Array.of(3)), false, 'there is no memory left')
  nowMs = 1001
  assert.equal(disk.condition, 'slow')
  port.release()
  await file.close()
  assert.equal(disk.condition, 'well')
  assert.deepEqual([...readFileSync(path)], [...new Uint8Array(400).fill(1), ...new Uint8Array(600).fill(2)])
})

test('audio that finds no memory while the disk is full is a gap of cause disk; what follows stands where it belongs', async (t) => {
  const port = new TestDiskPort()
  const disk = testDisk(port, 3200)
  const folder = new RecordingFolder(disk, folderOf(t), 'r1', Date.UTC(2026, 0, 1), FACTS)
  const stream = folder.addStream('1')
  const file = stream.startWavRun(PCMU, 'pcmu', 0)
  const voice = encodePcmu(tone(440, 3000))
  for (let at = 0; at < voice.length; at += 160) {
    port.failsWith = at >= 8000 && at < 16_000 ? 'EDQUOT' : undefined
    file.append(voice.subarray(at, at + 160))
    folder.flush()
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  const totals = [{ ...NO_TOTALS, packets: 150 }]
  const closing = { endedAtMs: Date.UTC(2026, 0, 1) + 3000, durationMs: 3000, totals, noAudioCause: 'no-rtp' } as const
  const { manifest, folder: path } = await folder.publish(closing)
  const { gaps } = manifest.streams[0]!
  assert.equal(gaps.length, 1)
  const { fromMs, toMs, cause } = gaps[0]!
  assert.equal(cause, 'disk')
  // 400 ms fit into the memory; the disk is well again one packet after it has room.
  assert.ok(fromMs >= 1300 && fromMs <= 1400 && toMs >= 2000 && toMs <= 2040, `from ${fromMs} to ${toMs}`)
  const wav = readWav(readFileSync(join(path, 'recording.wav')))
  assert.ok(wav.ok)
  const said = decodePcmu(voice)
  const kept = wav.value.samples[0]!
  assert.deepEqual(kept.subarray(0, fromMs * 8), said.subarray(0, fromMs * 8))
  assert.ok(kept.subarray(fromMs * 8, toMs * 8).every((sample) => sample === 0))
  assert.deepEqual(kept.subarray(toMs * 8), said.subarray(toMs * 8))
})

test('a file that is abandoned while it is being closed keeps nobody waiting', async (t) => {
  const port = new TestDiskPort()
  const file = new GrowingFile(testDisk(port), join(folderOf(t), 'file'))
  port.isStuck = true
  assert.ok(file.append(Uint8Array.of(1, 2, 3)))
  const closed = file.close()
  file.abandon()
  await closed
  await file.close()
  port.release()
})
