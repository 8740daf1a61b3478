import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createDestinationPolicy, createRouter } from '#call'
import { parseSipUri, type SipUri } from '#sip'
import { parseAddress, parseRange, rangeContains } from './address-range.ts'
import { wishAfterAnswer } from './direction.ts'
import { parseReason, reasonHeader } from './reason.ts'

function uri(text: string): SipUri {
  const parsed = parseSipUri(text)
  assert.ok(parsed.ok, text)
  return parsed.value
}

test('destinations are denied unless a host, a domain or a network of the list covers them', () => {
  const policy = createDestinationPolicy(['pbx.example.com', '.trusted.example', '192.0.2.0/25', '2001:db8::/32'])
  for (const [text, expected] of [
    ['sip:a@pbx.example.com', true],
    ['sip:a@PBX.example.com.:5070;transport=tcp', true],
    ['sip:a@x.pbx.example.com', false],
    ['sip:a@sbc.trusted.example', true],
    ['sip:a@trusted.example', false],
    ['sip:a@untrusted.example', false],
    ['sip:a@192.0.2.127', true],
    ['sip:a@192.0.2.128', false],
    ['sip:a@[2001:db8::7]', true],
    ['sip:a@[2001:db9::7]', false],
    ['sip:a@pbx.example.com;maddr=203.0.113.1', false],
    ['sip:a@pbx.example.com?Route=%3Csip:evil.example%3E', false],
    ['tel:+4912345', false],
  ] as const) {
    assert.equal(policy.allows(uri(text)), expected, text)
  }
  assert.equal(createDestinationPolicy([]).allows(uri('sip:a@192.0.2.1')), false)
  assert.throws(() => createDestinationPolicy(['192.0.2.0/33']), { code: 'call.bad-destination' })
})

test('an IPv4 address lies in the network of its own first bits, and leaves it when one of them flips', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.integer({ min: 1, max: 32 }), (bytes, prefixBits) => {
      const range = parseRange(`${bytes.join('.')}/${prefixBits}`)
      const flipped = Uint8Array.from(bytes)
      const bit = prefixBits - 1
      flipped[bit >> 3]! ^= 0x80 >> (bit & 7)
      return range !== undefined && rangeContains(range, bytes) && !rangeContains(range, flipped)
    }),
  )
})

test('IP literals are read in all their forms, and nothing else is', () => {
  assert.deepEqual(parseAddress('::ffff:192.0.2.1'), parseAddress('::ffff:c000:201'))
  assert.equal(parseAddress('2001:db8:0:0:0:0:0:1')?.length, 16)
  for (const text of ['', '1.2.3', '1.2.3.256', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', 'g::', 'pbx']) {
    assert.equal(parseAddress(text), undefined, text)
  }
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => parseRange(text) === undefined || text !== ''))
})

test('the first rule that matches the whole user part says where a call goes', () => {
  const router = createRouter([
    { match: '100', flow: 'reception' },
    { match: 're:1\\d\\d', callee: 'sip:{user}@pbx.example', ringTimeoutMs: 5000 },
    { match: 're:.*', flow: 'other' },
  ])
  assert.deepEqual(router.route(uri('sip:100@gw')), { kind: 'flow', flow: 'reception' })
  assert.deepEqual(router.route(uri('sip:123@gw')), {
    kind: 'callee',
    target: 'sip:123@pbx.example',
    ringTimeoutMs: 5000,
  })
  assert.deepEqual(router.route(uri('sip:1234@gw')), { kind: 'flow', flow: 'other' })
  assert.equal(router.route(uri(`sip:${'1'.repeat(200)}@gw`)), undefined)
  assert.equal(createRouter([]).route(uri('sip:100@gw')), undefined)
  assert.throws(() => createRouter([{ match: 're:(', flow: 'x' }]), { code: 'call.bad-route' })
  assert.throws(() => createRouter([{ match: 'a' }]), { code: 'call.bad-route' })
  assert.throws(() => createRouter([{ match: 'a', flow: 'x', callee: 'sip:y@z' }]), { code: 'call.bad-route' })
})

test('SIP-31: reasons are read whatever their order, and what we write is read back', () => {
  assert.deepEqual(parseReason('Q.850 ; text="a;b \\"c\\"" ;cause=16'), {
    protocol: 'Q.850',
    cause: 16,
    text: 'a;b "c"',
  })
  assert.equal(parseReason('SIP;text="no cause"'), undefined)
  assert.equal(parseReason(';cause=1'), undefined)
  fc.assert(
    fc.property(fc.string({ maxLength: 50 }), fc.integer({ min: 0, max: 999 }), (text, cause) => {
      const header = reasonHeader({ protocol: 'SIP', cause, text })[0]![1]
      assert.doesNotMatch(header, /[\r\n]/)
      assert.deepEqual(parseReason(header), { protocol: 'SIP', cause, text: text.replaceAll(/\p{Cc}/gu, ' ') })
    }),
  )
  fc.assert(fc.property(fc.string(), (text) => parseReason(text) === undefined || text.includes('=')))
})

test('SIP-19: an answer tells only what the offer left open', () => {
  assert.equal(wishAfterAnswer('sendrecv', 'sendonly', 'recvonly'), 'sendrecv')
  assert.equal(wishAfterAnswer('sendrecv', 'inactive', 'inactive'), 'sendrecv')
  assert.equal(wishAfterAnswer('sendrecv', 'sendrecv', 'sendonly'), 'sendonly')
  assert.equal(wishAfterAnswer('sendonly', 'sendrecv', 'sendrecv'), 'sendrecv')
  assert.equal(wishAfterAnswer('sendonly', 'inactive', 'inactive'), 'sendonly')
})
