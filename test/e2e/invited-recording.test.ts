// A recorder asks a gateway for a call over real sockets, and has its audio: our own recorder at our own gateway.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goertzelPower } from '#audio'
import { type KeptRecording, keptRecording, keptRecordings } from '../harness/kept-recording.ts'
import { CALLEE_HZ, CALLER_HZ, openTalk, type Talk } from '../harness/talk.ts'

const HOST = '127.0.0.1'
/** A tenth of a second. */
const WINDOW = 800
const INVITATIONS = [{ sources: [HOST], unrecorded: 'start' }]

/** Has the recorder ask for the call of a talk; resolves with the status of the outcome. */
async function ask({ opened, callId }: Talk): Promise<number> {
  const { recorder } = opened.program
  assert.ok(recorder)
  const uri = `sip:record-${callId}@${HOST}:${opened.port('gateway', 'tcp')};transport=tcp`
  const result = await recorder.server.invite(uri)
  return result.ok ? 200 : result.error.status
}

/** The tenth of a second in which a frequency stands out most: a busy machine leaves holes between. */
function clearest(samples: Int16Array, frequencyHz: number): Int16Array {
  const windows = Array.from({ length: Math.floor(samples.length / WINDOW) }, (_, at) =>
    samples.subarray(at * WINDOW, (at + 1) * WINDOW),
  )
  const powers = windows.map((window) => goertzelPower(window, 8000, frequencyHz))
  return windows[powers.indexOf(Math.max(...powers))] ?? new Int16Array(WINDOW)
}

function assertVoices({ channels }: KeptRecording): void {
  for (const [at, wanted, other] of [
    [0, CALLER_HZ, CALLEE_HZ],
    [1, CALLEE_HZ, CALLER_HZ],
  ] as const) {
    const samples = channels[at] ?? new Int16Array()
    const power = (of: number, frequencyHz: number): number => goertzelPower(clearest(samples, of), 8000, frequencyHz)
    assert.ok(power(wanted, wanted) > 0.9, `channel ${at} has ${wanted} Hz`)
    assert.ok(power(other, other) < 0.2, `channel ${at} has not ${other} Hz`)
  }
}

test('SRC-43, FLOW-15, SRS-15: a recorder asks for a call and has it recorded: audio, pause, document, end', async (t) => {
  const talk = await openTalk(t, { gateway: { recording: { invitations: INVITATIONS } }, recorder: true })
  assert.equal(await ask(talk), 200)
  await talk.assertUndisturbed()
  assert.equal(await talk.state(), 'recording')
  assert.equal((await talk.rest('pause')).status, 200)
  assert.equal((await talk.rest('resume')).status, 200)
  await talk.assertUndisturbed()
  assert.equal((await talk.rest('stop')).status, 200)
  const kept = await keptRecording(talk.opened.store)
  assertVoices(kept)
  const addresses = JSON.stringify(kept.manifest.facts.participants)
  assert.match(addresses, /sip:alice@.*sip:bob@/)
  await talk.end()
})

test('SRC-43: a recorder that asks for a call that is recorded gets it too, and neither disturbs the other', async (t) => {
  const talk = await openTalk(t, { gateway: { recording: { invitations: INVITATIONS } }, recorder: true })
  assert.equal((await talk.rest('start', talk.opened.recorderUri('udp'))).status, 200)
  assert.equal(await ask(talk), 200)
  await talk.assertUndisturbed()
  await talk.assertUndisturbed()
  await talk.end()
  const both = await keptRecordings(talk.opened.store, 2)
  for (const kept of both) assertVoices(kept)
})

test('SRC-05, SRC-43: without configuration a recorder that asks is refused 403', async (t) => {
  const talk = await openTalk(t, { recorder: true })
  assert.equal(await ask(talk), 403)
  assert.equal(await talk.state(), 'none')
  await talk.end()
})
