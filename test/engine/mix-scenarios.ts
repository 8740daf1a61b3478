// Several parties at once: conversations of three, and several taps in one fork.

import assert from 'node:assert/strict'
import { buildBye, buildReceiverReport, buildSdes, compoundRtcp, type SourceName } from '#rtp'
import { assertContinuous, type RtpParty, untilWallTime } from './rtp-party.ts'
import {
  ARRIVAL_TOLERANCE_MS,
  assertRejects,
  assertVoice,
  EVENT_101,
  PCMU,
  promptOf,
  type Scenario,
  type Scene,
  toneFrame,
  toneShares,
} from './scene.ts'

const TONES = [400, 700, 1100]
const SSRCS = [0xa, 0xb, 0xc]
const IDS = ['a', 'b', 'c']
const CLEAR = 0.3
const NOTHING = 0.02
/** A frame that came late under load is a hole in a tone, and every 20 ms of these tests counts as one packet. */
const STEADY = 25

type Leg = Awaited<ReturnType<Scene['leg']>>

async function threeTones(scene: Scene): Promise<Leg[]> {
  const legs: Leg[] = []
  for (const id of IDS) legs.push(await scene.leg(id, [PCMU, EVENT_101]))
  for (const [index, { party, local }] of legs.entries()) {
    party.talk(local.rtpPort, toneFrame(TONES[index]!), SSRCS[index]!)
  }
  return legs
}

/** Waits until a party hears these tones clearly and the others not. */
async function untilTones(party: RtpParty, heard: readonly boolean[]): Promise<void> {
  await party.until(`tones ${heard.join()}`, () => {
    const last = party.heard.slice(-STEADY)
    if (last.length < STEADY) return false
    return toneShares(last, TONES).every((share, index) => (heard[index] === true ? share > CLEAR : share < NOTHING))
  })
}

function namesIn(recorder: RtpParty): SourceName[] {
  const last = recorder.rtcp.at(-1) ?? []
  return last
    .flatMap((packet) => (packet.type === 'sdes' ? packet.chunks : []))
    .map(({ ssrc, cname = '' }) => ({ ssrc, cname }))
}

function byesIn(recorder: RtpParty): number[] {
  return recorder.rtcp.flat().flatMap((packet) => (packet.type === 'bye' ? packet.ssrcs : []))
}

/** Declares the tests of conferences and mixed forks. */
export function mixScenarios(scenario: Scenario): void {
  scenario(
    'three parties each hear the two others and not themselves, and forks of what they say and hear work as ever',
    async (scene) => {
      const legs = await threeTones(scene)
      await scene.call.conference(IDS)
      const said = await scene.fork('said', 'a', 'received')
      const heard = await scene.fork('heard', 'a', 'sent')
      await Promise.all([
        ...legs.map(({ party }, own) =>
          untilTones(
            party,
            TONES.map((_tone, index) => index !== own),
          ),
        ),
        untilTones(said.recorder, [true, false, false]),
        untilTones(heard.recorder, [false, true, true]),
      ])
      const [a, b, c] = legs.map(({ party }) => party)
      a!.hush()
      await untilTones(b!, [false, false, true])
      await scene.call.unbridge('c')
      await b!.until('silence', () => b!.heard.slice(-5).every(({ payload }) => payload.every((byte) => byte === 0xff)))
      const heardByC = c!.heard.length
      await b!.hears(5)
      assert.ok(c!.heard.length <= heardByC + 1)
      await scene.call.bridge('a', 'c')
      await untilTones(a!, [false, false, true])
      for (const party of [a!, b!, c!, heard.recorder]) assertContinuous(party.heard)
      await untilWallTime(a!, a!.heard.slice(0, 10), ARRIVAL_TOLERANCE_MS)
    },
    'mix',
  )

  scenario(
    'a prompt is heard alone in a conference, a key by the others as one event, and a party may go',
    async (scene) => {
      const legs = await threeTones(scene)
      await scene.call.conference(IDS)
      const [a, b, c] = legs.map(({ party }) => party)
      await untilTones(b!, [true, false, true])
      assert.equal(await scene.call.play('a', promptOf(10)), 'finished')
      const prompt = a!.heard.findIndex(({ payload }) =>
        payload.every((byte, index) => byte === promptOf(1).pcmu[index]),
      )
      assertVoice(a!.heard.slice(prompt, prompt + 10), 50)
      for (const flags of [10, 0x8a, 0x8a, 0x8a]) {
        const header = { payloadType: 101, sequence: 0, timestamp: 4000, ssrc: 0xd }
        a!.hush()
        a!.say(legs[0]!.local.rtpPort, { ...header, sequence: 100 + a!.sent++ }, Uint8Array.of(5, flags, 1, 64))
      }
      const events = ({ heard }: RtpParty) => heard.filter(({ header }) => header.payloadType === 101)
      await Promise.all([b!, c!].map((party) => party.until('an event', () => events(party).length === 4)))
      for (const party of [b!, c!]) assert.equal(new Set(events(party).map(({ header }) => header.timestamp)).size, 1)
      assert.equal(events(a!).length, 0)
      assert.equal((await scene.event('dtmf')).digit, '5')
      await scene.call.removeLeg('c')
      await untilTones(a!, [false, true, false])
    },
    'mix',
  )

  scenario(
    'a conference needs G.711 on every leg, and changes nothing when one has none',
    async (scene) => {
      const [a, b] = [await scene.leg('a'), await scene.leg('b')]
      await scene.leg('c', [{ encoding: 'OPUS/48000/2', receivePayloadType: 111, sendPayloadType: 111 }])
      await scene.call.bridge('a', 'b')
      await assertRejects(scene.call.conference(IDS), 'media.no-g711')
      await assertRejects(scene.call.conference(['a', 'x']), 'media.no-such-leg')
      a.party.talk(a.local.rtpPort, 1)
      assertVoice(await b.party.hears(5), 1)
    },
    'mix',
  )

  scenario(
    'RTP-13, RTP-14, META-29: one mixed stream names its contributors in CSRC list and SDES, and passes their BYE on',
    async (scene) => {
      const legs = await threeTones(scene)
      const recorder = await scene.party()
      const tap = { mix: IDS.map((leg) => ({ leg, point: 'received' as const })) }
      const local = await scene.call.addFork({ id: 'f', tap, open: true })
      await scene.call.connectFork('f', { remote: recorder.remote, codecs: [PCMU] })
      await untilTones(recorder, [true, true, true])
      await recorder.until('all in the CSRC list', () => recorder.heard.at(-1)?.csrcs.join() === SSRCS.join())
      legs[1]!.party.hush()
      await recorder.until('b is quiet', () => recorder.heard.at(-1)?.csrcs.join() === [0xa, 0xc].join())
      const [a] = legs
      const sdes = compoundRtcp([buildReceiverReport(0xa, []), buildSdes({ ssrc: 0xa, cname: 'Zm9vYmFyYmF6cXV4' })])
      a!.party.report(a!.local.rtcpPort, sdes)
      await recorder.until('the CNAME of a', () => namesIn(recorder).some(({ cname }) => cname === 'Zm9vYmFyYmF6cXV4'))
      const names = namesIn(recorder)
      assert.deepEqual(
        names.map(({ ssrc }) => ssrc),
        [local.ssrc, ...SSRCS],
      )
      assert.equal(new Set(names.map(({ cname }) => cname)).size, 4)
      assert.ok(recorder.rtcp.flat().every((packet) => packet.type !== 'sender-report' || packet.ssrc === local.ssrc))
      const bye = compoundRtcp([buildReceiverReport(0xa, []), buildBye(0xa)])
      a!.party.report(a!.local.rtcpPort, bye)
      await recorder.until('BYE of a', () => byesIn(recorder).includes(0xa))
      await scene.call.moveFork('f', { mix: tap.mix.slice(1) })
      await scene.call.removeFork('f')
      await recorder.until('BYE of all', () => [local.ssrc, 0xb, 0xc].every((ssrc) => byesIn(recorder).includes(ssrc)))
      assertContinuous(recorder.heard)
    },
    'mix',
  )

  scenario(
    'SRC-36: a mixed fork is cut with a receipt, and goes on over a pause, other contributors and a single tap',
    async (scene) => {
      await threeTones(scene)
      const recorder = await scene.party()
      const tapsOf = (...legs: string[]) => ({ mix: legs.map((leg) => ({ leg, point: 'received' as const })) })
      await scene.call.addFork({ id: 'f', tap: tapsOf('a', 'b'), open: true })
      await scene.call.connectFork('f', { remote: recorder.remote, codecs: [PCMU] })
      await untilTones(recorder, [true, true, false])
      const [receipt] = await scene.call.shutGates(['f'])
      await recorder.until('the last packet', () => recorder.heard.at(-1)?.header.sequence === receipt?.lastSequence)
      const before = recorder.heard.length
      assert.equal(receipt?.packetsSent, before)
      await scene.call.moveFork('f', tapsOf('b', 'c'))
      assert.equal((await scene.call.counters()).forks[0]?.packets, before)
      await scene.call.openGates(['f'])
      await untilTones(recorder, [false, true, true])
      await scene.call.moveFork('f', { leg: 'a', point: 'received' })
      await untilTones(recorder, [true, false, false])
      await scene.call.moveFork('f', tapsOf('a', 'c'))
      await untilTones(recorder, [true, false, true])
      assertContinuous(recorder.heard)
      await untilWallTime(recorder, recorder.heard.slice(0, 10), ARRIVAL_TOLERANCE_MS)
    },
    'mix',
  )
}
