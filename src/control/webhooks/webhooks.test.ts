import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ManualClock, MemoryLogger, seededIds } from '#kernel'
import { withApp } from '../../../test/harness/http-fixture.ts'
import { until } from '../../../test/harness/until.ts'
import { EventLog } from '../events/event-log.ts'
import { readBacklog } from './webhook-journal.ts'
import type { WebhookOrder } from './webhook-target.ts'
import { Webhooks } from './webhooks.ts'

interface Got {
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A target on a port of its own; `answer` says what the next request is answered, 0: nothing. */
class Target {
  readonly got: Got[] = []
  answer: (nth: number) => number = () => 200
  retryAfter: string | undefined
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        this.got.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
        const status = this.answer(this.got.length)
        if (status === 0) return
        response.writeHead(status, {
          ...(this.retryAfter === undefined ? {} : { 'retry-after': this.retryAfter }),
          ...(status === 302 ? { location: 'http://127.0.0.1:9/' } : {}),
        })
        response.end()
      })
    })
  }

  static async open(t: TestContext): Promise<Target> {
    const target = new Target()
    await new Promise<void>((resolve) => void target.#server.listen(0, '127.0.0.1', resolve))
    t.after(() => {
      target.#server.closeAllConnections()
      target.#server.close()
    })
    return target
  }

  get url(): string {
    const address = this.#server.address()
    return `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}/hook?key=hidden`
  }

  /** Call ids of the events that came. */
  get calls(): string[] {
    return this.got.map(({ body }) => JSON.parse(body).callId)
  }
}

const limits = { queue: 100, attempts: 4, timeoutMs: 5_000 }

async function benchFor(
  t: TestContext,
  urls: readonly string[],
  change: Partial<WebhookOrder> = {},
  types: readonly string[] = [],
) {
  const folder = await mkdtemp(join(tmpdir(), 'webhooks-'))
  const clock = new ManualClock()
  const events = new EventLog({ clock, keep: 100 })
  const log = new MemoryLogger()
  const open = () =>
    Webhooks.open({
      targets: urls.map((url) => ({ url, secret: 'shared', events: types, ...limits, ...change })),
      folder,
      events,
      clock,
      ids: seededIds(4),
      log,
    })
  const webhooks = await open()
  t.after(async () => {
    await webhooks.close()
    await rm(folder, { recursive: true, force: true })
  })
  const tell = (...calls: readonly string[]): void => {
    for (const callId of calls) events.add({ type: 'call.answered', callId, data: {} })
  }
  return { folder, clock, events, log, webhooks, open, tell }
}

/** Moves the clock as soon as a retry is set. */
async function nextAttempt(clock: ManualClock, webhooks: Webhooks): Promise<void> {
  await until('a retry is due', () => webhooks.targets[0]?.view().nextAttemptAt !== undefined)
  clock.advance(Date.parse(webhooks.targets[0]?.view().nextAttemptAt ?? '') - clock.wallMs())
}

test('an event is posted with a signature over id, time and body, and with a key that stays the same', async (t) => {
  const target = await Target.open(t)
  const { clock, webhooks, events, tell } = await benchFor(t, [target.url])
  target.answer = (nth) => (nth === 1 ? 500 : 200)
  tell('a')
  await nextAttempt(clock, webhooks)
  await until('it came again', () => target.got.length === 2)
  const [first, second] = target.got
  assert.deepEqual(JSON.parse(first?.body ?? '').callId, 'a')
  assert.equal(first?.body, second?.body)
  assert.equal(first?.headers['idempotency-key'], `evt_${events.lastId}`)
  assert.equal(second?.headers['idempotency-key'], first?.headers['idempotency-key'])
  assert.ok(Number(second?.headers['webhook-timestamp']) >= Number(first?.headers['webhook-timestamp']))
  for (const { headers, body } of target.got) {
    const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
    const expected = createHmac('sha256', 'shared').update(text).digest('base64')
    assert.equal(headers['webhook-signature'], `v1,${expected}`)
  }
})

test('events come in order, also when one has to be repeated; another target is not held up by it', async (t) => {
  const [slow, fast] = [await Target.open(t), await Target.open(t)]
  const { clock, webhooks, tell } = await benchFor(t, [slow.url, fast.url])
  slow.answer = (nth) => (nth <= 2 ? 503 : 200)
  tell('a', 'b', 'c')
  await until('the other target has all', () => fast.calls.length === 3)
  await nextAttempt(clock, webhooks)
  await nextAttempt(clock, webhooks)
  await until('all are there', () => slow.calls.length === 5)
  assert.deepEqual(slow.calls, ['a', 'a', 'a', 'b', 'c'])
  assert.deepEqual(fast.calls, ['a', 'b', 'c'])
})

test('the wait doubles with each failure, and is at least what the target asks for', async (t) => {
  const target = await Target.open(t)
  const { clock, webhooks, tell } = await benchFor(t, [target.url])
  target.answer = () => 503
  tell('a')
  const waits: number[] = []
  for (const retryAfter of [undefined, undefined, '60']) {
    target.retryAfter = retryAfter
    await until('a retry is due', () => webhooks.targets[0]?.view().nextAttemptAt !== undefined)
    waits.push(Date.parse(webhooks.targets[0]?.view().nextAttemptAt ?? '') - clock.wallMs())
    if (waits.length === 2) target.retryAfter = '60'
    clock.advance(waits.at(-1) ?? 0)
  }
  const [first = 0, second = 0, third = 0] = waits
  assert.ok(first >= 800 && first <= 1_200, `${first}`)
  assert.ok(second >= 1_600 && second <= 2_400, `${second}`)
  assert.equal(third, 60_000)
})

test('what never works is put aside with the reason, shown, and delivered when asked for', async (t) => {
  const target = await Target.open(t)
  const bench = await benchFor(t, [target.url], { attempts: 2 })
  target.answer = () => 302
  bench.tell('a', 'b')
  await nextAttempt(bench.clock, bench.webhooks)
  await nextAttempt(bench.clock, bench.webhooks)
  await until('both are given up', () => bench.webhooks.targets[0]?.deadLetters.length === 2)
  target.answer = () => 200
  await withApp(
    async (app) => {
      const [hook] = (await app.inject('/api/webhooks')).json().items
      assert.deepEqual([hook.dead, hook.waiting, hook.url.includes('hidden')], [2, 0, false])
      const url = `/api/webhooks/${hook.id}/dead-letters`
      const { items } = (await app.inject(url)).json()
      assert.deepEqual([items[0].event.callId, items[0].reason, items[0].attempts], ['a', 'status 302', 2])
      const retry = await app.inject({ method: 'POST', url: `${url}/${items[0].event.id}/retry` })
      assert.deepEqual([retry.statusCode, retry.json().dead], [202, 1])
      assert.equal((await app.inject({ method: 'POST', url: `${url}/1/retry` })).statusCode, 404)
    },
    { webhooks: bench.webhooks },
  )
  await until('it came after all', () => target.calls.length === 5)
  assert.deepEqual(target.calls, ['a', 'a', 'b', 'b', 'a'])
})

test('a target that takes the request and says nothing counts as a failure after the timeout', async (t) => {
  const target = await Target.open(t)
  const { clock, webhooks, tell } = await benchFor(t, [target.url])
  target.answer = (nth) => (nth === 1 ? 0 : 200)
  tell('a')
  await until('it was asked', () => target.got.length === 1)
  clock.advance(limits.timeoutMs)
  await until('it gave up', () => webhooks.targets[0]?.view().last?.result === 'no answer in time')
  await nextAttempt(clock, webhooks)
  await until('it is delivered', () => webhooks.targets[0]?.view().delivered === 1)
})

test('what waits at the end of one run is delivered by the next, in order, and the dead stay dead', async (t) => {
  const target = await Target.open(t)
  const bench = await benchFor(t, [target.url], { attempts: 2 })
  target.answer = () => 500
  bench.tell('a')
  await nextAttempt(bench.clock, bench.webhooks)
  await until('the first is given up', () => bench.webhooks.targets[0]?.deadLetters.length === 1)
  bench.tell('b', 'c')
  await bench.webhooks.close()
  target.answer = () => 200
  const before = target.calls.length
  const next = await bench.open()
  t.after(() => next.close())
  await until('the rest is delivered', () => next.targets[0]?.view().delivered === 2)
  assert.deepEqual(target.calls.slice(before), ['b', 'c'])
  assert.equal(next.targets[0]?.deadLetters[0]?.event.callId, 'a')
  await next.close()
  const file = join(bench.folder, `${next.targets[0]?.id}.jsonl`)
  await writeFile(file, `${await readFile(file, 'utf8')}{"op":"wait","ev`)
  const backlog = await readBacklog(file)
  assert.deepEqual([backlog.waiting.length, backlog.dead.length], [0, 1])
})

test('a queue that is full gives up what comes, and goes on with what it has', async (t) => {
  const target = await Target.open(t)
  const { webhooks, tell } = await benchFor(t, [target.url], { queue: 2 })
  tell('a', 'b', 'c')
  assert.equal(webhooks.targets[0]?.deadLetters[0]?.reason, 'no room in the queue')
  await until('the two are delivered', () => target.calls.length === 2)
  assert.deepEqual(target.calls, ['a', 'b'])
})

test('a target gets the types that it wants, and a target that is not there harms nobody', async (t) => {
  const target = await Target.open(t)
  const { webhooks, events, tell } = await benchFor(t, ['http://127.0.0.1:1/none', target.url], {}, ['recorder.*'])
  tell('a')
  events.add({ type: 'recorder.down', recorder: 'sip:srs', data: {} })
  await until('it came', () => target.got.length === 1)
  assert.equal(JSON.parse(target.got[0]?.body ?? '').type, 'recorder.down')
  await until('the other failed', () => webhooks.targets[0]?.view().last !== undefined)
})

test('what is noted behind a line that a crash left unfinished is not lost with it', async (t) => {
  const bench = await benchFor(t, ['http://127.0.0.1:1/none'])
  await bench.webhooks.close()
  const file = join(bench.folder, `${bench.webhooks.targets[0]?.id}.jsonl`)
  await writeFile(file, '{"op":"wait","ev')
  const next = await bench.open()
  bench.tell('a')
  await until('it failed', () => next.targets[0]?.view().last !== undefined)
  await next.close()
  assert.deepEqual(
    (await readBacklog(file)).waiting.map(({ callId }) => callId),
    ['a'],
  )
})

test('what could not be written while the disk was full is written with what comes next', async (t) => {
  const bench = await benchFor(t, ['http://127.0.0.1:1/none'])
  const file = join(bench.folder, `${bench.webhooks.targets[0]?.id}.jsonl`)
  bench.tell('a')
  await until('it is written', async () => (await readBacklog(file)).waiting.length === 1)
  await rm(file)
  await mkdir(file)
  bench.tell('b')
  await until('that failed', () => bench.log.lines.some(({ message }) => message.startsWith('webhook queue')))
  await rmdir(file)
  bench.tell('c')
  await bench.webhooks.close()
  assert.deepEqual(
    (await readBacklog(file)).waiting.map(({ callId }) => callId),
    ['a', 'b', 'c'],
  )
})
