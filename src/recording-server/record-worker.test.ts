import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { encodePcmu, goertzelPower, readWav, tone } from '#audio'
import { AppError } from '#kernel'
import { systemClock } from '#net'
import { openCatalogue, RecordingStore, recoverRecordings } from '#store'
import { RtpSource } from '../../test/harness/rtp-source.ts'
import { startRecordMedia } from './record-media.ts'

const FACTS = {
  sip: { callId: 'c', fromUri: 'sip:a@b', toUri: 'sip:c@d', requestUri: 'sip:c@d', source: 'x', transport: 'udp' },
  participants: [],
  sessionIds: [],
  groupIds: [],
  metadataInvalid: false,
  speakers: [],
  speakersInferred: false,
  warnings: [],
}
const SETTINGS = { codecs: [{ payloadType: 0, encoding: 'PCMU/8000', clockRateHz: 8000 }], isPaused: false }

async function folderOf(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'worker-'))
  t.after(() => rm(root, { recursive: true }))
  return root
}

/** Sends a voice in real time. */
async function speak(source: RtpSource, payload: Uint8Array): Promise<void> {
  const startMs = systemClock.nowMs()
  for (let at = 0; at < payload.length; at += 160) {
    const dueMs = startMs + at / 8
    await new Promise<void>((resolve) => void systemClock.after(dueMs - systemClock.nowMs(), 'packet', resolve))
    await source.sendPacket(payload.subarray(at, at + 160))
  }
}

/** The part from the first to the last sample that is not silent. */
function voiced(samples: Int16Array): Int16Array {
  const from = samples.findIndex((sample) => sample !== 0)
  return samples.subarray(from, samples.findLastIndex((sample) => sample !== 0) + 1)
}

test('the record worker takes RTP, reports the first packet and publishes the recording', async (t) => {
  const root = await folderOf(t)
  const media = await startRecordMedia({ root, host: '127.0.0.1', portMin: 27_000, portMax: 28_999, keepDigits: false })
  t.after(() => media.close())
  const firstPacket = new Promise<void>((resolve) => {
    media.onEvent(({ type }) => {
      if (type === 'first-packet') resolve()
    })
  })
  await media.ask({ type: 'open', recordingId: 'r1', facts: FACTS })
  const { rtpPort } = await media.ask({ type: 'add-stream', recordingId: 'r1', settings: SETTINGS })
  const source = await RtpSource.open({ host: '127.0.0.1', port: rtpPort })
  t.after(() => source.close())
  const beganMs = systemClock.nowMs()
  await speak(source, encodePcmu(tone(440, 600)))
  await firstPacket
  const { manifest, folder } = await media.ask({ type: 'close', recordingId: 'r1', facts: FACTS })
  assert.ok(manifest.durationMs >= 580 && manifest.durationMs <= systemClock.nowMs() - beganMs + 500)
  const wav = readWav(await readFile(join(folder, 'recording.wav')))
  assert.ok(wav.ok)
  assert.ok(Math.abs(wav.value.samples[0]!.length / 8 - manifest.durationMs) <= 20)
  assert.ok(goertzelPower(voiced(wav.value.samples[0]!), 8000, 440) > 0.9)
})

test('a command for an unknown recording is refused by code, and the worker goes on', async (t) => {
  const root = await folderOf(t)
  const media = await startRecordMedia({ root, host: '127.0.0.1', portMin: 27_000, portMax: 28_999, keepDigits: false })
  t.after(() => media.close())
  await assert.rejects(
    media.ask({ type: 'add-stream', recordingId: 'none', settings: SETTINGS }),
    (error) => error instanceof AppError && error.code === 'recorder.unknown-recording',
  )
  assert.deepEqual(await media.ask({ type: 'totals' }), {})
})

test('no port left is an error with a code', async (t) => {
  const root = await folderOf(t)
  const media = await startRecordMedia({ root, host: '127.0.0.1', portMin: 27_000, portMax: 27_000, keepDigits: false })
  t.after(() => media.close())
  await media.ask({ type: 'open', recordingId: 'r1', facts: FACTS })
  await assert.rejects(
    media.ask({ type: 'add-stream', recordingId: 'r1', settings: SETTINGS }),
    (error) => error instanceof AppError && error.code === 'media.no-ports',
  )
})

test('after kill -9 the run file plays, recovery publishes the recording, and at most 1 s is lost', async (t) => {
  const root = await folderOf(t)
  const child = spawn(execPath, [join(import.meta.dirname, '../../test/harness/recorder-process.js'), root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const port = Number((await lines.next()).value)
  const source = await RtpSource.open({ host: '127.0.0.1', port })
  t.after(() => source.close())
  await speak(source, encodePcmu(tone(440, 2000)))
  child.kill('SIGKILL')
  await once(child, 'exit')

  const store = new RecordingStore({ root })
  const catalogue = await openCatalogue(join(root, 'catalogue.sqlite'))
  t.after(() => catalogue.close())
  const { recovered, failures } = await recoverRecordings(store, catalogue)
  assert.deepEqual(failures, [])
  const row = await catalogue.get('killed')
  assert.equal(row?.state, 'published')
  assert.equal(row.recovered, true)
  assert.equal(recovered[0]?.recovered, true)
  const wav = readWav(await readFile(store.pathOf(row.folder!, 'recording.wav')!))
  assert.ok(wav.ok)
  const keptMs = wav.value.samples[0]!.length / 8
  assert.ok(keptMs >= 1000, `only ${keptMs} ms of 2000 ms kept`)
  assert.ok(goertzelPower(voiced(wav.value.samples[0]!), 8000, 440) > 0.9)
  assert.deepEqual((await recoverRecordings(store, catalogue)).recovered, [])
})
