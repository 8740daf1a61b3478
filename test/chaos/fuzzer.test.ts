// A seeded fuzzer over everything that a recorder sends: answers, requests, descriptions, keys, multiparts, headers; the recorder is called
// or calls itself, for one call or several, once or for good.
// FUZZ_ROUNDS makes it longer, FUZZ_SEED another one; a failure names the round, which `FUZZ_SEED=… FUZZ_ROUNDS=1` repeats.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { presets } from '#chaos-recorder'
import { type Ids, seededIds } from '#kernel'
import { defaultProfile, type RecorderProfile } from '#recording-client'
import { ChaosScene, type Step } from './chaos-scene.ts'
import { mangled } from './mangle.ts'

const firstSeed = Number(process.env['FUZZ_SEED'] ?? 20_261_122)
const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 160)
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

const secured: RecorderProfile = {
  ...defaultProfile,
  // Or there would be no keys over signalling without TLS.
  trustedNetwork: true,
  media: { ...defaultProfile.media, srtp: ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_256_GCM'] },
}

/** How a recorder comes to the call, and what it gets; a round has one of these. */
const ways: readonly { readonly begin: readonly Step[]; readonly profile: RecorderProfile }[] = [
  { begin: ['start'], profile: defaultProfile },
  { begin: ['start'], profile: secured },
  { begin: ['start'], profile: { ...defaultProfile, idleSessionMs: 20_000 } },
  { begin: ['second', 200, 'answer', 200, 'start', 'startsecond'], profile: { ...defaultProfile, callsPerSession: 2 } },
  {
    begin: ['second', 200, 'answer', 200, 'start', 'startsecond'],
    profile: { ...secured, callsPerSession: 2, idleSessionMs: 20_000 },
  },
  { begin: ['ask'], profile: defaultProfile },
  { begin: ['start', 300, 'ask'], profile: secured },
]

/** A call with commands in random order and at random times. */
function randomSteps(random: Ids, begin: readonly Step[]): Step[] {
  const steps: Step[] = ['answer', 200, ...begin, random.integer(2500)]
  for (let count = random.integer(6); count > 0; count--) {
    const command = (['pause', 'resume', 'stop', 'hold', 'unhold', 'start', 'mask', 'unmask'] as const)[
      random.integer(8)
    ]!
    steps.push(command, random.integer(2500))
  }
  return [...steps, 'hangup']
}

test(`fuzz: ${rounds} recordings with a recorder whose messages are broken at random`, async () => {
  let changes = 0
  const sent = ways.map(() => 0)
  for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
    // Neighbouring seeds begin alike.
    const random = seededIds(Math.imul(seed, 0x9e3779b1))
    const index = seed % ways.length
    const way = ways[index]!
    const steps = randomSteps(random, way.begin)
    const scene = new ChaosScene([presets[talkative[random.integer(talkative.length)]!]!])
    scene.profile = way.profile
    scene.mangle = (bytes) => {
      const sent = mangled(bytes, random)
      if (sent[0] !== bytes) changes += 1
      return sent
    }
    const where = `round ${seed}: ${steps.join(' ')}`
    const plain = await new ChaosScene().play(steps)
    const run = await scene.play(steps).catch((fault: unknown) => {
      throw new Error(where, { cause: fault })
    })
    assert.equal(run.party, plain.party, where)
    assert.equal(run.media, plain.media, where)
    assert.deepEqual([run.leaked, run.unmasked, run.unprotected], [0, 0, 0], where)
    sent[index]! += run.sent
    assert.match(run.story, /^(?:[a-z]+ (?:200|400|487|503) [a-z]+(?:; |$))*$/, where)
  }
  assert.ok(changes > rounds, `only ${changes} messages were changed`)
  // Not everything is broken everywhere: each way leads to a recording now and then.
  if (rounds >= 10 * ways.length) assert.ok(Math.min(...sent) > 0, `packets by way: ${sent.join(' ')}`)
})
