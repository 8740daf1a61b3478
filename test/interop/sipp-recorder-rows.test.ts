// Clients of SIPp hold the recorder to rows of the RFCs that a well-behaved client never touches.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { keptRecording } from '../harness/kept-recording.ts'
import { LeapingClock } from '../harness/leaping-clock.ts'
import { openTestProgram, type TestProgram } from '../harness/open-program.ts'
import { type Sipp, startSipp } from '../harness/sipp.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('sipp')

interface Scene {
  readonly opened: TestProgram
  readonly clock: LeapingClock
  readonly client: Sipp
  /** Waits until the log of SIPp matches, and the recorder has read what was sent by then. */
  logged(what: RegExp): Promise<void>
}

async function startClient(t: TestContext, scenario: string, transport: 'udp' | 'tcp'): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'sipp-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const clock = new LeapingClock()
  const opened = await openTestProgram({ gateway: false, recorder: true, clock })
  t.after(() => opened.close())
  const remote = { user: 'recorder', port: opened.port('recorder', transport) }
  const client = await startSipp({ scenario, transport, folder, remote })
  t.after(() => client.stop())
  const logged = async (what: RegExp): Promise<void> => {
    await until(`SIPp logs ${what}`, async () => what.test(await client.messages().catch(() => '')))
    assert.equal((await fetch(`${opened.httpUrl}/api/recorder/sessions`)).status, 200)
  }
  return { opened, clock, client, logged }
}

for (const transport of ['udp', 'tcp'] as const) {
  test(`SRS-18, SRS-19, SRS-20, SRS-21: SIPp repeats offers, counts oddly and asks for dialogs that never were, over ${transport}`, async (t) => {
    const { opened, client } = await startClient(t, 'client-sequence', transport)
    await client.succeeded()
    const { manifest } = await keptRecording(opened.store)
    assert.equal(manifest.facts.sip.ended, 'remote-bye')
    const causes = manifest.streams.map(({ gaps }) => gaps.map(({ cause }) => cause))
    assert.deepEqual(causes, [['paused-by-client', 'hold']])
  })

  test(`SRS-26: SIPp does not refresh its session over ${transport}: the recorder ends it by BYE before it expires`, async (t) => {
    const { opened, clock, client, logged } = await startClient(t, 'client-timer-quiet', transport)
    await logged(/CSeq: 2 ACK/)
    clock.leap(45_000)
    await logged(/CSeq: 2 ACK/)
    assert.doesNotMatch(await client.messages(), /^BYE/m)
    clock.leap(20_000)
    await client.succeeded()
    const { manifest } = await keptRecording(opened.store)
    assert.equal(manifest.facts.sip.ended, 'session-expired')
  })

  test(`SRS-26: SIPp has the recorder refresh its session over ${transport}: an UPDATE comes when half of it is over`, async (t) => {
    const { opened, clock, client, logged } = await startClient(t, 'client-timer-refreshed', transport)
    await logged(/CSeq: 2 ACK/)
    clock.leap(40_000)
    await logged(/CSeq: 2 ACK/)
    assert.doesNotMatch(await client.messages(), /^UPDATE/m)
    clock.leap(10_000)
    await client.succeeded()
    const { manifest } = await keptRecording(opened.store)
    assert.equal(manifest.facts.sip.ended, 'remote-bye')
  })
}
