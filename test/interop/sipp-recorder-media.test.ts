// Recorders of SIPp and what comes to their ports: in parallel, after a loss, from the spool, masked, paused for a while, over TLS and SRTP, with video.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { decodePcmu, goertzelPower } from '#audio'
import { RtpParty } from '../engine/rtp-party.ts'
import { parseRtp, type RtpPacket } from '../foreign/rtp-wire.ts'
import { headerOf } from '../foreign/sip-text.ts'
import { cryptoLine, freshKey, keyOfLine, SrtpSide, type Suite } from '../foreign/srtp-wire.ts'
import { SipRelay } from '../harness/sip-relay.ts'
import { bodiesIn, offersIn } from '../harness/sipp-log.ts'
import {
  openAnsweringRecorder,
  openSippRecorder,
  packetsDuring,
  type SippRecorder,
  sdpLines,
  untilHeard,
} from '../harness/sipp-recorder.ts'
import { CALLEE_HZ, CALLER_HZ, openPhone, openTalk, openTestGateway, placeTalk, type Talk } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('sipp')

const DEADLINE_MS = 30_000
const LINES = [0, 1] as const
/** Half a second. */
const SAMPLES = 4_000
const FRAME_SAMPLES = 160

/** The RTP packets that came on an m-line. */
const rtpAt = (recorder: SippRecorder, line: number): RtpPacket[] =>
  recorder.datagrams(line).flatMap(({ bytes }) => {
    const packet = parseRtp(bytes)
    return packet === undefined || (packet.payloadType >= 64 && packet.payloadType <= 95) ? [] : [packet]
  })

/** The ids of the first document that came to a recorder, in their order. */
async function idsAt(recorder: SippRecorder): Promise<string[]> {
  const [first] = bodiesIn(await recorder.messages())
  return [...(first?.xml ?? '').matchAll(/(?:session_id|participant_id|stream_id)="([^"]+)"/g)].map(([, id = '']) => id)
}

/** Waits until each party is heard on its own line alone. */
async function assertVoices(recorder: SippRecorder): Promise<void> {
  for (const [line, own, other] of [
    [0, CALLER_HZ, CALLEE_HZ],
    [1, CALLEE_HZ, CALLER_HZ],
  ] as const) {
    const last = (): Int16Array => recorder.audio(line).subarray(-SAMPLES)
    const isHeard = (): boolean => last().length === SAMPLES && goertzelPower(last(), 8000, own) > 0.9
    await until(`${own} Hz is heard`, isHeard, DEADLINE_MS)
    assert.ok(goertzelPower(last(), 8000, other) < 0.01)
  }
}

test('SRC-18: two recorders in parallel get the same ids in dialogs and streams of their own, and one that refuses leaves both alone', async (t) => {
  const [one, two] = [await openAnsweringRecorder(t), await openAnsweringRecorder(t)]
  const refusing = await openSippRecorder(t, 'recorder-refusing', {
    status_line: 'SIP/2.0 486 Busy Here',
    header: 'Server: busy',
  })
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', [one.uri, refusing.uri, two.uri].join(','))).status, 200)
  await refusing.succeeded()
  for (const recorder of [one, two]) await assertVoices(recorder)
  const ids = await idsAt(one)
  assert.ok(ids.length > 4)
  assert.deepEqual(await idsAt(two), ids)
  const offers = await Promise.all([one, two].map(async (recorder) => offersIn(await recorder.messages())[0]!))
  const own = offers.map(({ message, sdp }) => [
    headerOf(message, 'Call-ID'),
    headerOf(message, 'From'),
    ...sdp.media.map(({ port }) => `${port}`),
  ])
  for (const [at, value] of own[0]!.entries()) assert.notEqual(value, own[1]![at])
  for (const line of LINES) assert.notEqual(rtpAt(one, line)[0]?.ssrc, rtpAt(two, line)[0]?.ssrc)
  await talk.assertUndisturbed()
  await talk.end()
  for (const recorder of [one, two]) await recorder.succeeded()
})

test('SRC-63: the recorder after a lost one has the same ids, and first all that was said meanwhile, marked, in order and without a hole', async (t) => {
  const relay = await SipRelay.open(t, 'tcp')
  const leaving = await openSippRecorder(t, 'recorder-leaving-resumed')
  const next = await openAnsweringRecorder(t, undefined, { relay })
  const talk = await openTalk(t, { gateway: { recording: { replaySeconds: 20 } } })
  assert.equal((await talk.rest('start', `${leaving.uri}|${next.uri}`)).status, 200, await leaving.messages())
  await untilHeard(leaving)
  relay.hold()
  // It has been told what was to be told by then, and hangs up.
  for (const activity of ['pause', 'resume'] as const) assert.equal((await talk.rest(activity)).status, 200)
  await leaving.succeeded()
  await until('the next has answered', () => relay.isHolding, DEADLINE_MS)
  const from = talk.caller.heard().length
  await until('a second is missed', () => talk.caller.heard().length >= from + 2 * SAMPLES, DEADLINE_MS)
  const missed = talk.caller.heard().length - from
  relay.release()
  for (const line of LINES) {
    // All of it, though it was sent after all of it had been said.
    const isCaughtUp = (): boolean =>
      next.packets(line) * FRAME_SAMPLES >= talk.caller.heard().length - from - 2 * FRAME_SAMPLES
    await until('what was said meanwhile has come', isCaughtUp, DEADLINE_MS)
    const packets = rtpAt(next, line)
    for (const [at, { sequence, timestamp, ssrc }] of packets.slice(1).entries()) {
      const before = packets[at]!
      assert.deepEqual(
        [(sequence - before.sequence) & 0xffff, (timestamp - before.timestamp) >>> 0, ssrc],
        [1, FRAME_SAMPLES, before.ssrc],
      )
    }
  }
  await assertVoices(next)
  const marks = async (): Promise<string[]> =>
    bodiesIn(await next.messages()).flatMap(({ xml }) => /<[^>]*replayed[^>]* from="[^"]+"/.exec(xml ?? '') ?? [])
  await until('it is told that this had been said before', async () => (await marks()).length > 0, DEADLINE_MS)
  assert.deepEqual(await idsAt(next), await idsAt(leaving))
  const row = (await talk.view()).recording?.ledger.find(({ recorder }) => recorder === next.uri)
  assert.ok((row?.packetsReplayed ?? 0) >= (missed / FRAME_SAMPLES) * LINES.length - 4, JSON.stringify(row))
  await talk.assertUndisturbed()
  await talk.end()
  await next.succeeded()
})

test('SRC-63: what no recorder could be had for is delivered later by a session of its own, each voice on its line', async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'spool-'))
  t.after(() => rm(place, { recursive: true, force: true }))
  const relay = await SipRelay.open(t, 'tcp')
  const recorder = await openAnsweringRecorder(t, undefined, { relay })
  const refusing = await openSippRecorder(t, 'recorder-refusing', {
    status_line: 'SIP/2.0 503 Service Unavailable',
    header: 'Server: busy',
  })
  relay.leadTo(refusing.port)
  const spool = { folder: join(place, 'spool'), keyFile: join(place, 'key', 'spool.key'), minFreeBytes: 0 }
  const talk = await openTalk(t, { gateway: { recording: { spool, health: { intervalMs: 0 } } } })
  const started = await talk.rest('start', recorder.uri)
  assert.deepEqual([started.status, /spooled/.test(started.text)], [200, true], started.text)
  const from = talk.caller.heard().length
  await until('two seconds are said', () => talk.caller.heard().length > from + 4 * SAMPLES, DEADLINE_MS)
  await talk.end()
  const { opened } = talk
  const isKept = (): boolean => opened.log.lines.some(({ fields }) => fields['event'] === 'spool.kept')
  await until('it is kept', isKept, DEADLINE_MS)
  await refusing.succeeded()
  assert.equal(await recorder.messages().catch(() => ''), '')
  relay.leadTo(recorder.port)
  opened.program.gateway?.recordingClient.deliverSpooled()
  await recorder.succeeded()
  await assertVoices(recorder)
  for (const line of LINES) assert.ok(recorder.audio(line).length >= 4 * SAMPLES, 'all of it')
  const documents = bodiesIn(await recorder.messages()).flatMap(({ xml }) => xml ?? [])
  assert.match(documents.at(-1) ?? '', /<stop-time>/)
})

test('SEC-28: while keys are masked no telephone-event comes, speech goes on without a hole, and after it keys come again', async (t) => {
  const lines = (port: number, direction: string): string =>
    sdpLines(
      `m=audio ${port} RTP/AVP 0 101`,
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      `a=${direction}`,
    )
  const recorder = await openAnsweringRecorder(t, (ports, direction) =>
    ports.map((port) => lines(port, direction)).join(''),
  )
  const talk = await openTalk(t)
  const keys = (): number => rtpAt(recorder, 0).filter(({ payloadType }) => payloadType === 101).length
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  await untilHeard(recorder)
  assert.equal((await talk.rest('mask')).status, 200)
  await talk.caller.sendDigits('5')
  // What is sent after the key comes after it.
  await untilHeard(recorder, 30, 0)
  assert.equal(keys(), 0)
  const packets = rtpAt(recorder, 0)
  for (const [at, { sequence }] of packets.slice(1).entries()) {
    assert.equal((sequence - packets[at]!.sequence) & 0xffff, 1)
  }
  assert.equal((await talk.rest('unmask')).status, 200)
  await talk.caller.sendDigits('6')
  await until('the next key comes', () => keys() > 0, DEADLINE_MS)
  await talk.end()
  await recorder.succeeded()
})

test('FLOW-13: a pause with a deadline is offered inactive and ends by itself: sendonly, and speech after a gap as long as the pause', async (t) => {
  const recorder = await openAnsweringRecorder(t)
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  await untilHeard(recorder)
  const response = await fetch(`${talk.opened.httpUrl}/api/calls/${talk.callId}/recording`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ activity: 'pause', limit: { maxSeconds: 1 } }),
  })
  assert.equal(response.status, 200)
  const ways = async (): Promise<string[]> =>
    offersIn(await recorder.messages()).map(({ sdp }) => sdp.media.map(({ direction }) => direction).join())
  await until('it is resumed', async () => (await ways()).length >= 3, DEADLINE_MS)
  assert.deepEqual(await ways(), ['sendonly,sendonly', 'inactive,inactive', 'sendonly,sendonly'])
  for (const line of LINES) {
    await untilHeard(recorder, 20, line)
    const packets = rtpAt(recorder, line)
    const gaps = packets.slice(1).map(({ timestamp }, at) => (timestamp - packets[at]!.timestamp) >>> 0)
    const [gap = 0, ...others] = gaps.filter((one) => one > 2 * FRAME_SAMPLES)
    assert.ok(gap >= 2 * SAMPLES - 2 * FRAME_SAMPLES && others.length === 0, `${gap} ${others.join()}`)
  }
  await talk.end()
  await recorder.succeeded()
})

const SUITE: Suite = 'AES_CM_128_HMAC_SHA1_80'

/** A recorder over TLS that takes SRTP; its own keys are for its reports. */
async function openSecured(t: TestContext): Promise<SippRecorder> {
  const keys = LINES.map(() => freshKey(SUITE))
  return await openAnsweringRecorder(
    t,
    (ports, direction) =>
      ports
        .map((port, line) =>
          sdpLines(
            `m=audio ${port} RTP/SAVP 0`,
            'a=rtpmap:0 PCMU/8000',
            `a=crypto:${cryptoLine(keys[line]!)}`,
            `a=${direction}`,
          ),
        )
        .join(''),
    { relay: await SipRelay.open(t, 'tls') },
  )
}

/** What an m-line says by the key that was offered for it. */
async function assertSecured(recorder: SippRecorder, talk: Talk): Promise<string[]> {
  await talk.assertUndisturbed()
  const offer = offersIn(await recorder.messages())[0]!
  assert.match(headerOf(offer.message, 'Via') ?? '', /^SIP\/2\.0\/TLS /)
  return LINES.map((line) => {
    const { profile, attributes } = offer.sdp.media[line]!
    assert.equal(profile, 'RTP/SAVP')
    const key = keyOfLine(attributes, SUITE)
    const side = new SrtpSide(key)
    const packets = recorder.datagrams(line).filter(({ bytes }) => (bytes[1]! & 0x7f) === 0)
    const plain = packets.map(({ bytes }) => side.openRtp(bytes))
    assert.ok(plain.length > 25)
    for (const one of plain) assert.ok(one !== undefined, 'authentic under the offered key')
    const samples = decodePcmu(Buffer.concat(plain.map((one) => parseRtp(one!)!.payload))).subarray(-SAMPLES)
    assert.ok(goertzelPower(samples, 8000, line === 0 ? CALLER_HZ : CALLEE_HZ) > 0.9)
    return key.material.toString('base64')
  })
}

test('FLOW-19, SEC-07, SEC-08, SEC-10: two recorders over TLS have each voice over SRTP, by four keys', async (t) => {
  const recorders = [await openSecured(t), await openSecured(t)]
  const talk = await openTalk(t, {
    tls: true,
    gateway: { recording: { profiles: [{ name: 'secured', media: { srtp: [SUITE] } }] } },
  })
  assert.equal((await talk.rest('start', recorders.map(({ uri }) => uri).join(','))).status, 200)
  for (const recorder of recorders) for (const line of LINES) await untilHeard(recorder, 40, line)
  const keys = [await assertSecured(recorders[0]!, talk), await assertSecured(recorders[1]!, talk)].flat()
  assert.equal(new Set(keys).size, 4)
  await talk.end()
  for (const recorder of recorders) await recorder.succeeded()
})

const H264 = 97

test('FLOW-22: of a video call a recorder that refuses one picture has the other and both voices', async (t) => {
  const recorder = await openAnsweringRecorder(
    t,
    (ports, direction) =>
      ports
        .map((port, line) =>
          line < 2
            ? sdpLines(`m=audio ${port} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000', `a=${direction}`)
            : sdpLines(
                `m=video ${line === 2 ? port : 0} RTP/AVP ${H264}`,
                `a=rtpmap:${H264} H264/90000`,
                `a=${direction}`,
              ),
        )
        .join(''),
    { lines: 4 },
  )
  const phones = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')] as const
  const screens = [await RtpParty.open(), await RtpParty.open()] as const
  t.after(() => {
    for (const screen of screens) screen.close()
  })
  for (const [at, phone] of phones.entries()) phone.video = screens[at]!.remote
  const opened = await openTestGateway(t, { gateway: { routes: [{ match: 'bob', callee: phones[1].uri }] } })
  const talk = await placeTalk(opened, ...phones)
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  const [offer] = offersIn(await recorder.messages())
  assert.deepEqual(
    offer?.sdp.media.map(({ kind }) => kind),
    ['audio', 'audio', 'video', 'video'],
  )
  const pictures = [talk.caller, talk.callee].map((call, at) => {
    const toPort = call.videoRemote!.rtp.port
    let sent = 0
    return setInterval(() => {
      const header = { payloadType: H264, sequence: sent & 0xffff, timestamp: 1800 * sent++, ssrc: 0xa1 + at }
      screens[at]!.say(toPort, header, Buffer.from(`picture of ${at}`))
    }, 20)
  })
  t.after(() => pictures.forEach(clearInterval))
  await until('both see', () => screens.every(({ heard }) => heard.length > 30), DEADLINE_MS)
  await untilHeard(recorder, 20, 2)
  await assertVoices(recorder)
  assert.ok(
    rtpAt(recorder, 2).every(({ payloadType, payload }) => payloadType === H264 && `${payload}` === 'picture of 0'),
  )
  assert.equal(recorder.datagrams(3).length, 0, 'not a datagram for what is refused')
  await talk.assertUndisturbed()
  pictures.forEach(clearInterval)
  await talk.end()
  await recorder.succeeded()
})

for (const [what, isTaken] of [
  ['takes RTCP on the port of the RTP has both from one port', true],
  ['does not say so has RTCP from the port after it', false],
] as const) {
  test(`RTP-20, FLOW-20: a recorder that ${what}, in a pause too, by the ports of its sockets`, async (t) => {
    const reports = createSocket('udp4')
    t.after(() => reports.close())
    reports.bind(0, '127.0.0.1')
    await once(reports, 'listening')
    const apart: number[] = []
    reports.on('message', (_, { port }) => void apart.push(port))
    const recorder = await openAnsweringRecorder(
      t,
      ([port], direction) =>
        sdpLines(
          `m=audio ${port} RTP/AVP 0`,
          'a=rtpmap:0 PCMU/8000',
          isTaken ? 'a=rtcp-mux' : `a=rtcp:${reports.address().port}`,
          `a=${direction}`,
        ) + sdpLines('m=audio 0 RTP/AVP 0'),
      { lines: 1 },
    )
    const talk = await openTalk(t, {
      gateway: { recording: { profiles: [{ name: 'muxed', media: { rtcpMux: true } }] } },
    })
    assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
    await untilHeard(recorder)
    const [offer] = offersIn(await recorder.messages())
    const { port, rtcpPort, attributes } = offer!.sdp.media[0]!
    assert.ok(attributes.includes('rtcp-mux'), 'it is offered')
    assert.equal((await talk.rest('pause')).status, 200)
    const rtcpHere = (): number[] =>
      recorder
        .datagrams(0)
        .flatMap(({ bytes, fromPort }) => ((bytes[1] ?? 0) >= 200 && (bytes[1] ?? 0) <= 207 ? [fromPort] : []))
    assert.equal(await packetsDuring(recorder, () => talk.caller.heard().length), 0)
    const before = recorder.packets()
    const [reportedHere, reportedApart] = [rtcpHere().length, apart.length]
    await until(
      'RTCP comes in the pause',
      () => (isTaken ? rtcpHere().length > reportedHere : apart.length > reportedApart),
      DEADLINE_MS,
    )
    assert.equal(recorder.packets(), before, 'and nothing else')
    assert.deepEqual([...new Set(rtcpHere())], isTaken ? [port] : [])
    assert.deepEqual([...new Set(apart)], isTaken ? [] : [rtcpPort])
    assert.ok(
      recorder.datagrams(0).every(({ fromPort }) => fromPort === port),
      'all that comes there is from one port',
    )
    await talk.end()
    await recorder.succeeded()
  })
}
