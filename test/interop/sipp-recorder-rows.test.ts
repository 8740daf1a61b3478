// Clients of SIPp hold the recorder to rows of the RFCs that a well-behaved client never touches.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { keptRecording } from '../harness/kept-recording.ts'
import { openTestProgram, type TestProgram } from '../harness/open-program.ts'
import { type Sipp, startSipp } from '../harness/sipp.ts'
import { requireTools } from '../harness/tools.ts'

requireTools('sipp')

interface Scene {
  readonly opened: TestProgram
  readonly client: Sipp
}

async function startClient(t: TestContext, scenario: string, transport: 'udp' | 'tcp'): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'sipp-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const opened = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => opened.close())
  const remote = { user: 'recorder', port: opened.port('recorder', transport) }
  const client = await startSipp({ scenario, transport, folder, remote, maxSeconds: 150 })
  t.after(() => client.stop())
  return { opened, client }
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
}

test('SRS-26: session timers over real time', { concurrency: true }, async (t) => {
  await Promise.all([
    t.test('SRS-26: SIPp does not refresh its session: the recorder ends it by BYE before it expires', async (t) => {
      const { opened, client } = await startClient(t, 'client-timer-quiet', 'udp')
      await client.succeeded()
      const { manifest } = await keptRecording(opened.store)
      assert.equal(manifest.facts.sip.ended, 'session-expired')
      const lastedMs = Date.parse(manifest.endedAt ?? '') - Date.parse(manifest.startedAt)
      assert.ok(lastedMs > 45_000, `the session was given up after ${lastedMs} ms`)
    }),
    t.test('SRS-26: SIPp has the recorder refresh its session: an UPDATE comes in time', async (t) => {
      const { opened, client } = await startClient(t, 'client-timer-refreshed', 'tcp')
      await client.succeeded()
      const { manifest } = await keptRecording(opened.store)
      assert.equal(manifest.facts.sip.ended, 'remote-bye')
    }),
  ])
})
