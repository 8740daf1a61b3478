import assert from 'node:assert/strict'
import test from 'node:test'
import { decodePcmu, encodePcmu, KeyToneDetector, loadOpus, type OpusDecoders, readWav, rmsDbfs, tone } from '#audio'
import { fixture } from '../../test/harness/fixtures.ts'
import { opusPackets } from '../../test/harness/opus-packets.ts'
import { payloadOf } from './codec.ts'
import { DtmfMask } from './dtmf-mask.ts'
import { type MediaPacket, newMediaPacket } from './media-packet.ts'
import type { KeptPacket } from './packet-memory.ts'

const EVENT = payloadOf('TELEPHONE-EVENT/8000')
const OPUS = payloadOf('OPUS/48000/2')
const ALWAYS = (): boolean => true
const HEADER_BYTES = 12

/** A mask, and what has passed it. */
class Stage {
  readonly passed: KeptPacket[] = []
  readonly cuts: number[] = []
  readonly mask: DtmfMask
  #sequence = 0
  #atMs = 0

  constructor(opus?: OpusDecoders) {
    this.mask = new DtmfMask(({ packet, isAfterCut }) => {
      if (isAfterCut) this.cuts.push(packet.extendedSequence)
      this.passed.push(packet)
    }, opus)
  }

  /** Feeds samples in packets of `ms`. */
  say(samples: Int16Array, ms = 20): void {
    const count = ms * 8
    for (let at = 0; at + count <= samples.length; at += count) {
      this.put({ payload: payloadOf('PCMU/8000') }, encodePcmu(samples.subarray(at, at + count)))
      this.#atMs += ms
    }
  }

  put(more: Partial<MediaPacket>, payload: Uint8Array): boolean {
    const bytes = new Uint8Array(HEADER_BYTES + payload.length)
    bytes.set(payload, HEADER_BYTES)
    const place = { bytes, payloadOffset: HEADER_BYTES, payloadLength: payload.length }
    const packet = { ...newMediaPacket(), ...place, ...more }
    packet.extendedSequence = this.#sequence++
    packet.timestamp = this.#atMs * 8
    return this.mask.take(packet, this.#atMs, ALWAYS)
  }

  wait(ms: number): void {
    this.#atMs += ms
  }

  heard(): Int16Array {
    this.mask.flush()
    const parts = this.passed.map(({ bytes, payloadOffset }) => decodePcmu(bytes.subarray(payloadOffset)))
    const all = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }
}

function speech(name: string): Int16Array {
  const wav = readWav(fixture(`speech/${name}.wav`))
  assert.ok(wav.ok)
  return wav.value.samples[0]!
}

/** The key 5 for 80 ms, as loud as a phone sends it. */
function key(ms = 80): Int16Array {
  const high = tone(1336, ms, 8000, 6000)
  return tone(770, ms, 8000, 6000).map((sample, index) => sample + high[index]!)
}

/** Speech at a quarter of its level with a key at each of `starts` (samples). */
function keysOver(under: Int16Array, starts: readonly number[]): Int16Array {
  const samples = under.map((sample) => sample / 4)
  for (const start of starts) {
    for (const [index, sample] of key().entries()) samples[start + index]! += sample
  }
  return samples
}

function hasKey(samples: Int16Array): boolean {
  return [0, 20, 40, 60].some((skip) => new KeyToneDetector().feed(samples.subarray(skip)))
}

/** Where the loudest 50 ms of a talk end. */
function loudestAt(samples: Int16Array): number {
  const ends = Array.from({ length: 100 }, (_unused, index) => 4000 + 80 * index)
  const levels = ends.map((end) => rmsDbfs(samples.subarray(end - 400, end)))
  return ends[levels.indexOf(Math.max(...levels))]!
}

test('RTP-22: less than 1 % of speech is blanked', () => {
  for (const name of ['caller', 'agent', 'digits']) {
    const stage = new Stage()
    stage.say(speech(name))
    assert.ok(stage.mask.masked < stage.passed.length / 100, `${name}: ${stage.mask.masked} of ${stage.passed.length}`)
  }
})

test('RTP-22: of keys over speech no tone is left, their first moment included, and the speech beside them is', () => {
  for (const ms of [10, 20, 30, 40]) {
    const stage = new Stage()
    const starts = Array.from({ length: 12 }, (_unused, index) => 4000 + index * 4013)
    const samples = keysOver(speech('caller'), starts)
    assert.equal(hasKey(samples), true)
    stage.say(samples, ms)
    const heard = stage.heard()
    assert.equal(hasKey(heard), false, `${ms} ms packets`)
    for (const start of starts) {
      const onset = rmsDbfs(heard.subarray(start, start + 640))
      assert.ok(onset < -60, `key at ${start}, ${ms} ms packets: ${onset} dB are left`)
    }
    const blankMs = stage.mask.masked * ms
    assert.ok(blankMs <= starts.length * (80 + 80 + 2 * ms), `${blankMs} ms were blanked for ${starts.length} keys`)
  }
})

test('RTP-22: not one sample of a key is left, wherever in a packet it begins and however loud the speech before it is', () => {
  const talk = speech('caller')
  const loudest = loudestAt(talk)
  for (const ms of [10, 20, 30]) {
    for (let offset = 0; offset < 160; offset += 3) {
      const stage = new Stage()
      const start = loudest + offset
      const samples = talk.slice(0, loudest + 1600)
      samples.set(key(), start)
      stage.say(samples, ms)
      const heard = stage.heard()
      const left = heard.subarray(start, start + key().length).findIndex((sample) => sample !== 0)
      assert.equal(left, -1, `sample ${left} of a key at ${offset} in ${ms} ms packets`)
      assert.ok(rmsDbfs(heard.subarray(start - 1200, start - 800)) > -40, 'speech before it is there')
    }
  }
})

test('RTP-22: events are left out, and audio is blanked while one lasts and just before it', () => {
  const stage = new Stage()
  const talk = tone(300, 1000)
  stage.say(talk.subarray(0, 1600))
  for (let i = 0; i < 4; i++) {
    assert.equal(stage.put({ payload: EVENT }, Uint8Array.of(5, 10, 0, 160 * i)), false)
    stage.say(talk.subarray(1600 + i * 160, 1760 + i * 160))
  }
  stage.wait(200)
  stage.say(talk.subarray(4000, 4800))
  stage.mask.flush()
  assert.equal(stage.passed.filter(({ payload }) => payload.isEvent).length, 0)
  const levels = stage.passed.map(({ bytes, payloadOffset }) => rmsDbfs(decodePcmu(bytes.subarray(payloadOffset))))
  assert.ok(levels.slice(0, 8).every((level) => level > -60))
  assert.ok(levels.slice(8, 14).every((level) => level < -60))
  assert.ok(levels.slice(14).every((level) => level > -60))
  assert.equal(stage.mask.masked, 4 + 6)
  assert.deepEqual(stage.cuts, [11, 13, 15, 17])
})

test('RTP-22: what cannot be read is left out while an event lasts', () => {
  const stage = new Stage()
  assert.equal(stage.put({ payload: OPUS }, Uint8Array.of(1)), true)
  assert.equal(stage.put({ payload: EVENT }, Uint8Array.of(5, 10, 0, 160)), false)
  stage.wait(20)
  assert.equal(stage.put({ payload: OPUS }, Uint8Array.of(2)), false)
  stage.wait(200)
  assert.equal(stage.put({ payload: OPUS }, Uint8Array.of(3)), true)
  assert.deepEqual(
    stage.passed.map(({ bytes, payloadOffset }) => bytes[payloadOffset]),
    [1, 3],
  )
})

test('RTP-22: a key that sounds in Opus is left out with its packets, and the speech beside it is there', async () => {
  const opus = await loadOpus()
  const stage = new Stage(opus)
  const start = 8000
  const samples = speech('caller').slice(0, 16_000)
  samples.set(key(), start)
  for (const packet of opusPackets(samples)) {
    stage.put({ payload: OPUS }, packet)
    stage.wait(20)
  }
  stage.mask.flush()
  const decode = opus()
  const heard = stage.passed.map(({ bytes, payloadOffset }) => decode(bytes.subarray(payloadOffset)))
  assert.equal(hasKey(Int16Array.from(heard.flatMap((part) => [...part]))), false)
  const left = stage.passed.map(({ extendedSequence }) => extendedSequence)
  const missing = Array.from({ length: 100 }, (_unused, index) => index).filter((index) => !left.includes(index))
  assert.ok(missing.length >= 4 && missing.length <= 12, `${missing.length} packets were left out`)
  assert.ok(missing.every((index) => index >= start / 160 - 3 && index <= start / 160 + 10))
  assert.deepEqual(stage.cuts, [missing.at(-1)! + 1])
  assert.equal(stage.mask.masked, missing.length)
})

test('RTP-25: audio waits for two packets only, and not for one that does not come', () => {
  const stage = new Stage()
  stage.say(speech('caller').subarray(0, 800))
  assert.equal(stage.passed.length, 3)
  stage.mask.sweep(140)
  assert.equal(stage.passed.length, 3)
  stage.mask.sweep(141)
  assert.equal(stage.passed.length, 5)
  stage.say(speech('caller').subarray(0, 160))
  assert.equal(stage.mask.drop(), 1)
  stage.mask.flush()
  assert.equal(stage.passed.length, 5)
})
