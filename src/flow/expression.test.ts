import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { compileExpression, MAX_EXPRESSION_LENGTH, type Scope } from './expression.ts'
import { compileValue } from './json-value.ts'
import type { Sandbox } from './sandbox.ts'
import { type ExpressionFailure, Template } from './template.ts'

const scope: Scope = {
  input: {
    callId: 'c-1',
    recorders: ['sip:a.example', 'sip:b.example'],
    count: 3,
    empty: '',
    nested: { name: 'Zoë', list: [{ id: 7 }] },
  },
  context: { big: 'x'.repeat(60_000) },
  profile: JSON.parse('{"__proto__": {"polluted": true}}'),
}

function evaluate(source: string): unknown {
  const compiled = compileExpression(source)
  if (!compiled.ok) return compiled
  const result = compiled.value.evaluate?.(scope) ?? 'beyond'
  return result !== 'beyond' && result.ok ? result.value : result
}

/** Shows what it is asked; `input.fail()` fails. */
const sandbox: Sandbox = {
  evaluate: async (source) =>
    source === 'input.fail()' ? { ok: false, error: { reason: 'failed' } } : { ok: true, value: `<${source}>` },
}

async function render(text: string): Promise<{ text: string; failures: ExpressionFailure[] }> {
  const failures: ExpressionFailure[] = []
  const onFailure = (failure: ExpressionFailure) => void failures.push(failure)
  return { text: await Template.of(text).render({ scope, sandbox, onFailure }), failures }
}

const allowed: readonly (readonly [string, unknown])[] = [
  ['input.callId', 'c-1'],
  ['input["callId"]', 'c-1'],
  ['input.nested.list[0].id', 7],
  ['input.recorders.length', 2],
  ['input.missing', undefined],
  ['input.missing?.deeper.still', undefined],
  ['input.nested?.name', 'Zoë'],
  ['input.missing ?? "none"', 'none'],
  ['input.empty || "fallback"', 'fallback'],
  ['input.count > 2 && input.count <= 3', true],
  ['input.count === 3 ? "three" : "other"', 'three'],
  ['"sip:" + input.callId + "@h"', 'sip:c-1@h'],
  [`\`\${input.callId}/\${input.count + 1}\``, 'c-1/4'],
  ['-input.count * 2 % 4', -2],
  ['!input.empty', true],
  ['typeof input.count', 'number'],
  ['(1 + 2) * 3', 9],
  ['(input.count)', 3],
  ['input.count == "3"', true],
]

for (const [source, expected] of allowed) {
  test(`evaluates ${source}`, () => {
    assert.deepEqual(evaluate(source), expected)
  })
}

const beyond: readonly string[] = [
  'input.constructor.constructor("return process")()',
  'input.toString()',
  '(() => 1)()',
  'new input.callId',
  'input.callId`x`',
  '({ a: 1 })',
  'function f() {}',
  '[1, 2]',
  'input, context',
  '9n ** 9n ** 9n',
  '2 ** 10',
  '1 << 30',
  '/(a+)+$/',
  '"length" in input',
  'input.recorders + ""',
  'input[input]',
  'Math.max(1, input.count)',
  '!!input.recorders.find((uri) => uri === nobody)',
]

for (const source of beyond) {
  test(`leaves to the sandbox: ${source}`, async () => {
    assert.deepEqual(await render(`a{{ ${source} }}b`), { text: `a<${source}>b`, failures: [] })
  })
}

const hostile: readonly string[] = [
  'process.exit()',
  'globalThis',
  'this',
  'import("node:fs")',
  'import.meta',
  'context.x = 1',
  'context.count++',
  'delete context.big',
  'input.missing.deeper',
  'input.fail()',
  'context.big + context.big',
  `${'('.repeat(900)}1${')'.repeat(900)}`,
  `${'!'.repeat(1_900)}1`,
  `${'['.repeat(1_900)}`,
  `${'1+'.repeat(900)}1`,
  `${'`${'.repeat(600)}1`,
  `"${'x'.repeat(MAX_EXPRESSION_LENGTH)}"`,
  'yield 1',
  'await 1',
  'super.x',
  '#x in input',
  '',
]

for (const source of hostile) {
  test(`renders nothing and reports a failure for ${source.slice(0, 60) || 'an empty expression'}`, async () => {
    const { text, failures } = await render(`{{${source}}}`)
    assert.equal(text, '')
    assert.equal(failures.length, 1)
    assert.notEqual(failures[0]?.reason, '')
    assert.ok((failures[0]?.expression.length ?? 0) <= 200)
  })
}

test('reaches no prototype: constructor and __proto__ of any value are undefined', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf']) {
    assert.equal(evaluate(`input.${name}`), undefined, name)
    assert.equal(evaluate(`input["${name}"]`), undefined, name)
    assert.equal(evaluate(`input.callId.${name}`), undefined, name)
    assert.equal(evaluate(`input.recorders["${name}"]`), undefined, name)
  }
  assert.equal(Reflect.get({}, 'polluted'), undefined)
})

test('never calls a getter', () => {
  const trap = Object.defineProperty({}, 'secret', { enumerable: true, get: () => assert.fail('getter called') })
  const compiled = compileExpression('input.trap.secret')
  assert.ok(compiled.ok)
  assert.deepEqual(compiled.value.evaluate?.({ ...scope, input: { trap } }), { ok: true, value: undefined })
})

test('a text joins literal parts and values: lists by comma, nothing for undefined, JSON for objects', async () => {
  assert.deepEqual(await render('{{ input.recorders }}'), { text: 'sip:a.example,sip:b.example', failures: [] })
  assert.equal((await render('a{{input.callId}}b{{ input.missing }}c')).text, 'ac-1bc')
  assert.equal((await render('{{ input.nested }}')).text, '{"name":"Zoë","list":[{"id":7}]}')
  assert.equal((await render('no expression } here {')).text, 'no expression } here {')
  assert.equal((await render('{{ "}}" }}!')).text, '}}!')
})

test('one failing expression leaves the rest of the text', async () => {
  const { text, failures } = await render('a{{ nobody }}b{{ input.callId }}')
  assert.equal(text, 'abc-1')
  assert.deepEqual(failures, [{ expression: 'nobody', reason: 'unknown name nobody' }])
})

test('an expression without closing braces renders nothing', async () => {
  const { text, failures } = await render('x{{ input.callId')
  assert.equal(text, 'x')
  assert.equal(failures[0]?.reason, 'no closing }}')
})

test('a text longer than the limit renders empty', async () => {
  const { text, failures } = await render('{{ context.big }}{{ context.big }}')
  assert.equal(text, '')
  assert.equal(failures[0]?.reason, 'the text is too long')
})

test('hostile text of the largest size is parsed and rendered within 200 ms of CPU time', async () => {
  const texts = [
    '{{'.repeat(4_000),
    '{{ "'.repeat(2_000),
    `{{${'('.repeat(7_990)}`,
    `{{${'`${'.repeat(2_600)}`,
    '{{ input.nested }}'.repeat(440),
  ]
  for (const text of texts) {
    const before = process.cpuUsage()
    await render(text.slice(0, 8_000))
    const { user } = process.cpuUsage(before)
    assert.ok(user < 200_000, `${text.slice(0, 10)} took ${user} us`)
  }
})

test('property: any text renders without throwing', async () => {
  const pieces = fc.constantFrom(
    '{{',
    '}}',
    'input',
    '.',
    '[',
    ']',
    '"',
    '`',
    '${',
    '}',
    '(',
    ')',
    '?',
    '+',
    'x',
    '__proto__',
  )
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.array(pieces, { maxLength: 40 }).map((list) => list.join('')),
      ),
      async (text) => {
        assert.equal(typeof (await render(text)).text, 'string')
      },
    ),
  )
})

test('aliases are names of the scope', async () => {
  assert.equal((await render('{{ ci.callId }} {{ cc.big.length }} {{ cp.none ?? "no" }}')).text, 'c-1 60000 no')
})

test('what can only be of no use is known before it runs, and what is for the sandbox too', () => {
  assert.equal(Template.of('{{ input.callId }}').needsSandbox, false)
  assert.equal(Template.of('{{ input.callId.trim() }}').needsSandbox, true)
  assert.match(Template.of('{{ context.x = 1 }}').failures()[0]?.reason ?? '', /set node/)
})

async function resultOf(value: unknown): Promise<{ value: unknown; failures: ExpressionFailure[] }> {
  const failures: ExpressionFailure[] = []
  const compiled = compileValue(value, (template) => template)
  return { value: await compiled({ scope, sandbox, onFailure: (failure) => failures.push(failure) }), failures }
}

test('JSON has expressions inside, whose values keep their types; a missing one drops its key', async () => {
  const { value, failures } = await resultOf({
    id: 'call {{ input.callId }}',
    count: '{{ input.count }}',
    none: '{{ input.missing }}',
    list: ['{{ input.count }}', 1, null, { deep: '{{ cc.none }}' }],
    many: { $cs: { script: 'input.recorders', type: 'array' } },
    text: { $cs: { script: 'input.count', type: 'string' } },
    gone: { $cs: { script: 'input.missing', type: 'string' } },
    beyond: { $cs: { script: 'input.f()' } },
  })
  assert.deepEqual(value, {
    id: 'call c-1',
    count: 3,
    list: [3, 1, null, {}],
    many: ['sip:a.example', 'sip:b.example'],
    text: '3',
    beyond: '<input.f()>',
  })
  assert.deepEqual(failures, [])
})

test('a $cs value of another type than it says is dropped and told', async () => {
  const { value, failures } = await resultOf({ many: { $cs: { script: 'input.callId', type: 'array' } } })
  assert.deepEqual(value, {})
  assert.deepEqual(failures, [{ expression: 'input.callId', reason: 'the value is not of the type array' }])
})

test('a $cs of another shape is data', async () => {
  const data = { $cs: { script: 'input.callId', type: 'constructor' } }
  assert.deepEqual((await resultOf(data)).value, data)
})
