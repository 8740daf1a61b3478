// What forks leave out and what they change: keys under a mask, encodings that the recorder does not take, losses of the call.

import assert from 'node:assert/strict'
import { decodePcmu, encodePcma, encodePcmu, narrowbandDecoder, tone } from '#audio'
import type { MediaCodec } from '#engine'
import { fixture } from '../harness/fixtures.ts'
import { opusPackets } from '../harness/opus-packets.ts'
import { assertContinuous, frameOf } from './rtp-party.ts'
import { EVENT_101, PCMA, PCMU, type Scenario, toneShares } from './scene.ts'

const G722: MediaCodec = { encoding: 'G722/8000', receivePayloadType: 9, sendPayloadType: 9 }
const OPUS: MediaCodec = { encoding: 'OPUS/48000/2', receivePayloadType: 111, sendPayloadType: 111 }
const FRAME = 160
/** Less than what a source's clock may be ahead of time. */
const FRAMES = 20

/** Declares the tests of changed copies. */
export function copyScenarios(scenario: Scenario): void {
  scenario(
    'RTP-22, SEC-28: a masked fork carries no key, with no hole in its sequence, while the call and another fork hear it',
    async (scene) => {
      const codecs = [PCMU, EVENT_101]
      const [a, b] = [await scene.leg('a', codecs), await scene.leg('b', codecs)]
      const { recorder } = await scene.fork('f', 'a', 'received', true, codecs, { maskDtmf: true })
      const plain = await scene.fork('g', 'a', 'received', true, codecs)
      await scene.call.bridge('a', 'b')
      const say = (payloadType: number, sequence: number, timestamp: number, payload: Uint8Array): void =>
        a.party.say(a.local.rtpPort, { payloadType, sequence, timestamp }, payload)
      say(0, 1, 0, frameOf(1, 1))
      say(0, 2, 160, frameOf(1, 2))
      say(101, 3, 320, Uint8Array.of(5, 10, 0, 160))
      say(101, 4, 320, Uint8Array.of(5, 0x8a, 1, 64))
      say(0, 5, 640, frameOf(1, 5))
      say(0, 6, 800, frameOf(1, 6))
      await Promise.all([b.party.hears(6), plain.recorder.hears(6), recorder.hears(4)])
      assertContinuous(recorder.heard)
      const times = recorder.heard.map((packet) => packet.header.timestamp - recorder.heard[0]!.header.timestamp)
      assert.deepEqual(times, [0, 160, 640, 800])
      assert.ok(recorder.heard.every((packet) => packet.header.payloadType === 0))
      await scene.call.maskDtmf(['f'], false)
      say(101, 7, 960, Uint8Array.of(6, 10, 0, 160))
      await recorder.until('an event', () => recorder.heard.at(-1)?.header.payloadType === 101)
      const { forks } = await scene.call.counters()
      assert.ok((forks.find(({ fork }) => fork === 'f')?.masked ?? 0) >= 2)
      assert.equal(forks.find(({ fork }) => fork === 'g')?.masked, 0)
    },
    'dtmfMask',
  )

  scenario(
    'SEC-28: a masked fork that moves to what another leg says has none of its keys either, in one unbroken stream',
    async (scene) => {
      const codecs = [PCMU, EVENT_101]
      const [a, b] = [await scene.leg('a', codecs), await scene.leg('b', codecs)]
      const { recorder } = await scene.fork('f', 'a', 'received', true, codecs)
      await scene.call.maskDtmf(['f'], true)
      a.party.say(a.local.rtpPort, { payloadType: 0, sequence: 1, timestamp: 0 }, frameOf(1, 1))
      a.party.say(a.local.rtpPort, { payloadType: 0, sequence: 2, timestamp: 160 }, frameOf(1, 2))
      await recorder.hears(2)
      await scene.call.moveFork('f', { leg: 'b', point: 'received' })
      const say = (payloadType: number, sequence: number, timestamp: number, payload: Uint8Array): void =>
        b.party.say(b.local.rtpPort, { payloadType, sequence, timestamp }, payload)
      say(0, 1, 0, frameOf(2, 1))
      say(101, 2, 160, Uint8Array.of(5, 10, 0, 160))
      say(101, 3, 160, Uint8Array.of(5, 0x8a, 1, 64))
      say(0, 4, 480, frameOf(2, 4))
      say(0, 5, 640, frameOf(2, 5))
      await recorder.hears(3)
      const { heard } = recorder
      assertContinuous(heard)
      assert.ok(heard.every(({ header }) => header.payloadType === 0))
      const times = heard.slice(2).map(({ header }) => header.timestamp - heard[2]!.header.timestamp)
      assert.deepEqual(times, [0, 480, 640], 'the key has left its time behind')
      assert.ok(((await scene.call.removeFork('f')).masked ?? 0) >= 2)
    },
    'dtmfMask',
  )

  scenario('a recorder that takes another law of G.711 than the call gets its own', async (scene) => {
    const a = await scene.leg('a', [PCMA])
    const { recorder } = await scene.fork('f', 'a', 'received', true, [PCMU])
    const samples = Int16Array.from({ length: FRAME }, (_unused, index) => Math.round(4000 * Math.sin(index / 3)))
    a.party.say(a.local.rtpPort, { payloadType: 8, sequence: 1, timestamp: 0 }, encodePcma(samples))
    const [packet] = await recorder.hears(1)
    assert.equal(packet?.header.payloadType, 0)
    const heard = decodePcmu(packet!.payload)
    assert.ok(samples.every((sample, index) => Math.abs(sample - heard[index]!) < 300))
  })

  for (const { name, codecs } of [
    { name: 'as it is where the recorder takes it', codecs: [OPUS, PCMU] },
    { name: 'as G.711 where it does not, in its own time', codecs: [PCMU] },
  ]) {
    scenario(`RTP-17: a call in Opus reaches the other party untouched, and a recorder ${name}`, async (scene) => {
      const [a, b] = [await scene.leg('a', [OPUS]), await scene.leg('b', [OPUS])]
      await scene.call.bridge('a', 'b')
      const { recorder } = await scene.fork('f', 'a', 'received', true, codecs)
      const spoken = tone(700, 1000)
      const packets = opusPackets(spoken).slice(0, FRAMES)
      for (const [index, payload] of packets.entries()) {
        a.party.say(a.local.rtpPort, { payloadType: 111, sequence: index, timestamp: index * 960 }, payload)
      }
      const [relayed, heard] = await Promise.all([b.party.hears(FRAMES), recorder.hears(FRAMES)])
      assertContinuous(heard)
      assert.ok(relayed.every(({ payload }, index) => Buffer.from(payload).equals(packets[index]!)))
      const steps = heard.slice(1).map(({ header }, index) => header.timestamp - heard[index]!.header.timestamp)
      if (codecs.length > 1) {
        assert.ok(heard.every(({ payload }, index) => Buffer.from(payload).equals(packets[index]!)))
        assert.ok(steps.every((step) => step === 960))
        return
      }
      assert.ok(heard.every(({ header, payload }) => header.payloadType === 0 && payload.length === FRAME))
      assert.ok(steps.every((step) => step === FRAME))
      assert.ok(toneShares(heard.slice(5), [700])[0]! > 0.95)
    })
  }

  scenario(
    'a mix and a conference take in Opus, and a tone is laid over it where the party also takes G.711',
    async (scene) => {
      const [a, b] = [await scene.leg('a', [OPUS, PCMU]), await scene.leg('b', [OPUS, PCMU])]
      await scene.call.bridge('a', 'b')
      const recorder = await scene.party()
      const mix = ['a', 'b'].map((leg) => ({ leg, point: 'received' as const }))
      await scene.call.addFork({ id: 'f', tap: { mix }, open: true })
      await scene.call.connectFork('f', { remote: recorder.remote, codecs: [PCMU] })
      await scene.call.setTone('b', { frequencyHz: 1400, onMs: 2000, everyMs: 2000, levelDbm0: -10 })
      const speakers = [400, 700].map((hz) => opusPackets(tone(hz, 1000)))
      let sequence = 0
      const talk = setInterval(() => {
        for (const [index, leg] of [a, b].entries()) {
          const payload = speakers[index]![sequence % 50]!
          leg.party.say(
            leg.local.rtpPort,
            { payloadType: 111, sequence, timestamp: sequence * 960, ssrc: index + 1 },
            payload,
          )
        }
        sequence++
      }, 20)
      try {
        await recorder.until('both voices', () => {
          const shares = toneShares(recorder.heard.slice(-20), [400, 700])
          return recorder.heard.length > 20 && shares.every((share) => share > 0.25)
        })
        await b.party.until('the tone and the voice', () => {
          const last = b.party.heard.slice(-20)
          const isG711 = last.length === 20 && last.every(({ header }) => header.payloadType === 0)
          return isG711 && toneShares(last, [400, 1400]).every((share) => share > 0.1)
        })
        await scene.call.conference(['a', 'b'])
        await a.party.until('the conference', () => {
          const last = a.party.heard.slice(-20).filter(({ header }) => header.payloadType === 0)
          return last.length === 20 && toneShares(last, [700])[0]! > 0.8
        })
      } finally {
        clearInterval(talk)
      }
    },
  )

  scenario(
    'RTP-17: a call in G.722 reaches a recorder of G.711, and what the call lost is a gap there',
    async (scene) => {
      const a = await scene.leg('a', [G722])
      const { recorder } = await scene.fork('f', 'a', 'received', true, [PCMU])
      const speech = fixture('speech/caller.g722').subarray(30 * FRAME)
      for (let frame = 0; frame < FRAMES + 2; frame++) {
        if (frame === FRAMES) continue
        const payload = speech.subarray(frame * FRAME, (frame + 1) * FRAME)
        a.party.say(a.local.rtpPort, { payloadType: 9, sequence: frame, timestamp: frame * FRAME }, payload)
      }
      const heard = await recorder.hears(FRAMES + 1)
      assertContinuous(heard.slice(0, FRAMES))
      const [last, next] = [heard[FRAMES - 1]!, heard[FRAMES]!]
      assert.equal((next.header.sequence - last.header.sequence) & 0xffff, 2)
      assert.equal(next.header.timestamp - last.header.timestamp, 2 * FRAME)
      assert.ok(heard.every(({ header, payload }) => header.payloadType === 0 && payload.length === FRAME))
      const decode = narrowbandDecoder('G722/8000')
      for (const [frame, { payload }] of heard.slice(0, FRAMES).entries()) {
        const samples = decode?.(speech.subarray(frame * FRAME, (frame + 1) * FRAME)) ?? new Int16Array()
        assert.deepEqual(Buffer.from(payload), Buffer.from(encodePcmu(samples)))
      }
    },
  )
}
