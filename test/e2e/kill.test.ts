// The short form of `npm run kill`.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { seededIds } from '#kernel'
import { type Manifest, Vault } from '#store'
import { MortalRecorder } from '../harness/mortal-recorder.ts'
import { judge, type Kill, latenessOf } from '../kill/kept-packets.ts'
import type { KillSession } from '../kill/kill-client.ts'
import { runKills } from '../kill/kill-run.ts'

const STEPS = 2 ** 32

test('a recorder under load, killed at 10 random moments, loses no recording and at most 1 s of audio before each kill', async (t) => {
  const ids = seededIds(7)
  const recorder = await MortalRecorder.start(t)
  const result = await runKills(recorder, { kills: 10, sessions: 6, random: () => ids.integer(STEPS) / STEPS })
  assert.deepEqual(result.faults, [])
  assert.equal(result.ended, 0, 'the recorder went on with all of them')
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
  assert.equal(result.ended, 0, 'the recorder went on with all of them')
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

test('a recorder that is back and keeps nothing is a fault; so is one that forgets a stream after the last of several kills', async () => {
  const manifest = {
    facts: { sip: { callId: 'made-up' } },
    durationMs: 0,
    streams: [{ runs: [], gaps: [] }],
  } as unknown as Manifest
  const faultsOf = async (sentForMs: number, kills: readonly Kill[]): Promise<number> => {
    const sentAtMs = Array.from({ length: sentForMs / 20 }, (_, number) => number * 20)
    const session = { callId: 'made-up', streams: [{ streamId: 1, sentAtMs }] } as unknown as KillSession
    return (await judge(session, [{ manifest, folder: '.' }], kills)).faults.length
  }
  const first = { atMs: 500, backAtMs: 900 }
  const second = { atMs: 2000, backAtMs: 3000 }
  assert.equal(await faultsOf(2400, [first]), 0)
  assert.equal(await faultsOf(60_000, [first]), 1)
  assert.equal(await faultsOf(4500, [first, second]), 0)
  assert.equal(await faultsOf(60_000, [first, second]), 1)
  assert.equal(await faultsOf(40, [first]), 0, 'its last words were on the way to their file')
  assert.equal(await faultsOf(40, [{ atMs: 1100, backAtMs: 1500 }]), 1)
  assert.equal(await faultsOf(60_000, [first, { atMs: 59_000, backAtMs: 59_500 }]), 1)
})

test('a hole is of the kills around it alone, however long a recorder lived before', () => {
  const sentAtMs = Array.from({ length: 1000 }, (_, number) => number * 20)
  const lateness = (from: number, to: number): number => {
    const kills = [
      { atMs: 500, backAtMs: 900 },
      { atMs: 10_000, backAtMs: 11_000 },
      { atMs: 12_000, backAtMs: 14_000 },
    ]
    return latenessOf({ sentAtMs }, { from, to }, kills)
  }
  assert.equal(lateness(20, 49), 80)
  assert.equal(lateness(495, 702), 40, 'of the second and the third')
})
