import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import { after, test } from 'node:test'
import type { Scope } from '#flow'
import { silentLogger } from '#kernel'
import { systemClock } from '#net'
import { SandboxPool } from './sandbox-pool.ts'

const pool = new SandboxPool({ clock: systemClock, log: silentLogger, deadlineMs: 3_000 })
after(() => pool.close())

const scope: Scope = {
  input: { callId: 'c-1', recorders: ['sip:a.example', 'sip:b.example'], count: 3 },
  context: { order: { items: [{ price: 2 }, { price: 3 }] }, name: ' Zoë ' },
  profile: JSON.parse('{"__proto__": {"polluted": true}, "vip": true}'),
}

async function value(source: string): Promise<unknown> {
  const result = await pool.evaluate(source, scope)
  return result.ok ? result.value : result
}

async function reason(source: string): Promise<string> {
  const result = await pool.evaluate(source, scope)
  assert.equal(result.ok, false, `${source} gave ${JSON.stringify(result)}`)
  return result.ok ? '' : result.error.reason
}

const works: readonly (readonly [string, unknown])[] = [
  ['input.recorders.map((uri) => uri.slice(4)).join("|")', 'a.example|b.example'],
  ['context.order.items.reduce((sum, { price }) => sum + price, 0)', 5],
  ['cc.name.trim().toUpperCase()', 'ZOË'],
  ['/^c-(\\d+)$/.exec(ci.callId)[1]', '1'],
  ['(() => { let n = 0; for (let i = 0; i < 1000; i++) n += i; return n })()', 499_500],
  ['({ a: [1, undefined, { b: cp.vip }] })', { a: [1, null, { b: true }] }],
  ['input.count ** 2', 9],
  ['0 / 0', Number.NaN],
  ['null', null],
  ['undefined', undefined],
  ['new Date(0)', '1970-01-01T00:00:00.000Z'],
  ['JSON.parse("[1]")', [1]],
  [`\`\${input.callId.length}\``, '3'],
  ['context.name // a comment', ' Zoë '],
  ['_.sumBy(context.order.items, "price")', 5],
  ['_(input.recorders).map((uri) => _.trimStart(uri, "sip:")).value().join()', 'a.example,b.example'],
  ['_.get(context, "order.items[1].price", 0) + _.get(context, "nothing.here", 1)', 4],
  ['moment.utc("2026-03-29T00:30:00+02:00").add(1, "month").format("YYYY-MM-DD HH:mm")', '2026-04-28 22:30'],
  ['moment.utc("2026-01-31").add(1, "month").toDate()', '2026-02-28T00:00:00.000Z'],
  ['_.map([moment.utc(0)], (at) => at.year())', [1970]],
  ['typeof _ + typeof moment', 'functionfunction'],
  ['"an_underscore and_ _more".length', 24],
]
for (const [source, expected] of works) {
  test(`the sandbox evaluates ${source}`, async () => {
    assert.deepEqual(await value(source), expected)
  })
}

const refused: readonly (readonly [string, RegExp])[] = [
  ['(() => { for (;;) {} })()', /interrupted/],
  [
    '(() => { const all = []; for (;;) all.push("x".repeat(100_000) + all.length) })()',
    /memory|null|no error|interrupted|took longer/,
  ],
  ['(function f() { return f() })()', /stack|recursion/i],
  ['_.times(1e9, () => _.times(1e9, _.noop)).length', /interrupted|memory|took longer/],
  ['_.template("<% process.exit() %>")()', /process/],
  ['moment("nonsense").toISOString().length', /null/],
  ['/^(a+)+$/.test("a".repeat(40) + "b")', /interrupted|took longer/],
  ['({}).constructor.constructor("return process")()', /process/],
  ['(() => {}).constructor("return require")()', /require/],
  ['globalThis.fetch("http://127.0.0.1/")', /TypeError/],
  ['import("node:fs").then', /.*/],
  ['"x".repeat(70_000)', /too long/],
  ['Array.from({ length: 40_000 }, () => "xx")', /too long/],
  ['({ get trap() { for (;;) {} } })', /interrupted/],
  ['({ toJSON() { throw new Error("no") } })', /no/],
  ['Promise.resolve(1)', /promise/],
  ['(async () => 1)()', /promise/],
  ['(() => 1)', /function is no value/],
  ['Symbol("x")', /symbol is no value/],
  ['9n', /bigint is no value/],
  ['(() => { throw { toString() { for (;;) {} } } })()', /no error/],
  ['(() => { throw 1 })()', /no error/],
  ['({ toString() { throw new RangeError("thrown") } }) + ""', /RangeError: thrown/],
  ['(() => { const a = {}; a.a = a; return a })()', /circular/],
  ['1) + (', /Syntax/],
]
for (const [source, expected] of refused) {
  test(`the sandbox refuses ${source}`, async () => {
    assert.match(await reason(source), expected)
    assert.equal(await value('1 + 1'), 2, 'and goes on')
  })
}

test('nothing that an expression changes is there for the next, nor outside', async () => {
  assert.equal(await value('(Object.prototype.polluted = 1, globalThis.left = 1, context.name = "gone", 1)'), 1)
  assert.deepEqual(await value('[typeof left, ({}).polluted, context.name]'), ['undefined', null, ' Zoë '])
  assert.equal(Reflect.get({}, 'polluted'), undefined)
  const made = (await value('JSON.parse(\'{"__proto__": {"polluted": true}}\')')) as object
  assert.equal(Reflect.get({}, 'polluted'), undefined)
  assert.deepEqual(Object.keys(made), ['__proto__'])
})

test('what does not look at the clock is killed with its thread, the loop of the calls ticks on, and the next finds a new thread', async (t) => {
  const own = new SandboxPool({ clock: systemClock, log: silentLogger, threads: 1, deadlineMs: 1_000 })
  t.after(() => own.close())
  await own.evaluate('1', scope)
  const before = performance.eventLoopUtilization()
  const result = await own.evaluate('new Array(1_000_000_000) + ""', scope)
  const { utilization } = performance.eventLoopUtilization(before)
  assert.deepEqual(result, { ok: false, error: { reason: 'took longer than 1000 ms' } })
  assert.ok(utilization < 0.5, `the loop of this thread was busy for ${utilization} of the time`)
  assert.deepEqual(await own.evaluate('2', scope), { ok: true, value: 2 })
})

test('a scope that is no JSON, and one that is too large, are refused', async () => {
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  assert.equal((await pool.evaluate('1', { ...scope, context: cyclic })).ok, false)
  assert.equal((await pool.evaluate('1', { ...scope, context: { big: 'x'.repeat(1_100_000) } })).ok, false)
})

test('many evaluations at once are all answered', async () => {
  const results = await Promise.all(Array.from({ length: 60 }, (_, i) => value(`[${i}].map((n) => n * 2)[0]`)))
  assert.deepEqual(
    results,
    Array.from({ length: 60 }, (_, i) => 2 * i),
  )
})

test('a closed pool answers', async () => {
  const own = new SandboxPool({ clock: systemClock, log: silentLogger })
  await own.close()
  assert.equal((await own.evaluate('1', scope)).ok, false)
})
