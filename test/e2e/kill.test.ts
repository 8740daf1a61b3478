// The short form of `npm run kill`.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { seededIds } from '#kernel'
import { Vault } from '#store'
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

test('the same holds with encryption at rest', async (t) => {
  const ids = seededIds(8)
  const keys = mkdtempSync(join(tmpdir(), 'kill-keys-'))
  t.after(() => rmSync(keys, { recursive: true }))
  const keyFile = join(keys, 'store.keys')
  const recorder = await MortalRecorder.start(t, { encryption: { keyFile } })
  const files = new Vault({ root: recorder.store, keyFile })
  const random = (): number => ids.integer(STEPS) / STEPS
  const result = await runKills(recorder, { kills: 4, sessions: 4, random, files })
  assert.deepEqual(result.faults, [])
  assert.ok(result.losses.length >= 4, `${result.losses.length} holes`)
  const worstMs = Math.max(...result.losses.map(({ beforeMs }) => beforeMs))
  assert.ok(worstMs <= 1000, `${worstMs} ms are lost`)
})

test('the same holds with SRTP: every packet is opened over all restarts, and none of them twice', async (t) => {
  const ids = seededIds(9)
  const recorder = await MortalRecorder.start(t, {}, { srtp: { keysWithoutTls: true } })
  const random = (): number => ids.integer(STEPS) / STEPS
  const result = await runKills(recorder, { kills: 6, sessions: 4, random, isSecured: true })
  assert.deepEqual(result.faults, [])
  assert.equal(result.ended, 0, 'the recorder went on with all of them')
  assert.ok(result.losses.length >= 6, `${result.losses.length} holes`)
  const worstMs = Math.max(...result.losses.map(({ beforeMs }) => beforeMs))
  assert.ok(worstMs <= 1000, `${worstMs} ms are lost`)
})
