// A seeded fuzzer over everything that a recorder sends: answers, requests, descriptions, multiparts, headers.
// FUZZ_ROUNDS makes it longer, FUZZ_SEED another one; a failure names the round, which `FUZZ_SEED=… FUZZ_ROUNDS=1` repeats.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { presets } from '#chaos-recorder'
import { type Ids, seededIds } from '#kernel'
import { ChaosScene, type Step } from './chaos-scene.ts'
import { mangled } from './mangle.ts'

const firstSeed = Number(process.env['FUZZ_SEED'] ?? 20_261_122)
const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 80)
const talkative = [
  'polite',
  'reinvite-at-once',
  'snapshot',
  'update-inactive',
  'info',
  'twice',
  'reinvite-glare',
  'multipart',
]

/** A call with commands in random order and at random times. */
function randomSteps(random: Ids): Step[] {
  const steps: Step[] = ['answer', 200, 'start', random.integer(2500)]
  for (let count = random.integer(6); count > 0; count--) {
    const command = (['pause', 'resume', 'stop', 'hold', 'unhold', 'start'] as const)[random.integer(6)]!
    steps.push(command, random.integer(2500))
  }
  return [...steps, 'hangup']
}

test(`fuzz: ${rounds} recordings with a recorder whose messages are broken at random`, async () => {
  let changes = 0
  for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
    // Neighbouring seeds begin alike.
    const random = seededIds(Math.imul(seed, 0x9e3779b1))
    const steps = randomSteps(random)
    const scene = new ChaosScene([presets[talkative[random.integer(talkative.length)]!]!])
    scene.mangle = (bytes) => {
      const sent = mangled(bytes, random)
      if (sent[0] !== bytes) changes += 1
      return sent
    }
    const plain = await new ChaosScene().play(steps)
    const run = await scene.play(steps).catch((fault: unknown) => {
      throw new Error(`round ${seed}: ${steps.join(' ')}`, { cause: fault })
    })
    const where = `round ${seed}: ${steps.join(' ')}`
    assert.equal(run.party, plain.party, where)
    assert.equal(run.media, plain.media, where)
    assert.equal(run.leaked, 0, where)
    assert.match(run.story, /^(?:[a-z]+ (?:200|400|487|503) [a-z]+(?:; |$))+$/, where)
  }
  assert.ok(changes > rounds, `only ${changes} messages were changed`)
})
