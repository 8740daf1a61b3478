// Tones: heard by the party that they are set for, and by nobody else.

import assert from 'node:assert/strict'
import { decodePcmu, goertzelPower } from '#audio'
import { assertContinuous, type HeardPacket } from './rtp-party.ts'
import { assertRejects, assertVoice, type Scenario } from './scene.ts'

const BEEP = { frequencyHz: 1400, onMs: 10_000, everyMs: 20_000, levelDbm0: -15 }

function beepShare(packets: readonly HeardPacket[]): number {
  const payload = Buffer.concat(packets.map((packet) => packet.payload))
  return goertzelPower(decodePcmu(payload), 8000, BEEP.frequencyHz)
}

/** Frames of a talker count upwards. */
function isSpeech({ payload }: HeardPacket): boolean {
  return payload.every((byte, index) => byte === (((payload[0] ?? 0) + index) & 0xff))
}

/** Declares the tests of tones. */
export function toneScenarios(scenario: Scenario): void {
  scenario(
    'UA-19: a tone is heard by its party and by no fork of what it is sent, over speech and over nothing, until it is taken away',
    async (scene) => {
      const [a, b] = [await scene.leg('a'), await scene.leg('b')]
      const { recorder } = await scene.fork('f', 'a', 'sent')
      const other = await scene.fork('g', 'b', 'received')
      await scene.call.bridge('a', 'b')
      a.party.talk(a.local.rtpPort, 1)
      b.party.talk(b.local.rtpPort, 2)
      await scene.call.setTone('a', BEEP)
      await a.party.hears(2)
      const [atA, copied, atB, atOther] = await Promise.all([
        a.party.hears(10),
        recorder.hears(10),
        b.party.hears(10),
        other.recorder.hears(10),
      ])
      assert.ok(!atA.some(isSpeech), 'the tone is mixed in')
      assertVoice(copied, 2)
      assertVoice(atB, 1)
      assertVoice(atOther, 2)
      b.party.hush()
      await a.party.until('the tone alone', () => beepShare(a.party.heard.slice(-4)) > 0.9)
      await scene.call.setTone('a', undefined)
      b.party.talk(b.local.rtpPort, 2, 0x2222)
      await b.party.hears(3)
      await a.party.until('speech alone', () => a.party.heard.slice(-4).every(isSpeech))
      assertContinuous(a.party.heard)
    },
    'tones',
  )

  scenario(
    'a tone needs G.711',
    async (scene) => {
      await scene.leg('a', [{ encoding: 'OPUS/48000/2', receivePayloadType: 111, sendPayloadType: 111 }])
      await assertRejects(scene.call.setTone('a', BEEP), 'media.no-g711')
      await assertRejects(scene.call.setTone('x', BEEP), 'media.no-such-leg')
      const b = await scene.leg('b')
      await scene.call.setTone('b', BEEP)
      await b.party.hears(10)
      assert.ok(beepShare(b.party.heard.slice(2)) > 0.9)
    },
    'tones',
  )
}
