import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import WebSocket from 'ws'
import { ManualClock, seededIds } from '#kernel'
import { httpFixture, openAccess } from '../../../test/harness/http-fixture.ts'
import { until } from '../../../test/harness/until.ts'
import { EventLog } from '../events/event-log.ts'
import { createHttpServer } from '../http-server.ts'
import { TokenFile } from './token-file.ts'

const LOOK_MS = 5_000

/** A server where somebody has a session and a token; what lasts is told how it ended. */
async function openBench(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'lasting-'))
  const clock = new ManualClock()
  const tokens = new TokenFile(join(folder, 'tokens.json'), seededIds(3))
  const access = openAccess(clock, { isOpen: false, tokens })
  const events = new EventLog({ clock, keep: 100 })
  const server = await createHttpServer({ ...httpFixture().options, clock, access, events })
  t.after(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })
  const address = `127.0.0.1:${server.address.port}/api/events`
  const socketBy = async (headers: Readonly<Record<string, string>>) => {
    const socket = new WebSocket(`ws://${address}`, { headers })
    socket.on('error', () => {})
    await once(socket, 'open')
    return () => socket.readyState === WebSocket.CLOSED
  }
  const streamBy = async (headers: Readonly<Record<string, string>>) => {
    const request = get(`http://${address}`, { headers: { accept: 'text/event-stream', ...headers } })
    const [answer] = (await once(request, 'response')) as [IncomingMessage]
    answer.resume()
    let isOver = false
    answer.on('error', () => {})
    answer.once('close', () => {
      isOver = true
    })
    return () => isOver
  }
  /** So many looks at what lasts. */
  const pass = async (looks: number): Promise<void> => {
    for (let look = 0; look < looks; look += 1) {
      clock.advance(LOOK_MS)
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }
  const { secret } = access.sessions.open({ name: 'anna', roles: ['viewer'], scopes: ['events:read'] })
  const { text, view } = await tokens.create({ name: 'wall', scopes: ['events:read'], nowMs: clock.wallMs() })
  const [cookie, authorization] = [`session=${secret}`, `Bearer ${text}`]
  return { clock, access, tokens, tokenId: view.id, secret, cookie, authorization, socketBy, streamBy, pass }
}

test("signing out ends the WebSockets and event streams of the session, and nobody else's", async (t) => {
  const { access, secret, cookie, authorization, socketBy, streamBy, pass } = await openBench(t)
  const own = [await socketBy({ cookie }), await streamBy({ cookie })]
  const other = [await socketBy({ authorization }), await streamBy({ authorization })]
  await pass(3)
  assert.ok(own.every((isOver) => !isOver()))
  access.sessions.close(secret)
  await pass(1)
  await until('those of the session are over', () => own.every((isOver) => isOver()))
  assert.ok(other.every((isOver) => !isOver()))
})

test('a token that is revoked ends them too', async (t) => {
  const { tokens, tokenId, authorization, cookie, socketBy, streamBy, pass } = await openBench(t)
  const own = [await socketBy({ authorization }), await streamBy({ authorization })]
  const other = await socketBy({ cookie })
  await tokens.revoke(tokenId)
  await pass(1)
  await until('those of the token are over', () => own.every((isOver) => isOver()))
  assert.equal(other(), false)
})

test('what lasts keeps no session alive: when nothing else is asked, the session ends, and with it what lasts', async (t) => {
  const { access, secret, cookie, streamBy, pass } = await openBench(t)
  const isOver = await streamBy({ cookie })
  await pass(719)
  assert.deepEqual([isOver(), access.sessions.isOpen(secret)], [false, true])
  await pass(1)
  await until('it is over', isOver)
  assert.equal(access.sessions.isOpen(secret), false)
})
