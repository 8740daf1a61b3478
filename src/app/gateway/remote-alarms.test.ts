import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { ManualClock, MemoryLogger } from '#kernel'
import { until } from '../../../test/harness/until.ts'
import { RemoteAlarms } from './remote-alarms.ts'

const silence = { code: 'digital-silence', severity: 'warning', channel: 0, label: '1', cause: 'zeros', fix: 'look' }
const told = JSON.stringify({ total: 1, items: [{ callId: 'rs-1', source: '10.0.0.1', alarms: [silence] }] })

type Answer = (response: ServerResponse) => void

const say =
  (status: number, body: string): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  }

/** A recorder's API that answers as it is told, and alarms that ask it. */
async function world(t: TestContext) {
  const api = { answer: say(200, told), requests: [] as IncomingMessage[] }
  const server = createServer((request, response) => {
    api.requests.push(request)
    api.answer(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const clock = new ManualClock()
  const log = new MemoryLogger()
  const wanted = { now: true }
  const alarms = new RemoteAlarms({ apis: [{ url, token: 'a-secret' }], isWanted: () => wanted.now, clock, log })
  t.after(() => {
    alarms.close()
    server.closeAllConnections()
    server.close()
  })
  const codes = () => alarms.alarmsOf('rs-1')?.map(({ code }) => code)
  const messages = () => log.lines.map(({ message }) => message)
  /** Lets the time of one question pass. */
  const turn = () => clock.advance(2_000)
  return { api, alarms, wanted, turn, clock, codes, messages, log }
}

test('a recorder in another program is asked with a token, and what it finds wrong is known by session', async (t) => {
  const { api, alarms, turn, codes } = await world(t)
  assert.equal(codes(), undefined)
  turn()
  await until('the alarms are known', () => codes()?.length === 1)
  assert.deepEqual(alarms.alarmsOf('rs-1'), [silence])
  assert.equal(alarms.alarmsOf('rs-2'), undefined)
  const [request] = api.requests
  assert.deepEqual([request?.url, request?.headers.authorization], ['/api/recorder/sessions', 'Bearer a-secret'])

  api.answer = say(200, JSON.stringify({ total: 1, items: [{ callId: 'rs-1', alarms: [] }] }))
  await until('the alarm is gone', () => {
    turn()
    return codes()?.length === 0
  })
})

const useless: readonly (readonly [string, Answer, RegExp])[] = [
  ['refuses', say(401, '{}'), /401/],
  ['answers something else', say(200, '{"items":[{"callId":5}]}'), /form/],
  ['answers no JSON', say(200, '<html>'), /JSON/],
  ['sends us elsewhere', (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), /redirect/],
  ['hangs up', (response) => response.destroy(), /socket|closed/],
]
for (const [what, answer, cause] of useless) {
  test(`a recorder that ${what} is told of once, and its alarms are unknown until it answers again`, async (t) => {
    const { api, turn, codes, messages, log } = await world(t)
    turn()
    await until('the alarms are known', () => codes()?.length === 1)
    api.answer = answer
    const before = api.requests.length
    await until('it was asked twice more', () => {
      turn()
      return api.requests.length >= before + 3
    })
    assert.equal(codes(), undefined)
    assert.deepEqual(messages(), ['alarms of a recorder are unknown'])
    assert.match(String(log.lines[0]?.fields['cause']), cause)
    assert.ok(!JSON.stringify(log.lines).includes('a-secret'))

    api.answer = say(200, told)
    await until('the alarms are known again', () => {
      turn()
      return codes()?.length === 1
    })
    assert.deepEqual(messages(), ['alarms of a recorder are unknown', 'alarms of a recorder are known again'])
  })
}

test('a recorder that is silent is given up after five seconds', async (t) => {
  const { api, turn, clock, messages } = await world(t)
  api.answer = () => {}
  turn()
  await until('it is asked', () => api.requests.length === 1)
  assert.deepEqual(messages(), [])
  clock.advance(5_000)
  await until('that is told', () => messages().length === 1)
})

test('nobody is asked while nothing is recorded, and what was known is forgotten', async (t) => {
  const { api, turn, wanted, codes } = await world(t)
  turn()
  await until('the alarms are known', () => codes()?.length === 1)
  wanted.now = false
  await until('the alarms are forgotten', () => {
    turn()
    return codes() === undefined
  })
  assert.equal(api.requests.length, 1)
})
