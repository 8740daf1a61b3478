import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { type ByteRange, resolveRange } from './byte-range.ts'

const part = (start: number, end: number): ByteRange => ({ kind: 'part', start, end })
const whole: ByteRange = { kind: 'whole' }
const unsatisfiable: ByteRange = { kind: 'unsatisfiable' }

const cases: readonly (readonly [string | undefined, number, ByteRange])[] = [
  [undefined, 100, whole],
  ['bytes=0-0', 100, part(0, 0)],
  ['bytes=10-19', 100, part(10, 19)],
  ['bytes=10-', 100, part(10, 99)],
  ['bytes=-10', 100, part(90, 99)],
  ['bytes=-1000', 100, part(0, 99)],
  ['bytes=90-1000', 100, part(90, 99)],
  ['BYTES= 1-2 ', 100, part(1, 2)],
  ['bytes=100-', 100, unsatisfiable],
  ['bytes=-0', 100, unsatisfiable],
  ['bytes=0-', 0, unsatisfiable],
  ['bytes=20-10', 100, whole],
  ['bytes=0-1,4-5', 100, whole],
  ['bytes=-', 100, whole],
  ['items=0-1', 100, whole],
  ['bytes=a-b', 100, whole],
]

for (const [header, size, expected] of cases) {
  test(`Range ${header ?? 'left out'} of ${size} bytes is ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(resolveRange(header, size), expected)
  })
}

test('property: a part always lies inside the audio', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(200), fc.nat(100), (first, last, size) => {
      const range = resolveRange(`bytes=${first}-${last}`, size)
      if (range.kind === 'part') assert.ok(range.start <= range.end && range.end < size)
    }),
  )
})
