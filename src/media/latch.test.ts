import assert from 'node:assert/strict'
import test from 'node:test'
import { Latch } from './latch.ts'

const PARTY = { host: '192.0.2.1', port: 4000 }

function latchOf(): Latch {
  const latch = new Latch()
  latch.expect(PARTY, 0)
  return latch
}

test('sends to the address of the SDP before anything came, and accepts it at once', () => {
  const latch = latchOf()
  assert.deepEqual(latch.target, PARTY)
  assert.equal(latch.accept(PARTY.host, PARTY.port, 1), 'latched')
  assert.equal(latch.accept(PARTY.host, PARTY.port, 21), 'accepted')
})

test('another source is refused until 500 ms passed without a good packet', () => {
  const latch = latchOf()
  assert.equal(latch.accept('198.51.100.7', 9, 499), 'refused')
  latch.accept(PARTY.host, PARTY.port, 499)
  assert.equal(latch.accept('198.51.100.7', 9, 998), 'refused')
  assert.equal(latch.accept(PARTY.host, 9, 998), 'refused', 'the port counts too')
  assert.equal(latch.accept('198.51.100.7', 9, 999), 'latched')
  assert.deepEqual(latch.target, { host: '198.51.100.7', port: 9 })
})

test('the address of the SDP takes over from any other at once', () => {
  const latch = latchOf()
  assert.equal(latch.accept('198.51.100.7', 9, 600), 'latched')
  assert.equal(latch.accept(PARTY.host, PARTY.port, 601), 'latched')
  assert.deepEqual(latch.target, PARTY)
  assert.equal(latch.accept('198.51.100.7', 9, 602), 'refused')
})

test('RTP-26: with a new address in the SDP the old source is heard until the new one speaks', () => {
  const latch = latchOf()
  latch.accept(PARTY.host, PARTY.port, 1)
  const moved = { host: '192.0.2.1', port: 5000 }
  latch.expect(moved, 100)
  assert.deepEqual(latch.target, moved)
  assert.equal(latch.accept(PARTY.host, PARTY.port, 120), 'accepted')
  assert.deepEqual(latch.target, moved)
  assert.equal(latch.isSettled, false)
  assert.equal(latch.accept(moved.host, moved.port, 140), 'latched')
  assert.equal(latch.accept(PARTY.host, PARTY.port, 141), 'refused')
})

test('a re-offer with the same address keeps a source behind NAT', () => {
  const latch = latchOf()
  latch.accept('198.51.100.7', 9, 600)
  latch.expect({ ...PARTY }, 700)
  assert.deepEqual(latch.target, { host: '198.51.100.7', port: 9 })
  assert.equal(latch.accept('198.51.100.7', 9, 720), 'accepted')
})

test('without an address nothing new is accepted and nothing sent', () => {
  const latch = new Latch()
  assert.equal(latch.accept('198.51.100.7', 9, 10_000), 'refused')
  assert.equal(latch.target, undefined)
  latch.expect(PARTY, 10_000)
  latch.accept(PARTY.host, PARTY.port, 10_001)
  latch.expect(undefined, 10_002)
  assert.equal(latch.target, undefined)
  latch.expect(PARTY, 10_003)
  assert.deepEqual(latch.target, PARTY)
})

test('a hold by the null address that ends keeps a source behind NAT', () => {
  const latch = latchOf()
  latch.accept('198.51.100.7', 9, 600)
  latch.expect(undefined, 700)
  assert.equal(latch.target, undefined)
  latch.expect({ ...PARTY }, 60_000)
  assert.deepEqual(latch.target, { host: '198.51.100.7', port: 9 })
  assert.equal(latch.accept('198.51.100.7', 9, 60_020), 'accepted')
  assert.ok(latch.isSettled)
})
