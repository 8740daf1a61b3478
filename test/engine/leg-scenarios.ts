// The legs of a call: relay, prompts, DTMF, latching, RTCP, release.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import type { MediaEngine } from '#engine'
import { assertContinuous, assertWallTime, frameOf, untilWallTime } from './rtp-party.ts'
import {
  ARRIVAL_TOLERANCE_MS,
  assertRejects,
  assertVoice,
  EVENT_96,
  EVENT_101,
  isVoice,
  PCMA,
  PCMU,
  promptOf,
  type Scenario,
} from './scene.ts'

async function canBind(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  return await new Promise((resolve) => {
    socket.once('error', () => resolve(false))
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => socket.close(() => resolve(true)))
  })
}

/** Declares the tests of legs. */
export function legScenarios(scenario: Scenario, engine: () => MediaEngine): void {
  scenario('RTP-02: relays both ways, payloads byte for byte, from the ports announced', async (scene) => {
    const [a, b] = [await scene.leg('a'), await scene.leg('b')]
    await scene.call.bridge('a', 'b')
    a.party.talk(a.local.rtpPort, 1)
    b.party.talk(b.local.rtpPort, 2)
    const [atA, atB] = await Promise.all([a.party.hears(20), b.party.hears(20)])
    assertVoice(atA, 2)
    assertVoice(atB, 1)
    assertContinuous(atA)
    assertContinuous(atB)
    assert.ok(atA.every((packet) => packet.fromPort === a.local.rtpPort))
    assert.notEqual(atB[0]?.header.ssrc, 0x1001, 'the leg is an endpoint of its own')
    assert.equal((await scene.event('first-packet')).type, 'first-packet')
  })

  scenario('translates payload types by encoding, telephone-event included, without holes', async (scene) => {
    const a = await scene.leg('a', [PCMU, PCMA, EVENT_101])
    const b = await scene.leg('b', [PCMU, EVENT_96])
    await scene.call.bridge('a', 'b')
    const say = (payloadType: number, sequence: number, timestamp: number, payload: Uint8Array): void =>
      a.party.say(a.local.rtpPort, { payloadType, sequence, timestamp, ssrc: 9 }, payload)
    say(0, 1, 0, frameOf(1, 1))
    say(8, 2, 160, frameOf(1, 2))
    say(77, 3, 320, frameOf(1, 3))
    say(101, 4, 320, Uint8Array.of(4, 10, 0, 160))
    say(101, 5, 320, Uint8Array.of(4, 0x8a, 1, 64))
    say(0, 6, 800, frameOf(1, 6))
    const heard = await b.party.hears(4)
    assert.deepEqual(
      heard.map((packet) => packet.header.payloadType),
      [0, 97, 97, 0],
    )
    assert.deepEqual([...heard[1]!.payload], [4, 10, 0, 160])
    assert.equal(heard[1]!.header.timestamp, heard[2]!.header.timestamp)
    assert.equal((heard[3]!.header.timestamp - heard[1]!.header.timestamp) | 0, 480)
    assertContinuous(heard)
  })

  scenario('SIP-25, RTP-22: reports a key once however often its end is repeated', async (scene) => {
    const a = await scene.leg('a', [PCMU, EVENT_101])
    for (const [sequence, end] of [0, 0, 0x80, 0x80, 0x80].entries()) {
      const payload = Uint8Array.of(11, end | 10, 0x03, 0x20)
      a.party.say(a.local.rtpPort, { payloadType: 101, sequence, timestamp: 1000, marker: sequence === 0 }, payload)
    }
    a.party.say(a.local.rtpPort, { payloadType: 101, sequence: 5, timestamp: 9000 }, Uint8Array.of(1, 0x8a, 1, 64))
    const seen = await scene.event('dtmf')
    assert.deepEqual(seen, { type: 'dtmf', leg: 'a', digit: '#', durationMs: 100 })
    await scene.call.counters()
    const digits = scene.events.flatMap((event) => (event.type === 'dtmf' ? [event.digit] : []))
    assert.deepEqual(digits, ['#', '1'])
  })

  scenario(
    'plays a prompt byte for byte in the law of the leg, then goes on with the bridge on one stream',
    async (scene) => {
      const a = await scene.leg('a', [PCMA])
      const b = await scene.leg('b', [PCMA])
      const prompt = promptOf(15)
      const heard = a.party.hears(15)
      assert.equal(await scene.call.play('a', prompt), 'finished')
      const packets = await heard
      assert.deepEqual(Buffer.concat(packets.map((packet) => packet.payload)), Buffer.from(prompt.pcma))
      assert.ok(packets.every((packet) => packet.header.payloadType === 8))
      assertWallTime(packets.slice(0, 5), packets.slice(5), ARRIVAL_TOLERANCE_MS)
      await scene.call.bridge('a', 'b')
      a.party.talk(a.local.rtpPort, 1, 6, 8)
      await b.party.hears(20)
      b.party.talk(b.local.rtpPort, 2, 7, 8)
      await a.party.hears(10)
      assertContinuous(a.party.heard)
      assertVoice(a.party.heard.slice(15), 2)
      await untilWallTime(a.party, packets, ARRIVAL_TOLERANCE_MS)
    },
  )

  scenario('a prompt hides the bridge, and can be stopped, replaced, or lose its leg', async (scene) => {
    const [a, b] = [await scene.leg('a'), await scene.leg('b')]
    await scene.call.bridge('a', 'b')
    b.party.talk(b.local.rtpPort, 2)
    await a.party.hears(3)
    const first = scene.call.play('a', promptOf(500))
    const second = scene.call.play('a', promptOf(500))
    assert.equal(await first, 'stopped')
    await a.party.until('a prompt frame', () => a.party.heard.some((packet) => isVoice(packet, 50, 0)))
    const during = await a.party.hears(5)
    assertVoice(during, 50)
    await scene.call.stopPlaying('a')
    assert.equal(await second, 'stopped')
    assertVoice((await a.party.hears(5)).slice(-4), 2)
    const third = scene.call.play('a', promptOf(500))
    await scene.call.removeLeg('a')
    assert.equal(await third, 'leg-gone')
    assertContinuous(a.party.heard)
  })

  scenario('a leg that speaks no G.711 cannot be played to', async (scene) => {
    await scene.leg('a', [{ encoding: 'OPUS/48000/2', receivePayloadType: 111, sendPayloadType: 111 }])
    await assertRejects(scene.call.play('a', promptOf(2)), 'media.no-g711')
    await assertRejects(scene.call.play('x', promptOf(2)), 'media.no-such-leg')
  })

  scenario(
    'sends nothing to a party that may not be sent to, and takes nothing that is not to be received',
    async (scene) => {
      const a = await scene.leg('a', [PCMU], { receive: false })
      const b = await scene.leg('b', [PCMU], { send: false })
      const c = await scene.leg('c')
      await scene.call.bridge('a', 'b')
      a.party.talk(a.local.rtpPort, 1)
      b.party.talk(b.local.rtpPort, 2)
      await a.party.hears(10)
      assert.equal(b.party.heard.length, 0)
      await scene.call.bridge('b', 'c')
      c.party.talk(c.local.rtpPort, 3)
      await c.party.hears(10)
      const [countersA, countersB] = [await scene.countersOf('a'), await scene.countersOf('b')]
      assert.equal(b.party.heard.length, 0)
      assert.equal(countersA.received.packets, 0)
      assert.ok(countersA.received.refused > 0)
      assert.equal(countersB.sent.packets, 0)
    },
  )

  scenario(
    'listens to the address of the SDP and refuses an injector, who is heard only after silence',
    async (scene) => {
      const [a, b] = [await scene.leg('a'), await scene.leg('b')]
      const injector = await scene.party()
      await scene.call.bridge('a', 'b')
      a.party.talk(a.local.rtpPort, 1)
      await b.party.hears(5)
      injector.talk(a.local.rtpPort, 9, 0x1001)
      const during = await b.party.hears(20)
      assertVoice(during, 1)
      a.party.hush()
      await b.party.until('the new source', () =>
        isVoice(b.party.heard.at(-1)!, 9, (65530 + injector.sent - 1) & 0xffff),
      )
      b.party.talk(b.local.rtpPort, 2)
      await injector.hears(3)
      assert.equal(new Set(b.party.heard.map((packet) => packet.header.ssrc)).size, 1)
    },
  )

  scenario(
    'RTP-26: with a new address in the SDP we send there at once, and hear the old one until the new one speaks',
    async (scene) => {
      const [a, b] = [await scene.leg('a'), await scene.leg('b')]
      const moved = await scene.party()
      await scene.call.bridge('a', 'b')
      a.party.talk(a.local.rtpPort, 1)
      b.party.talk(b.local.rtpPort, 2)
      await b.party.hears(5)
      await scene.call.configureLeg('a', { remote: moved.remote, codecs: [PCMU], send: true, receive: true })
      assertVoice(await moved.hears(5), 2)
      assertVoice(await b.party.hears(20), 1)
      assertContinuous(b.party.heard)
      moved.talk(a.local.rtpPort, 3)
      await b.party.until('the new address', () => isVoice(b.party.heard.at(-1)!, 3, (65530 + moved.sent - 1) & 0xffff))
      assertVoice((await b.party.hears(20)).slice(-18), 3)
    },
  )

  scenario('survives garbage on every socket', async (scene) => {
    const [a, b] = [await scene.leg('a'), await scene.leg('b')]
    const { recorder, local } = await scene.fork('f', 'a', 'received')
    await scene.call.bridge('a', 'b')
    let state = 1
    for (let i = 0; i < 300; i++) {
      const bytes = Uint8Array.from({ length: i % 90 }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        return state >>> 24
      })
      if (bytes.length > 1) bytes.set([0x80 | (bytes[0]! & 0x3f), i % 3 === 0 ? 200 + (i % 8) : bytes[1]!])
      for (const port of [a.local.rtpPort, a.local.rtcpPort]) a.party.rtpSocket.send(bytes, port, '127.0.0.1')
      for (const port of [local.rtpPort, local.rtcpPort]) recorder.rtcpSocket.send(bytes, port, '127.0.0.1')
    }
    a.party.talk(a.local.rtpPort, 1)
    await Promise.all([b.party.hears(10), recorder.hears(10)])
    assert.ok((await scene.countersOf('a')).received.refused > 100)
    assert.ok(!scene.events.some(({ type }) => type === 'failed'), 'no fault was met')
  })

  scenario(
    'RTP-01, RTP-10, RTP-16: sends SR with a random CNAME and report blocks, and BYE at the end',
    async (scene) => {
      const [a, b] = [await scene.leg('a'), await scene.leg('b')]
      await scene.call.bridge('a', 'b')
      a.party.talk(a.local.rtpPort, 1)
      b.party.talk(b.local.rtpPort, 2)
      const reportOf = () =>
        a.party.rtcp.flat().find((packet) => packet.type === 'sender-report' && packet.reports.length > 0)
      await a.party.until('a sender report', () => reportOf() !== undefined)
      const report = reportOf()
      assert.ok(report?.type === 'sender-report')
      assert.equal(report.ssrc, a.party.heard[0]?.header.ssrc)
      assert.equal(report.reports[0]?.ssrc, 0x1001)
      const sdes = a.party.rtcp.map((compound) => compound[1])
      const names = sdes.map((packet) => (packet?.type === 'sdes' ? packet.chunks[0]?.cname : undefined))
      assert.equal(new Set(names).size, 1)
      assert.match(names[0] ?? '', /^[0-9a-f]{24,}$/)
      assert.ok(a.party.rtcpFromPorts.every((port) => port === a.local.rtcpPort))
      await scene.call.removeLeg('a')
      await a.party.until('BYE', () => a.party.rtcp.at(-1)?.at(-1)?.type === 'bye')
    },
  )

  scenario('reports a silent party once, and takes up again when it speaks', async (scene) => {
    const a = await scene.leg('a')
    a.party.talk(a.local.rtpPort, 1)
    await scene.event('first-packet')
    assert.equal(scene.events.filter((event) => event.type === 'silent').length, 0)
    a.party.hush()
    const silent = await scene.event('silent')
    assert.equal(silent.leg, 'a')
    assert.ok(silent.forMs >= 600)
  })

  scenario('closes every port at release, and the census returns to zero', async (scene) => {
    const a = await scene.leg('a')
    const { local } = await scene.fork('f', 'a', 'received')
    const ports = [a.local.rtpPort, a.local.rtcpPort, local.rtpPort, local.rtcpPort]
    assert.deepEqual(await engine().census(), { calls: 1, legs: 1, forks: 1, ports: 4 })
    assert.deepEqual(await Promise.all(ports.map(canBind)), [false, false, false, false])
    const [first, second] = await Promise.all([scene.call.release(), scene.call.release()])
    assert.equal(first, second)
    assert.deepEqual(await engine().census(), { calls: 0, legs: 0, forks: 0, ports: 0 })
    assert.deepEqual(await Promise.all(ports.map(canBind)), [true, true, true, true])
    await assertRejects(scene.call.addLeg('b'), 'media.released')
  })

  scenario('refuses what makes no sense, and the call goes on', async (scene) => {
    const a = await scene.leg('a')
    await assertRejects(scene.call.addLeg('a'), 'media.duplicate')
    await assertRejects(scene.call.bridge('a', 'nobody'), 'media.no-such-leg')
    await assertRejects(scene.call.shutGates(['nothing']), 'media.no-such-fork')
    const named = { rtp: { host: 'example.com', port: 4000 }, rtcp: { host: 'example.com', port: 4001 } }
    const media = { remote: named, codecs: [PCMU], send: true, receive: true }
    await assertRejects(scene.call.configureLeg('a', media), 'media.bad-address')
    a.party.talk(a.local.rtpPort, 1)
    await scene.event('first-packet')
  })
}
