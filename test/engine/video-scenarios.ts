// Video legs: relayed as they are, forked with marks and clock kept, and what receivers ask for brought to the source.

import assert from 'node:assert/strict'
import type { MediaCodec, MediaLocal } from '#engine'
import { buildFeedback, buildReceiverReport, compoundRtcp, type RtcpFeedback } from '#rtp'
import { assertContinuous, frameOf, type RtpParty } from './rtp-party.ts'
import { assertRejects, promptOf, type Scenario, type Scene } from './scene.ts'

const PICTURE_TICKS = 3000
const SOURCE_SSRC = 0xabcd
const BASELINE: MediaCodec = { encoding: 'H264/90000', receivePayloadType: 97, sendPayloadType: 97 }
const HIGH: MediaCodec = { encoding: 'H264/90000', receivePayloadType: 98, sendPayloadType: 98 }
const VP8: MediaCodec = { encoding: 'VP8/90000', receivePayloadType: 96, sendPayloadType: 96 }
const CODECS = [BASELINE, HIGH, VP8]
const PACKETS_EACH = 3

interface VideoLeg {
  readonly party: RtpParty
  readonly local: MediaLocal
}

async function videoLeg(scene: Scene, id: string): Promise<VideoLeg> {
  const party = await scene.party()
  const local = await scene.call.addLeg(id, 'video')
  await scene.call.configureLeg(id, { remote: party.remote, codecs: CODECS, send: true, receive: true })
  return { party, local }
}

/** Sends pictures of three large packets; the last of each is marked. */
function show({ party, local }: VideoLeg, pictures: number, payloadType: number): void {
  for (let packet = 0; packet < pictures * PACKETS_EACH; packet++) {
    const picture = Math.floor((party.sent + packet) / PACKETS_EACH)
    const sequence = (party.firstSequence + party.sent + packet) & 0xffff
    const marker = packet % PACKETS_EACH === PACKETS_EACH - 1
    const header = { payloadType, marker, sequence, timestamp: picture * PICTURE_TICKS, ssrc: SOURCE_SSRC }
    party.say(local.rtpPort, header, frameOf(7, sequence, 1200))
  }
  party.sent += pictures * PACKETS_EACH
}

function ask(party: RtpParty, port: number, feedback: RtcpFeedback): void {
  party.report(port, compoundRtcp([buildReceiverReport(feedback.ssrc, []), buildFeedback(feedback)]))
}

function asked<Type extends RtcpFeedback['type']>(
  party: RtpParty,
  type: Type,
): Extract<RtcpFeedback, { type: Type }>[] {
  return party.rtcp.flat().filter((packet): packet is Extract<RtcpFeedback, { type: Type }> => packet.type === type)
}

/** Declares the tests of video. */
export function videoScenarios(scenario: Scenario): void {
  scenario(
    'video is relayed as it is: payload types, marks, 90 kHz clock, and no event of silence',
    async (scene) => {
      const [a, b] = [await videoLeg(scene, 'a'), await videoLeg(scene, 'b')]
      await scene.call.bridge('a', 'b')
      show(a, 2, 97)
      show(a, 2, 98)
      show(a, 1, 96)
      await b.party.until('five pictures', () => b.party.heard.length >= 5 * PACKETS_EACH)
      const { heard } = b.party
      assertContinuous(heard)
      assert.deepEqual(
        heard.map(({ header }) => header.payloadType),
        [97, 97, 98, 98, 96].flatMap((payloadType) => Array(PACKETS_EACH).fill(payloadType)),
      )
      for (const [index, { header, payload }] of heard.entries()) {
        const picture = Math.floor(index / PACKETS_EACH)
        assert.equal(header.marker, index % PACKETS_EACH === PACKETS_EACH - 1, `mark of packet ${index}`)
        assert.equal((header.timestamp - heard[0]!.header.timestamp) >>> 0, picture * PICTURE_TICKS)
        assert.deepEqual(Buffer.from(payload), Buffer.from(frameOf(7, (a.party.firstSequence + index) & 0xffff, 1200)))
      }
      const audio = await scene.leg('c')
      await scene.event('silent')
      assert.deepEqual([...new Set(scene.events.filter(({ type }) => type === 'silent'))].length, 1)
      assert.equal(audio.party.heard.length, 0)
    },
    'video',
  )

  scenario(
    "RTP-09: a fork of video is a source of its own with marks and clock kept, under the recorder's payload type",
    async (scene) => {
      const [a, b] = [await videoLeg(scene, 'a'), await videoLeg(scene, 'b')]
      await scene.call.bridge('a', 'b')
      const recorder = { ...BASELINE, sendPayloadType: 120 }
      const said = await scene.fork('said', 'a', 'received', true, [recorder])
      const seen = await scene.fork('seen', 'b', 'sent', true, [recorder])
      show(a, 4, 97)
      for (const { recorder: party, local } of [said, seen]) {
        await party.until('four pictures', () => party.heard.length >= 4 * PACKETS_EACH)
        assertContinuous(party.heard)
        const first = party.heard[0]!.header
        assert.equal(first.ssrc, local.ssrc)
        for (const [index, { header }] of party.heard.entries()) {
          assert.equal(header.payloadType, 120)
          assert.equal(header.marker, index % PACKETS_EACH === PACKETS_EACH - 1, `mark of packet ${index}`)
          assert.equal((header.timestamp - first.timestamp) >>> 0, Math.floor(index / PACKETS_EACH) * PICTURE_TICKS)
        }
      }
      assert.ok(b.party.heard.every(({ header }) => header.ssrc !== said.local.ssrc))
      const [receipt] = await scene.call.shutGates(['said'])
      assert.equal(receipt?.packetsSent, 4 * PACKETS_EACH)
    },
    'video',
  )

  scenario(
    'RTP-18: what a party asks of the video it gets reaches the other one in the numbers of its own stream',
    async (scene) => {
      const [a, b] = [await videoLeg(scene, 'a'), await videoLeg(scene, 'b')]
      await scene.call.bridge('a', 'b')
      show(a, 2, 97)
      show(b, 1, 97)
      await Promise.all([b.party.hears(2 * PACKETS_EACH), a.party.hears(PACKETS_EACH)])
      const ours = { toA: a.party.heard[0]!.header.ssrc, toB: b.party.heard[0]!.header.ssrc }
      const lostByB = b.party.heard[4]!.header.sequence
      ask(b.party, b.local.rtcpPort, { type: 'picture-loss', ssrc: 5, mediaSsrc: 4711 })
      ask(b.party, b.local.rtcpPort, {
        type: 'nack',
        ssrc: 5,
        mediaSsrc: ours.toB,
        lost: [{ sequence: lostByB, following: 3 }],
      })
      ask(b.party, b.local.rtcpPort, { type: 'full-intra', ssrc: 5, requests: [{ ssrc: ours.toB, command: 9 }] })
      ask(b.party, b.local.rtcpPort, { type: 'picture-loss', ssrc: 5, mediaSsrc: ours.toB })
      await a.party.until('PLI', () => asked(a.party, 'picture-loss').length > 0)
      const common = { ssrc: ours.toA }
      assert.deepEqual(asked(a.party, 'picture-loss'), [{ type: 'picture-loss', ...common, mediaSsrc: SOURCE_SSRC }])
      const requests = [{ ssrc: SOURCE_SSRC, command: 9 }]
      assert.deepEqual(asked(a.party, 'full-intra'), [{ type: 'full-intra', ...common, requests }])
      const lost = [{ sequence: (a.party.firstSequence + 4) & 0xffff, following: 3 }]
      assert.deepEqual(asked(a.party, 'nack'), [{ type: 'nack', ...common, mediaSsrc: SOURCE_SSRC, lost }])
      assert.ok(a.party.rtcp.every((compound) => compound[0]?.type.endsWith('report')))
    },
    'video',
  )

  scenario(
    'RTP-18: a recorder that needs a whole picture gets one from the source, however often it asks, and asks for no packets',
    async (scene) => {
      const [a, b] = [await videoLeg(scene, 'a'), await videoLeg(scene, 'b')]
      await scene.call.bridge('a', 'b')
      const { recorder, local } = await scene.fork('f', 'b', 'sent', true, [BASELINE])
      show(a, 1, 97)
      await recorder.hears(PACKETS_EACH)
      const sequence = recorder.heard[0]!.header.sequence
      ask(recorder, local.rtcpPort, {
        type: 'nack',
        ssrc: 5,
        mediaSsrc: local.ssrc,
        lost: [{ sequence, following: 0 }],
      })
      for (let times = 0; times < 3; times++) {
        ask(recorder, local.rtcpPort, { type: 'picture-loss', ssrc: 5, mediaSsrc: local.ssrc })
      }
      await a.party.until('PLI', () => asked(a.party, 'picture-loss').length > 0)
      const seen = a.party.rtcp.length
      await a.party.until('more RTCP', () => a.party.rtcp.length >= seen + 2)
      assert.deepEqual(
        asked(a.party, 'picture-loss').map(({ mediaSsrc }) => mediaSsrc),
        [SOURCE_SSRC],
      )
      assert.deepEqual(asked(a.party, 'nack'), [])
      assert.deepEqual(asked(b.party, 'picture-loss'), [])
    },
    'video',
  )

  scenario(
    'nothing is played into video, and it takes no part in conferences',
    async (scene) => {
      await videoLeg(scene, 'a')
      await scene.leg('b')
      const tone = { frequencyHz: 1400, onMs: 200, everyMs: 1000, levelDbm0: -20 }
      await assertRejects(scene.call.play('a', promptOf(1)), 'media.no-g711')
      await assertRejects(scene.call.setTone('a', tone), 'media.no-g711')
      await assertRejects(scene.call.conference(['a', 'b']), 'media.no-g711')
    },
    'video',
  )
}
