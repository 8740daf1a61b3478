// Media lines of video and text: what is answered, what is refused, and what an offer of ours says of them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tone } from '#audio'
import { seededIds } from '#kernel'
import { SrtpSender, srtpSuites } from '#rtp'
import { cryptoAttribute, cryptosOf, offeredCryptos, parseSdp, type SdpMedia } from '#sdp'
import { RecorderBench } from '../../test/harness/recorder.ts'
import { type Line, offer } from '../../test/harness/recording-offer.ts'
import { until } from '../../test/harness/until.ts'

const VOICE: Line = { attributes: ['sendonly', 'label:1'] }
const VIDEO: Line = {
  kind: 'video',
  protocol: 'RTP/AVPF',
  formats: '97 98 99 100 101',
  attributes: [
    'rtpmap:97 H264/90000',
    'fmtp:97 profile-level-id=42e01f;packetization-mode=1',
    'rtpmap:98 rtx/90000',
    'fmtp:98 apt=97',
    'rtpmap:99 VP8/90000',
    'rtpmap:100 red/90000',
    'rtpmap:101 ulpfec/90000',
    'rtcp-fb:97 nack pli',
    'rtcp-fb:* ccm fir',
    'rtcp-fb:97 goog-remb',
    'rtcp-fb:98 nack pli',
    'sendonly',
    'label:v',
  ],
}
const TEXT: Line = {
  kind: 'text',
  formats: '98 100',
  attributes: ['rtpmap:98 t140/1000', 'rtpmap:100 red/1000', 'fmtp:100 98/98/98', 'sendonly', 'label:t'],
}

function attributesOf(media: SdpMedia | undefined): string[] {
  return (media?.attributes ?? []).map(({ name, value }) => (value === undefined ? name : `${name}:${value}`))
}

test('SRS-13, SRS-27: video and text are taken in their order, repair is left out, and a whole picture may be asked for as was offered', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer([VIDEO, VOICE, TEXT]))
  const [video, voice, text] = session.answer.media
  assert.deepEqual(
    session.answer.media.map(({ kind, protocol, formats }) => [kind, protocol, formats]),
    [
      ['video', 'RTP/AVPF', ['97', '99']],
      ['audio', 'RTP/AVP', ['0']],
      ['text', 'RTP/AVP', ['98', '100']],
    ],
  )
  assert.ok(session.ports.every((port) => port > 0))
  assert.deepEqual(attributesOf(video), [
    'rtpmap:97 H264/90000',
    'fmtp:97 profile-level-id=42e01f;packetization-mode=1',
    'rtpmap:99 VP8/90000',
    'rtcp-fb:97 nack pli',
    'rtcp-fb:* ccm fir',
    'recvonly',
    'label:v',
  ])
  assert.ok(attributesOf(text).includes('fmtp:100 98/98/98'))
  assert.ok(!attributesOf(voice).some((line) => line.startsWith('rtcp-fb')))
  const [live] = await bench.server.sessions()
  assert.deepEqual(
    live?.streams.map(({ channel, kind, label }) => [channel, kind, label]),
    [
      [0, 'audio', '1'],
      [1, 'video', 'v'],
      [2, 'text', 't'],
    ],
    'streams of audio are numbered first',
  )
})

test('SRS-27: an offer of ours has what was agreed of asking for pictures, once', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer([VOICE, VIDEO]))
  for (let round = 0; round < 2; round++) {
    const outcome = await bench.settled(session.dialog.reinvite({}))
    const ours = parseSdp(outcome.response!.body)
    assert.ok(ours.ok)
    const feedback = attributesOf(ours.value.media[1]).filter((line) => line.startsWith('rtcp-fb'))
    assert.deepEqual(feedback, ['rtcp-fb:97 nack pli', 'rtcp-fb:* ccm fir'])
  }
})

test('SRS-13: formats that the offer does not explain are taken with the clock that is usual for their kind', async (t) => {
  const bench = await RecorderBench.open(t)
  const lines = ['video', 'text'].map((kind) => ({ kind, formats: '110', attributes: ['sendonly'] }))
  await bench.start(offer(lines))
  const [live] = await bench.server.sessions()
  assert.deepEqual(
    live?.streams.map(({ encodings }) => encodings),
    [['UNKNOWN-110/90000'], ['UNKNOWN-110/1000']],
  )
})

test('SRS-13: a line of nothing but repair is no video', async (t) => {
  const bench = await RecorderBench.open(t)
  const repair = { kind: 'video', formats: '98', attributes: ['rtpmap:98 rtx/90000', 'sendonly'] }
  const session = await bench.start(offer([VOICE, repair]))
  assert.deepEqual(
    session.ports.map((port) => port > 0),
    [true, false],
  )
})

for (const [kinds, taken] of [
  [['audio'], [true, false, false]],
  [
    ['audio', 'text'],
    [true, false, true],
  ],
] as const) {
  test(`SRS-13: a recorder of ${kinds.join(' and ')} refuses other lines with port 0, and says what is not recorded`, async (t) => {
    const bench = await RecorderBench.open(t, { kinds })
    const session = await bench.start(offer([VOICE, VIDEO, TEXT]))
    assert.deepEqual(
      session.ports.map((port) => port > 0),
      taken,
    )
    const { manifest } = await bench.end(session)
    assert.ok(manifest.facts.verdict?.costs.includes('Media line 2 of the offer is not recorded: media type video.'))
    assert.equal(manifest.alarms, undefined)
  })
}

test('SRS-13, SEC-07: video under SRTP is kept decrypted, and what does not authenticate is not', async (t) => {
  const bench = await RecorderBench.open(t, { srtp: { suites: srtpSuites, keysWithoutTls: true } })
  const keys = offeredCryptos(undefined, ['AES_CM_128_HMAC_SHA1_80'], seededIds(31))
  const written = keys.map(cryptoAttribute).map(({ name, value }) => `${name}:${value}`)
  const secured = { ...VIDEO, protocol: 'RTP/SAVPF', attributes: [...(VIDEO.attributes ?? []), ...written] }
  const session = await bench.start(offer([VOICE, secured]))
  assert.equal(cryptosOf(session.answer.media[1]!).length, 1)
  const camera = await bench.source(session, 1)
  camera.payloadType = 97
  await camera.sendPacket(new Uint8Array(500))
  camera.secure = new SrtpSender(keys[0]!)
  for (let at = 0; at < 4; at++) await camera.sendPacket(new Uint8Array(500).fill(at), 3000)
  await until('all are counted', async () => (await bench.packets()) === 4)
  const { manifest } = await bench.end(session)
  const { kind, totals, runs } = manifest.streams[1]!
  assert.deepEqual([kind, totals.packets, totals.refused, runs[0]?.encoding], ['video', 4, 1, 'H264/90000'])
})

test('SRS-13: a party whose camera is silent raises an alarm by its label; digital silence, levels and pauses in typing raise none', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(
    offer([VOICE, VIDEO, { ...VIDEO, attributes: [...(VIDEO.attributes ?? []).slice(0, -1), 'label:w'] }, TEXT]),
  )
  const voice = await bench.source(session, 0)
  const camera = await bench.source(session, 1)
  camera.payloadType = 97
  const speech = tone(440, 20)
  for (let packet = 0; packet < 200; packet++) {
    await bench.talk([voice, speech])
    await camera.sendPacket(new Uint8Array(200), 1800)
  }
  const codes = bench.events.flatMap((event) =>
    event.type === 'alarm' ? [`${event.alarm.code} ${event.alarm.label}`] : [],
  )
  assert.deepEqual(codes, ['one-side-only w'])
  const alarm = bench.events.flatMap((event) => (event.type === 'alarm' ? [event.alarm] : []))[0]
  assert.match(alarm?.cause ?? '', /label w \(video\).*camera/)
})

for (const [status, expected] of [
  [200, 2],
  [415, 1],
] as const) {
  test(`SRS-27: where RTCP may not ask for a whole picture, INFO does, once a second at most; a client that answers ${status} is asked ${expected === 1 ? 'no more' : 'again'}`, async (t) => {
    const bench = await RecorderBench.open(t)
    const attributes = (VIDEO.attributes ?? []).filter((line) => !line.startsWith('rtcp-fb'))
    const other = [...attributes.slice(0, -1), 'label:w']
    const session = await bench.start(offer([VOICE, { ...VIDEO, attributes }, { ...VIDEO, attributes: other }]))
    const asked: { readonly type: string | undefined; readonly text: string; readonly atMs: number }[] = []
    session.dialog.handlers = {
      onEnd: () => {},
      onRequest: (incoming) => {
        const { headers, body } = incoming.request
        const text = new TextDecoder().decode(body)
        asked.push({ type: headers.get('Content-Type'), text, atMs: bench.clock.nowMs() })
        incoming.respond(status)
      },
    }
    const cameras = [await bench.source(session, 1), await bench.source(session, 2)]
    for (const camera of cameras) {
      camera.payloadType = 97
      await camera.sendPacket(new Uint8Array(100), 3000)
    }
    await until('both are counted', async () => (await bench.packets()) === 2)
    await bench.until(() => asked.length === 1)
    // What answers it has come when a request behind it is answered.
    await bench.settled(session.dialog.request('OPTIONS'))
    bench.clock.advance(1000)
    if (expected === 2) await bench.until(() => asked.length === 2)
    bench.clock.advance(5000)
    await bench.end(session)
    assert.equal(asked.length, expected)
    assert.equal(asked[0]?.type, 'application/media_control+xml')
    assert.match(asked[0]?.text ?? '', /<to_encoder><picture_fast_update\/><\/to_encoder>/)
    const [first, second] = asked
    assert.ok(second === undefined || second.atMs - first!.atMs >= 1000)
  })
}
