// What a recorder does with requests that come out of order, twice at a time, or without an offer; the peer writes raw SIP.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { type TestContext, test } from 'node:test'
import { parseSdp } from '#sdp'
import { RECORDER_IP, RecorderBench } from '../../test/harness/recorder.ts'
import { bareMetadata, type Line, offer } from '../../test/harness/recording-offer.ts'
import type { Received, RequestParts, ScriptedPeer } from '../../test/harness/scripted-peer.ts'

const SENDING: Line = { attributes: ['sendonly', 'label:1'] }
const PAUSED: Line = { attributes: ['inactive', 'label:1'] }

const sdpText = (lines: Line[], version = 1): string => Buffer.from(offer(lines, version).content).toString()

interface Scene {
  readonly bench: RecorderBench
  readonly peer: ScriptedPeer
  /** Sends a request within the dialog, without waiting. */
  send(method: string, cseq: number, parts?: RequestParts): void
  /** The next message of a method or status. */
  next(what: string | number): Promise<Received>
  /** Sends a request within the dialog and waits for a status. */
  ask(method: string, cseq: number, status: number, parts?: RequestParts): Promise<Received>
}

/** A recording session whose client is the test itself; its INVITE has CSeq 10. */
async function openScene(t: TestContext): Promise<Scene> {
  const bench = await RecorderBench.open(t)
  const peer = bench.network.scriptedPeer('192.0.2.50')
  const to = { host: RECORDER_IP }
  const next = async (what: string | number): Promise<Received> => {
    await bench.until(() => peer.count(what) > 0)
    return peer.take(what)
  }
  const headers = ['Require: siprec']
  const contact = `${peer.contact()};+sip.src`
  peer.request('INVITE', to, { cseq: 10, contact, headers, body: sdpText([SENDING]) })
  const accepted = await next(200)
  const remote = accepted.message.headers.get('To') ?? ''
  const send = (method: string, cseq: number, parts: RequestParts = {}): void => {
    peer.request(method, to, { to: remote, contact, cseq, ...parts })
  }
  send('ACK', 10)
  const ask = async (method: string, cseq: number, status: number, parts?: RequestParts): Promise<Received> => {
    send(method, cseq, parts)
    return await next(status)
  }
  t.after(() => send('BYE', 1000))
  return { bench, peer, send, next, ask }
}

async function isPaused(bench: RecorderBench): Promise<boolean | undefined> {
  return (await bench.server.sessions())[0]?.isPaused
}

test('SRS-21: a request with a lower CSeq gets 500 and changes neither streams nor metadata', async (t) => {
  const { bench, ask } = await openScene(t)
  await ask('UPDATE', 20, 200, { body: sdpText([SENDING], 2) })
  const document = bareMetadata('Mallory')
  const body = Buffer.from(document.content).toString()
  await ask('UPDATE', 15, 500, { body: sdpText([PAUSED], 3) })
  await ask('UPDATE', 19, 500, { contentType: document.contentType, body })
  assert.equal(await isPaused(bench), false)
  assert.deepEqual((await bench.server.sessions())[0]?.facts.participants, [])
  await ask('UPDATE', 21, 200, { contentType: document.contentType, body })
  await bench.until(() => bench.eventTypes().includes('metadata'))
  await ask('UPDATE', 22, 200, { body: sdpText([PAUSED], 3) })
  assert.equal(await isPaused(bench), true)
})

test('SRS-21: a gap of 50 in CSeq is fine', async (t) => {
  const { bench, ask } = await openScene(t)
  await ask('UPDATE', 60, 200, { body: sdpText([PAUSED], 2) })
  assert.equal(await isPaused(bench), true)
  await ask('UPDATE', 110, 200, { body: sdpText([SENDING], 3) })
  assert.equal(await isPaused(bench), false)
})

test('SRS-21: re-INVITE, UPDATE and BYE of an unknown dialog get 481, and the session that is known goes on', async (t) => {
  const { bench, ask } = await openScene(t)
  for (const [index, method] of ['INVITE', 'UPDATE', 'BYE'].entries()) {
    const to = '<sip:service@192.0.2.9>;tag=nobody'
    const response = await ask(method, 20 + index, 481, { to, body: sdpText([PAUSED], 2) })
    assert.match(response.text, new RegExp(`CSeq: ${20 + index} ${method}`))
  }
  assert.equal(await isPaused(bench), false)
  assert.equal((await bench.server.sessions()).length, 1)
})

test('SRS-20: an UPDATE while another is unanswered gets 500 with Retry-After from 0 to 10, and only the first is applied', async (t) => {
  const { bench, send, next } = await openScene(t)
  send('UPDATE', 20, { body: sdpText([PAUSED], 2) })
  send('UPDATE', 21, { body: sdpText([SENDING], 3) })
  const refused = await next(500)
  assert.match(refused.text, /^CSeq: 21 UPDATE\r$/m)
  assert.match(refused.message.headers.get('Retry-After') ?? '', /^(?:\d|10)$/)
  const taken = await next(200)
  assert.match(taken.text, /^CSeq: 20 UPDATE\r$/m)
  assert.match(taken.text, /^a=inactive\r$/m)
  assert.equal(await isPaused(bench), true)
})

test('SRS-20: an UPDATE with an offer while a re-INVITE is unanswered gets 500 with Retry-After', async (t) => {
  const { bench, send, next } = await openScene(t)
  send('INVITE', 20, { body: sdpText([PAUSED], 2) })
  send('UPDATE', 21, { body: sdpText([SENDING], 3) })
  assert.match((await next(500)).message.headers.get('Retry-After') ?? '', /^(?:\d|10)$/)
  assert.match((await next(200)).text, /^CSeq: 20 INVITE\r$/m)
  send('ACK', 20)
  assert.equal(await isPaused(bench), true)
})

test('SRS-14, SRS-02: the answer in the ACK of an offerless re-INVITE is applied', async (t) => {
  const { bench, peer, send, ask } = await openScene(t)
  for (const [cseq, line, paused] of [
    [20, PAUSED, true],
    [21, SENDING, false],
  ] as const) {
    const accepted = await ask('INVITE', cseq, 200)
    assert.match(accepted.message.headers.get('Contact') ?? '', />;\+sip\.srs/)
    const ours = parseSdp(accepted.message.body)
    assert.ok(ours.ok)
    assert.equal(ours.value.media.length, 1)
    assert.match(accepted.text, /^a=recvonly\r$/m)
    send('ACK', cseq, { body: sdpText([line], cseq) })
    const event = paused ? 'paused' : 'resumed'
    await bench.until(() => bench.eventTypes().includes(event))
    assert.equal(await isPaused(bench), paused)
  }
  assert.equal(peer.count('BYE'), 0)
})

test('SRS-19: a hold with c=0.0.0.0 stops RTCP to the announced port, which the system would take for this host', async (t) => {
  const { bench, ask } = await openScene(t)
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  t.after(() => socket.close())
  let reports = 0
  socket.on('message', () => {
    reports += 1
  })
  const line = { attributes: ['sendonly', 'label:1', `rtcp:${socket.address().port}`] }
  await ask('UPDATE', 20, 200, { body: sdpText([{ ...line, connection: '0.0.0.0' }], 2) })
  assert.equal(await isPaused(bench), true)
  for (let second = 0; second < 30; second++) {
    bench.clock.advance(1000)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  assert.equal(reports, 0)
  await ask('UPDATE', 21, 200, { body: sdpText([line], 3) })
  assert.equal(await isPaused(bench), false)
  bench.clock.advance(10_000)
  await bench.until(() => reports > 0)
})

test('RTP-04: an offer with a=rtcp-mux is answered without it, and reports come from the port after the RTP port', async (t) => {
  const { bench, ask } = await openScene(t)
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  t.after(() => socket.close())
  const sources: number[] = []
  socket.on('message', (_datagram, from) => sources.push(from.port))
  const line = { attributes: ['sendonly', 'label:1', 'rtcp-mux', `rtcp:${socket.address().port}`] }
  const answered = await ask('UPDATE', 20, 200, { body: sdpText([line], 2) })
  assert.doesNotMatch(answered.text, /rtcp-mux/)
  const answer = parseSdp(answered.message.body)
  assert.ok(answer.ok)
  bench.clock.advance(10_000)
  await bench.until(() => sources.length > 0)
  assert.equal(sources[0], answer.value.media[0]!.port + 1)
})

test('SRS-23: OPTIONS gets 503 with Retry-After while full or draining; within a session it gets 200', async (t) => {
  const bench = await RecorderBench.open(t, { maxSessions: 1 })
  const peer = bench.network.scriptedPeer('192.0.2.50')
  const probe = async (status: number): Promise<Received> => {
    peer.request('OPTIONS', { host: RECORDER_IP }, { callId: `probe-${bench.network.passages.length}` })
    await bench.until(() => peer.count(status) > 0)
    return peer.take(status)
  }
  assert.match((await probe(200)).message.headers.get('Accept') ?? '', /application\/rs-metadata\+xml/)
  const session = await bench.start(offer())
  assert.match((await probe(503)).message.headers.get('Retry-After') ?? '', /^\d+$/)
  const drained = bench.server.drain()
  assert.equal((await bench.settled(session.dialog.request('OPTIONS'))).status, 200)
  await bench.end(session)
  await bench.settled(drained)
  assert.match((await probe(503)).message.headers.get('Retry-After') ?? '', /^\d+$/)
})
