import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import fc from 'fast-check'

import { type FlowError, flowErrorText } from './flow.ts'
import { parseFlow } from './flow-parser.ts'

function errorsOf(text: string): FlowError[] {
  const result = parseFlow(text, 'f.yaml')
  assert.ok(!result.ok, 'expected errors')
  return result.error
}

const head = 'name: t\nnodes:\n'

for (const name of ['demo', 'echo', 'record-and-dial']) {
  test(`the shipped flow ${name} loads without errors or warnings`, () => {
    const result = parseFlow(readFileSync(`flows/${name}.yaml`, 'utf8'), `${name}.yaml`)
    assert.ok(result.ok, JSON.stringify(result))
    assert.equal(result.value.name, name)
    assert.deepEqual(result.value.warnings, [])
  })
}

test('an unknown key fails with its line, column, path and the known keys', () => {
  const [error, ...rest] = errorsOf(`${head}  - type: play\n    fle: a.wav\n`)
  assert.deepEqual(
    rest.map((e) => flowErrorText(e)),
    ['f.yaml:4:5: nodes[0].fle: unknown key; known are type, file'],
  )
  assert.equal(error && flowErrorText(error).startsWith('f.yaml:3:5: nodes[0].file: required: a text'), true)
})

test('an unknown key of the document fails', () => {
  assert.deepEqual(errorsOf('name: t\nversion: 2\nnodes: [{type: answer}]\n'), [
    {
      file: 'f.yaml',
      line: 2,
      column: 1,
      path: 'version',
      expected: 'unknown key; known are name, description, atEnd, nodes',
    },
  ])
})

test('an unknown node type fails and names the types there are', () => {
  const [error] = errorsOf(`${head}  - type: answer\n  - type: fly\n`)
  assert.equal(error?.line, 4)
  assert.equal(error?.column, 11)
  assert.equal(error?.path, 'nodes[1].type')
  assert.match(
    error?.expected ?? '',
    /answer, play, say, collect, dial, join, leave, transfer, callRecording, consent, httpRequest, wait, set/,
  )
})

test('an activity that is none of the four fails with the choice', () => {
  const [error] = errorsOf(`${head}  - type: callRecording\n    activity: begin\n`)
  assert.deepEqual(error, {
    file: 'f.yaml',
    line: 4,
    column: 15,
    path: 'nodes[0].activity',
    expected: 'expected one of start, stop, pause, resume, mask, unmask',
  })
})

test('every mistake is reported at once, nested nodes included', () => {
  const text = `${head}  - type: if\n    condition: 'true'\n    then:\n      - type: wait\n        ms: soon\n    else:\n      - type: wait\n        ms: -1\n  - type: wait\n    ms: 1.5\n`
  assert.deepEqual(
    errorsOf(text).map((e) => flowErrorText(e)),
    [
      'f.yaml:7:13: nodes[0].then[0].ms: expected a whole number of milliseconds, from 0 to 86400000',
      'f.yaml:10:13: nodes[0].else[0].ms: expected a whole number of milliseconds, from 0 to 86400000',
      'f.yaml:12:9: nodes[1].ms: expected a whole number of milliseconds, from 0 to 86400000',
    ],
  )
})

test('an expression without quotes, which YAML reads as a mapping, fails with a hint', () => {
  const [error] = errorsOf(`${head}  - type: play\n    file: {{ input.file }}\n`)
  assert.equal(error?.line, 4)
  assert.match(error?.expected ?? '', /quote|YAML/)
})

test('broken YAML, duplicate keys, aliases, tags and two documents fail with their line', () => {
  const cases: [string, number][] = [
    ['name: t\nnodes: [\n', 2],
    ['name: t\nname: u\nnodes: []\n', 2],
    ['name: t\nnodes: &a\n  - type: answer\n  - *a\n', 4],
    ['name: !!js/function t\nnodes: [{type: answer}]\n', 1],
    ['name: t\nnodes: [{type: answer}]\n---\nname: u\n', 3],
  ]
  for (const [text, line] of cases) {
    const [error] = errorsOf(text)
    assert.ok(error !== undefined && error.line >= line && error.line <= line + 1, `${text}: ${JSON.stringify(error)}`)
  }
})

test('a path outside the context, or to a deeper place than allowed, fails', () => {
  for (const path of ['input.x', 'context', 'context.', 'context.a.b.c.d.e.f.g.h.i', 'context.a[0]']) {
    const [error] = errorsOf(`${head}  - type: set\n    path: ${path}\n    value: 1\n`)
    assert.equal(error?.path, 'nodes[0].path', path)
    assert.equal(error?.expected, 'expected a path such as context.answer')
  }
})

test('an expression that can never work is a warning with its place, not an error', () => {
  const result = parseFlow(`${head}  - type: log\n    message: '{{ nobody.x() }}'\n`, 'f.yaml')
  assert.ok(result.ok)
  assert.deepEqual(result.value.warnings.map(flowErrorText), [
    'f.yaml:4:14: nodes[0].message: expression renders empty: unknown name nobody',
  ])
})

test('nesting and number of nodes are limited', () => {
  let text = '{type: answer}'
  for (let i = 0; i < 20; i++) text = `{type: if, condition: 'true', then: [${text}]}`
  assert.match(errorsOf(`name: t\nnodes: [${text}]`)[0]?.expected ?? '', /16 levels/)
  assert.match(errorsOf(`${head}${'  - type: answer\n'.repeat(1_001)}`)[0]?.expected ?? '', /1000 nodes/)
  assert.match(errorsOf(`name: ${'['.repeat(100_000)}`)[0]?.expected ?? '', /YAML/)
  assert.match(errorsOf('x'.repeat(300_000))[0]?.expected ?? '', /262144/)
})

test('property: no text makes the parser throw', () => {
  const pieces = fc.constantFrom(
    'name: t\n',
    'nodes:\n',
    '  - type: ',
    'if',
    'play',
    'then',
    ': ',
    '[',
    '{',
    '}',
    '\n',
    '&a ',
    '*a',
    '"',
    '__proto__',
    '? ',
    '|\n',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces, { maxLength: 30 }).map((list) => list.join('')),
      ),
      (text) => {
        const result = parseFlow(text, 'p.yaml')
        if (!result.ok) for (const error of result.error) assert.ok(error.line >= 1 && error.column >= 1)
      },
    ),
  )
})
