import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RTP_HEADER_BYTES, writeRtpHeader } from '../packet.ts'
import { buildReceiverReport } from '../rtcp.ts'
import { SecureChannel } from './secure-channel.ts'
import { MAX_SEAL_BYTES } from './srtp-cipher.ts'
import { SrtpReceiver, SrtpSender } from './srtp-context.ts'
import { type SrtpKey, type SrtpKeys, type SrtpSuite, srtpSuites, suiteSizes } from './suite.ts'

const LEAST_AHEAD = 10
const ROLLOVER = 0x10000

function keyOf(suite: SrtpSuite, fill: number): SrtpKey {
  const { keyBytes, saltBytes } = suiteSizes(suite)
  return { suite, material: Uint8Array.from({ length: keyBytes + saltBytes }, (_, i) => (i * fill) & 0xff) }
}

/** A client that sends to a recorder which dies now and then. */
class Scene {
  readonly keys: SrtpKeys
  readonly client: SrtpSender
  recorder = new SecureChannel({ isPatient: true })

  constructor(suite: SrtpSuite, fill = 7) {
    this.keys = { send: keyOf(suite, 3), receive: keyOf(suite, fill) }
    this.client = new SrtpSender(this.keys.receive)
    this.recorder.rekey(this.keys)
  }

  packet(index: number, ssrc = 9): Uint8Array {
    const bytes = new Uint8Array(RTP_HEADER_BYTES + 4 + MAX_SEAL_BYTES)
    writeRtpHeader(bytes, 0, { payloadType: 0, marker: false, sequence: index % ROLLOVER, timestamp: index, ssrc })
    return bytes.slice(0, this.client.sealRtp(bytes, RTP_HEADER_BYTES + 4))
  }

  /** Lets the client send all from one index to another, unheard. */
  skip(from: number, to: number): void {
    for (let index = from; index <= to; index += ROLLOVER / 4) this.packet(index)
  }

  hears(packet: Uint8Array): boolean {
    // As sockets give them: a Buffer, whose slices share its memory.
    return this.recorder.openRtp(Buffer.from(packet)) !== undefined
  }

  die({ rollovers = 1, rtcpIndex = 0, keys = this.keys } = {}): void {
    const indices = JSON.parse(JSON.stringify(this.recorder.indices(LEAST_AHEAD)))
    this.recorder = new SecureChannel({ isPatient: true })
    this.recorder.resume(keys, { indices, rollovers, rtcpIndex })
  }

  reportIndex(): number {
    const client = new SrtpReceiver(this.keys.send)
    const sealed = this.recorder.sealRtcp(buildReceiverReport(1, []))!
    assert.ok(client.openRtcp(sealed.slice()))
    const behind = suiteSizes(this.keys.send.suite).isAead ? 4 : 14
    return new DataView(sealed.buffer, sealed.byteOffset).getUint32(sealed.length - behind) & 0x7fffffff
  }
}

for (const suite of srtpSuites) {
  test(`SEC-11: ${suite}: another process goes on at the index and the rollover counter of the one before, twice`, () => {
    const scene = new Scene(suite)
    for (const index of [65_000, 65_535, 65_537, 65_600]) assert.ok(scene.hears(scene.packet(index)))
    scene.die()
    scene.die()
    assert.ok(scene.hears(scene.packet(65_700)))
    scene.die()
    assert.ok(scene.hears(scene.packet(65_800)))
  })

  test(`SEC-11: ${suite}: what was taken before, or may have been, is not taken again`, () => {
    const scene = new Scene(suite)
    const packets = Array.from({ length: 60 }, (_, index) => scene.packet(index))
    for (const packet of packets.slice(0, 25)) assert.ok(scene.hears(packet))
    scene.die()
    // Twice what came since the last note is held free: 25 taken, 50 more.
    for (const packet of packets) assert.ok(!scene.hears(packet))
    const far = scene.packet(75)
    assert.ok(scene.hears(far))
    assert.ok(!scene.hears(far), 'nor is this, twice')
  })

  test(`SEC-11: ${suite}: a silent source loses the least that is held free, once, and not more by each restart`, () => {
    const scene = new Scene(suite)
    for (let index = 0; index < 5; index++) assert.ok(scene.hears(scene.packet(index)))
    scene.recorder.indices(LEAST_AHEAD)
    for (let life = 0; life < 5; life++) scene.die()
    const heard = Array.from({ length: 20 }, (_, at) => scene.hears(scene.packet(5 + at)))
    assert.equal(heard.indexOf(true), LEAST_AHEAD)
    assert.ok(heard.slice(LEAST_AHEAD).every((each) => each))
  })

  test(`SEC-11: ${suite}: rollovers that nobody heard are found by the tags, as many as there may have been`, () => {
    for (const [rollovers, silent, isFound] of [
      [1, 40_000, true],
      [1, 65_000, true],
      [3, 3 * ROLLOVER - 1, true],
      [1, 3 * ROLLOVER, false],
    ] as const) {
      const scene = new Scene(suite)
      assert.ok(scene.hears(scene.packet(100)))
      scene.skip(100 + ROLLOVER / 4, 100 + silent - 1)
      scene.die({ rollovers })
      const packet = scene.packet(100 + silent)
      const forged = packet.slice()
      forged[forged.length - 1]! ^= 1
      assert.ok(!scene.hears(forged))
      assert.equal(scene.hears(packet), isFound, `${silent} packets`)
      if (isFound) assert.ok(scene.hears(scene.packet(101 + silent)), 'and it goes on from there')
    }
  })

  test(`${suite}: what may have rolled over unheard adds up over restarts, for sources that nobody had heard as well`, () => {
    for (const ssrc of [9, 10]) {
      const scene = new Scene(suite)
      assert.ok(scene.hears(scene.packet(100)))
      if (ssrc === 10) scene.packet(0, ssrc)
      for (let index = ROLLOVER / 4; index < 2.5 * ROLLOVER; index += ROLLOVER / 4) scene.packet(index, ssrc)
      scene.die()
      scene.die()
      assert.ok(scene.hears(scene.packet(2.5 * ROLLOVER, ssrc)))
    }
  })

  test(`SEC-11: ${suite}: no SRTCP index of ours is used twice, by what was noted or by the clock`, () => {
    const scene = new Scene(suite)
    const used = [scene.reportIndex(), scene.reportIndex()]
    scene.die()
    used.push(scene.reportIndex(), scene.reportIndex())
    scene.die({ rtcpIndex: 400 })
    used.push(scene.reportIndex())
    assert.ok(
      used.every((index, at) => at === 0 || index > used[at - 1]!),
      used.join(),
    )
    assert.ok(used.at(-1)! > 400)
  })

  test(`SEC-11: ${suite}: what was noted of other keys is not regarded: a fresh key begins at rollover 0`, () => {
    const scene = new Scene(suite)
    for (const index of [65_500, 65_600, 2 * ROLLOVER - 1]) assert.ok(scene.hears(scene.packet(index)))
    const keys = { send: keyOf(suite, 5), receive: keyOf(suite, 11) }
    scene.die({ keys })
    const fresh = new SrtpSender(keys.receive)
    const bytes = new Uint8Array(RTP_HEADER_BYTES + 4 + MAX_SEAL_BYTES)
    writeRtpHeader(bytes, 0, { payloadType: 0, marker: false, sequence: 5, timestamp: 0, ssrc: 9 })
    assert.ok(scene.hears(bytes.slice(0, fresh.sealRtp(bytes, RTP_HEADER_BYTES + 4))))
  })

  test(`${suite}: RTCP that was taken before is not taken again, and goes on after it`, () => {
    const scene = new Scene(suite)
    const report = buildReceiverReport(9, [])
    const reports = Array.from({ length: 5 }, () => scene.client.sealRtcp(report)!)
    for (const sealed of reports.slice(0, 3)) assert.ok(scene.recorder.openRtcp(sealed.slice()))
    scene.die()
    const isTaken = reports.map((sealed) => scene.recorder.openRtcp(sealed.slice()) !== undefined)
    assert.deepEqual(isTaken, [false, false, false, false, true])
  })
}

test('SEC-11: packets under the key before are opened until the first under the new one, and no more after it', () => {
  for (const suite of srtpSuites) {
    const scene = new Scene(suite)
    for (const index of [65_000, 65_530, 65_536]) assert.ok(scene.hears(scene.packet(index)))
    const old = [65_537, 65_538, 65_539].map((index) => scene.packet(index))
    const report = scene.client.sealRtcp(buildReceiverReport(9, []))!
    const fresh = new Scene(suite, 13)
    scene.recorder.rekey(fresh.keys)
    assert.ok(scene.hears(old[0]!))
    assert.ok(!scene.hears(old[0]!), 'not twice')
    assert.ok(scene.recorder.openRtcp(Buffer.from(report)))
    assert.ok(scene.hears(fresh.packet(1)))
    assert.ok(!scene.hears(old[1]!))
    assert.ok(scene.hears(fresh.packet(2)))
  }
})

test('SEC-11: a peer whose new key was never used comes back to the one before, and its counter', () => {
  const scene = new Scene('AEAD_AES_128_GCM')
  for (const index of [65_000, 65_530, 65_536]) assert.ok(scene.hears(scene.packet(index)))
  scene.recorder.rekey(new Scene('AEAD_AES_128_GCM', 13).keys)
  const packet = scene.packet(65_537)
  assert.ok(scene.hears(packet))
  scene.recorder.rekey(scene.keys)
  assert.ok(!scene.hears(packet))
  assert.ok(scene.hears(scene.packet(65_538)))
})

test('without keys there are no indices; those that there are tell nothing of the keys', () => {
  assert.equal(new SecureChannel().indices(LEAST_AHEAD), undefined)
  const scene = new Scene('AES_CM_128_HMAC_SHA1_80')
  scene.hears(scene.packet(1))
  const text = JSON.stringify(scene.recorder.indices(LEAST_AHEAD))
  for (const { material } of [scene.keys.send, scene.keys.receive]) {
    for (const form of ['hex', 'base64'] as const) {
      const whole = Buffer.from(material).toString(form)
      for (let at = 0; at + 8 <= whole.length; at++) assert.ok(!text.includes(whole.slice(at, at + 8)))
    }
  }
})
