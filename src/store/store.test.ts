import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { decodePcma, encodePcma, encodePcmu, goertzelPower, readWav, tone } from '#audio'
import { sealedDisk, testDisk } from '../../test/harness/test-disk.ts'
import { exportRecording } from './evidence/export.ts'
import { isoTime, msOfIsoTime } from './iso-time.ts'
import { type Manifest, NO_TOTALS, parseManifest, type RecordingFacts, serializeManifest } from './manifest.ts'
import { RawRunFile, readRawRun } from './raw-run-file.ts'
import { RecordingFolder } from './recording-folder.ts'
import { leftFolders, recordingFolders, recoverOpenFolders } from './recovery.ts'
import { plainFiles } from './sealing/recording-files.ts'
import { streamFromIndex } from './stream-index.ts'
import { WavRunFile } from './wav-run-file.ts'

const STARTED_MS = Date.UTC(2026, 1, 28, 23, 59, 59, 250)
const PCMU = { encoding: 'PCMU/8000', clockRateHz: 8000 }
const PCMA = { encoding: 'PCMA/8000', clockRateHz: 8000 }
const FACTS: RecordingFacts = {
  sip: { callId: 'c', fromUri: 'sip:a@b', toUri: 'sip:c@d', requestUri: 'sip:c@d', source: 'x', transport: 'udp' },
  participants: [],
  sessionIds: [],
  groupIds: [],
  metadataInvalid: false,
  speakers: [['Alice']],
  speakersInferred: false,
  warnings: [],
}

function rootOf(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'store-'))
  t.after(() => rmSync(root, { recursive: true }))
  return root
}

function closing(streams: number, durationMs: number) {
  const totals = Array.from({ length: streams }, () => NO_TOTALS)
  return { endedAtMs: STARTED_MS + durationMs, durationMs, totals, noAudioCause: 'no-rtp' } as const
}

test('isoTime agrees with Date, and msOfIsoTime reads it back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (ms) => {
      assert.equal(isoTime(ms), new Date(ms).toISOString())
      assert.equal(msOfIsoTime(isoTime(ms)), ms)
    }),
  )
  assert.equal(msOfIsoTime('yesterday'), 0)
})

test('a run file has a right header after each flush a second from the one before, however it was written', (t) => {
  const root = rootOf(t)
  let count = 0
  let nowMs = 0
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(40_000)), { maxLength: 12 }), (steps) => {
      const path = join(root, `${count++}.wav`)
      const file = new WavRunFile(
        testDisk(undefined, undefined, () => (nowMs += 1000)),
        path,
        {
          format: 'pcmu',
          sampleRateHz: 8000,
          silence: 0xff,
          onDropped: () => assert.fail('nothing is dropped'),
        },
      )
      let expected = 0
      for (const [isSilence, size] of steps) {
        if (isSilence) file.appendSilence(size)
        else file.append(new Uint8Array(size).fill(7))
        expected += size
        file.flush()
        const wav = readWav(readFileSync(path))
        assert.ok(wav.ok)
        assert.equal(wav.value.samples[0]?.length, expected)
      }
      void file.close()
      assert.equal(file.bytes, expected)
    }),
    { numRuns: 20 },
  )
})

test('the header of a run file is behind by less than a second, and never at the end', async (t) => {
  const path = join(rootOf(t), 'run.wav')
  let nowMs = 0
  const file = new WavRunFile(
    testDisk(undefined, undefined, () => nowMs),
    path,
    {
      format: 'pcmu',
      sampleRateHz: 8000,
      silence: 0xff,
      onDropped: () => assert.fail('nothing is dropped'),
    },
  )
  const samplesNow = (): number | undefined => {
    const wav = readWav(readFileSync(path))
    return wav.ok ? wav.value.samples[0]?.length : undefined
  }
  for (; nowMs < 5000; nowMs += 100) {
    file.append(new Uint8Array(800).fill(7))
    file.flush()
    const behind = ((nowMs + 100) * 8 - (samplesNow() ?? 0)) / 8
    assert.ok(behind >= 0 && behind < 1000, `${behind} ms behind at ${nowMs} ms`)
  }
  await file.close()
  assert.equal(samplesNow(), 40_000)
})

test('raw records read back, and one cut off at the end is ignored', async (t) => {
  const path = join(rootOf(t), 'opus.rtp')
  const file = new RawRunFile(testDisk(), path, () => {})
  const records = Array.from({ length: 40 }, (_unused, n) => ({
    payloadType: 96,
    marker: n === 0,
    sequence: (65_530 + n) & 0xffff,
    timestamp: n * 960,
    ssrc: 0xdeadbeef,
    arrivalMs: n * 20.5,
    position: n * 960 + 4800,
    payload: new Uint8Array(n * 1400).fill(n),
  }))
  for (const record of records) file.append(record)
  await file.close()
  const bytes = readFileSync(path)
  assert.equal(bytes.length, file.bytes)
  const run = { clockRateHz: 48_000, startMs: 0 }
  assert.deepEqual([...readRawRun(path, run)], records)
  writeFileSync(path, bytes.subarray(0, -1))
  assert.equal([...readRawRun(path, run)].length, 39)
})

test('raw records of before, without positions, are placed by RTP time within a source and by arrival between sources', (t) => {
  const path = join(rootOf(t), 'opus.rtp')
  const records = [
    { ssrc: 1, timestamp: 0xffff_fe20, arrivalMs: 120 },
    { ssrc: 1, timestamp: 0x0000_01e0, arrivalMs: 199 },
    { ssrc: 2, timestamp: 77, arrivalMs: 300 },
  ].map(({ ssrc, timestamp, arrivalMs }) => {
    const bytes = Buffer.alloc(25)
    bytes.writeUInt16BE(1, 0)
    bytes.writeUInt32BE(timestamp, 8)
    bytes.writeUInt32BE(ssrc, 12)
    bytes.writeDoubleBE(arrivalMs, 16)
    return bytes
  })
  writeFileSync(path, Buffer.concat([Buffer.from('SRGWRAW1'), ...records]))
  const read = [...readRawRun(path, { clockRateHz: 48_000, startMs: 100 })]
  assert.deepEqual(
    read.map(({ position }) => position),
    [960, 1920, 9600],
  )
})

test('parseManifest takes only what serializeManifest wrote', () => {
  const manifest: Manifest = {
    version: 1,
    recordingId: 'r1',
    state: 'receiving',
    recovered: false,
    startedAt: isoTime(STARTED_MS),
    durationMs: 0,
    streams: [],
    metadata: [],
    facts: FACTS,
  }
  assert.deepEqual(parseManifest(serializeManifest(manifest)), manifest)
  for (const text of ['', 'null', '{}', '[]', '{"version":1}', '{"version":2,"recordingId":"r1"}']) {
    assert.equal(parseManifest(text), undefined, text)
  }
})

test('a folder is open under its day in UTC, and takes its name when published', async (t) => {
  const root = rootOf(t)
  const folder = new RecordingFolder(testDisk(), root, 'r1', STARTED_MS, FACTS)
  assert.ok(existsSync(join(root, '2026/02/28/r1.open/manifest.json')))
  const published = await folder.publish(closing(0, 1000))
  assert.equal(published.folder, join(root, '2026/02/28/r1'))
  assert.equal(published.manifest.state, 'no-audio')
  assert.equal(published.manifest.cause, 'no-rtp')
  assert.equal(published.manifest.endedAt, '2026-03-01T00:00:00.250Z')
  assert.deepEqual(parseManifest(readFileSync(join(published.folder, 'manifest.json'), 'utf8')), published.manifest)
  assert.deepEqual(recordingFolders(root), [published.folder])
})

test('recording.wav: channel n is stream n, a stream without audio is silent, runs stand where they began', async (t) => {
  const folder = new RecordingFolder(testDisk(), rootOf(t), 'r1', STARTED_MS, FACTS)
  const first = folder.addStream('1')
  folder.addStream('2')
  const third = folder.addStream('3')
  first.startWavRun(PCMU, 'pcmu', 0).append(encodePcmu(tone(440, 500)))
  third.startWavRun(PCMU, 'pcmu', 1000).append(encodePcmu(tone(880, 500)))
  const { folder: path } = await folder.publish(closing(3, 2000))
  const wav = readWav(readFileSync(join(path, 'recording.wav')))
  assert.ok(wav.ok)
  assert.equal(wav.value.format, 'pcmu')
  const [one, two, three] = wav.value.samples
  assert.equal(one?.length, 16_000)
  assert.ok(goertzelPower(one.subarray(0, 4000), 8000, 440) > 0.9)
  assert.ok(two!.every((sample) => sample === 0))
  assert.ok(three!.subarray(0, 8000).every((sample) => sample === 0))
  assert.ok(goertzelPower(three!.subarray(8000, 12_000), 8000, 880) > 0.9)
})

test('runs of different formats and clock rates are decoded and brought to one rate', async (t) => {
  const folder = new RecordingFolder(testDisk(), rootOf(t), 'r1', STARTED_MS, FACTS)
  const narrow = folder.addStream('1')
  const wide = folder.addStream('2')
  narrow.startWavRun(PCMA, 'pcma', 0).append(encodePcma(tone(500, 3000)))
  const wideCodec = { encoding: 'PCMU/16000', clockRateHz: 16_000 }
  wide.startWavRun(wideCodec, 'pcmu', 0).append(encodePcmu(tone(3000, 3000, 16_000)))
  const { folder: path } = await folder.publish(closing(2, 3000))
  const wav = readWav(readFileSync(join(path, 'recording.wav')))
  assert.ok(wav.ok)
  assert.equal(wav.value.format, 'pcm16')
  assert.equal(wav.value.sampleRateHz, 16_000)
  assert.ok(goertzelPower(wav.value.samples[0]!, 16_000, 500) > 0.95)
  assert.ok(goertzelPower(wav.value.samples[1]!, 16_000, 3000) > 0.95)
})

test('recovery closes what was left open: sizes from the files, header repaired, restart gap, half a line ignored', async (t) => {
  const root = rootOf(t)
  const folder = new RecordingFolder(testDisk(), root, 'r1', STARTED_MS, FACTS)
  const left = folder.addStream('1')
  const right = folder.addStream('2')
  left.startWavRun(PCMA, 'pcma', 0).append(encodePcma(tone(440, 1000)))
  right.startWavRun(PCMA, 'pcma', 200).append(encodePcma(tone(880, 500)))
  left.addGap({ fromMs: 100, toMs: 120, cause: 'lost' })
  left.addAnchor(undefined, { ...NO_TOTALS, packets: 50 })
  folder.flush()
  const open = join(root, '2026/02/28/r1.open')
  const run = join(open, 'stream-1.run-1.pcma.wav')
  // What a kill in the middle of a flush leaves: audio beyond the header's size, half a line of index.
  appendFileSync(run, encodePcma(tone(440, 200)))
  appendFileSync(join(open, 'stream-1.index.jsonl'), '{"type":"ga')
  const { recovered, failures } = await recoverOpenFolders(root)
  assert.deepEqual(failures, [])
  const { manifest, folder: path } = recovered[0]!
  assert.equal(manifest.recovered, true)
  assert.equal(manifest.state, 'published')
  assert.equal(manifest.durationMs, 1200)
  assert.equal(manifest.streams[0]?.totals.packets, 50)
  assert.deepEqual(manifest.streams[0]?.gaps, [{ fromMs: 100, toMs: 120, cause: 'lost' }])
  assert.deepEqual(manifest.streams[1]?.gaps, [{ fromMs: 700, toMs: 1200, cause: 'recorder-restart' }])
  assert.deepEqual(manifest.streams[0]?.account, { audioMs: 1180, missingMs: { lost: 20 } })
  assert.deepEqual(manifest.streams[1]?.account?.missingMs, { 'recorder-restart': 500 })
  assert.deepEqual(manifest.streams[0]?.participants, ['Alice'])
  const repaired = readWav(readFileSync(join(path, 'stream-1.run-1.pcma.wav')))
  assert.ok(repaired.ok && repaired.value.samples[0]?.length === 9600)
  const wav = readWav(readFileSync(join(path, 'recording.wav')))
  assert.ok(wav.ok)
  assert.deepEqual(wav.value.samples[1]?.subarray(1600, 5600), decodePcma(encodePcma(tone(880, 500))))
})

test('recovery puts the alarms that there were into the manifest, and the file of them goes', async (t) => {
  const root = rootOf(t)
  const folder = new RecordingFolder(testDisk(), root, 'r1', STARTED_MS, FACTS)
  const alarm = { code: 'no-packets', severity: 'error', cause: 'c', fix: 'f', fromMs: 2500 } as const
  folder.setAlarms([{ ...alarm, toMs: 3000 }, alarm])
  await folder.leave()
  const { recovered } = await recoverOpenFolders(root)
  assert.deepEqual(recovered[0]?.manifest.alarms, [{ ...alarm, toMs: 3000 }, alarm])
  assert.equal(existsSync(join(recovered[0]!.folder, 'alarms.json')), false)
})

test('SEC-12: the state of a session is its owner’s to read, whatever was there, and gone with all its traces when the recording is published or recovered', async (t) => {
  const root = rootOf(t)
  for (const ends of ['published', 'recovered'] as const) {
    const folder = new RecordingFolder(testDisk(), root, ends, STARTED_MS, FACTS)
    const part = join(folder.path, 'session.json.part')
    writeFileSync(part, 'of a death before', { mode: 0o644 })
    folder.keepSession({ secret: 1 })
    assert.equal(statSync(join(folder.path, 'session.json')).mode & 0o777, 0o600)
    folder.keepIndices([{ secret: 2 }])
    writeFileSync(part, 'secret of a death')
    const [left] = leftFolders(root)
    assert.deepEqual([left?.session, left?.indices, left?.isSessionUnreadable], [{ secret: 1 }, [{ secret: 2 }], false])
    assert.throws(() => exportRecording(folder.path, join(root, 'exported')), /still being received/)
    const settled = folder.path.replace('.open', '')
    if (ends === 'published') {
      await folder.publish({ endedAtMs: STARTED_MS, durationMs: 0, totals: [], noAudioCause: 'no-rtp' })
      folder.keepSession({ secret: 3 })
      folder.keepIndices([{ secret: 4 }])
    } else {
      await folder.leave()
      const closed = { folder: folder.path, notResumed: 'too-old' } as const
      const { recovered } = await recoverOpenFolders(root, undefined, [closed])
      assert.equal(recovered[0]?.manifest.notResumed, 'too-old')
    }
    assert.deepEqual(readdirSync(settled), ['manifest.json'])
  }
})

test('SEC-12: a session whose recording cannot be recovered leaves no keys behind', async (t) => {
  const root = rootOf(t)
  const folder = new RecordingFolder(testDisk(), root, 'r1', STARTED_MS, FACTS)
  folder.keepSession({ secret: 1 })
  truncateSync(join(folder.path, 'manifest.json'), 10)
  assert.equal((await recoverOpenFolders(root)).failures.length, 1)
  assert.deepEqual(readdirSync(folder.path), ['manifest.json'])
})

test('recovery after a kill during publishing works, and a folder without manifest is left alone and reported', async (t) => {
  const root = rootOf(t)
  const folder = new RecordingFolder(testDisk(), root, 'r1', STARTED_MS, FACTS)
  folder
    .addStream('1')
    .startWavRun(PCMU, 'pcmu', 0)
    .append(encodePcmu(tone(440, 300)))
  folder.flush()
  writeFileSync(join(root, '2026/02/28/r1.open/recording.wav.part'), 'half')
  new RecordingFolder(testDisk(), root, 'r2', STARTED_MS, FACTS)
  truncateSync(join(root, '2026/02/28/r2.open/manifest.json'), 10)
  const { recovered, failures } = await recoverOpenFolders(root)
  assert.deepEqual(
    recovered.map(({ manifest }) => manifest.recordingId),
    ['r1'],
  )
  assert.ok(statSync(join(recovered[0]!.folder, 'recording.wav')).size > 2400)
  assert.equal(existsSync(join(recovered[0]!.folder, 'recording.wav.part')), false)
  assert.deepEqual(
    failures.map(({ folder: path }) => path),
    [join(root, '2026/02/28/r2.open')],
  )
})

test('an index of any text yields a stream or nothing, never an exception', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('{"type":"stream","channel":0}', 'null', '{}', '[]', '{"type":"gap"}', '{"type":"totals"}'),
  )
  fc.assert(fc.property(fc.array(line), (lines) => void streamFromIndex(lines.join('\n'))))
})

test('a recording that the disk does not let begin leaves no folder, and an empty one is no matter for recovery', async (t) => {
  const root = rootOf(t)
  const disk = testDisk()
  const write = (): never => {
    throw Object.assign(new Error('full'), { code: 'ENOSPC' })
  }
  const full = sealedDisk({ ...plainFiles, write })
  assert.throws(() => new RecordingFolder(full, root, 'rec-1', STARTED_MS, FACTS), { code: 'ENOSPC' })
  assert.deepEqual(recordingFolders(root), [])
  // The machine lost power before the first file was on the medium.
  const { path } = new RecordingFolder(disk, root, 'rec-2', STARTED_MS, FACTS)
  rmSync(path, { recursive: true })
  mkdirSync(path)
  assert.deepEqual(await recoverOpenFolders(root), { recovered: [], failures: [] })
  assert.deepEqual(recordingFolders(root), [])
})

test('a recording whose last name does not reach the medium is published by the next attempt', async (t) => {
  const root = rootOf(t)
  const folder = new RecordingFolder(testDisk(), root, 'rec-1', STARTED_MS, FACTS)
  const { open } = promises
  const put = (change: object): void => {
    Object.assign(promises, change)
    syncBuiltinESMExports()
  }
  t.after(() => put({ open }))
  const day = join(root, '2026/02/28')
  put({
    open: (...args: Parameters<typeof open>) => {
      return args[0] === day ? Promise.reject(Object.assign(new Error('io'), { code: 'EIO' })) : open(...args)
    },
  })
  await assert.rejects(folder.publish(closing(0, 1000)), { code: 'EIO' })
  put({ open })
  const published = await folder.publish(closing(0, 1000))
  assert.equal(published.folder, join(day, 'rec-1'))
  assert.ok(existsSync(join(day, 'rec-1/manifest.json')))
})
