// Replay: what taps carried before a fork was there is sent first; and what is forgotten never.

import assert from 'node:assert/strict'
import { assertContinuous, type HeardPacket, untilWallTime } from './rtp-party.ts'
import { ARRIVAL_TOLERANCE_MS, assertVoice, PCMU, type Scenario, type Scene, toneFrame, toneShares } from './scene.ts'

const TAP = { leg: 'a', point: 'received' } as const
const NTP_UNIX_SECONDS = 2_208_988_800

function wallMs(): number {
  return performance.timeOrigin + performance.now()
}

/** A talker whose packets are remembered for a while, with somebody who hears them. */
async function remembered(scene: Scene, packets: number): Promise<{ fromMs: number }> {
  const [a, b] = [await scene.leg('a'), await scene.leg('b')]
  await scene.call.bridge('a', 'b')
  await scene.call.remember([TAP], 10_000)
  const fromMs = wallMs()
  a.party.talk(a.local.rtpPort, 1)
  await b.party.hears(packets)
  return { fromMs }
}

/** Number of frames before which the talker of voice 1 began. */
function frameOf(packet: HeardPacket, first: HeardPacket): number {
  return ((packet.header.timestamp - first.header.timestamp) | 0) / 160
}

/** Declares the tests of replay. */
export function replayScenarios(scenario: Scenario): void {
  scenario(
    'a late fork is sent what was remembered, faster than real time, then live, with no hole and at its place on the clock',
    async (scene) => {
      const { fromMs } = await remembered(scene, 60)
      const { recorder } = await scene.fork('f', 'a', 'received', false, [PCMU], { replayFromMs: fromMs })
      const openedMs = performance.now()
      await scene.call.openGates(['f'])
      const replayed = await scene.event('fork-replayed')
      assert.ok(replayed.packets >= 60)
      assert.ok(replayed.fromMs >= fromMs && replayed.toMs > replayed.fromMs)
      await recorder.hears(20)
      assertVoice(recorder.heard, 1)
      assertContinuous(recorder.heard)
      const sixtieth = recorder.heard[59]!
      assert.ok(sixtieth.atMs - openedMs < 900, 'more than a second of speech came in less')
      const live = recorder.heard.slice(-10)
      await recorder.hears(10)
      await untilWallTime(recorder, live, ARRIVAL_TOLERANCE_MS)
      const counters = (await scene.call.counters()).forks[0]
      assert.equal(counters?.replayed, replayed.packets)
    },
    'replay',
  )

  scenario(
    'META-32: a sender report at the beginning of a replay tells what time the first packets are of',
    async (scene) => {
      const { fromMs } = await remembered(scene, 50)
      const { recorder } = await scene.fork('f', 'a', 'received', true, [PCMU], { replayFromMs: fromMs })
      const reportOf = () => recorder.rtcp.flat().find((packet) => packet.type === 'sender-report')
      await recorder.until('a sender report', () => reportOf() !== undefined && recorder.heard.length > 0)
      const report = reportOf()
      assert.ok(report?.type === 'sender-report')
      const reportMs = (report.ntpSeconds - NTP_UNIX_SECONDS + report.ntpFraction / 2 ** 32) * 1000
      const first = recorder.heard[0]!
      const firstMs = reportMs - ((report.rtpTimestamp - first.header.timestamp) | 0) / 8
      assert.ok(Math.abs(firstMs - fromMs) < ARRIVAL_TOLERANCE_MS, `${firstMs - fromMs} ms off`)
    },
    'replay',
  )

  scenario(
    'RTP-13: a late mixed fork is sent the mix of what was remembered, with its contributors, and goes on live',
    async (scene) => {
      const [a, b] = [await scene.leg('a'), await scene.leg('b')]
      await scene.call.bridge('a', 'b')
      const mix = ['a', 'b'].map((leg) => ({ leg, point: 'received' as const }))
      await scene.call.remember(mix, 10_000)
      const fromMs = wallMs()
      a.party.talk(a.local.rtpPort, toneFrame(400), 0xa)
      await b.party.hears(50)
      a.party.hush()
      b.party.talk(b.local.rtpPort, toneFrame(1000), 0xb)
      await a.party.hears(50)
      const recorder = await scene.party()
      await scene.call.addFork({ id: 'f', tap: { mix }, open: true, replayFromMs: fromMs })
      await scene.call.connectFork('f', { remote: recorder.remote, codecs: [PCMU] })
      const replayed = await scene.event('fork-replayed')
      assert.ok(replayed.packets >= 100 && replayed.fromMs >= fromMs - 20 && replayed.toMs > replayed.fromMs)
      await recorder.hears(20)
      assertContinuous(recorder.heard)
      const ofA = recorder.heard.slice(10, 40)
      assert.ok(toneShares(ofA, [400])[0]! > 0.9)
      // A machine that stalls has a talker send late, and then nobody contributes for a moment.
      assert.ok(ofA.filter(({ csrcs }) => csrcs.join() === `${0xa}`).length > ofA.length / 2)
      assert.ok(ofA.every(({ csrcs }) => csrcs.every((csrc) => csrc === 0xa)))
      const ofB = recorder.heard.slice(-20)
      assert.ok(toneShares(ofB, [1000])[0]! > 0.9)
      assert.equal((await scene.call.counters()).forks[0]?.replayed, replayed.packets)
    },
    'replay',
  )

  scenario(
    'SRC-36: a gate shut in the middle of a replay ends it: not one packet after the receipt, and opening goes on live',
    async (scene) => {
      const { fromMs } = await remembered(scene, 75)
      const { recorder } = await scene.fork('f', 'a', 'received', true, [PCMU], { replayFromMs: fromMs })
      await recorder.hears(10)
      const [receipt] = await scene.call.shutGates(['f'])
      await recorder.until('the last packet', () => recorder.heard.at(-1)?.header.sequence === receipt?.lastSequence)
      const before = recorder.heard.length
      assert.ok(before < 75, 'it was cut in the middle')
      await scene.call.forget()
      await scene.call.openGates(['f'])
      await recorder.hears(10)
      const [last, next] = [recorder.heard[before - 1]!, recorder.heard[before]!]
      // Frames 0 to 74 are remembered; the first that is live may be the next one.
      assert.ok(frameOf(next, recorder.heard[0]!) >= 75, 'what came between is not sent any more')
      assert.equal((next.header.sequence - last.header.sequence) & 0xffff, 1)
      assert.equal((await scene.call.counters()).forks[0]?.replayed, before)
    },
    'replay',
  )

  scenario(
    'nothing that was forgotten is sent once forget has returned, at whatever moment it is asked for',
    async (scene) => {
      const [a, b] = [await scene.leg('a'), await scene.leg('b')]
      await scene.call.bridge('a', 'b')
      a.party.talk(a.local.rtpPort, 1)
      let duringReplay = 0
      for (let round = 0; round < 12; round++) {
        await scene.call.remember([TAP], 10_000)
        await b.party.hears(16)
        const id = `f${round}`
        const { recorder } = await scene.fork(id, 'a', 'received', true, [PCMU], { replayFromMs: 0 })
        await recorder.hears(1 + round)
        const spoken = a.party.sent
        await scene.call.forget()
        const counters = (await scene.call.counters()).forks.find(({ fork }) => fork === id)
        const sent = counters?.packets ?? 0
        if ((counters?.replayed ?? 0) < 16) duringReplay++
        await recorder.until('live packets', () => recorder.heard.length >= sent + 3)
        for (const packet of recorder.heard.slice(sent)) {
          const index = Array.from({ length: a.party.sent }, (_, frame) => frame).findLast(
            (frame) => packet.payload[0] === ((37 + ((65_530 + frame) & 0xffff) * 5) & 0xff),
          )
          assert.ok((index ?? 0) >= spoken - 1, `frame ${index} came after forget, when ${spoken} had been spoken`)
        }
        assertContinuous(recorder.heard)
        const later = await scene.call.removeFork(id)
        assert.equal(later.replayed, counters?.replayed)
      }
      assert.ok(duringReplay > 0, 'at least one forget met a replay under way')
    },
    'replay',
  )

  scenario(
    'what is remembered is bounded in time, ends with forget, and begins with the next remember',
    async (scene) => {
      const { fromMs } = await remembered(scene, 20)
      await scene.call.remember([TAP], 200)
      await scene.call.addFork({ id: 'f', tap: TAP, open: true, replayFromMs: fromMs })
      const { recorder } = await scene.fork('f200', 'a', 'received', true, [PCMU], { replayFromMs: fromMs })
      const bounded = await scene.event('fork-replayed')
      assert.equal(bounded.fork, 'f200')
      assert.ok(bounded.toMs - bounded.fromMs < 400, `${bounded.toMs - bounded.fromMs} ms were replayed`)
      await recorder.hears(2)
      await scene.call.remember([TAP], 0)
      const later = await scene.fork('g', 'a', 'received', true, [PCMU], { replayFromMs: fromMs })
      await later.recorder.hears(5)
      assertContinuous(later.recorder.heard)
      assert.equal(scene.events.filter((event) => event.type === 'fork-replayed').length, 1)
      assert.equal((await scene.call.counters()).forks.find(({ fork }) => fork === 'g')?.replayed, 0)
    },
    'replay',
  )
}
