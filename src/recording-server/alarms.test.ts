// "Is it really recording?": every alarm by real RTP, in time, with what heals it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { correlate, decodePcmu, encodePcmu, tone } from '#audio'
import { seededIds } from '#kernel'
import { SrtpSender, srtpSuites } from '#rtp'
import { cryptoAttribute, offeredCryptos } from '#sdp'
import { arrived, openSession, PACKET, raised, standing, talk } from '../../test/harness/alarm-bench.ts'
import { audioOf, RecorderBench } from '../../test/harness/recorder.ts'
import { offer, parties, withMetadata } from '../../test/harness/recording-offer.ts'
import { StreamSound } from './watch/stream-sound.ts'

/** From the first moment that packets are due to the alarm. */
const LIMIT_MS = 3000

const low = tone(440, 1000)
const high = tone(1000, 1000, 8000, 4000)

/** Noise whose every second is another. */
function noise(seed: number, durationMs = 8000, amplitude = 8000): Int16Array {
  const ids = seededIds(seed)
  return Int16Array.from({ length: durationMs * 8 }, () => ids.integer(2 * amplitude) - amplitude)
}

test('two voices raise nothing, and a manifest without alarms has none', async (t) => {
  const { bench, session, sources } = await openSession(t)
  await talk(bench, 6000, [sources[0]!, low], [sources[1]!, high])
  assert.deepEqual(standing(bench), [])
  const { manifest } = await bench.end(session)
  assert.equal(manifest.alarms, undefined)
})

test('no packet at all: within 3 s each stream has an alarm with a hint at the firewall; the first packets clear it', async (t) => {
  const { bench, session, sources } = await openSession(t)
  bench.clock.advance(2000)
  assert.deepEqual(standing(bench), [])
  bench.clock.advance(LIMIT_MS - 2000)
  assert.deepEqual(standing(bench), ['no-packets 0', 'no-packets 1'])
  const { label, severity, fix } = raised(bench, 'no-packets')
  assert.deepEqual([label, severity], ['1', 'error'])
  assert.match(fix, new RegExp(`from 127\\.0\\.0\\.1 to .*:${session.ports[0]} `))
  await talk(bench, 300, [sources[0]!, low], [sources[1]!, high])
  assert.deepEqual(standing(bench), [])
  const { manifest } = await bench.end(session)
  const [first] = manifest.alarms ?? []
  assert.equal(first?.code, 'no-packets')
  assert.ok(first.fromMs <= LIMIT_MS && first.toMs! > first.fromMs && first.toMs! <= LIMIT_MS + 300)
})

test('one side only: the alarm names the label that is missing', async (t) => {
  const { bench, sources } = await openSession(t)
  await talk(bench, LIMIT_MS, [sources[0]!, low])
  assert.deepEqual(standing(bench), ['one-side-only 1'])
  assert.match(raised(bench, 'one-side-only').cause, /label 2/)
  await talk(bench, 300, [sources[0]!, low], [sources[1]!, high])
  assert.deepEqual(standing(bench), [])
})

test('packets that stop are missed after 10 s, and a hold instead is not', async (t) => {
  const { bench, session, sources } = await openSession(t)
  await talk(bench, 500, [sources[0]!, low], [sources[1]!, high])
  bench.clock.advance(9000)
  assert.deepEqual(standing(bench), [])
  bench.clock.advance(1500)
  assert.deepEqual(standing(bench), ['packets-stopped 0', 'packets-stopped 1'])
  const inactive = [{ attributes: ['inactive', 'label:1'] }, { attributes: ['inactive', 'label:2'] }]
  await bench.settled(session.dialog.reinvite({ body: offer(inactive, 2) }))
  bench.clock.advance(250)
  assert.deepEqual(standing(bench), [])
  bench.clock.advance(120_000)
  assert.deepEqual(standing(bench), [])
  await bench.settled(session.dialog.reinvite({ body: offer(undefined, 3) }))
  bench.clock.advance(LIMIT_MS)
  assert.deepEqual(standing(bench), ['no-packets 0', 'no-packets 1'], 'due again, and missed again')
})

for (const [what, document] of [
  ['has no association for label 2', parties({ 1: 'send' })],
  ['lets everybody only receive', parties({ 1: 'recv', 2: 'recv' })],
] as const) {
  test(`metadata that ${what} keeps no side that the SDP says is sent from being missed`, async (t) => {
    const { bench, session, sources } = await openSession(t, undefined, document)
    await talk(bench, LIMIT_MS, [sources[0]!, low])
    assert.deepEqual(standing(bench), ['one-side-only 1'])
    sources[1]!.payloadType = 9
    await talk(bench, LIMIT_MS, [sources[0]!, low], [sources[1]!, high])
    assert.deepEqual(standing(bench), ['wrong-codec 1'])
    sources[1]!.payloadType = 0
    await talk(bench, 300, [sources[0]!, low], [sources[1]!, high])
    assert.deepEqual(standing(bench), [])
    const [one] = await bench.server.sessions()
    assert.ok(one?.streams[1]?.reading?.level !== undefined, 'it is seen and heard live')
    const { manifest } = await bench.end(session)
    assert.ok(manifest.streams.every(({ gaps }) => gaps.every(({ cause }) => cause !== 'hold')))
  })
}

test('a stream that metadata holds is missed if it never came; after it did, only what is no use there is told', async (t) => {
  const { bench, session, sources } = await openSession(t, undefined, parties({ 1: 'send', 2: 'left' }))
  await talk(bench, LIMIT_MS, [sources[0]!, low])
  assert.deepEqual(standing(bench), ['one-side-only 1'])
  await talk(bench, 300, [sources[0]!, low], [sources[1]!, high])
  assert.deepEqual(standing(bench), [])
  await bench.settled(
    session.dialog.reinvite({ body: withMetadata(offer(undefined, 2), parties({ 1: 'send', 2: 'recv' })) }),
  )
  await talk(bench, 11_000, [sources[0]!, low])
  assert.deepEqual(standing(bench), [], 'on hold')
  sources[1]!.payloadType = 9
  await talk(bench, 500, [sources[0]!, low], [sources[1]!, high])
  assert.deepEqual(standing(bench), ['wrong-codec 1'])
})

test('a recorder that is told to keep nothing raises no alarm, whatever comes', async (t) => {
  const { bench, session } = await openSession(t)
  const { recordingId } = (await bench.server.sessions())[0]!
  await bench.media.ask({ type: 'pause', recordingId })
  bench.clock.advance(60_000)
  assert.deepEqual(standing(bench), [])
  await bench.end(session)
})

test('digital silence is told within 3 s, low level too, and each heals by a voice', async (t) => {
  const { bench, sources } = await openSession(t)
  const hum = tone(100, 1000, 8000, 24)
  await talk(bench, LIMIT_MS, [sources[0]!, new Int16Array(1600)], [sources[1]!, hum])
  assert.deepEqual(standing(bench), ['digital-silence 0', 'low-level 1'])
  await talk(bench, 800, [sources[0]!, low], [sources[1]!, high])
  assert.deepEqual(standing(bench), [])
})

test('a payload type that was not negotiated is told with its number', async (t) => {
  const { bench, sources } = await openSession(t, [{ attributes: ['sendonly', 'label:1'] }])
  const source = sources[0]!
  source.payloadType = 9
  await talk(bench, LIMIT_MS, [source, low])
  assert.deepEqual(standing(bench), ['wrong-codec 0'])
  assert.match(raised(bench, 'wrong-codec').cause, /payload type 9.*0 PCMU\/8000/)
  source.payloadType = 0
  await talk(bench, 300, [source, low])
  assert.deepEqual(standing(bench), [])
})

test('timestamps of another clock are told', async (t) => {
  const { bench, sources } = await openSession(t, [{ attributes: ['sendonly', 'label:1'] }])
  await talk(bench, LIMIT_MS, [sources[0]!, low, 320])
  assert.deepEqual(standing(bench), ['clock-mismatch 0'])
  assert.match(raised(bench, 'clock-mismatch').cause, /16000 Hz.*8000 Hz/)
  await talk(bench, 4500, [sources[0]!, low])
  assert.deepEqual(standing(bench), [])
})

test('datagrams that are no RTP are told', async (t) => {
  const { bench, sources } = await openSession(t, [{ attributes: ['sendonly', 'label:1'] }])
  for (let step = 0; step < 12; step++) {
    bench.clock.advance(250)
    await sources[0]!.sendRaw(Uint8Array.of(22, 254, 253, 0, 0, 0))
    await bench.settled(
      (async () => {
        while ((await arrived(bench)) <= step) await new Promise<void>((resolve) => setImmediate(resolve))
      })(),
    )
  }
  assert.deepEqual(standing(bench), ['no-rtp 0'])
})

test('SRTP under another key than that of the SDP is told, and heals with the right one', async (t) => {
  const ids = seededIds(7)
  const suite = 'AES_CM_128_HMAC_SHA1_80'
  const [key] = offeredCryptos(undefined, [suite], ids)
  const { name, value } = cryptoAttribute(key!)
  const line = { protocol: 'RTP/SAVP', attributes: ['sendonly', 'label:1', `${name}:${value}`] }
  const { bench, sources } = await openSession(t, [line])
  const source = sources[0]!
  source.secure = new SrtpSender(offeredCryptos(undefined, [suite], ids)[0]!)
  await talk(bench, LIMIT_MS, [source, low])
  assert.deepEqual(standing(bench), ['srtp-failed 0'])
  source.secure = new SrtpSender(key!)
  await talk(bench, 300, [source, low])
  assert.deepEqual(standing(bench), [])
})

test('the same audio is looked for among the first four streams of a session', async (t) => {
  const found = async (...seeds: number[]): Promise<string[]> => {
    const lines = seeds.map((_, at) => ({ attributes: ['sendonly', `label:${at + 1}`] }))
    const { bench, sources } = await openSession(t, lines)
    await talk(bench, LIMIT_MS, ...seeds.map((seed, at) => [sources[at]!, noise(seed)] as const))
    return standing(bench)
  }
  assert.deepEqual(await found(1, 2, 3, 3, 4), ['same-audio 3'])
  assert.deepEqual(await found(1, 2, 3, 4, 4), [])
})

test('the same audio under both labels is told by what it is, not by how loud it is; two silences are not', async (t) => {
  const { bench, sources } = await openSession(t)
  const speech = noise(1)
  await talk(bench, LIMIT_MS, [sources[0]!, speech], [sources[1]!, speech])
  assert.deepEqual(standing(bench), ['same-audio 1'])
  assert.match(raised(bench, 'same-audio').cause, /label 1 and label 2/)
  await talk(bench, 4000, [sources[0]!, speech], [sources[1]!, noise(2)])
  assert.deepEqual(standing(bench), [])
  const silent = await openSession(t)
  const nothing = new Int16Array(1600)
  await talk(silent.bench, LIMIT_MS, [silent.sources[0]!, nothing], [silent.sources[1]!, nothing])
  assert.deepEqual(standing(silent.bench), ['digital-silence 0', 'digital-silence 1'])
})

test('packets from another host than the SDP names are told', async (t) => {
  const { bench, session, sources } = await openSession(t, [
    { connection: '127.0.0.77', attributes: ['sendonly', 'label:1'] },
  ])
  await talk(bench, LIMIT_MS, [sources[0]!, low])
  assert.deepEqual(standing(bench), ['strangers-only 0'])
  assert.match(raised(bench, 'strangers-only').cause, /127\.0\.0\.1.*127\.0\.0\.77/)
  await bench.settled(session.dialog.reinvite({ body: offer([{ attributes: ['sendonly', 'label:1'] }], 2) }))
  await talk(bench, 300, [sources[0]!, low])
  assert.deepEqual(standing(bench), [])
})

test('a bug in the watch costs alarms, and nothing of the recording', async (t) => {
  const { bench, session, sources } = await openSession(t, [{ attributes: ['sendonly', 'label:1'] }])
  t.mock.method(StreamSound.prototype, 'hear', () => {
    throw new Error('a bug')
  })
  await talk(bench, 1000, [sources[0]!, low])
  bench.clock.advance(30_000)
  assert.deepEqual(standing(bench), [])
  assert.ok(bench.log.messages().includes('recording is not watched any more'))
  const { folder } = await bench.end(session)
  assert.ok(correlate(low, (await audioOf(folder))[0]!, 4000).coefficient > 0.99)
})

test('a voice driven over the limit is told, and heals', async (t) => {
  const { bench, sources } = await openSession(t, [{ attributes: ['sendonly', 'label:1'] }])
  const driven = Int16Array.from({ length: 8000 }, (_unused, at) =>
    Math.max(-32_768, Math.min(32_767, 60_000 * Math.sin((2 * Math.PI * 440 * at) / 8000))),
  )
  assert.ok(decodePcmu(encodePcmu(driven)).some((sample) => sample > 32_000))
  await talk(bench, 1000, [sources[0]!, driven])
  assert.deepEqual(standing(bench), ['clipping 0'])
  await talk(bench, 2500, [sources[0]!, low])
  assert.deepEqual(standing(bench), [])
})

test('an audio line that is refused raises an alarm that stands to the end, and costs the session a part of the call', async (t) => {
  const voice = { attributes: ['sendonly', 'label:1'] }
  const dtls = { protocol: 'UDP/TLS/RTP/SAVPF', attributes: ['sendonly', 'label:2'] }
  const data = { kind: 'application', formats: '97', attributes: ['rtpmap:97 X/90000', 'sendonly', 'label:3'] }
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer([voice, dtls, data]))
  const source = await bench.source(session, 0)
  await talk(bench, 3000, [source, low])
  assert.deepEqual(standing(bench), ['line-refused '])
  const { label, severity, cause, fix } = raised(bench, 'line-refused')
  assert.deepEqual([label, severity], ['2', 'error'])
  assert.match(cause, /^Media line 2 \(label 2\) .*UDP\/TLS\/RTP\/SAVPF/)
  assert.match(fix, /RTP\/AVP/)
  assert.ok(
    bench.log.lines.some(
      ({ level, message, fields }) =>
        level === 'warn' && message === 'alarm raised' && fields['code'] === 'line-refused',
    ),
  )
  const { manifest } = await bench.end(session)
  assert.equal(manifest.state, 'published')
  assert.deepEqual(
    manifest.alarms?.map(({ code, toMs }) => [code, toMs]),
    [['line-refused', undefined]],
  )
  assert.deepEqual(
    manifest.facts.verdict?.costs.filter((cost) => cost.startsWith('Media line')),
    [
      'Media line 2 of the offer is not recorded: transport UDP/TLS/RTP/SAVPF.',
      'Media line 3 of the offer is not recorded: media type application.',
    ],
  )
})

test('a line that a later offer makes unusable is told of, and so are SRTP without leave and a 65th stream', async (t) => {
  const voice = { attributes: ['sendonly'] }
  const bench = await RecorderBench.open(t, { srtp: { suites: srtpSuites, keysWithoutTls: false } })
  const session = await bench.start(offer([voice, voice]))
  const secured = { protocol: 'RTP/SAVP', attributes: ['sendonly'] }
  await bench.settled(session.dialog.reinvite({ body: offer([voice, secured], 2) }))
  bench.clock.advance(250)
  await bench.until(() => standing(bench).includes('line-refused '))
  assert.match(raised(bench, 'line-refused').cause, /^Media line 2 .*SRTP keys/)
  await bench.end(session)
  const many = await bench.start(offer(Array.from({ length: 65 }, () => voice)))
  bench.clock.advance(250)
  const isTold = (): boolean =>
    bench.events.some((one) => one.type === 'alarm' && /^Media line 65 .*too many streams/.test(one.alarm.cause))
  await bench.until(isTold)
  await bench.end(many)
})

test('a fifth source on one line, and a 64th change of codec, are told of once', async (t) => {
  const pcma = { formats: '0 8', attributes: ['sendonly', 'label:1'] }
  const { bench, session, sources } = await openSession(t, [pcma])
  const source = sources[0]!
  const voices = Array.from({ length: 5 }, (_, n) => ({ ssrc: 1000 + n, sequence: 100 * n, timestamp: 7000 * n }))
  const payload = encodePcmu(low.subarray(0, PACKET))
  for (let step = 0; step < 60; step++) {
    bench.clock.advance(20)
    for (const voice of voices) {
      Object.assign(source, voice)
      await source.sendPacket(payload)
      Object.assign(voice, { sequence: source.sequence, timestamp: source.timestamp })
    }
    for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
  }
  await bench.until(() => standing(bench).includes('too-many-sources 0'))
  const { manifest } = await bench.end(session)
  assert.equal(manifest.alarms?.filter(({ code }) => code === 'too-many-sources').length, 1)
  assert.ok(manifest.facts.warnings.some((warning) => /^stream 1: More than 4 sources/.test(warning)))
  const changing = await bench.start(offer([pcma]))
  const fickle = await bench.source(changing, 0)
  for (let step = 0; step < 660; step++) {
    fickle.payloadType = Math.floor(step / 10) % 2 === 0 ? 0 : 8
    await talk(bench, 20, [fickle, low])
  }
  bench.clock.advance(250)
  await bench.until(() => standing(bench).includes('too-many-changes 0'))
  const { manifest: cut } = await bench.end(changing)
  assert.equal(cut.alarms?.filter(({ code }) => code === 'too-many-changes').length, 1)
  assert.ok(cut.facts.warnings.some((warning) => /^stream 1: The codec of the stream changed/.test(warning)))
})
