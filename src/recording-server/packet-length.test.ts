import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packetTicks } from './packet-length.ts'

const CASES: readonly [encoding: string, clockRateHz: number, payload: readonly number[], ticks: number | undefined][] =
  [
    ['PCMU/8000', 8000, Array(240).fill(0), 240],
    ['PCMA/16000', 16_000, Array(320).fill(0), 320],
    ['G722/8000', 8000, Array(160).fill(0), 160],
    ['G729/8000', 8000, Array(20).fill(0), 160],
    // A frame, and one of comfort noise.
    ['G729/8000', 8000, Array(12).fill(0), 160],
    ['GSM/8000', 8000, Array(33).fill(0), 160],
    // Opus: SILK 20 ms, CELT 2.5 ms twice, CELT 20 ms three times, hybrid 10 ms.
    ['OPUS/48000/2', 48_000, [1 << 3], 960],
    ['OPUS/48000/2', 48_000, [(28 << 3) | 1], 960 / 4],
    ['OPUS/48000/2', 48_000, [(31 << 3) | 3, 3], 2880],
    ['OPUS/48000/2', 48_000, [12 << 3], 480],
    ['OPUS/48000/2', 48_000, [(31 << 3) | 3, 0], undefined],
    ['AMR/8000', 8000, [1, 2, 3], undefined],
    ['AMR/8000', 8000, [], 0],
  ]

for (const [encoding, clockRateHz, payload, ticks] of CASES) {
  test(`${payload.length} bytes of ${encoding}${payload[0] ? ` from ${payload[0]}` : ''} last ${ticks ?? 'unknown'} ticks`, () => {
    assert.equal(packetTicks(encoding, clockRateHz)(Uint8Array.from(payload)), ticks)
  })
}
