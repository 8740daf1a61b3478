// What every media engine must do, shown with real sockets on loopback; parts run only for engines that claim the capability.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { after, before, describe, type TestContext, test } from 'node:test'
import type {
  CallCounters,
  LegMedia,
  MediaCall,
  MediaCodec,
  MediaEngine,
  MediaEvent,
  MediaLocal,
  Prompt,
} from '#engine'
import { assertContinuous, assertWallTime, frameOf, type HeardPacket, RtpParty } from './rtp-party.ts'

/** How the suite wants the engine that it tests. */
export interface EngineRequest {
  /** At most this many port pairs; absent: plenty. */
  readonly portPairs?: number
  readonly rtcpMinimumMs: number
  readonly silentAfterMs: number
}

const PCMU: MediaCodec = { encoding: 'PCMU/8000', receivePayloadType: 0, sendPayloadType: 0 }
const PCMA: MediaCodec = { encoding: 'PCMA/8000', receivePayloadType: 8, sendPayloadType: 8 }
const EVENT_101: MediaCodec = { encoding: 'TELEPHONE-EVENT/8000', receivePayloadType: 101, sendPayloadType: 101 }
const EVENT_96: MediaCodec = { encoding: 'TELEPHONE-EVENT/8000', receivePayloadType: 96, sendPayloadType: 97 }

/** Arrival times at a loaded machine are late by some frames; the exact 20 ms are shown with a manual clock in `src/media`. */
const ARRIVAL_TOLERANCE_MS = 60

/** A call with its parties, cleaned up after the test. */
class Scene {
  readonly call: MediaCall
  readonly events: MediaEvent[] = []
  readonly #parties: RtpParty[] = []
  readonly #checks = new Set<() => void>()

  constructor(t: TestContext, engine: MediaEngine) {
    this.call = engine.openCall(t.name)
    this.call.onEvent((event) => {
      this.events.push(event)
      for (const check of [...this.#checks]) check()
    })
    t.after(async () => {
      for (const party of this.#parties) party.close()
      await this.call.release()
    })
  }

  async party(): Promise<RtpParty> {
    const party = await RtpParty.open()
    this.#parties.push(party)
    return party
  }

  async leg(
    id: string,
    codecs: readonly MediaCodec[] = [PCMU],
    more: Partial<LegMedia> = {},
  ): Promise<{ party: RtpParty; local: MediaLocal }> {
    const party = await this.party()
    const local = await this.call.addLeg(id)
    await this.call.configureLeg(id, { remote: party.remote, codecs, send: true, receive: true, ...more })
    return { party, local }
  }

  async fork(
    id: string,
    leg: string,
    point: 'received' | 'sent',
    open = true,
    codecs: readonly MediaCodec[] = [PCMU],
  ): Promise<{ recorder: RtpParty; local: MediaLocal & { ssrc: number } }> {
    const recorder = await this.party()
    const local = await this.call.addFork({ id, tap: { leg, point }, open })
    await this.call.connectFork(id, { remote: recorder.remote, codecs })
    return { recorder, local }
  }

  async countersOf(leg: string): Promise<CallCounters['legs'][string]> {
    const counters = (await this.call.counters()).legs[leg]
    assert.ok(counters !== undefined)
    return counters
  }

  async event<Type extends MediaEvent['type']>(type: Type): Promise<Extract<MediaEvent, { type: Type }>> {
    const find = () => this.events.find((event): event is Extract<MediaEvent, { type: Type }> => event.type === type)
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${type} event came`)), 5000)
      const check = (): void => {
        const event = find()
        if (event === undefined) return
        clearTimeout(timer)
        this.#checks.delete(check)
        resolve(event)
      }
      this.#checks.add(check)
      check()
    })
  }
}

function promptOf(frames: number): Prompt {
  const join = (voice: number) => Buffer.concat(Array.from({ length: frames }, (_, index) => frameOf(voice, index)))
  return { pcmu: join(50), pcma: join(60) }
}

function isVoice(packet: HeardPacket, voice: number, sequence: number): boolean {
  return Buffer.from(packet.payload).equals(frameOf(voice, sequence))
}

/** Asserts that the payloads are consecutive frames of one talker. */
function assertVoice(packets: readonly HeardPacket[], voice: number): void {
  const first = packets[0]
  assert.ok(first !== undefined)
  const start = Array.from({ length: 65536 }, (_, sequence) => sequence).find((sequence) =>
    isVoice(first, voice, sequence),
  )
  assert.ok(start !== undefined, `the first packet is not of voice ${voice}`)
  for (const [index, packet] of packets.entries()) {
    assert.ok(isVoice(packet, voice, (start + index) & 0xffff), `packet ${index} is not the next frame`)
  }
}

function assertRejects(promise: Promise<unknown>, code: string): Promise<void> {
  return assert.rejects(promise, (error: { code?: string }) => error.code === code)
}

async function canBind(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  return await new Promise((resolve) => {
    socket.once('error', () => resolve(false))
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => socket.close(() => resolve(true)))
  })
}

/** Runs the suite against engines made by `makeEngine`. */
export function mediaEngineSuite(name: string, makeEngine: (request: EngineRequest) => Promise<MediaEngine>): void {
  describe(`media engine: ${name}`, () => {
    let engine: MediaEngine
    before(async () => {
      engine = await makeEngine({ rtcpMinimumMs: 200, silentAfterMs: 600 })
    })
    after(async () => {
      await engine.close()
    })
    const scenario = (title: string, run: (scene: Scene, t: TestContext) => Promise<void>): void => {
      test(title, { timeout: 15_000 }, async (t) => await run(new Scene(t, engine), t))
    }

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
        assertWallTime(packets[0]!, packets[14]!, ARRIVAL_TOLERANCE_MS)
        await scene.call.bridge('a', 'b')
        b.party.talk(b.local.rtpPort, 2, 7, 8)
        await a.party.hears(10)
        assertContinuous(a.party.heard)
        assertVoice(a.party.heard.slice(15), 2)
        assertWallTime(a.party.heard[0]!, a.party.heard.at(-1)!, ARRIVAL_TOLERANCE_MS)
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
      assert.deepEqual(await engine.census(), { calls: 1, legs: 1, forks: 1, ports: 4 })
      assert.deepEqual(await Promise.all(ports.map(canBind)), [false, false, false, false])
      const [first, second] = await Promise.all([scene.call.release(), scene.call.release()])
      assert.equal(first, second)
      assert.deepEqual(await engine.census(), { calls: 0, legs: 0, forks: 0, ports: 0 })
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

    test('says that no ports are left, and has them again after a release', { timeout: 15_000 }, async (t) => {
      const small = await makeEngine({ portPairs: 2, rtcpMinimumMs: 200, silentAfterMs: 600 })
      t.after(async () => await small.close())
      const call = small.openCall('small')
      await call.addLeg('a')
      await call.addLeg('b')
      await assertRejects(call.addLeg('c'), 'media.no-ports')
      await call.release()
      assert.deepEqual(await small.census(), { calls: 0, legs: 0, forks: 0, ports: 0 })
    })

    forkScenarios(scenario)
  })
}

type Scenario = (title: string, run: (scene: Scene, t: TestContext) => Promise<void>) => void

/** The forks: taps, continuity, gates. */
function forkScenarios(scenario: Scenario): void {
  scenario('RTP-07: forks copy what a party said and what it heard, each as its own source', async (scene) => {
    const [a, b] = [await scene.leg('a'), await scene.leg('b')]
    const received = await scene.fork('f1', 'a', 'received')
    const sent = await scene.fork('f2', 'a', 'sent')
    await scene.call.bridge('a', 'b')
    a.party.talk(a.local.rtpPort, 1)
    b.party.talk(b.local.rtpPort, 2)
    const [said, heard] = await Promise.all([received.recorder.hears(20), sent.recorder.hears(20)])
    assertVoice(said, 1)
    assertVoice(heard, 2)
    assertContinuous(said)
    assertContinuous(heard)
    assert.equal(said[0]?.header.ssrc, received.local.ssrc)
    assert.equal(heard[0]?.header.ssrc, sent.local.ssrc)
    assert.equal(said[0]?.fromPort, received.local.rtpPort)
    const ssrcs = [...a.party.heard, ...b.party.heard, ...said, ...heard].map((packet) => packet.header.ssrc)
    assert.equal(new Set([...ssrcs, 0x1001, 0x1002]).size, 6)
    assert.equal((await scene.event('fork-first-packet')).fork.length, 2)
  })

  scenario('RTP-11: a fork goes on over prompt, bridge, another bridge, a new SSRC and a moved tap', async (scene) => {
    await scene.leg('a')
    const [b, c] = [await scene.leg('b'), await scene.leg('c')]
    const { recorder } = await scene.fork('f', 'a', 'sent')
    await scene.call.play('a', promptOf(10))
    await scene.call.bridge('a', 'b')
    b.party.talk(b.local.rtpPort, 2)
    await recorder.hears(10)
    b.party.talk(b.local.rtpPort, 4, 0xbbbb)
    await recorder.hears(10)
    await scene.call.bridge('a', 'c')
    c.party.talk(c.local.rtpPort, 3)
    assertVoice((await recorder.hears(12)).slice(-8), 3)
    await scene.call.moveFork('f', { leg: 'b', point: 'received' })
    assertVoice((await recorder.hears(12)).slice(-8), 4)
    assertContinuous(recorder.heard)
    assertWallTime(recorder.heard[0]!, recorder.heard.at(-1)!, ARRIVAL_TOLERANCE_MS)
    for (const [index, packet] of recorder.heard.entries()) {
      const advance = index === 0 ? 160 : (packet.header.timestamp - recorder.heard[index - 1]!.header.timestamp) | 0
      assert.ok(advance >= 160, `packet ${index} advanced by ${advance}`)
    }
  })

  scenario('copies only the encodings that the recorder accepted, under its payload types', async (scene) => {
    const a = await scene.leg('a', [PCMU, EVENT_101])
    const plain = await scene.fork('f1', 'a', 'received', true, [PCMU])
    const events = await scene.fork('f2', 'a', 'received', true, [PCMU, EVENT_96])
    const say = (payloadType: number, sequence: number, timestamp: number): void =>
      a.party.say(a.local.rtpPort, { payloadType, sequence, timestamp }, Uint8Array.of(1, 0x8a, 1, 64))
    say(0, 1, 0)
    say(101, 2, 160)
    say(0, 3, 320)
    const [one, two] = await Promise.all([plain.recorder.hears(2), events.recorder.hears(3)])
    assert.deepEqual(
      [one, two].map((heard) => heard.map((packet) => packet.header.payloadType)),
      [
        [0, 0],
        [0, 97, 0],
      ],
    )
    assertContinuous(one)
    assertContinuous(two)
  })

  scenario(
    'SRC-36: after the receipt not one packet comes, while the call flows; opening continues the stream',
    async (scene) => {
      const [a, b] = [await scene.leg('a'), await scene.leg('b')]
      const { recorder } = await scene.fork('f', 'a', 'received')
      const other = await scene.fork('g', 'a', 'received')
      await scene.call.bridge('a', 'b')
      a.party.talk(a.local.rtpPort, 1)
      await recorder.hears(10)
      const [receipt] = await scene.call.shutGates(['f'])
      assert.ok(receipt !== undefined)
      await recorder.until('the last packet', () => recorder.heard.at(-1)?.header.sequence === receipt.lastSequence)
      const before = recorder.heard.length
      const last = recorder.heard[before - 1]!
      await Promise.all([b.party.hears(30), other.recorder.hears(30)])
      assert.equal(recorder.heard.length, before)
      assert.equal(receipt.drained, true)
      assert.equal(receipt.packetsSent, before)
      assert.equal(receipt.lastTimestamp, last.header.timestamp)
      await scene.call.openGates(['f'])
      await recorder.hears(10)
      assertContinuous(recorder.heard)
      const next = recorder.heard[before]!
      assert.ok(next.atMs - last.atMs > 500)
      assertWallTime(last, next, ARRIVAL_TOLERANCE_MS)
      const [later] = await scene.call.shutGates(['f'])
      assert.ok((later?.packetsHeld ?? 0) >= 29)
    },
  )

  scenario(
    'a fork born shut sends nothing, and an opening that a later shutting overtook does nothing',
    async (scene) => {
      const [a, b] = [await scene.leg('a'), await scene.leg('b')]
      const { recorder } = await scene.fork('f', 'a', 'received', false)
      await scene.call.bridge('a', 'b')
      a.party.talk(a.local.rtpPort, 1)
      await b.party.hears(5)
      const opened = scene.call.openGates(['f'])
      const [receipt] = await scene.call.shutGates(['f'])
      await opened
      await b.party.hears(10)
      assert.equal(receipt?.packetsSent, 0)
      assert.equal(receipt?.lastSequence, undefined)
      assert.equal(recorder.heard.length, 0)
      await scene.call.openGates(['f'])
      assertVoice(await recorder.hears(5), 1)
    },
  )

  scenario(
    'RTP-05: RTCP goes on while the gate is shut, answers are counted, and removal says BYE',
    async (scene, t) => {
      const a = await scene.leg('a')
      const { recorder, local } = await scene.fork('f', 'a', 'received')
      a.party.talk(a.local.rtpPort, 1)
      await recorder.until('SR', () => recorder.rtcp.some((compound) => compound[0]?.type === 'sender-report'))
      await scene.call.shutGates(['f'])
      const seen = recorder.rtcp.length
      await recorder.until('RTCP in the pause', () => recorder.rtcp.length >= seen + 4)
      assert.equal(recorder.rtcp.at(-1)?.[0]?.type, 'receiver-report', 'who sends nothing is no sender')
      const report = Buffer.alloc(32)
      report.set([0x81, 201, 0, 7])
      report.writeUInt32BE(local.ssrc, 8)
      recorder.rtcpSocket.send(report, local.rtcpPort, '127.0.0.1')
      const more = recorder.rtcp.length
      await recorder.until('one more report', () => recorder.rtcp.length > more)
      const counters = await scene.call.removeFork('f')
      assert.equal(counters.receiverReports, 1)
      assert.ok(counters.held > 0)
      assert.equal(counters.packets, recorder.heard.length, t.name)
      await recorder.until('BYE', () => recorder.rtcp.at(-1)?.at(-1)?.type === 'bye')
    },
  )

  scenario('a recorder that is gone is reported once, and the call flows', async (scene) => {
    const [a, b] = [await scene.leg('a'), await scene.leg('b')]
    const gone = await RtpParty.open()
    const { remote } = gone
    gone.close()
    await scene.call.addFork({ id: 'f', tap: { leg: 'a', point: 'received' }, open: true })
    await scene.call.connectFork('f', { remote, codecs: [PCMU] })
    await scene.call.bridge('a', 'b')
    a.party.talk(a.local.rtpPort, 1)
    assertContinuous(await b.party.hears(20))
    assert.deepEqual(await scene.event('fork-refused'), { type: 'fork-refused', fork: 'f', reason: 'ECONNREFUSED' })
    assert.equal(scene.events.filter((event) => event.type === 'fork-refused').length, 1)
    const { forks } = await scene.call.counters()
    assert.ok((forks[0]?.sendErrors ?? 0) > 0)
  })
}
