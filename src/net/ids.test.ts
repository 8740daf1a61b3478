import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uuidText } from '#kernel'
import { cryptoIds } from './ids.ts'

test('hex text has two lower-case digits for each byte and differs each time', () => {
  assert.match(cryptoIds.hex(8), /^[0-9a-f]{16}$/)
  assert.notEqual(cryptoIds.hex(8), cryptoIds.hex(8))
})

test('a uuid is of version 4 (RFC 4122 section 4.4)', () => {
  assert.match(uuidText(cryptoIds.uuid()), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('integers stay below their bound, up to 2^48', () => {
  const seen = new Set(Array.from({ length: 200 }, () => cryptoIds.integer(3)))
  assert.deepEqual([...seen].sort(), [0, 1, 2])
  assert.ok(cryptoIds.integer(2 ** 48) < 2 ** 48)
  assert.equal(cryptoIds.integer(1), 0)
})

test('no bytes are given twice, however many are asked for at a time', () => {
  const given = Array.from({ length: 3000 }, (_unused, n) => cryptoIds.hex(8 + (n % 90)))
  assert.ok(given.every((text, n) => text.length === 2 * (8 + (n % 90))))
  assert.equal(new Set(given.map((text) => text.slice(0, 16))).size, given.length)
  assert.equal(cryptoIds.hex(5000).length, 10_000)
  const uuid = cryptoIds.uuid()
  const before = [...uuid]
  for (let n = 0; n < 600; n++) cryptoIds.uuid()
  assert.deepEqual([...uuid], before, 'a UUID is a copy')
})
