import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { HttpRequest } from '#flow'
import { ManualClock } from '#kernel'
import { systemClock } from '#net'
import { FlowRequests } from './flow-requests.ts'

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const requests = new FlowRequests(['127.0.0.1', '.example.com'], systemClock)
const plain = { method: 'GET', headers: {}, timeoutMs: 10_000 } as const satisfies Partial<HttpRequest>

test('JSON comes apart, other bodies stay text, and a status is an answer like any', async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === '/json') response.setHeader('content-type', 'application/problem+json').end('{"a":1}')
    else if (request.url === '/broken') response.setHeader('content-type', 'application/json').end('{')
    else response.writeHead(404).end('none')
  })
  assert.deepEqual(await requests.send({ ...plain, url: `${url}/json` }), {
    result: 'answered',
    status: 200,
    body: { a: 1 },
  })
  assert.deepEqual(await requests.send({ ...plain, url: `${url}/broken` }), {
    result: 'answered',
    status: 200,
    body: '{',
  })
  assert.deepEqual(await requests.send({ ...plain, url }), { result: 'answered', status: 404, body: 'none' })
})

test('method, headers and a JSON body arrive', async (t) => {
  let heard: unknown
  const url = await serve(t, async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    heard = [request.method, request.headers['x-call'], request.headers['content-type'], body]
    response.end()
  })
  await requests.send({ ...plain, url, method: 'PUT', headers: { 'X-Call': '7' }, body: { a: [1] } })
  assert.deepEqual(heard, ['PUT', '7', 'application/json', '{"a":[1]}'])
})

test('a host beyond the list is not asked, nor by a redirection, a user part or another scheme', async (t) => {
  let count = 0
  const url = await serve(t, (_request, response) => {
    count += 1
    response.writeHead(302, { location: 'http://127.0.0.2/' }).end()
  })
  assert.deepEqual(await requests.send({ ...plain, url }), { result: 'answered', status: 302, body: '' })
  assert.equal(count, 1)
  const port = new URL(url).port
  for (const forbidden of [
    `http://127.0.0.2:${port}/`,
    `http://localhost:${port}/`,
    `http://example.com.evil.test:${port}/`,
    `http://user:secret@127.0.0.1:${port}/`,
    'file:///etc/passwd',
    'data:text/plain,x',
    'no url',
    '',
  ]) {
    assert.deepEqual(await requests.send({ ...plain, url: forbidden }), { result: 'forbidden' }, forbidden)
  }
  assert.equal(count, 1)
})

test('an answer that is too large, one that does not come, and none at all', async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === '/large') response.end('x'.repeat(100_000))
    else if (request.url === '/cut') response.destroy()
  })
  assert.deepEqual(await requests.send({ ...plain, url: `${url}/large` }), { result: 'too-large', status: 200 })
  assert.deepEqual(await requests.send({ ...plain, url: `${url}/cut` }), { result: 'failed' })
  assert.deepEqual(await requests.send({ ...plain, url, headers: { 'X-A': 'a\r\nb: c' } }), { result: 'failed' })
  const clock = new ManualClock()
  const slow = new FlowRequests(['127.0.0.1'], clock).send({ ...plain, url })
  clock.advance(10_000)
  assert.deepEqual(await slow, { result: 'timeout' })
  assert.deepEqual(clock.pendingNames(), [])
})
