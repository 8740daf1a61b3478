// What operators see of the recorders of a running gateway.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertHears, eventOf, openRecorder } from '../harness/hearing-recorder.ts'
import { openTestProgram } from '../harness/open-program.ts'
import { openTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

interface Shown {
  readonly uri: string
  readonly profile: string
  readonly state: string
  readonly skippedUntil?: string
}

test('FLOW-16: the API and the metrics show how each recorder is, and a Retry-After that it asked for', async (t) => {
  const srs = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => srs.close())
  const uri = srs.recorderUri('tcp')
  const recording = { recorders: [uri], health: { intervalMs: 100 } }
  const gateway = await openTestProgram({ gateway: { recording } })
  t.after(() => gateway.close())
  const told: string[] = []
  gateway.program.gateway?.recorderEvents.add(({ type }) => told.push(type))
  const shown = async (): Promise<Shown> => {
    const answer = (await (await fetch(`${gateway.httpUrl}/api/recorders`)).json()) as { items: Shown[] }
    assert.ok(answer.items[0])
    return answer.items[0]
  }
  await until('the recorder is up', async () => (await shown()).state === 'up')
  const { uri: shownUri, profile } = await shown()
  assert.deepEqual([shownUri, profile], [uri, 'default'])
  const metrics = await (await fetch(`${gateway.httpUrl}/metrics`)).text()
  assert.match(metrics, /^siprec_gateway_recorders\{state="up"\} 1$/m)
  await srs.program.recorder?.drain()
  await until('the recorder has asked to be left alone', async () => (await shown()).skippedUntil !== undefined)
  assert.equal((await shown()).state, 'up')
  await srs.close()
  await until('the recorder is down', async () => (await shown()).state === 'down')
  assert.deepEqual(told.at(-1), 'recorder.down')
})

test('SRC-63: a recorder that stops answering OPTIONS, though its session is up, is replaced by the next, which has the audio', async (t) => {
  const [first, standby] = [await openRecorder(t), await openRecorder(t)]
  const talk = await openTalk(t, {
    gateway: {
      recording: {
        recorders: [first.uri()],
        failover: [[first.uri(), standby.uri()]],
        health: { intervalMs: 100, timeoutMs: 200 },
        profiles: [{ name: 'watched', lostAfterProbes: 3 }],
      },
    },
  })
  assert.equal((await talk.rest('start', first.uri())).status, 200)
  await assertHears(first)
  assert.equal(standby.invites().length, 0)
  first.script = { ignoreOptions: true }
  await assertHears(standby)
  assert.match(`${eventOf(talk, 'recorder.lost')['reason']}`, /^no answer to 3 OPTIONS/)
  assert.deepEqual([eventOf(talk, 'recorder.re-homed')['from']], [first.uri()])
  assert.deepEqual(
    (await talk.view()).recording?.ledger.map(({ recorder, takenOverBy }) => [recorder, takenOverBy]),
    [
      [first.uri(), standby.uri()],
      [standby.uri(), undefined],
    ],
  )
  await talk.assertUndisturbed()
  await talk.end()
  assert.deepEqual([...first.violations, ...standby.violations], [])
})
