// Recording sessions that stay up between calls, over real sockets: our gateway at our own recorder, and at one that forgets.

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { goertzelPower } from '#audio'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { keptRecording } from '../harness/kept-recording.ts'
import type { TestProgram } from '../harness/open-program.ts'
import { CALLEE_HZ, CALLER_HZ, openPhone, openTestGateway, placeTalk, type Talk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const IDLE_MS = 60_000
const DEADLINE_MS = 20_000
/** A tenth of a second. */
const WINDOW = 800

interface Stage {
  readonly opened: TestProgram
  /** Places a call and has it recorded. */
  record(uri: string): Promise<Talk>
}

async function openStage(t: TestContext): Promise<Stage> {
  const [alice, bob] = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')]
  const opened = await openTestGateway(t, {
    gateway: {
      routes: [{ match: 'bob', callee: bob.uri }],
      recording: { profiles: [{ name: 'persistent', idleSessionMs: IDLE_MS }] },
    },
    recorder: true,
  })
  return {
    opened,
    record: async (uri) => {
      const talk = await placeTalk(opened, alice, bob)
      assert.equal((await talk.rest('start', uri)).status, 200)
      await talk.assertUndisturbed()
      return talk
    },
  }
}

/** Hangs up and waits until the session waits for another call. */
async function end(talk: Talk): Promise<void> {
  await talk.caller.hangup()
  await talk.callee.ended
  await until('the call is forgotten', async () => (await census(talk.opened, 'recorded.calls')) === 0)
}

async function census({ program }: TestProgram, name: string): Promise<number> {
  return (await program.gateway?.census())?.[name] ?? -1
}

/** Communication sessions in the documents that a recorder kept. */
async function sessionsTold(folder: string): Promise<Set<string>> {
  const names = await readdir(join(folder, 'metadata'))
  const texts = await Promise.all(names.map((name) => readFile(join(folder, 'metadata', name), 'utf8')))
  return new Set(texts.flatMap((text) => [...text.matchAll(/<session session_id="([^"]+)"/g)].map(([, id = '']) => id)))
}

function sipCallIdOf(talk: Talk): string | undefined {
  return talk.opened.program.gateway?.recordingClient.recordingsOf(talk.callId)[0]?.sessions[0]?.sipCallId
}

test('FLOW-08, SRC-70: two calls one after another are in one dialog with our recorder, and both are heard there', async (t) => {
  const { opened, record } = await openStage(t)
  const uri = opened.recorderUri('tcp')
  const first = await record(uri)
  const dialog = sipCallIdOf(first)
  await end(first)
  assert.equal(await census(opened, 'recorded.sessions'), 1, 'the session is up')
  const second = await record(uri)
  assert.equal(sipCallIdOf(second), dialog)
  await second.assertUndisturbed()
  await end(second)
  await opened.program.gateway?.drain()
  const { folder, channels } = await keptRecording(opened.store)
  assert.equal((await sessionsTold(folder)).size, 2, 'the documents tell of both calls')
  assert.equal(channels.length, 4, 'each call has streams of its own')
  for (const [at, samples] of channels.entries()) {
    const wanted = at % 2 === 0 ? CALLER_HZ : CALLEE_HZ
    const from = samples.findIndex((sample) => sample !== 0)
    const spoken = samples.subarray(from, from + WINDOW)
    assert.ok(from >= 0 && spoken.length === WINDOW, `channel ${at} has audio`)
    assert.ok(goertzelPower(spoken, 8000, wanted) > 0.8, `channel ${at} has ${wanted} Hz`)
  }
})

test('SRC-70, SRC-62: a dialog that the recorder has forgotten is noticed at the next call, which has a new one and loses nothing', async (t) => {
  const { opened, record } = await openStage(t)
  const recorder = await ForeignRecorder.open()
  t.after(() => recorder.close())
  const first = await record(recorder.uri())
  await end(first)
  recorder.forget()
  const second = await record(recorder.uri())
  assert.notEqual(sipCallIdOf(second), undefined)
  await recorder.waitFor(() => recorder.audio(0, 1).length >= 4_000, DEADLINE_MS, 'audio in the new session')
  assert.ok(goertzelPower(recorder.audio(0, 1).subarray(-2_000), 8000, CALLER_HZ) > 0.9)
  assert.equal(
    (await second.view()).recording?.ledger.every(({ gapMs }) => gapMs === 0),
    true,
  )
  await end(second)
  await opened.program.gateway?.drain()
})
