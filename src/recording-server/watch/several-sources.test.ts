// Alarms of an m-line on which several sources send at once: it is judged by all of them together.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodePcmu, tone } from '#audio'
import type { Alarm } from '#store'
import type { ReadCodec } from '../track.ts'
import { SessionWatch } from './session-watch.ts'
import { SoundDecoders } from './sound-decoders.ts'
import { STEP_MS, StreamWatch } from './stream-watch.ts'

const OTHER = 0xbeef
const PACKET_MS = 20
const codec = {
  payloadType: 0,
  encoding: 'PCMU/8000',
  clockRateHz: 8000,
  kind: 'audio',
} as unknown as ReadCodec

/** What one source sends: samples, repeated each second, and ticks of its clock from packet to packet. */
interface Voice {
  readonly samples: Int16Array
  readonly ssrc?: number
  readonly ticks?: number
}

class Scene {
  readonly raised: Alarm[] = []
  readonly cleared: Alarm[] = []
  readonly watch = new SessionWatch(
    { address: '192.0.2.1', inactiveMs: 0 },
    { raised: (alarm) => void this.raised.push(alarm), cleared: (alarm) => void this.cleared.push(alarm) },
  )
  readonly #stream = new StreamWatch(
    { channel: 0, label: '7', rtpPort: 4000 },
    { codecs: [codec], isPaused: false },
    new SoundDecoders(() => Promise.resolve(undefined)),
  )
  #nowMs = 0
  readonly #stamps = new Map<number | undefined, number>()

  constructor() {
    this.watch.add(this.#stream)
    this.#stream.expect(true, 0)
  }

  /** Codes of the alarms that stand. */
  get standing(): string[] {
    return this.watch.alarms.map(({ code }) => code)
  }

  speak(durationMs: number, ...voices: readonly Voice[]): void {
    for (const endMs = this.#nowMs + durationMs; this.#nowMs < endMs; ) {
      this.#nowMs += PACKET_MS
      for (const { samples, ssrc, ticks = 160 } of voices) {
        const from = ((this.#nowMs / PACKET_MS) * 160) % samples.length
        const timestamp = (this.#stamps.get(ssrc) ?? 0) + ticks
        this.#stamps.set(ssrc, timestamp)
        const payload = encodePcmu(samples.subarray(from, from + 160))
        this.#stream.onPacket(codec, timestamp, payload, '192.0.2.9', this.#nowMs, ssrc)
      }
      if (this.#nowMs % (STEP_MS - (STEP_MS % PACKET_MS)) === 0) this.watch.check(this.#nowMs, this.#nowMs)
    }
  }
}

const zeros = { samples: new Int16Array(8000) }
const voice = { samples: tone(400, 1000) }
const other = { samples: tone(1000, 1000), ssrc: OTHER }

test('one source that says nothing is no silence while another one speaks; all of them silent are, and are named', () => {
  const scene = new Scene()
  scene.speak(5000, zeros, other)
  assert.deepEqual(scene.standing, [])
  const silent = new Scene()
  silent.speak(5000, zeros, { ...zeros, ssrc: OTHER })
  assert.deepEqual(silent.standing, ['digital-silence'])
  assert.match(silent.raised[0]!.cause, /from 2 sources \(beside the first one SSRC 48879\)/)
})

test('packets are missed when every source has stopped, not when one has', () => {
  const scene = new Scene()
  scene.speak(3000, voice, other)
  scene.speak(15_000, other)
  assert.deepEqual(scene.standing, [])
  scene.speak(15_000, voice)
  assert.deepEqual(scene.standing, [])
  scene.speak(12_000)
  assert.deepEqual(scene.standing, ['packets-stopped'])
  assert.match(scene.raised[0]!.cause, /SSRC 48879/)
  scene.speak(500, other)
  assert.deepEqual(scene.standing, [])
})

test('a source whose clock is wrong is named, and one whose clock is right beside it heals nothing', () => {
  const scene = new Scene()
  scene.speak(5000, voice, { ...other, ticks: 320 })
  assert.deepEqual(scene.standing, ['clock-mismatch'])
  assert.match(scene.raised[0]!.cause, /Timestamps of SSRC 48879 run at about 16000 Hz/)
  scene.speak(5000, voice, other)
  assert.deepEqual(scene.standing, [])
})

test('the level is that of all sources, and what another one says is heard', () => {
  const scene = new Scene()
  scene.speak(1000, zeros, other)
  const [reading] = scene.watch.readings(1000)
  assert.ok((reading?.level?.peakDbfs ?? -100) > -20, JSON.stringify(reading))
  assert.ok((reading?.packetsPerSecond ?? 0) > 50, 'packets of both count')
})
