import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goertzelPower, tone } from '#audio'
import { LiveMix } from './live-mix.ts'

const PACKET_MS = 20
const [OWN, OTHER, THIRD] = [-1, 0xbeef, 0xcafe]

/** Sends packets of several sources in turn, each 20 ms those that `speaks` lets through, and gives what is heard. */
function heardOf(
  voices: readonly (readonly [source: number, samples: Int16Array, rateHz?: number])[],
  durationMs: number,
  speaks: (source: number, atMs: number) => boolean = () => true,
): Int16Array {
  const mix = new LiveMix()
  const heard: number[] = []
  for (let atMs = 0; atMs < durationMs; atMs += PACKET_MS) {
    for (const [source, samples, sampleRateHz = 8000] of voices) {
      if (!speaks(source, atMs)) continue
      const perPacket = (sampleRateHz * PACKET_MS) / 1000
      const from = (atMs / PACKET_MS) * perPacket
      const said = { samples: samples.subarray(from, from + perPacket), sampleRateHz }
      heard.push(...(mix.add(source, said, atMs)?.samples ?? []))
    }
  }
  return Int16Array.from(heard)
}

test('one source is heard as it is', () => {
  const mix = new LiveMix()
  const samples = tone(400, PACKET_MS)
  assert.equal(mix.add(OWN, { samples, sampleRateHz: 8000 }, 0)?.samples, samples)
})

test('three sources at once are one sound with the three in it, no longer than they spoke', () => {
  const heard = heardOf(
    [
      [OWN, tone(400, 1000)],
      [OTHER, tone(1000, 1000)],
      [THIRD, tone(1800, 1000, 16_000), 16_000],
    ],
    1000,
  )
  assert.equal(heard.length, 8000)
  for (const hz of [400, 1000, 1800]) {
    const power = goertzelPower(heard.subarray(1600), 8000, hz)
    assert.ok(power > 0.2, `${hz} Hz: ${power}`)
  }
})

test('when the first one stops, another one is heard by itself, without a gap; when the first one comes back, both are', () => {
  const voices = [
    [OWN, tone(400, 3000)],
    [OTHER, tone(1000, 3000)],
  ] as const
  const heard = heardOf(voices, 3000, (source, atMs) => source === OTHER || atMs < 1000 || atMs >= 2000)
  const part = (fromMs: number, toMs: number): number[] =>
    [400, 1000].map((hz) => goertzelPower(heard.subarray(fromMs * 8, toMs * 8), 8000, hz))
  assert.ok(Math.abs(heard.length / 8 - 3000) <= 2 * PACKET_MS, `${heard.length / 8} ms`)
  for (const [from, to, isBoth] of [
    [100, 900, true],
    [1100, 1900, false],
    [2100, 2900, true],
  ] as const) {
    const [first, second] = part(from, to)
    assert.ok(isBoth ? first! > 0.4 : first! < 0.01, `400 Hz from ${from} ms: ${first}`)
    assert.ok(second! > 0.4, `1000 Hz from ${from} ms: ${second}`)
  }
})

test('what waits for a source that leads and sends slowly is a fifth of a second at most, and nothing is left after a reset', () => {
  const mix = new LiveMix()
  const said = (hz: number) => ({ samples: tone(hz, PACKET_MS), sampleRateHz: 8000 })
  mix.add(OWN, said(400), 0)
  for (let packet = 0; packet < 50; packet++) assert.equal(mix.add(OTHER, said(1000), packet), undefined)
  // It leads now, and has said something before.
  assert.equal(mix.add(OTHER, said(1000), 100)?.samples.length, 1600 + 160)
  mix.add(OWN, said(400), 101)
  mix.reset()
  assert.deepEqual(mix.add(OTHER, said(1000), 102)?.samples, tone(1000, PACKET_MS))
})
