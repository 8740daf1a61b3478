// The flows of a gateway over its HTTP API: listed, checked, tried without a call, and taken anew when their files change.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openTestProgram, type TestProgram } from '../harness/open-program.ts'
import { until } from '../harness/until.ts'

const flow = `name: greeting
nodes:
  - type: answer
  - {type: set, path: context.who, value: '{{ input.from.toUpperCase() }}'}
  - {type: if, condition: 'cc.who.startsWith("SIP")', then: [{type: hangup}]}
`

async function open(t: TestContext): Promise<TestProgram> {
  const gateway = await openTestProgram({ flow })
  t.after(() => gateway.close())
  return gateway
}

async function ask(gateway: TestProgram, path: string, body?: unknown): Promise<{ status: number; body: never }> {
  const response = await fetch(`${gateway.httpUrl}/api/flows${path}`, {
    ...(body === undefined
      ? {}
      : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  return { status: response.status, body: (await response.json()) as never }
}

interface Shown {
  readonly name: string
  readonly title: string
  readonly routes: readonly string[]
  readonly nodes: number
  readonly mistakes: readonly { readonly line: number; readonly path: string; readonly expected: string }[]
  readonly source: string
  readonly graph: { readonly nodes: readonly { readonly id: string }[]; readonly edges: readonly unknown[] }
}

test('a flow is listed and shown with its source and its picture', async (t) => {
  const gateway = await open(t)
  const { total, items }: { total: number; items: readonly Shown[] } = (await ask(gateway, '')).body
  assert.equal(total, 1)
  const [first] = items
  assert.deepEqual([first?.name, first?.title, first?.routes, first?.nodes], ['flow.yaml', 'greeting', ['flow'], 4])
  const shown: Shown = (await ask(gateway, '/flow.yaml')).body
  assert.equal(shown.source, flow)
  assert.deepEqual(
    shown.graph.nodes.map(({ id }) => id),
    ['start', 'nodes[0]', 'nodes[1]', 'nodes[2]', 'nodes[2].then[0]', 'end'],
  )
  assert.equal((await ask(gateway, '/other.yaml')).status, 404)
})

test('a flow is checked without being taken: mistakes with their places, or the picture', async (t) => {
  const gateway = await open(t)
  const wrong = 'name: x\nnodes:\n  - {type: callRecording, activity: begin}\n  - {type: fly}\n'
  const bad: Shown & { isValid: boolean } = (await ask(gateway, '/validate', { source: wrong })).body
  assert.equal(bad.isValid, false)
  assert.deepEqual(
    bad.mistakes.map(({ line, path }) => [line, path]),
    [
      [3, 'nodes[0].activity'],
      [4, 'nodes[1].type'],
    ],
  )
  assert.match(bad.mistakes[0]?.expected ?? '', /start, stop, pause, resume/)
  const good: Shown & { isValid: boolean } = (await ask(gateway, '/validate', { source: flow })).body
  assert.equal(good.isValid, true)
  assert.equal(good.graph.nodes.length, 6)
})

test('a dry run evaluates what is for the sandbox, and calls nobody', async (t) => {
  const gateway = await open(t)
  const order = { source: flow, input: { from: 'sip:zoe@a.example' } }
  const run: { end: string; steps: { node: string }[]; context: { who?: string } } = (
    await ask(gateway, '/dry-run', order)
  ).body
  assert.equal(run.context.who, 'SIP:ZOE@A.EXAMPLE')
  assert.equal(run.steps.at(-1)?.node, 'nodes[2].then[0] hangup')
  assert.equal((await ask(gateway, '/dry-run', { source: 'nodes: 1' })).status, 400)
  assert.equal((await ask(gateway, '/dry-run', { source: flow, answers: 'dial=never' })).status, 400)
  assert.equal((await ask(gateway, '/dry-run', { source: flow, surprise: 1 })).status, 400)
  assert.equal((await gateway.program.gateway?.census())?.['calls'] ?? 0, 0)
})

test('a changed file is taken while the program runs; an invalid one is told with its mistakes and not taken', async (t) => {
  const gateway = await open(t)
  const file = join(gateway.folder, 'flow.yaml')
  await writeFile(file, flow.replace('greeting', 'welcome'))
  await gateway.program.reloadFlows()
  const shown: Shown = (await ask(gateway, '/flow.yaml')).body
  assert.equal(shown.title, 'welcome')
  await writeFile(file, `${flow}  - type: nonsense\n`)
  await until('the mistake is told', async () => {
    const { title, mistakes }: Shown = (await ask(gateway, '/flow.yaml')).body
    return title === 'welcome' && mistakes[0]?.path === 'nodes[3].type'
  })
  const events = await fetch(`${gateway.httpUrl}/api/events?types=flow.*`)
  const { items } = (await events.json()) as { items: { type: string; data: { mistakes?: string[] } }[] }
  assert.deepEqual(
    items.map(({ type }) => type),
    ['flow.reloaded', 'flow.rejected'],
  )
  assert.match(items[1]?.data.mistakes?.[0] ?? '', /flow\.yaml:6:\d+: nodes\[3\]\.type: expected/)
})
