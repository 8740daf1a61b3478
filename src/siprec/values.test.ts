import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSipSessionId, isUuidBase64, readTime, rfc3339, timeMs, uuidBase64 } from './values.ts'

test('META-05: an id is padded standard base64 of the 16 bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const text = uuidBase64(bytes)
      assert.equal(text, Buffer.from(bytes).toString('base64'))
      assert.equal(isUuidBase64(text), true)
    }),
  )
})

test('META-05: text UUIDs, base64url, unpadded and short values are no ids', () => {
  const texts = [
    '6f0ad2a4-1111-4222-8333-000000000002',
    'AAAA_AAAAAAAAAAAAAAAAA==',
    'AAAAAAAAAAAAAAAAAAAAAA',
    '',
    'AAAAAAAAAAAAAAAAAAAAAB==',
  ]
  for (const text of texts) assert.equal(isUuidBase64(text), false, text)
})

test('META-11: times are UTC with milliseconds and Z', () => {
  assert.equal(rfc3339(0), '1970-01-01T00:00:00.000Z')
  fc.assert(
    fc.property(
      fc.date({
        min: new Date('0001-01-01T00:00:00Z'),
        max: new Date('9999-12-31T23:59:59.999Z'),
        noInvalidDate: true,
      }),
      (date) => {
        assert.equal(rfc3339(date.getTime()), date.toISOString())
        assert.equal(rfc3339(date.getTime() + 0.25), date.toISOString())
        assert.deepEqual(readTime(date.toISOString()), { text: date.toISOString(), ms: date.getTime() })
      },
    ),
  )
})

test('META-11: a time without zone, or with one spelt otherwise, is repaired and named', () => {
  assert.deepEqual(readTime('2026-01-05T10:00:00'), {
    text: '2026-01-05T10:00:00Z',
    ms: Date.UTC(2026, 0, 5, 10),
    fault: 'time without zone',
  })
  assert.deepEqual(readTime('2026-01-05T10:00:00+0300'), {
    text: '2026-01-05T10:00:00+03:00',
    ms: Date.UTC(2026, 0, 5, 7),
    fault: 'time not of RFC 3339 form',
  })
  assert.equal(timeMs('2026-01-05T10:00:00.5-01:30'), Date.UTC(2026, 0, 5, 11, 30, 0, 500))
})

test('what is no time is not read as one', () => {
  const texts = [
    '',
    'now',
    '2026-13-01T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:00+25:00',
    '2026-01-01',
  ]
  for (const text of texts) assert.equal(readTime(text), undefined, text)
  assert.notEqual(readTime('2024-02-29T00:00:00Z'), undefined)
})

test('META-12: a session identifier is two lower-case UUIDs in hexadecimal, never a Call-ID', () => {
  assert.equal(isSipSessionId(`${'a'.repeat(32)};remote=${'0'.repeat(32)}`), true)
  for (const text of ['abc@host', `${'A'.repeat(32)};remote=${'0'.repeat(32)}`, 'a'.repeat(32)]) {
    assert.equal(isSipSessionId(text), false)
  }
})
