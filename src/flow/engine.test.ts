import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { type LogLine, ManualClock, MemoryLogger, settle } from '#kernel'
import type { RecordingResult } from './call-control.ts'
import { type FlowEnd, runFlow } from './engine.ts'
import { parseFlow } from './flow-parser.ts'
import { type CallScript, MemoryCallControl } from './memory-call-control.ts'
import type { Sandbox } from './sandbox.ts'

const input = {
  callId: 'call-7',
  from: 'sip:alice@a.example',
  to: 'sip:100@gw.example',
  recorders: ['sip:r1.example', 'sip:r2.example'],
  callee: 'sip:bob@b.example',
}

/** Tells what it was asked; `input.fail()` fails. */
const sandbox: Sandbox = {
  evaluate: async (source) =>
    source === 'input.fail()' ? { ok: false, error: { reason: 'failed' } } : { ok: true, value: `<${source}>` },
}

interface Running {
  readonly clock: ManualClock
  readonly call: MemoryCallControl
  readonly log: MemoryLogger
  readonly done: Promise<FlowEnd>
}

function start(text: string, script: CallScript = {}): Running {
  const flow = parseFlow(text, 't.yaml')
  assert.ok(flow.ok, JSON.stringify(flow))
  const clock = new ManualClock()
  const call = new MemoryCallControl(clock, script)
  const log = new MemoryLogger()
  return { clock, call, log, done: runFlow(flow.value, { call, input, profile: { vip: true }, sandbox, log }) }
}

function nodes(...lines: string[]): string {
  return `name: t\nnodes:\n${lines.map((line) => `  - ${line}\n`).join('')}`
}

function field(line: LogLine | undefined, name: string): unknown {
  return line?.fields[name]
}

function texts(log: MemoryLogger): unknown[] {
  return log.lines.filter((line) => line.message === 'flow says').map((line) => field(line, 'text'))
}

test('nodes run in order, and the call is hung up when they are done', async () => {
  const { call, done } = start(nodes('type: answer', '{type: play, file: a.wav}'))
  assert.equal(await done, 'completed')
  assert.deepEqual(call.requests, [['answer'], ['play', 'a.wav'], ['hangup', undefined]])
})

test('atEnd: stay leaves the call up', async () => {
  const { call, done } = start(`atEnd: stay\n${nodes('type: answer')}`)
  assert.equal(await done, 'completed')
  assert.deepEqual(call.requests, [['answer']])
  assert.equal(call.ended, false)
})

test('the flow ends when the call ends, whatever node is running', async () => {
  const { call, log, done } = start(nodes('{type: wait, ms: 60000}', '{type: log, message: too late}'))
  await settle()
  call.end()
  assert.equal(await done, 'call-ended')
  assert.deepEqual(call.requests, [['wait', 60_000]])
  assert.deepEqual(texts(log), [])
})

test('a play that fails warns and the flow goes on', async () => {
  const { call, log, done } = start(nodes('{type: play, file: gone.wav}', '{type: log, message: on}'), {
    play: 'failed',
  })
  await done
  assert.deepEqual(texts(log), ['on'])
  const warning = log.lines.find((line) => line.level === 'warn')
  assert.deepEqual(warning?.fields, { flow: 't', node: 'nodes[0] play', file: 'gone.wav' })
  assert.equal(call.ended, true)
})

test('an answer that fails warns', async () => {
  const { log, done } = start(nodes('type: answer'), { answer: false })
  await done
  assert.ok(log.messages().includes('flow could not answer the call'))
})

test('collect has defaults and puts digits and reason where `into` says', async () => {
  const { call, log, done } = start(
    nodes(
      '{type: collect, into: context.pin}',
      "{type: log, message: '{{ context.pin.digits }} {{ context.pin.reason }}'}",
    ),
    { collect: { digits: '42', reason: 'terminator' } },
  )
  await done
  assert.deepEqual(call.requests[0], [
    'collect',
    { maxDigits: 16, timeoutMs: 10_000, interDigitTimeoutMs: 3_000, terminators: '#' },
  ])
  assert.deepEqual(texts(log), ['42 terminator'])
})

test('dial evaluates its target and puts the outcome where `into` says', async () => {
  const { call, log, done } = start(
    nodes(
      "{type: dial, target: '{{ input.callee }}', until: answer, timeoutMs: 5000, into: context.leg}",
      "{type: log, message: '{{ context.leg.result }} {{ context.leg.sipStatus }}'}",
    ),
    { dial: { result: 'busy', sipStatus: 486 } },
  )
  await done
  assert.deepEqual(call.requests[0], ['dial', { target: 'sip:bob@b.example', timeoutMs: 5_000, until: 'answer' }])
  assert.deepEqual(texts(log), ['busy 486'])
})

test('join evaluates its target, tells the leg, and leave lets that leg go', async () => {
  const { call, log, done } = start(
    nodes(
      "{type: join, target: '{{ input.callee }}', timeoutMs: 5000, into: context.third}",
      "{type: log, message: '{{ context.third.result }}'}",
      "{type: leave, leg: '{{ context.third.leg }}'}",
    ),
  )
  await done
  assert.deepEqual(call.requests.slice(0, 2), [
    ['join', { target: 'sip:bob@b.example', timeoutMs: 5_000 }],
    ['leave', 'callee-2'],
  ])
  assert.deepEqual(texts(log), ['answered'])
})

test('set keeps the type of a single expression, and if chooses by a condition', async () => {
  const { log, done } = start(
    nodes(
      "{type: set, path: context.n, value: '{{ input.recorders.length }}'}",
      '{type: set, path: context.a.b, value: true}',
      "{type: if, condition: 'context.n === 2 && context.a.b && profile.vip', then: [{type: log, message: 'yes'}], else: [{type: log, message: 'no'}]}",
      "{type: if, condition: '{{ context.n > 2 }}', then: [{type: log, message: 'more'}]}",
    ),
  )
  await done
  assert.deepEqual(texts(log), ['yes'])
})

test('set refuses reserved names and values that are too large, with a warning', async () => {
  const { log, done } = start(
    nodes(
      '{type: set, path: context.__proto__.polluted, value: true}',
      '{type: set, path: context.constructor, value: true}',
      "{type: set, path: context.self, value: '{{ context }}'}",
      "{type: set, path: context.self, value: '{{ context }}'}",
      "{type: log, message: '{{ context }}'}",
    ),
  )
  await done
  assert.equal(Reflect.get({}, 'polluted'), undefined)
  assert.equal(log.messages().filter((message) => message === 'flow cannot set the context').length, 2)
  assert.deepEqual(texts(log), ['{"self":{"self":{}}}'])
})

test('a condition that fails is false and warns with flow, node and expression', async () => {
  const { log, done } = start(nodes("{type: if, condition: 'context.gone.deeper', then: [{type: log, message: no}]}"))
  await done
  assert.deepEqual(texts(log), [])
  assert.deepEqual(log.lines.find((line) => line.message === 'flow expression failed')?.fields, {
    flow: 't',
    node: 'nodes[0] if',
    expression: 'context.gone.deeper',
    reason: 'cannot read deeper of undefined',
  })
})

test('hangup inside a branch ends the flow with its reason', async () => {
  const { call, log, done } = start(
    nodes(
      "{type: if, condition: 'true', then: [{type: hangup, reason: 'no {{ input.callId }}'}]}",
      '{type: log, message: after}',
    ),
  )
  await done
  assert.deepEqual(call.requests, [['hangup', 'no call-7']])
  assert.deepEqual(texts(log), [])
})

test('callRecording sends activity, server list and id; an id left out is empty', async () => {
  const { call, done } = start(
    nodes(
      "{type: callRecording, activity: start, callRecordingServer: '{{ input.recorders }}', callRecordingId: '{{ input.callId }}'}",
      '{type: callRecording, activity: stop}',
    ),
  )
  await done
  assert.deepEqual(call.requests.slice(0, 2), [
    ['record', { activity: 'start', server: 'sip:r1.example,sip:r2.example', recordingId: 'call-7' }],
    ['record', { activity: 'stop', server: '', recordingId: '' }],
  ])
})

test('callRecording sends the policy of a start, the deadline of a pause, and the one recorder that is meant, where they are given', async () => {
  const { call, done } = start(
    nodes(
      "{type: callRecording, activity: start, callRecordingServer: sip:r, policy: 'all else {{ input.callId }}', maskDtmf: true}",
      '{type: callRecording, activity: pause, maxSeconds: 90}',
      "{type: callRecording, activity: resume, recorder: 'sip:{{ input.callId }}'}",
    ),
  )
  await done
  assert.deepEqual(call.requests.slice(0, 3), [
    ['record', { activity: 'start', server: 'sip:r', recordingId: '', policy: 'all else call-7', maskDtmf: true }],
    ['record', { activity: 'pause', server: '', recordingId: '', limit: { maxSeconds: 90, next: 'resume' } }],
    ['record', { activity: 'resume', server: '', recordingId: '', recorder: 'sip:call-7' }],
  ])
})

test('without wait the flow goes on at once, and the outcome is put in context.recording.last when it comes', async () => {
  let finish: (result: RecordingResult) => void = () => {}
  const record = (): Promise<RecordingResult> => new Promise((resolve) => (finish = resolve))
  const { clock, log, done } = start(
    nodes(
      '{type: callRecording, activity: start, callRecordingServer: sip:r}',
      "{type: log, message: 'before {{ context.recording?.last.status }}'}",
      '{type: wait, ms: 1000}',
      "{type: log, message: 'after {{ context.recording.last.status }}'}",
    ),
    { record },
  )
  await settle()
  assert.deepEqual(texts(log), ['before '])
  finish({ status: 200, text: '', results: { 'sip:r': 'accepted' } })
  await clock.advanceAsync(1_000)
  await done
  assert.deepEqual(texts(log), ['before ', 'after 200'])
  assert.deepEqual(
    field(
      log.lines.find((line) => line.message === 'flow recording done'),
      'results',
    ),
    {
      'sip:r': 'accepted',
    },
  )
})

test('with wait the outcome is there before the next node', async () => {
  let finish: (result: RecordingResult) => void = () => {}
  const record = (): Promise<RecordingResult> => new Promise((resolve) => (finish = resolve))
  const { log, done } = start(
    nodes(
      '{type: callRecording, activity: pause, wait: true}',
      "{type: log, message: '{{ context.recording.last.status }} {{ context.recording.last.text }} {{ context.recording.last.results }}'}",
    ),
    { record },
  )
  await settle()
  assert.deepEqual(texts(log), [])
  finish({ status: 503, text: 'nobody', results: { 'sip:r': 'failed(486)' } })
  await done
  assert.deepEqual(texts(log), ['503 nobody {"sip:r":"failed(486)"}'])
})

test('a start while recording logs "Cannot start recording when recording is already started"', async () => {
  const text = 'Cannot start recording when recording is already started'
  const { log, done } = start(nodes('{type: callRecording, activity: start, callRecordingServer: sip:r, wait: true}'), {
    record: async () => ({ status: 400, text, results: {} }),
  })
  await done
  const line = log.lines.find((one) => one.message === text)
  assert.equal(line?.level, 'warn')
  assert.equal(field(line, 'status'), 400)
})

test('a server expression that evaluates to empty reaches the recorder as empty text', async () => {
  const { call, log, done } = start(
    nodes("{type: callRecording, activity: start, callRecordingServer: '{{ input.recorder.uri }}', wait: true}"),
  )
  await done
  assert.deepEqual(call.requests[0], ['record', { activity: 'start', server: '', recordingId: '' }])
  assert.ok(log.messages().includes('flow expression failed'))
})

test('a fault of the call port ends this flow, hangs up and does not reject', async () => {
  const { call, log, done } = start(
    nodes('{type: callRecording, activity: start, wait: true}', '{type: log, message: no}'),
    {
      record: () => Promise.reject(new Error('broken')),
    },
  )
  assert.equal(await done, 'failed')
  assert.equal(call.ended, true)
  assert.equal(
    field(
      log.lines.find((line) => line.level === 'error'),
      'fault',
    ),
    'broken',
  )
})

test('a fault of the call port without wait is logged and the flow goes on', async () => {
  const { log, done } = start(
    nodes('{type: callRecording, activity: start}', '{type: wait, ms: 0}', '{type: log, message: on}'),
    {
      record: () => Promise.reject(new Error('broken')),
    },
  )
  await settle()
  assert.ok(log.messages().includes('flow recording failed'))
  void done
})

test('one flow serves two calls at the same time, each with its own context', async () => {
  const flow = parseFlow(
    nodes(
      "{type: set, path: context.who, value: '{{ input.who }}'}",
      '{type: wait, ms: 10}',
      "{type: log, message: '{{ context.who }}'}",
    ),
    't.yaml',
  )
  assert.ok(flow.ok)
  const clock = new ManualClock()
  const log = new MemoryLogger()
  const runs = ['a', 'b'].map((who) =>
    runFlow(flow.value, { call: new MemoryCallControl(clock), input: { who }, sandbox, log }),
  )
  await clock.advanceAsync(10)
  await Promise.all(runs)
  assert.deepEqual(texts(log).sort(), ['a', 'b'])
})

test('the demo flow plays the notice, records, dials, pauses, resumes, stops and hangs up at the written times', async () => {
  const flow = parseFlow(readFileSync('flows/demo.yaml', 'utf8'), 'demo.yaml')
  assert.ok(flow.ok)
  const clock = new ManualClock()
  const call = new MemoryCallControl(clock)
  const done = runFlow(flow.value, { call, input, sandbox, log: new MemoryLogger() })
  for (const ms of [3_500, 3_000, 3_000, 300]) {
    await settle()
    clock.advance(ms)
  }
  assert.equal(await done, 'completed')
  const server = 'sip:r1.example,sip:r2.example'
  assert.deepEqual(call.requests, [
    ['answer'],
    ['play', 'prompts/notice.wav'],
    ['record', { activity: 'start', server, recordingId: 'call-7' }],
    ['dial', { target: 'sip:bob@b.example', timeoutMs: 30_000, until: 'answer' }],
    ['wait', 3_500],
    ['record', { activity: 'pause', server: '', recordingId: '' }],
    ['wait', 3_000],
    ['record', { activity: 'resume', server: '', recordingId: '' }],
    ['wait', 3_000],
    ['record', { activity: 'stop', server: '', recordingId: '' }],
    ['wait', 300],
    ['hangup', undefined],
  ])
})

test('what is more than paths and operators goes to the sandbox with the scope; a failure there warns with flow, node and expression', async () => {
  const { log, done } = start(
    nodes(
      "{type: log, message: 'a {{ input.callId.trim() }} b {{ input.fail() }}c'}",
      "{type: set, path: context.order, value: {id: '{{ input.callId }}', all: ['{{ input.to.trim() }}']}}",
      "{type: log, message: '{{ cc.order }}'}",
      '{type: if, condition: "input.fail()", then: [{type: log, message: never}]}',
    ),
  )
  await done
  assert.deepEqual(texts(log), ['a <input.callId.trim()> b c', '{"id":"call-7","all":["<input.to.trim()>"]}'])
  const warnings = log.lines.filter(({ message }) => message === 'flow expression failed').map(({ fields }) => fields)
  assert.deepEqual(warnings, [
    { flow: 't', node: 'nodes[0] log', expression: 'input.fail()', reason: 'failed' },
    { flow: 't', node: 'nodes[3] if', expression: 'input.fail()', reason: 'failed' },
  ])
})
