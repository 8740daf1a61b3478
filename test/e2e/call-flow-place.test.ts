// Where a call is in its flow: on the call as the API shows it, and as events.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestProgram } from '../harness/open-program.ts'
import { CallDesk, openPhone } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const flow = `
name: reception
atEnd: stay
nodes:
  - { type: answer }
  - { type: if, condition: 'true', then: [{ type: collect, timeoutMs: 60000, maxDigits: 1, into: context.key }] }
`

interface Told {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

test('a call shows the node of its flow at which it is, tells of it, and shows none when the flow is over', async (t) => {
  const phone = await openPhone(t, 'alice', 'udp')
  const opened = await openTestProgram({ flow })
  t.after(() => opened.close())
  const call = await phone.call(`sip:flow@127.0.0.1:${opened.port('gateway', 'udp')}`)
  assert.equal(await call.answered, true)
  const [first] = opened.program.gateway?.calls.list() ?? []
  assert.ok(first !== undefined)
  const desk = new CallDesk(opened, first.callId)
  await until('the call is at the node', async () => (await desk.view()).flow?.type === 'collect')
  const { since, ...place } = (await desk.view()).flow ?? { since: '' }
  assert.deepEqual(place, { title: 'reception', name: 'flow.yaml', node: 'nodes[1].then[0]', type: 'collect' })
  assert.ok(Date.parse(since) >= Date.parse(first.startedAt))

  const told = async (): Promise<Told[]> => {
    const response = await fetch(`${opened.httpUrl}/api/events?types=call.flow-node,call.flow-ended`)
    return ((await response.json()) as { items: Told[] }).items
  }
  await until('the node is told', async () => (await told()).some(({ data }) => data['type'] === 'collect'))
  await call.audio.sendDigits('1')
  await until('the flow is over', async () => (await desk.view()).flow === undefined)
  assert.deepEqual(
    (await told()).slice(-2).map(({ type, data }) => ({ type, data })),
    [
      { type: 'call.flow-node', data: { flow: 'reception', node: 'nodes[1].then[0]', type: 'collect' } },
      { type: 'call.flow-ended', data: { flow: 'reception', end: 'completed' } },
    ],
  )
  assert.equal((await desk.view()).state, 'answered')
  await call.hangup()
})
