import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DryAnswers } from './dry-answers.ts'
import { type DryRun, dryRun } from './dry-run.ts'
import { parseFlow } from './flow-parser.ts'
import { graphOf } from './outline.ts'
import type { Sandbox } from './sandbox.ts'

const sandbox: Sandbox = { evaluate: async (source) => ({ ok: true, value: `<${source}>` }) }

const menu = `
name: menu
nodes:
  - type: answer
  - type: repeat
    times: 3
    while: '!context.done'
    nodes:
      - {type: collect, maxDigits: 1, into: context.choice}
      - type: switch
        value: '{{ context.choice.digits }}'
        cases:
          - when: 1
            nodes:
              - {type: dial, target: '{{ input.callee }}', into: context.dial}
              - {type: set, path: context.done, value: true}
          - when: '{{ input.secret }}'
            nodes: [{type: hangup, reason: secret}]
        default:
          - {type: log, message: 'not {{ context.choice.digits }}'}
  - {type: callRecording, activity: start, callRecordingServer: 'sip:r.example'}
`

function parsed(text: string) {
  const flow = parseFlow(text, 't.yaml')
  assert.ok(flow.ok, JSON.stringify(flow))
  return flow.value
}

async function run(text: string, answers = ''): Promise<DryRun> {
  const given = DryAnswers.parse(answers)
  assert.ok(given.ok, JSON.stringify(given))
  const input = { callee: 'sip:bob@b.example', secret: '#' }
  return await dryRun(parsed(text), { input, answers: given.value, sandbox })
}

test('a dry run tells node by node what is asked and what comes back', async () => {
  const { end, steps, context } = await run(menu, 'collect=7,collect=1,dial=busy,record=503')
  assert.equal(end, 'completed')
  assert.deepEqual(
    steps.map(({ node }) => node),
    [
      'nodes[0] answer',
      'nodes[1] repeat',
      'nodes[1].nodes[0] collect',
      'nodes[1].nodes[1] switch',
      'nodes[1].nodes[1].default[0] log',
      'nodes[1].nodes[0] collect',
      'nodes[1].nodes[1] switch',
      'nodes[1].nodes[1].cases[0].nodes[0] dial',
      'nodes[1].nodes[1].cases[0].nodes[1] set',
      'nodes[2] callRecording',
    ],
  )
  assert.deepEqual(steps[4]?.says, ['not 7'])
  const dialled = { target: 'sip:bob@b.example', timeoutMs: 30_000, until: 'end' }
  assert.deepEqual(steps[7]?.actions, [{ asks: 'dial', with: dialled, gets: { result: 'busy' } }])
  assert.equal(context['done'], true)
  assert.deepEqual(context['dial'], { result: 'busy' })
})

test('repeat ends after its rounds, and a case may be an expression', async () => {
  const silent = await run(menu)
  assert.equal(silent.steps.filter(({ node }) => node.endsWith('collect')).length, 3)
  const secret = await run(menu, 'collect=#')
  assert.equal(secret.end, 'completed')
  const terminated = await run(menu.replace('maxDigits: 1', "maxDigits: 1, terminators: ''"), 'collect=#')
  assert.deepEqual(terminated.steps.at(-1)?.actions, [{ asks: 'hangup', with: 'secret' }])
})

test('a hang-up of the caller ends a dry run where it was answered', async () => {
  const { end, steps } = await run(menu, 'collect=hangup')
  assert.equal(end, 'call-ended')
  assert.equal(steps.at(-1)?.node, 'nodes[1].nodes[0] collect')
})

test('a flow that loops without end is cut, and in a call it ends after 10,000 nodes', async () => {
  let text = '{type: set, path: context.n, value: 1}'
  for (let i = 0; i < 3; i++) text = `{type: repeat, times: 100, nodes: [${text}]}`
  const { end, steps } = await run(`name: t\nnodes: [${text}]`)
  assert.equal(end, 'cut')
  assert.equal(steps.length, 1_000)
})

test('answers that nobody can give are told, with what was expected', () => {
  for (const [text, expected] of [
    ['collect', /collect: expected .* behind collect=/],
    ['dial=perhaps', /expected answered, busy/],
    ['sing=loud', /expected KIND=ANSWER with one of answer, collect/],
    ['__proto__=1', /expected KIND=ANSWER/],
  ] as const) {
    const answers = DryAnswers.parse(text)
    assert.ok(!answers.ok)
    assert.match(answers.error, expected)
  }
})

test('the picture of a flow has every node, and the edges that a call can take', () => {
  const { nodes, edges } = graphOf(parsed(menu).outline)
  assert.deepEqual(
    nodes.map(({ type, line }) => `${type}@${line}`),
    [
      'start@1',
      'answer@4',
      'repeat@5',
      'collect@9',
      'switch@10',
      'dial@15',
      'set@16',
      'hangup@18',
      'log@20',
      'callRecording@21',
      'end@1',
    ],
  )
  const inside = 'nodes[1].nodes'
  const choice = `${inside}[1]`
  assert.deepEqual(edges, [
    { from: 'start', to: 'nodes[0]' },
    { from: 'nodes[0]', to: 'nodes[1]' },
    { from: 'nodes[1]', label: 'again', to: `${inside}[0]` },
    { from: `${inside}[0]`, to: choice },
    { from: choice, label: '1', to: `${choice}.cases[0].nodes[0]` },
    { from: `${choice}.cases[0].nodes[0]`, to: `${choice}.cases[0].nodes[1]` },
    { from: choice, label: '{{ input.secret }}', to: `${choice}.cases[1].nodes[0]` },
    { from: `${choice}.cases[1].nodes[0]`, to: 'end' },
    { from: choice, label: 'default', to: `${choice}.default[0]` },
    { from: `${choice}.cases[0].nodes[1]`, to: 'nodes[1]' },
    { from: `${choice}.default[0]`, to: 'nodes[1]' },
    { from: 'nodes[1]', label: 'done', to: 'nodes[2]' },
    { from: 'nodes[2]', to: 'end' },
  ])
})
