// What is told of a real call that is recorded: over WebSocket, in order, and as the vocabulary says.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import { Check } from 'typebox/value'
import WebSocket from 'ws'
import { silentLogger } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import { type ApiEvent, apiEvent, type EventType, eventVocabulary } from '../../src/control/events/event-vocabulary.ts'
import { openTestProgram } from '../harness/open-program.ts'
import { Softphone } from '../harness/softphone.ts'
import { until } from '../harness/until.ts'

const flow = `
name: recorded
nodes:
  - { type: answer }
  - { type: callRecording, activity: start, callRecordingServer: '{{ input.recorders }}', wait: true }
  - { type: wait, ms: 60000 }
`

test('a recorded call is told from its start to its ledger, and so is what the recorder took', async (t) => {
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const recorder = recorders.recorderUri('tcp')
  const told = await hookOf(t, 'shared')
  process.env['EVENTS_TEST_SECRET'] = 'shared'
  const http = { webhooks: [{ url: told.url, secretVariable: 'EVENTS_TEST_SECRET', events: ['call.*'] }] }
  const gateway = await openTestProgram({ flow, http, gateway: { recording: { recorders: [recorder] } } })
  t.after(() => gateway.close())
  const sent = await eventsOf(gateway.httpUrl)
  const taken = await eventsOf(recorders.httpUrl)

  const ports = { clock: systemClock, ids: cryptoIds, log: silentLogger }
  const phone = await Softphone.open({ host: '127.0.0.1', transport: 'udp', ...ports })
  t.after(() => phone.close())
  const call = await phone.call(`sip:flow@127.0.0.1:${gateway.port('gateway', 'udp')}`)
  assert.equal(await call.answered, true)
  await until('it is recorded', () => typesOf(sent).includes('recording.started'))
  const { callId = '' } = sent.find(({ type }) => type === 'call.started') ?? {}
  for (const activity of ['pause', 'resume', 'stop']) {
    const response = await fetch(`${gateway.httpUrl}/api/calls/${callId}/recording`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ activity }),
    })
    assert.equal(response.status, 200, `${activity}: ${await response.text()} after ${typesOf(sent)}`)
  }
  await call.hangup()
  await until('the call is over', () => typesOf(sent).includes('call.ended'))
  await until('the ledger is told', () => typesOf(sent).includes('recording.closed'))
  await until('the recorder is done', () => typesOf(taken).includes('session.ended'))

  const ofRecording = typesOf(sent).filter((type) => type.startsWith('recording.'))
  assert.deepEqual(
    ofRecording.filter((type) => type !== 'recording.command'),
    ['recording.started', 'recording.paused', 'recording.resumed', 'recording.stopped', 'recording.closed'],
  )
  assert.deepEqual(
    sent.flatMap(({ type, data }) => (type === 'recording.command' ? [`${data['by']} ${data['activity']}`] : [])),
    ['flow start', 'rest pause', 'rest resume', 'rest stop'],
  )
  const ofCall = typesOf(sent).filter((type) => /^call\.(started|answered|ended)$/.test(type))
  assert.deepEqual(ofCall, ['call.started', 'call.answered', 'call.ended'])
  assert.deepEqual([typesOf(taken)[0], typesOf(taken).at(-1)], ['session.started', 'session.ended'])
  await until('the webhook heard of it', () => told.types.includes('call.ended'))
  assert.deepEqual(told.types, typesOf(sent.filter(({ type }) => type.startsWith('call.'))))
  const accepted = sent.find(({ type }) => type === 'recorder.accepted')
  assert.deepEqual([accepted?.callId, accepted?.recorder], [callId, recorder])
  const receipts = sent.find(({ type }) => type === 'recording.paused')?.data['receipts'] as readonly unknown[]
  assert.equal(receipts.length, 2)
  for (const event of [...sent, ...taken]) {
    assert.ok(Check(apiEvent, event), JSON.stringify(event))
    assert.ok(Check(eventVocabulary[event.type as EventType].data, event.data), JSON.stringify(event))
  }
})

test('events are streamed as server-sent events by the program, from the one that is known on', async (t) => {
  const gateway = await openTestProgram({ flow })
  t.after(() => gateway.close())
  const ports = { clock: systemClock, ids: cryptoIds, log: silentLogger }
  const phone = await Softphone.open({ host: '127.0.0.1', transport: 'udp', ...ports })
  t.after(() => phone.close())
  const stream = await streamOf(t, `${gateway.httpUrl}/api/events?types=call.*`)
  const call = await phone.call(`sip:flow@127.0.0.1:${gateway.port('gateway', 'udp')}`)
  assert.equal(await call.answered, true)
  await call.hangup()
  await until('the stream has told of the end', () => stream().some(({ type }) => type === 'call.ended'))
  const wanted = ['call.started', 'call.answered', 'call.ended']
  assert.deepEqual(
    stream()
      .map(({ type }) => type)
      .filter((type) => wanted.includes(type)),
    wanted,
  )
  for (const event of stream()) assert.ok(Check(apiEvent, event), JSON.stringify(event))
  const started = stream().find(({ type }) => type === 'call.started')
  const later = await streamOf(t, `${gateway.httpUrl}/api/events?types=call.*`, String(started?.id))
  await until('the later stream has the rest', () => later().length >= stream().length - 1)
  assert.deepEqual(later(), stream().slice(1))
})

/** The events that a stream of server-sent events has brought so far. */
async function streamOf(t: TestContext, url: string, lastEventId?: string): Promise<() => ApiEvent[]> {
  const headers = {
    accept: 'text/event-stream',
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  }
  const aborted = new AbortController()
  t.after(() => aborted.abort())
  const response = await fetch(url, { headers, signal: aborted.signal })
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  let text = ''
  const read = async (): Promise<void> => {
    for await (const part of response.body ?? []) text += Buffer.from(part).toString()
  }
  void read().catch(() => {})
  return () => [...text.matchAll(/^data: (.*)\n/gm)].map(([, data = '']) => JSON.parse(data) as ApiEvent)
}

/** A target of webhooks, and the types of the events that it got; what is not signed with `secret` is refused, and counts as not got. */
async function hookOf(t: TestContext, secret: string): Promise<{ readonly url: string; readonly types: string[] }> {
  const types: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      const { 'webhook-id': id, 'webhook-timestamp': sentAt, 'webhook-signature': signature } = request.headers
      const expected = createHmac('sha256', secret).update(`${id}.${sentAt}.${body}`).digest('base64')
      if (signature === `v1,${expected}`) types.push(JSON.parse(body).type)
      response.writeHead(signature === `v1,${expected}` ? 200 : 401).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`, types }
}

function typesOf(events: readonly ApiEvent[]): string[] {
  return events.map(({ type }) => type)
}

/** The events of a program from now on. */
async function eventsOf(httpUrl: string): Promise<ApiEvent[]> {
  const events: ApiEvent[] = []
  const socket = new WebSocket(`${httpUrl.replace('http', 'ws')}/api/events`)
  socket.on('message', (data) => events.push(JSON.parse(String(data))))
  socket.on('error', () => {})
  await once(socket, 'open')
  return events
}
