// Recording sessions that the recorder opens; the client writes raw SIP.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { tone } from '#audio'
import { directionOf, labelOf, parseSdp } from '#sdp'
import type { SipBody } from '#sip'
import { RECORDER_IP, RecorderBench, type RecorderBenchOptions, STRICT } from '../../test/harness/recorder.ts'
import { metadata, offer, withMetadata } from '../../test/harness/recording-offer.ts'
import type { Received, RequestParts, ResponseParts, ScriptedPeer } from '../../test/harness/scripted-peer.ts'

type Invited = Awaited<ReturnType<RecorderBench['server']['invite']>>

interface Scene {
  readonly bench: RecorderBench
  readonly peer: ScriptedPeer
  readonly invite: Received
  readonly invited: Promise<Invited>
  next(what: string | number): Promise<Received>
  /** 200 to the INVITE. */
  accept(body?: SipBody, parts?: ResponseParts): void
  /** Sends a request of the client within the dialog. */
  send(method: string, cseq: number, parts?: RequestParts): void
}

/** A recorder that has sent its INVITE. */
async function openScene(t: TestContext, options: RecorderBenchOptions = {}): Promise<Scene> {
  const bench = await RecorderBench.open(t, options)
  const peer = bench.network.scriptedPeer('192.0.2.60')
  const contact = `${peer.contact()};+sip.src`
  const next = async (what: string | number): Promise<Received> => {
    await bench.until(() => peer.count(what) > 0)
    return peer.take(what)
  }
  const invited = bench.server.invite(`sip:src@${peer.ip}`)
  const invite = await next('INVITE')
  const { headers } = invite.message
  const accept = (body?: SipBody, parts: ResponseParts = {}): void => {
    const text = body && { contentType: body.contentType, body: Buffer.from(body.content).toString() }
    peer.respond(invite, 200, { tag: 'client', contact, ...text, ...parts })
  }
  const send = (method: string, cseq: number, parts: RequestParts = {}): void => {
    const from = `${headers.get('To')};tag=client`
    const ids = { from, to: headers.get('From') ?? '', callId: headers.get('Call-ID') ?? '', contact, cseq }
    peer.request(method, { host: RECORDER_IP }, { ...ids, ...parts })
  }
  return { bench, peer, invite, invited, next, accept, send }
}

test('SRS-15, SRS-03: our INVITE has Require: siprec and +sip.srs but no offer; the answer is in the ACK, and the session is one like any other', async (t) => {
  const { bench, peer, invite, invited, next, accept, send } = await openScene(t)
  const { headers, body } = invite.message
  assert.equal(body.length, 0)
  assert.equal(headers.get('Content-Type'), undefined)
  assert.deepEqual(headers.list('Require'), ['siprec'])
  assert.match(headers.get('Contact') ?? '', />;\+sip\.srs$/)
  assert.match(headers.get('Accept') ?? '', /application\/sdp.*application\/rs-metadata\+xml.*multipart\/mixed/)

  accept(withMetadata(offer([{ attributes: ['sendonly', 'label:7'] }]), metadata('Bob')))
  const ack = await next('ACK')
  assert.equal(ack.message.headers.get('Content-Type'), 'application/sdp')
  const answer = parseSdp(ack.message.body)
  assert.ok(answer.ok)
  const [media] = answer.value.media
  assert.ok(media)
  assert.deepEqual([answer.value.media.length, labelOf(media), directionOf(media, answer.value)], [1, '7', 'recvonly'])
  const result = await bench.settled(invited)
  assert.ok(result.ok)
  assert.equal((await bench.server.sessions())[0]?.recordingId, result.value)

  const source = await bench.source({ ports: [media.port] }, 0)
  await bench.talk([source, tone(440, 400)])
  send('INVITE', 1, { body: Buffer.from(offer([{ attributes: ['inactive', 'label:7'] }], 2).content).toString() })
  const reanswered = await next(200)
  assert.match(reanswered.text, /^a=inactive\r$/m)
  assert.match(reanswered.message.headers.get('Contact') ?? '', />;\+sip\.srs/)
  send('ACK', 1)
  send('BYE', 2)
  await next(200)
  await bench.until(() => bench.eventTypes().includes('ended'))
  assert.deepEqual(bench.eventTypes(), ['started', 'first-packet', 'paused', 'ended'])

  const event = bench.events.find((one) => one.type === 'ended')
  assert.ok(event?.type === 'ended')
  const { manifest } = event
  assert.equal(manifest.state, 'published')
  assert.equal(manifest.streams[0]?.totals.packets, 20)
  assert.deepEqual(
    manifest.metadata.map(({ transaction }) => transaction),
    ['INVITE 1'],
  )
  assert.equal(manifest.facts.participants[0]?.name, 'Bob')
  const { toUri, source: host, transport, ended } = manifest.facts.sip
  assert.deepEqual([toUri, host, transport, ended], [`sip:src@${peer.ip}`, peer.ip, 'udp', 'remote-bye'])
  const row = await bench.settled(bench.catalogue.get(result.value))
  assert.equal(row?.state, 'published')
})

test('SRS-15: the recorder ends a session of its own with BYE', async (t) => {
  const { bench, peer, invited, next, accept } = await openScene(t)
  accept(offer())
  await next('ACK')
  assert.ok((await bench.settled(invited)).ok)
  const stopped = bench.server.stop()
  peer.respond(await next('BYE'), 200)
  await bench.settled(stopped)
  assert.equal((await bench.server.sessions()).length, 0)
  assert.ok(bench.eventTypes().includes('ended'))
})

test('SRS-15: a client that refuses leaves no session, and its status is told', async (t) => {
  const { bench, peer, invite, invited, next } = await openScene(t)
  peer.respond(invite, 403, { tag: 'client', reason: 'Forbidden' })
  await next('ACK')
  assert.deepEqual(await bench.settled(invited), { ok: false, error: { status: 403, reason: 'Forbidden' } })
  assert.equal(await bench.settled(bench.catalogue.count({})), 0)
})

test('SRS-15: an offer of nothing that we can take is answered with port 0 in the ACK, and BYE follows', async (t) => {
  const { bench, peer, invited, next, accept } = await openScene(t)
  accept(offer([{ kind: 'application', formats: '97', attributes: ['label:v'] }]))
  const ack = await next('ACK')
  assert.match(ack.text, /^m=application 0 RTP\/AVP 97\r$/m)
  peer.respond(await next('BYE'), 200)
  const result = await bench.settled(invited)
  assert.ok(!result.ok)
  assert.equal(result.error.status, 488)
  assert.equal((await bench.server.sessions()).length, 0)
})

test('SRS-15: a 200 without an offer gets an ACK without an answer, and BYE', async (t) => {
  const { bench, peer, invited, next, accept } = await openScene(t)
  accept()
  assert.equal((await next('ACK')).message.body.length, 0)
  peer.respond(await next('BYE'), 200)
  const result = await bench.settled(invited)
  assert.ok(!result.ok)
  assert.equal(result.error.status, 488)
})

test('SRS-15: strict takes no session of a client without +sip.src in its 200', async (t) => {
  const { bench, peer, invited, next, accept } = await openScene(t, { policyFor: () => STRICT })
  accept(offer(), { contact: peer.contact() })
  assert.match((await next('ACK')).text, /^m=audio 0 /m)
  peer.respond(await next('BYE'), 200)
  const result = await bench.settled(invited)
  assert.ok(!result.ok)
  assert.equal(result.error.status, 403)
})

test('SRS-15: a client that hangs up before our ACK leaves no open session', async (t) => {
  const { bench, invited, next, accept, send } = await openScene(t)
  accept(offer())
  send('BYE', 1)
  await next(200)
  await bench.settled(invited)
  await bench.until(() => bench.eventTypes().includes('ended'))
  assert.equal((await bench.server.sessions()).length, 0)
})

test('SRS-15: draining takes an unanswered INVITE back, and sends no other', async (t) => {
  const { bench, peer, invite, invited, next } = await openScene(t)
  peer.respond(invite, 180, { tag: 'client' })
  await bench.until(() => bench.clock.nowMs() > 0)
  const drained = bench.server.drain()
  peer.respond(await next('CANCEL'), 200)
  peer.respond(invite, 487, { tag: 'client' })
  const result = await bench.settled(invited)
  assert.ok(!result.ok)
  assert.equal(result.error.status, 487)
  await bench.settled(drained)
  const refused = await bench.settled(bench.server.invite(`sip:src@${peer.ip}`))
  assert.ok(!refused.ok)
  assert.equal(refused.error.status, 503)
})
