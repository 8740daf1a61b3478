import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { encodePcmu, goertzelPower, readWav, tone } from '#audio'
import type { Endpoint } from '#kernel'
import { parseRtcp, type RtcpPacket } from '#rtp'
import { leftFolders, readRawRun } from '#store'
import { RECORDING, RoomBench } from '../../test/harness/room-bench.ts'
import { until } from '../../test/harness/until.ts'

const H264 = { payloadType: 97, encoding: 'H264/90000', clockRateHz: 90_000 }
const T140 = { payloadType: 98, encoding: 'T140/1000', clockRateHz: 1000 }
const RED = { payloadType: 100, encoding: 'RED/1000', clockRateHz: 1000 }

/** Where a client wants its RTCP, and what has come there. */
async function rtcpPeer(t: TestContext): Promise<{ asked: readonly RtcpPacket[]; rtcp: Endpoint }> {
  const peer = createSocket('udp4')
  await new Promise<void>((resolve) => peer.bind(0, '127.0.0.1', resolve))
  t.after(() => peer.close())
  const asked: RtcpPacket[] = []
  peer.on('message', (datagram) => void asked.push(...parseRtcp(datagram)))
  return { asked, rtcp: { host: '127.0.0.1', port: peer.address().port } }
}

test('SRS-13: video is kept as it came, packet by packet, beside the audio, and is no channel of it', async (t) => {
  const bench = await RoomBench.open(t)
  const picture = await bench.addStream({ kind: 'video', codecs: [H264] }, 'v')
  picture.payloadType = 97
  const voice = await bench.addStream({}, '1')
  const frames = Array.from({ length: 30 }, (_, at) => new Uint8Array(1200).fill(at + 1))
  bench.clock.advance(1000)
  // Three packets make a picture.
  for (const [at, frame] of frames.entries()) await picture.sendPacket(frame, at % 3 === 2 ? 3000 : 0)
  await bench.received(30, 0)
  await bench.talk([1, voice, encodePcmu(tone(440, 400))])
  const { manifest, folder } = await bench.close()
  assert.deepEqual(
    manifest.streams.map(({ channel, kind, label }) => ({ channel, kind, label })),
    [
      { channel: 0, kind: 'video', label: 'v' },
      { channel: 1, kind: undefined, label: '1' },
    ],
  )
  const { runs, totals, gaps } = manifest.streams[0]!
  assert.deepEqual(
    runs.map(({ file, encoding, decoded }) => [file, encoding, decoded]),
    [['stream-1.run-1.h264.rtp', 'H264/90000', false]],
  )
  assert.deepEqual([totals.packets, totals.late, totals.lost], [30, 0, 0])
  assert.ok(
    gaps.every(({ cause }) => cause === 'no-rtp-yet'),
    JSON.stringify(gaps),
  )
  const kept = [...readRawRun(join(folder, runs[0]!.file), runs[0]!)]
  assert.deepEqual(
    kept.map(({ payload }) => payload),
    frames,
  )
  assert.deepEqual(
    kept.map(({ timestamp }) => timestamp),
    frames.map((_, at) => 3000 * Math.floor(at / 3)),
  )
  const wav = readWav(await readFile(join(folder, 'recording.wav')))
  assert.ok(wav.ok)
  const { samples } = wav.value
  assert.equal(samples.length, 1, 'one channel, that of the voice')
  assert.ok(goertzelPower(samples[0]!.subarray(-3000), 8000, 440) > 0.9)
})

test('SRS-13: a recording of nothing but video is published without audio', async (t) => {
  const bench = await RoomBench.open(t)
  const picture = await bench.addStream({ kind: 'video', codecs: [H264] })
  picture.payloadType = 97
  await picture.sendPacket(new Uint8Array(100), 3000)
  await bench.received(1)
  const { manifest } = await bench.close()
  assert.deepEqual([manifest.state, manifest.audioFile, manifest.peaksFile], ['published', undefined, undefined])
})

test('SRS-13: a pause keeps what is shown out, too, and what was sent in it', async (t) => {
  const bench = await RoomBench.open(t)
  const picture = await bench.addStream({ kind: 'video', codecs: [H264] })
  picture.payloadType = 97
  const show = async (text: string): Promise<void> => {
    bench.clock.advance(40)
    await picture.sendPacket(new TextEncoder().encode(text), 3600)
  }
  await show('before')
  await bench.received(1)
  await bench.room.handle({ type: 'pause', recordingId: RECORDING })
  for (let at = 0; at < 5; at++) await show('secret')
  await bench.received(6)
  await bench.room.handle({ type: 'resume', recordingId: RECORDING })
  bench.clock.advance(1000)
  await show('after')
  await bench.received(7)
  const { manifest, folder } = await bench.close()
  const { runs, totals, gaps } = manifest.streams[0]!
  assert.equal(totals.discarded, 5)
  assert.equal(totals.pauses[0]?.packets, 5, 'counted at the socket')
  const file = await readFile(join(folder, runs[0]!.file), 'latin1')
  assert.ok(file.includes('before') && !file.includes('secret'))
  assert.ok(gaps.some(({ cause }) => cause === 'paused-here'))
  for (const name of await readdir(folder)) {
    if (name === 'metadata') continue
    assert.ok(!(await readFile(join(folder, name), 'latin1')).includes('secret'), name)
  }
})

test('SRS-27: a whole picture is asked for when video begins, when it comes back from a pause and from another source', async (t) => {
  const bench = await RoomBench.open(t)
  const { asked, rtcp } = await rtcpPeer(t)
  const picture = await bench.addStream({ kind: 'video', codecs: [H264], rtcp, pictureRequest: 'full-intra' })
  picture.payloadType = 97
  const requests = () => asked.flatMap((one) => (one.type === 'full-intra' ? one.requests : []))
  let sent = 0
  const show = async (): Promise<void> => {
    await picture.sendPacket(new Uint8Array(100), 3000)
    sent += 1
    await bench.received(sent)
  }
  const seen = async (count: number): Promise<void> => {
    await until(`${count} requests`, () => requests().length >= count)
    // What was sent after them comes after them.
    assert.equal(requests().length, count)
  }
  await show()
  await seen(1)
  await show()
  // Long enough for another request, were there one.
  bench.clock.advance(1500)
  await show()
  bench.clock.advance(1500)
  await bench.room.handle({ type: 'pause', recordingId: RECORDING })
  await show()
  await bench.room.handle({ type: 'resume', recordingId: RECORDING })
  await show()
  await seen(2)
  bench.clock.advance(2500)
  picture.ssrc = 0x9999
  for (let at = 0; at < 3; at++) await show()
  await seen(3)
  assert.deepEqual(requests(), [
    { ssrc: 0x1234, command: 0 },
    { ssrc: 0x1234, command: 1 },
    { ssrc: 0x9999, command: 2 },
  ])
  await bench.close()
  await until('goodbye', () => asked.some(({ type }) => type === 'bye'))
  assert.equal(requests().length, 3)
})

test('SRS-13: text is kept once however often it is repeated, what was lost is taken from what repeats it, and silence loses nothing', async (t) => {
  const bench = await RoomBench.open(t)
  const typist = await bench.addStream({ kind: 'text', codecs: [T140, RED] }, 't')
  typist.payloadType = RED.payloadType
  const said = ['H', 'e', 'y', '', '', '!']
  bench.clock.advance(500)
  for (const [at, primary] of said.entries()) {
    bench.clock.advance(300)
    // The third packet does not come.
    if (at === 2) {
      typist.skip(1, 300)
      continue
    }
    await typist.sendPacket(redundantText(said.slice(Math.max(0, at - 2), at), primary), 300)
  }
  await bench.received(5)
  bench.clock.advance(5000)
  const { manifest, folder } = await bench.close()
  const { kind, runs, gaps, totals } = manifest.streams[0]!
  assert.deepEqual([kind, runs.length, runs[0]?.encoding, totals.lost], ['text', 1, 'T140/1000', 1])
  const kept = [...readRawRun(join(folder, runs[0]!.file), runs[0]!)]
  assert.equal(kept.map(({ payload }) => new TextDecoder().decode(payload)).join(''), 'Hey!')
  assert.deepEqual(
    kept.map(({ timestamp }) => timestamp),
    [0, 300, 600, 1500],
  )
  assert.deepEqual(
    gaps.map(({ cause }) => cause),
    ['no-rtp-yet', 'no-rtp'],
  )
})

test('SRS-27: video that goes on after a restart of the recorder is in a run of its own, and a whole picture is asked for', async (t) => {
  const bench = await RoomBench.open(t)
  const { asked, rtcp } = await rtcpPeer(t)
  const settings = { kind: 'video', codecs: [H264], isPaused: false, rtcp, pictureRequest: 'picture-loss' } as const
  const picture = await bench.addStream(settings)
  picture.payloadType = 97
  await picture.sendPacket(new Uint8Array(100).fill(1), 3000)
  await bench.received(1)
  const requests = () => asked.filter(({ type }) => type === 'picture-loss').length
  await until('the first picture is asked for', () => requests() === 1)
  await bench.room.handle({ type: 'stop' })
  const [left] = leftFolders(bench.root)
  assert.ok(left?.manifest !== undefined)
  bench.clock.advance(2000)
  const next = RoomBench.after(t, bench)
  const streams = [{ rtpPort: bench.ports[0]!, settings, isRemoved: false }]
  const { folder, manifest } = left
  await next.room.handle({ type: 'reopen', recordingId: RECORDING, folder, manifest, streams, awayMs: 2000 })
  await picture.sendPacket(new Uint8Array(100).fill(2), 3000)
  await next.received(2)
  await until('the picture is asked for again', () => requests() === 2)
  const closed = await next.close()
  const [stream] = closed.manifest.streams
  assert.deepEqual([stream?.kind, stream?.totals.packets], ['video', 2])
  assert.deepEqual(
    stream?.runs.flatMap((run) => [...readRawRun(join(closed.folder, run.file), run)].map(({ payload }) => payload[0])),
    [1, 2],
  )
  assert.ok(stream?.gaps.some(({ cause }) => cause === 'recorder-restart'))
})

/** RFC 4103 section 4.2: what was said before, each 300 ms apart, and then what is said now. */
function redundantText(before: readonly string[], primary: string): Uint8Array {
  const heads = before.flatMap((text, at) => {
    const head = ((1 << 31) | (T140.payloadType << 24) | ((300 * (before.length - at)) << 10) | text.length) >>> 0
    return [head >>> 24, (head >>> 16) & 0xff, (head >>> 8) & 0xff, head & 0xff]
  })
  return Buffer.concat([Uint8Array.from([...heads, T140.payloadType]), Buffer.from([...before, primary].join(''))])
}
