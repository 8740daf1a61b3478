// The short form of `npm run kill`.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededIds } from '#kernel'
import { MortalRecorder } from '../harness/mortal-recorder.ts'
import { runKills } from '../kill/kill-run.ts'

const STEPS = 2 ** 32

test('a recorder under load, killed at 10 random moments, loses no recording and at most 1 s of audio before each kill', async (t) => {
  const ids = seededIds(7)
  const recorder = await MortalRecorder.start(t)
  const result = await runKills(recorder, { kills: 10, sessions: 6, random: () => ids.integer(STEPS) / STEPS })
  assert.deepEqual(result.faults, [])
  assert.ok(result.losses.length >= 10, `${result.losses.length} holes`)
  const worstMs = Math.max(...result.losses.map(({ beforeMs }) => beforeMs))
  assert.ok(worstMs <= 1000, `${worstMs} ms are lost`)
})
