import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import WebSocket from 'ws'
import { ManualClock } from '#kernel'
import { httpFixture, withApp } from '../../../test/harness/http-fixture.ts'
import { until } from '../../../test/harness/until.ts'
import { createHttpServer } from '../http-server.ts'
import { EventLog } from './event-log.ts'
import type { ApiEvent } from './event-vocabulary.ts'

interface Bench {
  readonly log: EventLog
  readonly clock: ManualClock
  readonly url: string
}

async function withServer(use: (bench: Bench) => Promise<void>): Promise<void> {
  const clock = new ManualClock()
  const log = new EventLog({ clock, keep: 1_000 })
  const server = await createHttpServer({ ...httpFixture().options, clock, events: log })
  try {
    await use({ log, clock, url: `127.0.0.1:${server.address.port}/api/events` })
  } finally {
    await server.close()
  }
}

function answered(log: EventLog, ...calls: readonly string[]): void {
  for (const callId of calls) log.add({ type: 'call.answered', callId, data: {} })
}

/** A socket that is open, and the calls of the events that it got. */
async function listener(url: string): Promise<{ readonly socket: WebSocket; readonly calls: string[] }> {
  const socket = new WebSocket(`ws://${url}`)
  const calls: string[] = []
  socket.on('message', (data) => calls.push((JSON.parse(String(data)) as ApiEvent).callId ?? '?'))
  await once(socket, 'open')
  return { socket, calls }
}

test('events are listed from an id on', () => {
  const log = new EventLog({ clock: new ManualClock(), keep: 10 })
  return withApp(
    async (app) => {
      answered(log, 'a', 'b', 'c')
      const list = async (query: string): Promise<readonly [number, unknown]> => {
        const { lastId, items } = (await app.inject(`/api/events?${query}`)).json()
        return [lastId, (items as ApiEvent[]).map(({ callId, type }) => callId ?? type)]
      }
      assert.deepEqual(await list(`after=${log.lastId - 2}`), [log.lastId, ['b', 'c']])
      assert.deepEqual(await list(`after=${log.lastId - 2}&limit=1`), [log.lastId, ['b']])
      assert.deepEqual(await list('types=recording.*'), [log.lastId, []])
      assert.equal((await app.inject('/api/events?after=x')).statusCode, 400)
    },
    { events: log },
  )
})

test('a WebSocket gets what it missed, then each event as it comes', () =>
  withServer(async ({ log, url }) => {
    answered(log, 'a', 'b')
    const { socket, calls } = await listener(`${url}?after=${log.lastId - 1}&types=call.answered`)
    await until('the missed one is there', () => calls.length === 1)
    log.add({ type: 'recorder.up', recorder: 'sip:srs', data: {} })
    answered(log, 'c')
    await until('the new one is there', () => calls.length === 2)
    assert.deepEqual(calls, ['b', 'c'])
    socket.close()
    await once(socket, 'close')
  }))

test('a WebSocket without an answer to a ping is ended, one that answers is not', () =>
  withServer(async ({ log, clock, url }) => {
    const alive = await listener(url)
    const dead = new WebSocket(`ws://${url}`, { autoPong: false })
    await once(dead, 'open')
    const isPinged = once(dead, 'ping')
    const isAlivePinged = once(alive.socket, 'ping')
    clock.advance(30_000)
    await Promise.all([isPinged, isAlivePinged])
    const gone = once(dead, 'close')
    // The answer of the living one needs a turn through the socket: an event after it proves that it was read.
    await once(
      new WebSocket(`ws://${url}`).on('error', () => {}),
      'open',
    )
    clock.advance(30_000)
    await gone
    answered(log, 'still')
    await until('the living one hears', () => alive.calls.includes('still'))
    alive.socket.terminate()
  }))

test('a WebSocket that does not read holds back no more than its share, and gets the rest when it reads', () =>
  withServer(async ({ log, url }) => {
    const { socket, calls } = await listener(url)
    socket.pause()
    const to = 'x'.repeat(20_000)
    for (let at = 0; at < 900; at += 1) {
      log.add({ type: 'call.started', callId: `${at}`, data: { direction: 'inbound', to } })
    }
    socket.resume()
    await until('all are there', () => calls.length === 900)
    assert.deepEqual(
      calls,
      Array.from({ length: 900 }, (_, at) => `${at}`),
    )
    socket.terminate()
  }))

test('server-sent events go on from Last-Event-ID, and say that they are there while it is quiet', () =>
  withServer(async ({ log, clock, url }) => {
    answered(log, 'a', 'b')
    const abort = new AbortController()
    const response = await fetch(`http://${url}`, {
      headers: { accept: 'text/event-stream', 'last-event-id': `${log.lastId - 1}` },
      signal: abort.signal,
    })
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const readUntil = async (part: string): Promise<void> => {
      while (!text.includes(part)) text += (await reader.read()).value
    }
    await readUntil('"b"')
    answered(log, 'c')
    await readUntil('"c"')
    assert.match(text, new RegExp(`id: ${log.lastId}\\nevent: call\\.answered\\ndata: \\{.*"c".*\\}\\n\\n`))
    assert.doesNotMatch(text, /"a"/)
    clock.advance(15_000)
    await readUntil(': here')
    abort.abort()
    await until('the stream is forgotten', () => clock.pendingNames().length === 0)
  }))

test('closing ends streams and sockets', async () => {
  const clock = new ManualClock()
  const events = new EventLog({ clock, keep: 10 })
  const server = await createHttpServer({ ...httpFixture().options, clock, events })
  const url = `127.0.0.1:${server.address.port}/api/events`
  const { socket } = await listener(url)
  const response = await fetch(`http://${url}`, { headers: { accept: 'text/event-stream' } })
  const closed = once(socket, 'close')
  const text = response.text().catch(() => 'cut')
  await server.close()
  await Promise.all([closed, text])
  await until('no timer is left', () => clock.pendingNames().length === 0)
})
