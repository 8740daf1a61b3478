// The forks of a call: taps, continuity, gates and their receipts, RTCP.

import assert from 'node:assert/strict'
import { seededIds } from '#kernel'
import { isRtcp } from '#rtp'
import { mangledReport, wholeReport } from '../chaos/mangle-rtcp.ts'
import { openPair } from '../foreign/rtp-wire.ts'
import { until } from '../harness/until.ts'
import { assertContinuous, RtpParty, untilWallTime } from './rtp-party.ts'
import { ARRIVAL_TOLERANCE_MS, assertVoice, EVENT_96, EVENT_101, PCMU, promptOf, type Scenario } from './scene.ts'

const HOST = '127.0.0.1'
/** Each of twenty datagrams that are broken. */
const ROUNDS = 15

/** Declares the tests of forks. */
export function forkScenarios(scenario: Scenario): void {
  scenario(
    'RTP-07: forks copy what a party said and what it heard, each as its own source',
    async (scene) => {
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
    },
    'ownSsrc',
  )

  scenario(
    'RTP-11: a fork goes on over prompt, bridge, another bridge, a new SSRC and a moved tap',
    async (scene) => {
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
      await untilWallTime(recorder, recorder.heard.slice(0, 10), ARRIVAL_TOLERANCE_MS)
      for (const [index, packet] of recorder.heard.entries()) {
        const advance = index === 0 ? 160 : (packet.header.timestamp - recorder.heard[index - 1]!.header.timestamp) | 0
        assert.ok(advance >= 160, `packet ${index} advanced by ${advance}`)
      }
    },
    'ownSsrc',
  )

  for (const isMuxed of [true, false]) {
    scenario(
      `RTP-20: RTCP of a recorder that takes it ${isMuxed ? 'with RTP comes from the port of the audio' : 'apart comes from the port after that'}, in a pause too, and its own is read there`,
      async (scene) => {
        const [a, recorder] = [await scene.leg('a'), await openPair()]
        const local = await scene.call.addFork({ id: 'f', tap: { leg: 'a', point: 'received' }, open: true })
        const came: { readonly what: 'RTP' | 'RTCP'; readonly toPort: number; readonly fromPort: number }[] = []
        for (const socket of [recorder.rtp, recorder.rtcp]) {
          const toPort = socket.address().port
          socket.on('message', (bytes, { port }) => {
            came.push({ what: isRtcp(bytes) ? 'RTCP' : 'RTP', toPort, fromPort: port })
          })
        }
        const count = (wanted: 'RTP' | 'RTCP'): number => came.filter(({ what }) => what === wanted).length
        const [rtp, rtcp] = [recorder.port, recorder.port + (isMuxed ? 0 : 1)].map((port) => ({ host: HOST, port }))
        await scene.call.connectFork('f', { remote: { rtp: rtp!, rtcp: rtcp! }, codecs: [PCMU] })
        a.party.talk(a.local.rtpPort, 1)
        await until('the recorder hears', () => count('RTP') > 10)
        await scene.call.shutGates(['f'])
        const before = count('RTCP')
        await until('RTCP comes in the pause', () => count('RTCP') >= before + 3)
        const ours = isMuxed ? local.rtpPort : local.rtcpPort
        for (const { what, toPort, fromPort } of came) {
          const wanted = what === 'RTP' ? [rtp!.port, local.rtpPort] : [rtcp!.port, ours]
          assert.deepEqual([toPort, fromPort], wanted, what)
        }
        const socket = isMuxed ? recorder.rtp : recorder.rtcp
        // A connected socket takes it only from where it sends to.
        socket.send(wholeReport(local.ssrc), ours, HOST)
        const reports = async (): Promise<number | undefined> =>
          (await scene.call.counters()).forks.find(({ fork }) => fork === 'f')?.receiverReports
        await until('its report is read', async () => (await reports()) === 1)
        recorder.close()
      },
    )
  }

  scenario(
    'fuzz: RTCP of a recorder that is broken at random, apart and with RTP, stops no copy and no report',
    async (scene) => {
      const a = await scene.leg('a')
      const random = seededIds(20_261_201)
      a.party.talk(a.local.rtpPort, 1)
      for (const isMuxed of [true, false]) {
        const recorder = await openPair()
        const id = `f${isMuxed}`
        const local = await scene.call.addFork({ id, tap: { leg: 'a', point: 'received' }, open: true })
        let heard = 0
        recorder.rtp.on('message', (bytes) => {
          if (!isRtcp(bytes)) heard += 1
        })
        const [rtp, rtcp] = [recorder.port, recorder.port + (isMuxed ? 0 : 1)].map((port) => ({ host: HOST, port }))
        await scene.call.connectFork(id, { remote: { rtp: rtp!, rtcp: rtcp! }, codecs: [PCMU] })
        await until('the recorder hears', () => heard > 5)
        const [socket, ours] = isMuxed ? [recorder.rtp, local.rtpPort] : [recorder.rtcp, local.rtcpPort]
        const reports = async (): Promise<number> =>
          (await scene.call.counters()).forks.find(({ fork }) => fork === id)?.receiverReports ?? 0
        for (let round = 0; round < ROUNDS; round += 1) {
          for (let sent = 0; sent < 20; sent += 1) socket.send(mangledReport(random, local.ssrc), ours, HOST)
          const before = await reports()
          socket.send(wholeReport(local.ssrc), ours, HOST)
          // What comes in order has been read before it.
          await until('a whole report is counted', async () => (await reports()) > before)
        }
        const before = heard
        await until('the recorder goes on hearing', () => heard > before + 10)
        recorder.close()
      }
      assert.ok(!scene.events.some(({ type }) => type === 'failed'), 'no fault was met')
    },
  )

  scenario(
    'RTP-09: all forks of a party have its CNAME, forks of another party another one, and every fork an SSRC of its own',
    async (scene) => {
      await scene.leg('a')
      await scene.leg('b')
      const fork = async (id: string, leg: string, cname: string) => {
        const made = await scene.fork(id, leg, 'received', true, [PCMU], { cname })
        const names = () => made.recorder.rtcp.flat().flatMap((packet) => (packet.type === 'sdes' ? packet.chunks : []))
        await made.recorder.until('a CNAME', () => names().length > 0)
        assert.equal(names()[0]?.ssrc, made.local.ssrc)
        return { cname: names()[0]?.cname, ssrc: made.local.ssrc }
      }
      const forks = await Promise.all([
        fork('a-audio', 'a', 'c1'),
        fork('a-video', 'a', 'c1'),
        fork('b-audio', 'b', 'c2'),
        fork('b-video', 'b', 'c2'),
      ])
      assert.deepEqual(
        forks.map(({ cname }) => cname),
        ['c1', 'c1', 'c2', 'c2'],
      )
      assert.equal(new Set(forks.map(({ ssrc }) => ssrc)).size, 4)
    },
    'ownSsrc',
  )

  scenario(
    'copies only the encodings that the recorder accepted, under its payload types',
    async (scene) => {
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
    },
    'ownSsrc',
  )

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
      await untilWallTime(recorder, recorder.heard.slice(0, before), ARRIVAL_TOLERANCE_MS)
      const [later] = await scene.call.shutGates(['f'])
      assert.ok((later?.packetsHeld ?? 0) >= 29)
    },
    'receipt',
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
    'receipt',
  )

  scenario(
    'RTP-03, RTP-05: RTCP goes on while the gate is shut, reports to the announced port are counted, and removal says BYE',
    async (scene) => {
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
      assert.equal(counters.packets, recorder.heard.length)
      await recorder.until('BYE', () => recorder.rtcp.at(-1)?.at(-1)?.type === 'bye')
    },
    'rtcpInPause',
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
    const refused = { type: 'fork-refused', fork: 'f', reason: 'ECONNREFUSED', address: remote.rtp }
    assert.deepEqual(await scene.event('fork-refused'), refused)
    assert.equal(scene.events.filter((event) => event.type === 'fork-refused').length, 1)
    const { forks } = await scene.call.counters()
    assert.ok((forks[0]?.sendErrors ?? 0) > 0)
  })
}
