import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RTP_HEADER_BYTES, writeRtpHeader } from '../packet.ts'
import { buildReceiverReport } from '../rtcp.ts'
import { MAX_SEAL_BYTES } from './srtp-cipher.ts'
import { SrtpReceiver, SrtpSender } from './srtp-context.ts'
import { type SrtpKey, type SrtpSuite, srtpSuites, suiteSizes } from './suite.ts'

function keyOf(suite: SrtpSuite, fill = 7): SrtpKey {
  const { keyBytes, saltBytes } = suiteSizes(suite)
  return { suite, material: Uint8Array.from({ length: keyBytes + saltBytes }, (_, i) => (i * fill) & 0xff) }
}

function packet(sequence: number, payload = Uint8Array.of(1, 2, 3, 4), ssrc = 9): Uint8Array {
  const bytes = new Uint8Array(RTP_HEADER_BYTES + payload.length)
  writeRtpHeader(bytes, 0, { payloadType: 0, marker: false, sequence, timestamp: 160 * sequence, ssrc })
  bytes.set(payload, RTP_HEADER_BYTES)
  return bytes
}

function seal(sender: SrtpSender, plain: Uint8Array): Uint8Array | undefined {
  const bytes = new Uint8Array(plain.length + MAX_SEAL_BYTES)
  bytes.set(plain)
  const size = sender.sealRtp(bytes, plain.length)
  return size < 0 ? undefined : bytes.slice(0, size)
}

for (const suite of srtpSuites) {
  const pair = (): { sender: SrtpSender; receiver: SrtpReceiver } => ({
    sender: new SrtpSender(keyOf(suite)),
    receiver: new SrtpReceiver(keyOf(suite)),
  })

  test(`SEC-08: ${suite}: what is sealed opens to the same bytes, and is not readable before`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 1400 }), fc.nat(0xffff), (payload, sequence) => {
        const { sender, receiver } = pair()
        const plain = packet(sequence, payload)
        const sealed = seal(sender, plain)
        assert.equal(sealed?.length, plain.length + suiteSizes(suite).rtpTagBytes)
        if (payload.length >= 8) assert.equal(Buffer.from(sealed!).indexOf(payload), -1)
        assert.deepEqual(receiver.openRtp(sealed!), plain)
      }),
      { numRuns: 40 },
    )
  })

  test(`${suite}: one bit changed anywhere, or another key, and the packet is refused`, () => {
    const sealed = seal(pair().sender, packet(1))!
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const forged = sealed.slice()
      forged[bit >> 3]! ^= 1 << (bit & 7)
      assert.equal(pair().receiver.openRtp(forged), undefined, `bit ${bit}`)
    }
    const stranger = new SrtpReceiver(keyOf(suite, 11))
    assert.equal(stranger.openRtp(sealed), undefined)
    assert.equal(stranger.refused, 1)
  })

  test(`SEC-11: ${suite}: the rollover counter goes on over wraps, with loss and packets late across the wrap`, () => {
    const { sender, receiver } = pair()
    const order = [65_533, 65_535, 65_534, 1, 65_532, 0, 2]
    for (const sequence of order) assert.ok(receiver.openRtp(seal(sender, packet(sequence))!), `${sequence}`)
    for (let sequence = 1000; sequence < 3 * 65_536; sequence += 1000) {
      const plain = packet(sequence & 0xffff)
      assert.deepEqual(receiver.openRtp(seal(sender, plain)!), plain, `${sequence}`)
    }
    assert.equal(receiver.refused + receiver.replayed, 0)
    const fresh = new SrtpReceiver(keyOf(suite))
    assert.equal(fresh.openRtp(seal(sender, packet(0x7000))!), undefined, 'who missed the rollovers cannot read on')
  })

  test(`${suite}: nothing opens twice, and nothing that is older than the window`, () => {
    const { sender, receiver } = pair()
    const sealed = Array.from({ length: 300 }, (_, sequence) => seal(sender, packet(sequence))!)
    assert.ok(receiver.openRtp(sealed[200]!.slice()))
    assert.equal(receiver.openRtp(sealed[200]!.slice()), undefined)
    assert.equal(receiver.openRtp(sealed[10]!.slice()), undefined)
    assert.ok(receiver.openRtp(sealed[140]!.slice()))
    assert.equal(receiver.openRtp(sealed[140]!.slice()), undefined)
    assert.equal(receiver.replayed, 3)
  })

  test(`${suite}: a sender never uses an index twice`, () => {
    const { sender } = pair()
    assert.ok(seal(sender, packet(500)))
    assert.equal(seal(sender, packet(500)), undefined)
    assert.ok(seal(sender, packet(499)), 'late is not twice')
    assert.equal(seal(sender, packet(100)), undefined, 'too late to know')
  })

  test(`field 23: ${suite}: RTCP is sealed with an index of its own, opens once, and is refused when changed`, () => {
    const { sender, receiver } = pair()
    const plain = buildReceiverReport(9, [])
    for (const round of [1, 2, 3]) {
      const sealed = sender.sealRtcp(plain)!
      assert.equal(sealed.length, plain.length + 4 + (suiteSizes(suite).isAead ? 16 : 10), 'a long tag in every suite')
      const forged = sealed.slice()
      forged[forged.length - 6]! ^= 1
      assert.equal(receiver.openRtcp(forged), undefined)
      assert.deepEqual(receiver.openRtcp(sealed.slice()), plain, `round ${round}`)
      assert.equal(receiver.openRtcp(sealed), undefined)
    }
    assert.equal(receiver.replayed, 3)
    assert.equal(receiver.refused, 3)
  })

  test(`${suite}: whatever comes is refused without a throw`, () => {
    const { receiver } = pair()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(0x80, 0x90, 0x8f, 0x40), (bytes, first) => {
        if (bytes.length > 0) bytes[0] = first
        assert.equal(receiver.openRtp(bytes.slice()), undefined)
        if (bytes.length > 1) bytes[1] = 200
        assert.equal(receiver.openRtcp(bytes), undefined)
      }),
    )
  })
}

test('sources are told apart, remembered only when authentic, and bounded in number', () => {
  const suite = 'AES_CM_128_HMAC_SHA1_80'
  const receiver = new SrtpReceiver(keyOf(suite))
  const forger = new SrtpSender(keyOf(suite, 3))
  for (let ssrc = 1000; ssrc < 1200; ssrc++) {
    const sealed = seal(forger, packet(1, undefined, ssrc))
    if (sealed !== undefined) assert.equal(receiver.openRtp(sealed), undefined)
  }
  const opened = Array.from({ length: 100 }, (_, ssrc) => {
    const sealed = seal(new SrtpSender(keyOf(suite)), packet(1, undefined, ssrc))
    return receiver.openRtp(sealed!)
  })
  assert.equal(opened.filter((plain) => plain !== undefined).length, 64)
})
