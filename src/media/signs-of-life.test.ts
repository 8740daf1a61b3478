import assert from 'node:assert/strict'
import test from 'node:test'
import { SignsOfLife } from './signs-of-life.ts'

/** Sweeps every 250 ms from `fromMs` to `toMs`, and collects what was told. */
function told(signs: SignsOfLife, fromMs: number, toMs: number, isSending = true): number[] {
  const all: number[] = []
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 250) {
    const forMs = signs.sweep(nowMs, isSending)
    if (forMs !== undefined) all.push(forMs)
  }
  return all
}

test('nothing from the recorder is told 5 s after the first packet and each 5 s after', () => {
  const signs = new SignsOfLife()
  assert.deepEqual(told(signs, 0, 60_000, false), [], 'before the first packet nothing is missed')
  assert.deepEqual(told(signs, 60_250, 76_000), [5000, 10_000, 15_000])
})

test('the first sign of life is news, and the first after a silence that was told of', () => {
  const signs = new SignsOfLife()
  signs.sweep(0, true)
  assert.equal(signs.heard(3000), true)
  assert.equal(signs.heard(8000), false)
  assert.deepEqual(told(signs, 8000, 22_750), [], 'reports of a healthy recorder may be far apart')
  assert.deepEqual(told(signs, 23_000, 30_000), [15_000, 20_000])
  assert.equal(signs.heard(30_100), true)
  assert.equal(signs.heard(30_200), false)
  assert.equal(signs.lastHeardAtMs, 30_200)
})

test('a shut gate is silent, and the wait begins anew when it opens', () => {
  const signs = new SignsOfLife()
  assert.deepEqual(told(signs, 0, 4750), [])
  assert.deepEqual(told(signs, 5000, 30_000, false), [])
  assert.deepEqual(told(signs, 30_250, 35_250), [5000])
  assert.deepEqual(told(signs, 35_500, 60_000, false), [])
  assert.equal(signs.heard(60_100), true)
})

test('a late sweep tells once and keeps the beat', () => {
  const signs = new SignsOfLife()
  signs.sweep(0, true)
  assert.equal(signs.sweep(12_300, true), 12_300)
  assert.deepEqual(told(signs, 12_500, 20_250), [15_000, 20_000])
})
