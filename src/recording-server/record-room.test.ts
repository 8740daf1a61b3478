import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { correlate, decodePcmu, encodePcma, encodePcmu, goertzelPower, readWav, rmsDbfs, tone } from '#audio'
import { seededIds } from '#kernel'
import { parseRtcp, type RtcpPacket } from '#rtp'
import { readRawRun, type StreamTotals } from '#store'
import { EVENTS, OPUS, PCMA, PCMU, RECORDING, RoomBench } from '../../test/harness/room-bench.ts'

async function audioOf(folder: string): Promise<{ format: string; samples: Int16Array[] }> {
  const wav = readWav(await readFile(join(folder, 'recording.wav')))
  assert.ok(wav.ok)
  return wav.value
}

test('two streams become the two channels of one G.711 file, with their participants by label', async (t) => {
  const bench = await RoomBench.open(t)
  const left = await bench.addStream({}, '1')
  const right = await bench.addStream({}, '2')
  await bench.talk([0, left, encodePcmu(tone(440, 1000))], [1, right, encodePcmu(tone(880, 1000))])
  const { manifest, folder } = await bench.close()
  const audio = await audioOf(folder)
  assert.equal(audio.format, 'pcmu')
  assert.ok(goertzelPower(audio.samples[0]!, 8000, 440) > 0.9)
  assert.ok(goertzelPower(audio.samples[1]!, 8000, 880) > 0.9)
  assert.equal(manifest.state, 'published')
  assert.deepEqual(manifest.streams[0]?.participants, ['Alice'])
  assert.equal(manifest.streams[0]?.totals.packets, 50)
  assert.ok(folder.endsWith('/2026/01/05/r1'))
  assert.deepEqual(
    bench.events.map(({ type }) => type),
    ['first-packet', 'first-packet'],
  )
})

test('a stream that starts 300 ms later is 300 ms later in its channel', async (t) => {
  const bench = await RoomBench.open(t)
  const first = await bench.addStream()
  const second = await bench.addStream()
  const speech = encodePcmu(noise(3200))
  await bench.talk([0, first, speech.subarray(0, 2400)])
  await bench.talk([0, first, speech.subarray(2400)], [1, second, speech.subarray(0, 800)])
  await bench.talk([1, second, speech.subarray(800)])
  const { folder } = await bench.close()
  const { samples } = await audioOf(folder)
  const { lagSamples, coefficient } = correlate(samples[0]!, samples[1]!, 4000)
  assert.equal(lagSamples, 2400)
  assert.ok(coefficient > 0.99)
})

test('sides with different codecs give a PCM16 file', async (t) => {
  const bench = await RoomBench.open(t)
  const left = await bench.addStream()
  const right = await bench.addStream({ codecs: [PCMA] })
  right.payloadType = 8
  await left.send(encodePcmu(tone(440, 200)))
  await right.send(encodePcma(tone(880, 200)))
  await bench.received(10, 0)
  await bench.received(10, 1)
  const audio = await audioOf((await bench.close()).folder)
  assert.equal(audio.format, 'pcm16')
  assert.ok(goertzelPower(audio.samples[1]!, 8000, 880) > 0.9)
})

test('a change of codec in mid-stream begins a new run, and the channel goes on', async (t) => {
  const bench = await RoomBench.open(t)
  const source = await bench.addStream({ codecs: [PCMU, PCMA] })
  await bench.talk([0, source, encodePcmu(tone(600, 200))])
  source.payloadType = 8
  await bench.talk([0, source, encodePcma(tone(600, 200))])
  const { manifest, folder } = await bench.close()
  assert.deepEqual(
    manifest.streams[0]?.runs.map(({ encoding }) => encoding),
    ['PCMU/8000', 'PCMA/8000'],
  )
  const audio = await audioOf(folder)
  assert.equal(audio.samples[0]!.length, 3200)
  assert.ok(rmsDbfs(audio.samples[0]!.subarray(1700, 3100)) > -20)
})

test('a codec that we do not decode is kept as RTP payload and marked', async (t) => {
  const bench = await RoomBench.open(t)
  const source = await bench.addStream({ codecs: [OPUS] })
  source.payloadType = 96
  for (const text of ['one', 'two', 'three']) await source.sendPacket(new TextEncoder().encode(text), 960)
  await bench.received(3)
  const { manifest, folder } = await bench.close()
  assert.equal(manifest.state, 'published')
  assert.equal(manifest.audioFile, undefined)
  const run = manifest.streams[0]!.runs[0]!
  assert.equal(run.decoded, false)
  const records = [...readRawRun(join(folder, run.file), run)]
  assert.deepEqual(
    records.map(({ payload }) => new TextDecoder().decode(payload)),
    ['one', 'two', 'three'],
  )
  assert.deepEqual(
    records.map(({ timestamp }) => timestamp),
    [0, 960, 1920],
  )
})

test('RTP-22: a digit is one event however often it is repeated, and masked unless digits are to be kept', async (t) => {
  for (const keepDigits of [false, true]) {
    const bench = await RoomBench.open(t, { keepDigits })
    const source = await bench.addStream({ codecs: [PCMU, EVENTS] })
    await source.send(encodePcmu(tone(440, 100)))
    source.payloadType = 101
    for (const [flags, duration] of [
      [0x0a, 320],
      [0x0a, 640],
      [0x8a, 800],
      [0x8a, 800],
    ] as const) {
      await source.sendPacket(Uint8Array.of(5, flags, duration >> 8, duration & 0xff), 0)
    }
    source.payloadType = 0
    source.skip(0, 800)
    await source.send(encodePcmu(tone(440, 100)))
    await bench.received(14)
    bench.clock.advance(1000)
    const { manifest } = await bench.close()
    const { events, gaps, totals } = manifest.streams[0]!
    assert.deepEqual(
      events.map(({ digit, durationMs }) => ({ digit, durationMs })),
      [{ digit: keepDigits ? '5' : undefined, durationMs: 100 }],
    )
    assert.ok(gaps.some(({ cause, fromMs, toMs }) => cause === 'dtx' && toMs - fromMs === 100))
    assert.equal(totals.lost, 0)
  }
})

test('RTP-27: packets from a second source are dropped until the first has been silent for 2 s', async (t) => {
  const bench = await RoomBench.open(t)
  const source = await bench.addStream()
  await source.send(encodePcmu(tone(440, 100)))
  await bench.received(5)
  const intruder = await bench.source(0, 0x666)
  bench.clock.advance(1900)
  await intruder.send(encodePcmu(tone(1500, 100)))
  await bench.received(10)
  assert.equal((await totalsOf(bench)).wrongSource, 5)
  bench.clock.advance(200)
  await intruder.send(encodePcmu(tone(1500, 100)))
  await bench.received(15)
  assert.equal((await totalsOf(bench)).packets, 10)
})

test('RTP-27: after a re-offer that moves the media, the new source is taken at once', async (t) => {
  const bench = await RoomBench.open(t)
  const source = await bench.addStream({ rtp: { host: '127.0.0.1', port: 40_000 } })
  await source.send(encodePcmu(tone(440, 100)))
  await bench.received(5)
  const moved = await bench.source(0, 0x777)
  const settings = { codecs: [PCMU], isPaused: false, rtp: { host: '127.0.0.1', port: 40_002 } }
  await bench.room.handle({ type: 'set-stream', recordingId: 'r1', channel: 0, settings })
  await source.send(encodePcmu(tone(440, 100)))
  await bench.received(10)
  await moved.send(encodePcmu(tone(440, 100)))
  await bench.received(15)
  await source.send(encodePcmu(tone(440, 20)))
  await bench.received(16)
  const totals = await totalsOf(bench)
  assert.equal(totals.packets, 15)
  assert.equal(totals.wrongSource, 1)
})

test('RTP-12: three changes of SSRC in one call make one continuous channel', async (t) => {
  const bench = await RoomBench.open(t)
  const source = await bench.addStream()
  for (let n = 0; n < 4; n++) {
    source.ssrc = 100 + n
    source.timestamp = n * 0x3333_3333
    source.sequence = n * 20_000
    await bench.talk([0, source, encodePcmu(tone(500, 400))])
  }
  const { manifest, folder } = await bench.close()
  const { samples } = await audioOf(folder)
  assert.equal(samples[0]!.length, 1600 * 8)
  assert.deepEqual(samples[0], decodePcmu(encodePcmu(repeated(tone(500, 400), 4))))
  assert.equal(manifest.streams[0]?.totals.lost, 0)
  assert.deepEqual(manifest.streams[0]?.gaps, [])
})

test('a few packets of another SSRC between those of the first are left out', async (t) => {
  const bench = await RoomBench.open(t)
  const source = await bench.addStream()
  const voice = encodePcmu(tone(500, 200))
  const first = { ssrc: source.ssrc }
  for (let n = 0; n < 10; n++) {
    await bench.talk([0, source, voice.subarray(n * 160, (n + 1) * 160)])
    if (n % 3 > 0) continue
    // From the same address, as a mixer that leaks would do it.
    const { sequence, timestamp } = source
    source.ssrc = 2
    await source.sendPacket(new Uint8Array(160))
    Object.assign(source, { ...first, sequence, timestamp })
  }
  const { manifest, folder } = await bench.close()
  assert.deepEqual((await audioOf(folder)).samples[0]?.subarray(0, 1600), decodePcmu(voice))
  assert.equal(manifest.streams[0]!.others, undefined)
  assert.ok(manifest.streams[0]!.totals.wrongSource >= 3)
})

test('RTP-01 RTP-02 RTP-16: the recorder reports about every 5 s from the RTCP port next to its RTP port, with a CNAME, and says BYE', async (t) => {
  const bench = await RoomBench.open(t)
  const peer = createSocket('udp4')
  await new Promise<void>((resolve) => peer.bind(0, '127.0.0.1', resolve))
  t.after(() => peer.close())
  const datagrams: { packets: RtcpPacket[]; port: number }[] = []
  peer.on('message', (bytes, from) => datagrams.push({ packets: parseRtcp(bytes), port: from.port }))
  const source = await bench.addStream({ rtcp: { host: '127.0.0.1', port: peer.address().port } })
  await source.send(encodePcmu(tone(440, 100)))
  await bench.received(5)
  for (let seconds = 0; seconds < 30; seconds++) bench.clock.advance(1000)
  await bench.close()
  await until(() => datagrams.some(({ packets }) => packets.some(({ type }) => type === 'bye')))
  assert.ok(datagrams.length >= 5 && datagrams.length <= 14, `${datagrams.length} reports in 30 s`)
  assert.deepEqual(
    datagrams[0]?.packets.map(({ type }) => type),
    ['receiver-report', 'sdes'],
  )
  assert.ok(datagrams.every((datagram) => datagram.port === bench.ports[0]! + 1))
  const report = datagrams[0]!.packets[0]!
  assert.ok(report.type === 'receiver-report' && report.reports[0]?.ssrc === 0x1234)
  const sdes = datagrams[0]!.packets[1]!
  assert.ok(sdes.type === 'sdes' && /^[0-9a-f]{24}$/.test(sdes.chunks[0]?.cname ?? ''))
})

test('RTP-05: reports go on while the stream is paused', async (t) => {
  const bench = await RoomBench.open(t)
  const peer = createSocket('udp4')
  await new Promise<void>((resolve) => peer.bind(0, '127.0.0.1', resolve))
  t.after(() => peer.close())
  let reports = 0
  peer.on('message', () => reports++)
  await bench.addStream({ isPaused: true, rtcp: { host: '127.0.0.1', port: peer.address().port } })
  for (let seconds = 0; seconds < 60; seconds++) bench.clock.advance(1000)
  await until(() => reports >= 8)
})

test('no packet: the manifest says no-audio, and why', async (t) => {
  const bench = await RoomBench.open(t)
  await bench.addStream()
  bench.clock.advance(3000)
  const { manifest, folder } = await bench.close()
  assert.equal(manifest.state, 'no-audio')
  assert.equal(manifest.cause, 'no-rtp')
  assert.deepEqual(manifest.streams[0]?.gaps, [{ fromMs: 0, toMs: 3000, cause: 'no-rtp-yet' }])
  assert.equal((await readdir(folder)).includes('recording.wav'), false)
})

test('only packets of an unknown payload type: the manifest says so', async (t) => {
  const bench = await RoomBench.open(t)
  const source = await bench.addStream()
  source.payloadType = 77
  await source.send(new Uint8Array(800))
  await bench.received(5)
  const { manifest } = await bench.close()
  assert.equal(manifest.state, 'no-audio')
  assert.equal(manifest.cause, 'only-refused-packets')
  assert.equal(manifest.streams[0]?.totals.refused, 5)
})

test('a run file is playable after every flush, while the recording is open', async (t) => {
  const bench = await RoomBench.open(t)
  const source = await bench.addStream()
  await source.send(encodePcmu(tone(440, 1000)))
  await bench.received(50)
  bench.clock.advance(500)
  const folder = join(bench.root, '2026/01/05/r1.open')
  const wav = readWav(await readFile(join(folder, 'stream-1.run-1.pcmu.wav')))
  assert.ok(wav.ok)
  assert.ok(wav.value.samples[0]!.length >= 7200 - 160)
  assert.ok(goertzelPower(wav.value.samples[0]!, 8000, 440) > 0.9)
})

async function totalsOf(bench: RoomBench): Promise<StreamTotals> {
  return (await bench.totals())[0]!
}

function repeated(samples: Int16Array, times: number): Int16Array {
  const all = new Int16Array(samples.length * times)
  for (let n = 0; n < times; n++) all.set(samples, n * samples.length)
  return all
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200_000 && !condition(); turn++) await new Promise<void>((resolve) => setImmediate(resolve))
  assert.ok(condition())
}

function noise(count: number): Int16Array {
  const ids = seededIds(3)
  return Int16Array.from({ length: count }, () => ids.integer(16_000) - 8000)
}

test('a manifest has times to a tenth of a millisecond, and no gap or pause beyond its end', async (t) => {
  const bench = await RoomBench.open(t)
  const source = await bench.addStream()
  bench.clock.advance(33.337)
  await source.send(encodePcmu(tone(440, 200)))
  await bench.received(10)
  bench.clock.advance(500.0123)
  await bench.room.handle({
    type: 'set-stream',
    recordingId: RECORDING,
    channel: 0,
    settings: { codecs: [PCMU], isPaused: true },
  })
  bench.clock.advance(900.45)
  const { manifest } = await bench.close()
  const stream = manifest.streams[0]!
  assert.ok(Number.isInteger(manifest.durationMs))
  assert.ok(stream.gaps.length > 0)
  const { firstPacketMs, lastPacketMs, pauses } = stream.totals
  const ends = [...stream.gaps, ...pauses].flatMap(({ fromMs, toMs }) => [fromMs, toMs])
  for (const ms of [...ends, firstPacketMs, lastPacketMs, ...stream.runs.map(({ startMs }) => startMs)]) {
    if (ms === undefined) continue
    assert.match(String(ms), /^\d+(?:\.\d)?$/)
    assert.ok(ms <= manifest.durationMs, `${ms} of ${manifest.durationMs}`)
  }
})

test('what had come before the client paused is counted before the pause, though nobody had read it yet', async (t) => {
  const bench = await RoomBench.open(t)
  const source = await bench.addStream()
  await source.send(encodePcmu(tone(440, 100)))
  await bench.received(5)
  bench.socketsRead = async () => {
    await source.send(encodePcmu(tone(440, 60)))
    await bench.received(8)
  }
  const settings = { codecs: [PCMU], isPaused: true }
  await bench.room.handle({ type: 'set-stream', recordingId: RECORDING, channel: 0, settings })
  assert.equal((await totalsOf(bench)).packets, 8)
  const [pause] = (await totalsOf(bench)).pauses
  assert.equal(pause?.packets, 0)
})
