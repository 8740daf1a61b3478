import assert from 'node:assert/strict'
import { test } from 'node:test'
import alawmulaw from 'alawmulaw'
import fc from 'fast-check'
import { correlate, correlateAt } from './correlate.ts'
import { decodePcma, decodePcmu, encodePcma, encodePcmu, PCMA_SILENCE, PCMU_SILENCE } from './g711.ts'
import { promptFromWav, resample } from './prompt.ts'
import { goertzelPower, rmsDbfs, tone } from './tone.ts'
import { interleavePcm16, readWav, WAV_HEADER_BYTES, wavHeader } from './wav.ts'

const allBytes = Uint8Array.from({ length: 256 }, (_unused, i) => i)
const allSamples = Int16Array.from({ length: 65_536 }, (_unused, i) => i - 32_768)

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

function noise(count: number, seed: number): Int16Array {
  let state = seed
  return Int16Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 17) - 16_384
  })
}

test('every G.711 byte decodes as the alawmulaw oracle says', () => {
  assert.deepEqual(decodePcmu(allBytes), alawmulaw.mulaw.decode(allBytes))
  assert.deepEqual(decodePcma(allBytes), alawmulaw.alaw.decode(allBytes))
})

test('every sample encodes to PCMU as the oracle says', () => {
  assert.deepEqual(encodePcmu(allSamples), alawmulaw.mulaw.encode(allSamples))
})

test('every sample encodes to PCMA no worse than the oracle does', () => {
  const ours = decodePcma(encodePcma(allSamples))
  const theirs = alawmulaw.alaw.decode(alawmulaw.alaw.encode(allSamples))
  for (let i = 0; i < allSamples.length; i++) {
    const sample = allSamples[i]!
    assert.ok(Math.abs(ours[i]! - sample) <= Math.abs(theirs[i]! - sample), `sample ${sample}`)
  }
})

test('G.711 bytes survive decoding and encoding, and the silence bytes are silent', () => {
  assert.deepEqual(encodePcma(decodePcma(allBytes)), allBytes)
  const back = encodePcmu(decodePcmu(allBytes))
  for (const byte of allBytes) if (byte !== 0x7f) assert.equal(back[byte], byte)
  assert.equal(decodePcmu(Uint8Array.of(PCMU_SILENCE))[0], 0)
  assert.equal(decodePcma(Uint8Array.of(PCMA_SILENCE))[0], 8)
})

test('a written WAV of each format reads back', () => {
  const left = tone(440, 100)
  const right = tone(880, 100)
  const pcm = interleavePcm16([left, right])
  const file = concat(wavHeader({ format: 'pcm16', sampleRateHz: 8000, channels: 2, dataBytes: pcm.length }), pcm)
  const read = readWav(file)
  assert.ok(read.ok)
  assert.deepEqual(read.value.samples, [left, right])
  for (const [format, encode, decode] of [
    ['pcmu', encodePcmu, decodePcmu],
    ['pcma', encodePcma, decodePcma],
  ] as const) {
    const data = encode(left)
    const wav = readWav(concat(wavHeader({ format, sampleRateHz: 8000, channels: 1, dataBytes: data.length }), data))
    assert.ok(wav.ok)
    assert.equal(wav.value.format, format)
    assert.deepEqual(wav.value.samples, [decode(data)])
  }
})

test('a file cut off in the middle plays up to the cut', () => {
  const data = encodePcmu(tone(440, 100))
  const whole = concat(wavHeader({ format: 'pcmu', sampleRateHz: 8000, channels: 1, dataBytes: data.length }), data)
  const read = readWav(whole.subarray(0, WAV_HEADER_BYTES + 400))
  assert.ok(read.ok)
  assert.equal(read.value.samples[0]?.length, 400)
})

test('a header of 5 GiB is RF64 with 64-bit sizes, and reads', () => {
  const dataBytes = 5 * 2 ** 30
  const header = wavHeader({ format: 'pcmu', sampleRateHz: 8000, channels: 1, dataBytes })
  assert.equal(Buffer.from(header.subarray(0, 4)).toString(), 'RF64')
  assert.equal(Buffer.from(header.subarray(12, 16)).toString(), 'ds64')
  assert.equal(new DataView(header.buffer).getBigUint64(28, true), BigInt(dataBytes))
  assert.equal(new DataView(header.buffer).getUint32(90, true), 0xffffffff)
  const read = readWav(concat(header, new Uint8Array(8)))
  assert.ok(read.ok)
  assert.equal(read.value.samples[0]?.length, 8)
})

test('the header has a fact chunk with the number of frames', () => {
  const header = wavHeader({ format: 'pcmu', sampleRateHz: 8000, channels: 2, dataBytes: 1600 })
  assert.equal(Buffer.from(header.subarray(74, 78)).toString(), 'fact')
  assert.equal(new DataView(header.buffer).getUint32(82, true), 800)
})

test('a file says as many bytes as it has, also of an odd number of samples', () => {
  for (const dataBytes of [160, 161]) {
    const header = wavHeader({ format: 'pcmu', sampleRateHz: 8000, channels: 1, dataBytes })
    const riffBytes = new DataView(header.buffer).getUint32(4, true)
    assert.equal(riffBytes + 8, header.length + dataBytes)
  }
})

test('readWav never throws, whatever it is given', () => {
  const seed = wavHeader({ format: 'pcm16', sampleRateHz: 8000, channels: 1, dataBytes: 20 })
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.tuple(fc.nat(WAV_HEADER_BYTES - 1), fc.nat(255)), { maxLength: 8 }),
      (tail, edits) => {
        const bytes = concat(seed, tail)
        for (const [at, value] of edits) bytes[at] = value
        readWav(bytes)
        readWav(tail)
      },
    ),
  )
})

test('goertzelPower tells a tone from its neighbour and from silence', () => {
  const samples = tone(1000, 500)
  assert.ok(goertzelPower(samples, 8000, 1000) > 0.95)
  assert.ok(goertzelPower(samples, 8000, 1400) < 0.01)
  assert.equal(goertzelPower(new Int16Array(800), 8000, 1000), 0)
  assert.ok(Math.abs(rmsDbfs(tone(1000, 1000, 8000, 32_767)) + 3.01) < 0.2)
  assert.equal(rmsDbfs(new Int16Array(10)), Number.NEGATIVE_INFINITY)
})

test('correlate finds delays both ways, and no likeness where there is none', () => {
  const reference = noise(80_000, 7)
  const late = new Int16Array(81_234)
  late.set(reference, 1234)
  const found = correlate(reference, late, 4000)
  assert.equal(found.lagSamples, 1234)
  assert.ok(found.coefficient > 0.999)
  assert.equal(correlate(reference, reference.subarray(555), 4000).lagSamples, -555)
  assert.ok(correlate(reference, noise(80_000, 99), 4000).coefficient < 0.05)
  assert.equal(correlate(reference, new Int16Array(80_000), 4000).coefficient, 0)
})

test('correlateAt finds at one delay what correlate finds among all', () => {
  const reference = noise(8000, 7)
  const late = new Int16Array(8100)
  late.set(reference, 100)
  assert.ok(correlateAt(reference, late, 100) > 0.999)
  assert.ok(correlateAt(late, reference, -100) > 0.999)
  assert.ok(Math.abs(correlateAt(reference, late, 101)) < 0.1)
  assert.equal(correlateAt(reference, new Int16Array(8000), 0), 0)
})

test('a stereo 44.1 kHz file becomes an 8 kHz mono prompt with the same tone', () => {
  const samples = tone(1000, 1000, 44_100)
  const pcm = interleavePcm16([samples, samples])
  const file = concat(wavHeader({ format: 'pcm16', sampleRateHz: 44_100, channels: 2, dataBytes: pcm.length }), pcm)
  const prompt = promptFromWav(file)
  assert.ok(prompt.ok)
  assert.equal(prompt.value.durationMs, 1000)
  assert.ok(goertzelPower(decodePcmu(prompt.value.pcmu), 8000, 1000) > 0.95)
  assert.ok(goertzelPower(decodePcma(prompt.value.pcma), 8000, 1000) > 0.95)
})

test('resampling down removes what would alias', () => {
  const aliasing = resample(tone(6000, 500, 16_000), 16_000, 8000)
  assert.ok(rmsDbfs(aliasing) < -60)
})
