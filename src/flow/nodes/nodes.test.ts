import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ManualClock, MemoryLogger } from '#kernel'
import { runFlow } from '../engine.ts'
import { parseFlow } from '../flow-parser.ts'
import { type CallScript, MemoryCallControl } from '../memory-call-control.ts'
import { nodeReference } from '../node-reference.ts'
import type { Sandbox } from '../sandbox.ts'
import { nodeTypes } from './registry.ts'

const sandbox: Sandbox = { evaluate: async () => ({ ok: true, value: 'sandboxed' }) }
const input = { callId: 'c-1', name: 'Zoe Secret', host: 'crm.example' }

async function run(lines: readonly string[], script: CallScript = {}) {
  const flow = parseFlow(`name: t\nnodes:\n${lines.map((line) => `  - ${line}\n`).join('')}`, 't.yaml')
  assert.ok(flow.ok, JSON.stringify(flow))
  const call = new MemoryCallControl(new ManualClock(), script)
  const log = new MemoryLogger()
  const context: Record<string, unknown> = {}
  const end = await runFlow(flow.value, { call, input, context, sandbox, log })
  return { call, log, context, end, asked: call.requests.map(([method]) => method) }
}

test('say speaks a text that is not logged; when that fails the flow goes on and knows', async () => {
  const lines = ["{type: say, text: 'Hello {{ input.name }}', language: en, into: context.said}", 'type: answer']
  const { call, log, context, asked } = await run(lines, { say: 'failed' })
  assert.deepEqual(call.requests[0], ['say', { text: 'Hello Zoe Secret', language: 'en', voice: '' }])
  assert.deepEqual(context['said'], { result: 'failed' })
  assert.deepEqual(asked, ['say', 'answer', 'hangup'])
  assert.ok(log.messages().includes('flow could not speak'))
  assert.doesNotMatch(JSON.stringify(log.lines), /Secret/)
})

test('transfer hangs up when the target has answered, and else goes on with the result', async () => {
  const lines = ["{type: transfer, target: 'sip:x@{{ input.host }}', into: context.moved}", 'type: answer']
  const done = await run(lines)
  assert.deepEqual(done.call.requests[0], ['refer', { target: 'sip:x@crm.example', timeoutMs: 60_000 }])
  assert.deepEqual(done.asked, ['refer', 'hangup'])
  const refused = await run(lines, { refer: { result: 'refused', sipStatus: 603 } })
  assert.deepEqual(refused.asked, ['refer', 'answer', 'hangup'])
  assert.deepEqual(refused.context['moved'], { result: 'refused', sipStatus: 603 })
})

test('httpRequest sends texts and JSON with expressions inside, and puts the answer into the context', async () => {
  const { call, context, log } = await run(
    [
      "{type: httpRequest, url: 'https://{{ input.host }}/c', method: POST, headers: {X-Call: '{{ input.callId }}'}, body: {id: '{{ input.callId }}', n: 1, none: '{{ input.none }}'}, into: context.answer}",
    ],
    { request: { result: 'answered', status: 201, body: { tier: 'gold' } } },
  )
  assert.deepEqual(call.requests[0], [
    'request',
    {
      url: 'https://crm.example/c',
      method: 'POST',
      headers: { 'X-Call': 'c-1' },
      body: { id: 'c-1', n: 1 },
      timeoutMs: 5_000,
    },
  ])
  assert.deepEqual(context['answer'], { result: 'answered', status: 201, body: { tier: 'gold' } })
  assert.doesNotMatch(JSON.stringify(log.lines), /gold|crm/, 'neither answers nor addresses are for the log')
})

const consent =
  "{type: consent, text: 'May we?', callRecordingServer: 'sip:r@r.example', callRecordingId: '{{ input.callId }}'}"

const consents: readonly (readonly [string, CallScript, object, readonly string[]])[] = [
  [
    'a key of accept',
    { collect: { digits: '1', reason: 'length' } },
    { given: true, by: 'digit', digit: '1' },
    ['forgetKeys', 'say', 'collect', 'record'],
  ],
  [
    'a key of refuse',
    { collect: { digits: '2', reason: 'length' } },
    { given: false, by: 'digit', digit: '2' },
    ['forgetKeys', 'say', 'collect'],
  ],
  [
    'silence, asked twice',
    { collect: { digits: '', reason: 'timeout' } },
    { given: false, by: 'silence' },
    ['forgetKeys', 'say', 'collect', 'forgetKeys', 'say', 'collect'],
  ],
  [
    'another key, asked twice',
    { collect: { digits: '9', reason: 'length' } },
    { given: false, by: 'silence' },
    ['forgetKeys', 'say', 'collect', 'forgetKeys', 'say', 'collect'],
  ],
  [
    'a hang-up',
    { collect: { digits: '', reason: 'hangup' } },
    { given: false, by: 'hangup' },
    ['forgetKeys', 'say', 'collect'],
  ],
  ['a question that could not be put', { say: 'failed' }, { given: false, by: 'unheard' }, ['forgetKeys', 'say']],
]
for (const [what, script, expected, asked] of consents) {
  test(`consent: ${what}: the recording starts only if consent was given`, async () => {
    const done = await run([consent], script)
    assert.deepEqual(done.context['consent'], expected)
    assert.deepEqual(done.asked, [...asked, 'hangup'])
  })
}

test('consent by announcement: who has heard all of it has consented, who has not has not', async () => {
  const line = "{type: consent, by: announcement, file: prompts/notice.wav, callRecordingServer: 'sip:r@r.example'}"
  const heard = await run([line])
  assert.deepEqual(heard.context['consent'], { given: true, by: 'announcement' })
  assert.deepEqual(heard.asked, ['forgetKeys', 'play', 'record', 'hangup'])
  assert.deepEqual((heard.context['recording'] as { last?: { status?: number } }).last?.status, 200)
  const stopped = await run([line], { play: 'stopped' })
  assert.deepEqual(stopped.asked, ['forgetKeys', 'play', 'hangup'])
})

test('every node is described for its page', () => {
  const page = nodeReference()
  for (const type of nodeTypes.keys()) assert.ok(page.includes(`### ${type}\n`), type)
  assert.match(page, /\| `timeoutMs` \| a whole number of milliseconds, from 1 to 86400000 \| `30000` \|/)
  assert.doesNotMatch(page, /undefined/)
})
