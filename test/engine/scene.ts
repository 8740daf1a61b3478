// The stage of the media suite: a call with parties and recorders, and what is asserted about what they hear.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { decodePcmu, encodePcmu, goertzelPower, tone } from '#audio'
import type {
  CallCounters,
  ForkOptions,
  LegMedia,
  MediaCall,
  MediaCodec,
  MediaEngine,
  MediaEvent,
  MediaLocal,
  Prompt,
} from '#engine'
import { frameOf, type HeardPacket, RtpParty } from './rtp-party.ts'

export const PCMU: MediaCodec = { encoding: 'PCMU/8000', receivePayloadType: 0, sendPayloadType: 0 }
export const PCMA: MediaCodec = { encoding: 'PCMA/8000', receivePayloadType: 8, sendPayloadType: 8 }
export const EVENT_101: MediaCodec = { encoding: 'TELEPHONE-EVENT/8000', receivePayloadType: 101, sendPayloadType: 101 }
export const EVENT_96: MediaCodec = { encoding: 'TELEPHONE-EVENT/8000', receivePayloadType: 96, sendPayloadType: 97 }

/** Arrival times at a loaded machine are late by some frames; the exact 20 ms are shown with a manual clock in `src/media`. */
export const ARRIVAL_TOLERANCE_MS = 60

/** A call with its parties, cleaned up after the test. */
export class Scene {
  readonly call: MediaCall
  readonly events: MediaEvent[] = []
  readonly #parties: RtpParty[] = []
  readonly #checks = new Set<() => void>()

  constructor(t: TestContext, engine: MediaEngine, attemptNo: number) {
    this.call = engine.openCall(`${t.name} (${attemptNo})`)
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
    more: Partial<ForkOptions> = {},
  ): Promise<{ recorder: RtpParty; local: MediaLocal & { ssrc: number } }> {
    const recorder = await this.party()
    const local = await this.call.addFork({ id, tap: { leg, point }, open, ...more })
    await this.call.connectFork(id, { remote: recorder.remote, codecs })
    return { recorder, local }
  }

  async countersOf(leg: string): Promise<CallCounters['legs'][string]> {
    const counters = (await this.call.counters()).legs[leg]
    assert.ok(counters !== undefined)
    return counters
  }

  async event<Type extends MediaEvent['type']>(
    type: Type,
    deadlineMs = 5000,
  ): Promise<Extract<MediaEvent, { type: Type }>> {
    const find = () => this.events.find((event): event is Extract<MediaEvent, { type: Type }> => event.type === type)
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${type} event came`)), deadlineMs)
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

export function promptOf(frames: number): Prompt {
  const join = (voice: number) => Buffer.concat(Array.from({ length: frames }, (_, index) => frameOf(voice, index)))
  return { pcmu: join(50), pcma: join(60) }
}

/** A frame of a tone that has a whole number of periods in it. */
export function toneFrame(frequencyHz: number): Uint8Array {
  return encodePcmu(tone(frequencyHz, 40).subarray(80, 240))
}

/** Shares of the energy that each of these frequencies has in PCMU packets. */
export function toneShares(packets: readonly HeardPacket[], frequenciesHz: readonly number[]): number[] {
  const samples = decodePcmu(Buffer.concat(packets.map(({ payload }) => payload)))
  return frequenciesHz.map((frequencyHz) => goertzelPower(samples, 8000, frequencyHz))
}

export function isVoice(packet: HeardPacket, voice: number, sequence: number): boolean {
  return Buffer.from(packet.payload).equals(frameOf(voice, sequence))
}

/** Asserts that the payloads are consecutive frames of one talker. */
export function assertVoice(packets: readonly HeardPacket[], voice: number): void {
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

export function assertRejects(promise: Promise<unknown>, code: string): Promise<void> {
  return assert.rejects(promise, (error: { code?: string }) => error.code === code)
}

/** A capability that is claimed or not. */
export type Claim = 'ownSsrc' | 'rtcpInPause' | 'receipt' | 'replay' | 'dtmfMask' | 'tones' | 'mix' | 'video'

/** Declares one test with a scene of its own; `claim`: only for engines that say they can do it. */
export type Scenario = (title: string, run: (scene: Scene) => Promise<void>, claim?: Claim) => void
