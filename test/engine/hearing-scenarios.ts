// What is heard of a call: loudness and sound of each party, for who listens, and nothing for nobody.

import assert from 'node:assert/strict'
import { goertzelPower } from '#audio'
import { assertVoice, type Scenario, type Scene, toneFrame } from './scene.ts'

const TONES = { a: 400, b: 1000 }
const ENOUGH_SAMPLES = 3200

function soundOf(scene: Scene, leg: string): Int16Array {
  const parts = scene.events.flatMap((event) => (event.type === 'heard' ? event.legs : []))
  return Int16Array.from(parts.filter((one) => one.leg === leg).flatMap(({ samples = [] }) => [...samples]))
}

function levelsOf(scene: Scene, leg: string): number[] {
  const parts = scene.events.flatMap((event) => (event.type === 'heard' ? event.legs : []))
  return parts.filter((one) => one.leg === leg).flatMap(({ level }) => (level === undefined ? [] : [level.peakDbfs]))
}

/** Declares the tests of listening. */
export function hearingScenarios(scenario: Scenario): void {
  scenario(
    'levels and sound of each party are told while they are wanted, beside a fork and the call',
    async (scene) => {
      const [a, b] = [await scene.leg('a'), await scene.leg('b')]
      const { recorder } = await scene.fork('f', 'a', 'received')
      await scene.call.bridge('a', 'b')
      a.party.talk(a.local.rtpPort, toneFrame(TONES.a))
      b.party.talk(b.local.rtpPort, toneFrame(TONES.b))
      await scene.call.hear('levels')
      await a.party.until('both are measured', () => levelsOf(scene, 'a').length > 0 && levelsOf(scene, 'b').length > 0)
      assert.equal(soundOf(scene, 'a').length, 0, 'levels bring no sound')
      assert.ok(Math.abs(levelsOf(scene, 'a')[0]! + 12.2) < 1, `${levelsOf(scene, 'a')[0]} dBFS`)
      await scene.call.hear('sound')
      await a.party.until('both are heard', () =>
        ['a', 'b'].every((leg) => soundOf(scene, leg).length >= ENOUGH_SAMPLES),
      )
      for (const [leg, hz] of Object.entries(TONES)) {
        assert.ok(goertzelPower(soundOf(scene, leg), 8000, hz) > 0.9, `${leg} is heard by its tone`)
      }
      await scene.call.hear('nothing')
      const told = scene.events.length
      await Promise.all([recorder.hears(20), b.party.hears(20)])
      assert.equal(scene.events.slice(told).filter(({ type }) => type === 'heard').length, 0)
    },
  )

  scenario('a party that joins later is heard too, and one that left is not', async (scene) => {
    const a = await scene.leg('a')
    await scene.call.hear('levels')
    const b = await scene.leg('b')
    await scene.call.bridge('a', 'b')
    b.party.talk(b.local.rtpPort, 2)
    await b.party.until('it is measured', () => levelsOf(scene, 'b').length > 0)
    assertVoice(await a.party.hears(3), 2)
    await scene.call.removeLeg('b')
    scene.events.length = 0
    const heard = await scene.event('heard')
    assert.deepEqual(
      heard.legs.map(({ leg }) => leg),
      ['a'],
    )
  })
}
