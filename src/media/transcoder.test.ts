import assert from 'node:assert/strict'
import test from 'node:test'
import { correlate, decodePcma, decodePcmu, encodePcma, loadOpus, readWav, tone } from '#audio'
import { fixture } from '../../test/harness/fixtures.ts'
import { opusPackets } from '../../test/harness/opus-packets.ts'
import { payloadOf } from './codec.ts'
import { type MediaPacket, newMediaPacket } from './media-packet.ts'
import { Transcoder } from './transcoder.ts'

const FRAME = 160

function packetOf(encoding: string, payload: Uint8Array, more: Partial<MediaPacket> = {}): MediaPacket {
  const bytes = new Uint8Array(20 + payload.length)
  bytes.set(payload, 20)
  const packet = { ...newMediaPacket(), bytes, payloadOffset: 20, payloadLength: payload.length, sourceId: 4 }
  return { ...packet, payload: payloadOf(encoding), ...more }
}

function payloadBytes({ bytes, payloadOffset, payloadLength }: MediaPacket): Uint8Array {
  return bytes.slice(payloadOffset, payloadOffset + payloadLength)
}

test('PCMA becomes PCMU with its order, clock and marker, and the packet of the call is left alone', () => {
  const samples = tone(1000, 20)
  const packet = packetOf('PCMA/8000', encodePcma(samples), { extendedSequence: 9, timestamp: 1234, marker: true })
  const before = payloadBytes(packet)
  const converted = new Transcoder('PCMU/8000').convert(packet)
  assert.ok(converted !== undefined)
  const { payload, sourceId, extendedSequence, timestamp, marker } = converted
  assert.deepEqual([payload.encoding, sourceId, extendedSequence, timestamp, marker], ['PCMU/8000', 4, 9, 1234, true])
  const heard = decodePcmu(payloadBytes(converted))
  for (const [index, sample] of decodePcma(before).entries()) assert.ok(Math.abs(sample - heard[index]!) <= 512)
  assert.deepEqual(payloadBytes(packet), before)
})

test('G.722 becomes G.711 of the same length and the same speech', () => {
  const speech = fixture('speech/caller.g722')
  const transcoder = new Transcoder('PCMA/8000')
  const heard = new Int16Array(speech.length)
  for (let at = 0; at < speech.length; at += FRAME) {
    const converted = transcoder.convert(packetOf('G722/8000', speech.subarray(at, at + FRAME)))
    assert.equal(converted?.payloadLength, FRAME)
    heard.set(decodePcma(payloadBytes(converted!)), at)
  }
  const wav = readWav(fixture('speech/caller.wav'))
  assert.ok(wav.ok)
  const { coefficient } = correlate(wav.value.samples[0]!.subarray(0, speech.length), heard, 100)
  assert.ok(coefficient > 0.92, `correlation ${coefficient}`)
})

test('another source begins with a decoder of its own, and what we cannot read is left out', () => {
  const transcoder = new Transcoder('PCMU/8000')
  const loud = Uint8Array.from({ length: FRAME }, (_unused, index) => index * 7)
  const fresh = payloadBytes(new Transcoder('PCMU/8000').convert(packetOf('G722/8000', loud))!)
  transcoder.convert(packetOf('G722/8000', loud))
  assert.notDeepEqual(payloadBytes(transcoder.convert(packetOf('G722/8000', loud))!), fresh)
  assert.deepEqual(payloadBytes(transcoder.convert(packetOf('G722/8000', loud, { sourceId: 5 }))!), fresh)
  assert.equal(transcoder.convert(packetOf('OPUS/48000/2', loud)), undefined)
})

const SPEECH = 'speech/caller.wav'

function speech(): Int16Array {
  const wav = readWav(fixture(SPEECH))
  assert.ok(wav.ok)
  return wav.value.samples[0]!.subarray(0, 24_000)
}

test('Opus becomes G.711 on an 8 kHz clock that goes on over a wrap of the 48 kHz clock, a gap and a broken payload', async () => {
  const spoken = speech()
  const opus = await loadOpus()
  const transcoder = new Transcoder('PCMU/8000', opus)
  assert.equal(transcoder.canConvert(payloadOf('OPUS/48000/2')), true)
  const firstTimestamp = 2 ** 32 - 960 * 20
  const heard = new Int16Array(spoken.length)
  let origin: number | undefined
  for (const [index, payload] of opusPackets(spoken).entries()) {
    if (index === 40) continue
    const broken = index === 60 ? Uint8Array.of(0xff, 0xff, 0xff, 1) : payload
    const timestamp = (firstTimestamp + index * 960) >>> 0
    const converted = transcoder.convert(packetOf('OPUS/48000/2', broken, { extendedSequence: index, timestamp }))
    if (index === 60) {
      assert.equal(converted, undefined)
      continue
    }
    assert.ok(converted !== undefined)
    assert.deepEqual([converted.extendedSequence, converted.payloadLength], [index, FRAME])
    assert.equal(converted.payload.encoding, 'PCMU/8000')
    origin ??= converted.timestamp
    assert.equal((converted.timestamp - origin) >>> 0, index * FRAME)
    heard.set(decodePcmu(payloadBytes(converted)), index * FRAME)
  }
  const found = correlate(spoken, heard, 400)
  assert.ok(found.coefficient > 0.9, `correlation ${found.coefficient}`)
})

test('without its codec Opus is none of what can be converted', () => {
  const transcoder = new Transcoder('PCMU/8000')
  assert.equal(transcoder.canConvert(payloadOf('OPUS/48000/2')), false)
  assert.equal(transcoder.convert(packetOf('OPUS/48000/2', Uint8Array.of(8, 1, 2))), undefined)
})

test('keys that are pressed between leave the clock and the decoder of the voice as they are', async () => {
  const opus = await loadOpus()
  const voice = opusPackets(speech()).slice(0, 12)
  const key = packetOf('TELEPHONE-EVENT/8000', Uint8Array.of(5, 10, 0, 160))
  const [plain, interrupted] = [new Transcoder('PCMU/8000', opus), new Transcoder('PCMU/8000', opus)]
  for (const [index, payload] of voice.entries()) {
    const packet = packetOf('OPUS/48000/2', payload, { extendedSequence: index, timestamp: 960 * index })
    const wanted = plain.convert(packet)!
    const [timestamp, bytes] = [wanted.timestamp, payloadBytes(wanted)]
    assert.equal(interrupted.convert(key), undefined)
    const heard = interrupted.convert(packet)!
    assert.equal(heard.timestamp, timestamp)
    assert.deepEqual(payloadBytes(heard), bytes)
  }
})
