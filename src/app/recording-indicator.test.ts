import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallParty, CallService } from '#call'
import { silentLogger } from '#kernel'
import type { RecordPreference } from '#sdp'
import { type RecordingBench, withBench } from '../../test/harness/recording-bench.ts'
import { RecordingIndicator } from './recording-indicator.ts'

/** A recording under way, of a call whose parties ask for what the test says. */
async function asked(
  b: RecordingBench,
): Promise<(role: CallParty['role'], preference: RecordPreference) => Promise<void>> {
  const service = {
    call: () => undefined,
    onCall: (listener: (event: object) => void) => {
      listener({ type: 'call-started', call: b.call })
      return () => {}
    },
  } as unknown as CallService
  const { client, clock } = b
  const indicator = new RecordingIndicator({ service, client, clock, log: silentLogger, honoursPreferences: true })
  b.call.join()
  await b.recording()
  b.call.onEvent(({ type }) => type === 'ended' && indicator.close())
  return async (role, preference) => {
    const { parties } = b.call.snapshot()
    const party = parties.find((each) => each.role === role && each.leftAtMs === undefined)
    assert.ok(party !== undefined)
    b.call.change(
      { parties: parties.map((each) => (each === party ? { ...each, recordPreference: preference } : each)) },
      { type: 'record-preference', participantId: party.participantId, preference },
    )
    await b.pass()
  }
}

test('a pause that one party asks for is not ended by another that would be recorded', () =>
  withBench(async (b) => {
    const ask = await asked(b)
    await ask('caller', 'pause')
    assert.equal(await b.audio(5), 0)
    await ask('callee', 'on')
    assert.equal(await b.audio(5), 0)
    await ask('caller', 'on')
    assert.equal(await b.audio(5), 10)
    b.call.end()
  }))

test('a pause that both parties ask for lasts until both want it over', () =>
  withBench(async (b) => {
    const ask = await asked(b)
    await ask('caller', 'pause')
    await ask('callee', 'pause')
    await ask('caller', 'on')
    assert.equal(await b.audio(5), 0)
    await ask('callee', 'on')
    assert.equal(await b.audio(5), 10)
    b.call.end()
  }))

test('a party that would be recorded is, as soon as the other has taken its wish back', () =>
  withBench(async (b) => {
    const ask = await asked(b)
    await ask('caller', 'pause')
    await ask('callee', 'on')
    await ask('caller', 'nopreference')
    assert.equal(await b.audio(5), 10)
    b.call.end()
  }))
