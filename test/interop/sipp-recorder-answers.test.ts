// Recorders of SIPp whose answers differ from what is offered: other payload types, streams that are not taken, TLS and SRTP, video.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRtp } from '../foreign/rtp-wire.ts'
import { headerOf } from '../foreign/sip-text.ts'
import { bodiesIn, messagesIn, offersIn } from '../harness/sipp-log.ts'
import {
  openAnsweringRecorder,
  openSippRecorder,
  packetsDuring,
  recordAt,
  type SippRecorder,
  sdpLines,
  untilHeard,
} from '../harness/sipp-recorder.ts'
import { openPhone, openTalk, openTestGateway, placeTalk } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('sipp')

const PCMU = 'a=rtpmap:0 PCMU/8000'

/** The payload types of what came on an m-line, RTCP left out. */
const typesAt = (recorder: SippRecorder, line: number): Set<number> =>
  new Set(
    recorder.datagrams(line).flatMap(({ bytes }) => {
      const type = parseRtp(bytes)?.payloadType ?? 72
      return type >= 64 && type <= 95 ? [] : [type]
    }),
  )

test('SRC-12, SRC-52: the INVITE has a Date and the whole of the metadata, the last document comes before a BYE that has a Date too', async (t) => {
  const recorder = await openAnsweringRecorder(t)
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  await untilHeard(recorder)
  await talk.end()
  await recorder.succeeded()
  const log = messagesIn(await recorder.messages()).filter(({ isReceived }) => isReceived)
  const dates = log.flatMap(({ message }) =>
    ['INVITE', 'BYE'].includes(message.method) ? [Date.parse(headerOf(message, 'Date') ?? '')] : [],
  )
  assert.ok(dates.length >= 2)
  assert.ok(
    dates.every((date, at) => at === 0 || date >= dates[at - 1]!),
    'in the order of time',
  )
  const bodies = bodiesIn(await recorder.messages())
  assert.match(bodies[0]?.xml ?? '', /<session [\s\S]*<participant [\s\S]*<stream /)
  assert.match(bodies.at(-1)?.xml ?? '', /<stop-time>/)
})

test('SRC-32: voice and keys come with the payload types of the answer', async (t) => {
  const recorder = await openAnsweringRecorder(t, (ports, direction) =>
    ports
      .map((port) =>
        sdpLines(
          `m=audio ${port} RTP/AVP 110 97`,
          'a=rtpmap:110 PCMU/8000',
          'a=rtpmap:97 telephone-event/8000',
          'a=fmtp:97 0-15',
          `a=${direction}`,
        ),
      )
      .join(''),
  )
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
  for (const line of [0, 1]) await untilHeard(recorder, 20, line)
  await talk.caller.sendDigits('5')
  await until('the key has come', () => typesAt(recorder, 0).has(97))
  assert.deepEqual([...typesAt(recorder, 0)].sort(), [110, 97])
  assert.deepEqual([...typesAt(recorder, 1)], [110])
  await talk.end()
  await recorder.succeeded()
})

for (const [what, second] of [
  ['port 0', (_port: number) => sdpLines('m=audio 0 RTP/AVP 0', PCMU)],
  ['inactive', (port: number) => sdpLines(`m=audio ${port} RTP/AVP 0`, PCMU, 'a=inactive')],
] as const) {
  test(`SRC-38: a stream that is answered with ${what} gets nothing, the other goes on`, async (t) => {
    const recorder = await openAnsweringRecorder(
      t,
      ([first, other], direction) =>
        sdpLines(`m=audio ${first} RTP/AVP 0`, PCMU, `a=${direction}`) + second(other ?? 0),
    )
    const talk = await openTalk(t)
    assert.equal((await talk.rest('start', recorder.uri)).status, 200, await recorder.messages())
    await untilHeard(recorder, 50, 0)
    assert.equal(recorder.packets(1), 0)
    assert.equal((await talk.rest('pause')).status, 200)
    assert.equal(await packetsDuring(recorder, () => talk.caller.heard().length), 0)
    assert.equal((await talk.rest('resume')).status, 200)
    await untilHeard(recorder, 50, 0)
    assert.equal(recorder.packets(1), 0)
    await talk.assertUndisturbed()
    await talk.end()
    await recorder.succeeded()
  })
}

test('SRC-38: an answer with fewer m-lines is acknowledged and ended by BYE, and the next recorder has both streams', async (t) => {
  const half = await openAnsweringRecorder(t, ([first], direction) =>
    sdpLines(`m=audio ${first} RTP/AVP 0`, PCMU, `a=${direction}`),
  )
  const next = await openSippRecorder(t, 'recorder-plain')
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', `${half.uri}|${next.uri}`)).status, 200, await half.messages())
  await half.succeeded()
  const methods = messagesIn(await half.messages()).flatMap(({ isReceived, message }) =>
    isReceived ? [message.method] : [],
  )
  assert.deepEqual(methods, ['INVITE', 'ACK', 'BYE'])
  assert.equal(half.packets(), 0)
  for (const line of [0, 1]) await untilHeard(next, 20, line)
  await talk.assertUndisturbed()
  await talk.end()
  await next.succeeded()
})

test('SRC-59: a recorder that is told neither names nor numbers hears both, and nothing to it has them', async (t) => {
  const recorder = await openAnsweringRecorder(t)
  const [alice, bob] = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')]
  alice.displayName = 'Alice in Town'
  const profiles = [{ name: 'discreet', metadata: { omit: ['names', 'numbers'] } }]
  const opened = await openTestGateway(t, {
    gateway: { routes: [{ match: 'bob', callee: bob.uri }], recording: { profiles } },
  })
  const talk = await placeTalk(opened, alice, bob)
  await recordAt(talk, recorder.uri, recorder)
  const log = await recorder.messages()
  assert.match(log, /<participant /)
  assert.doesNotMatch(log, /Alice in Town|alice|bob/i)
  assert.ok(offersIn(log).every(({ sdp }) => sdp.media.length === 2))
})
