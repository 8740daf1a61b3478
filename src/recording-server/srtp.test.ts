// SRTP from recording clients: which offers are answered, under which keys, and what is taken of what arrives.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { correlate, tone } from '#audio'
import { seededIds } from '#kernel'
import { parseRtcp, SrtpReceiver, SrtpSender, type SrtpSuite, srtpSuites } from '#rtp'
import { cryptoAttribute, cryptosOf, offeredCryptos, pairOfAnswer, parseSdp, type SdpCrypto } from '#sdp'
import { audioOf, type ClientSession, RecorderBench } from '../../test/harness/recorder.ts'
import { type Line, offer } from '../../test/harness/recording-offer.ts'
import type { RtpSource } from '../../test/harness/rtp-source.ts'

const SUITE: SrtpSuite = 'AES_CM_128_HMAC_SHA1_80'
const ids = seededIds(31)

function newKeys(...suites: SrtpSuite[]): SdpCrypto[] {
  return offeredCryptos(undefined, suites, ids)
}

function secured(cryptos: readonly SdpCrypto[], line: Line = {}): Line {
  const { attributes = [], ...rest } = line
  const written = cryptos.map(cryptoAttribute).map(({ name, value }) => `${name}:${value}`)
  return { protocol: 'RTP/SAVP', attributes: ['sendonly', 'label:1', ...written, ...attributes], ...rest }
}

async function open(t: TestContext, srtp = { suites: srtpSuites, keysWithoutTls: true }): Promise<RecorderBench> {
  return await RecorderBench.open(t, { srtp })
}

function ourKey({ answer }: Pick<ClientSession, 'answer'>): SdpCrypto {
  const [crypto, ...more] = cryptosOf(answer.media[0]!)
  assert.ok(crypto !== undefined && more.length === 0, 'one crypto line')
  return crypto
}

async function reoffer(bench: RecorderBench, session: ClientSession, line: Line, version: number) {
  const outcome = await bench.settled(session.dialog.reinvite({ body: offer([line], version) }))
  const answer = parseSdp(outcome.response!.body)
  assert.ok(answer.ok)
  return { answer: answer.value }
}

async function talker(bench: RecorderBench, session: ClientSession, key: SdpCrypto): Promise<RtpSource> {
  const source = await bench.source(session, 0)
  source.secure = new SrtpSender(key)
  return source
}

for (const suite of srtpSuites) {
  for (const protocol of ['RTP/SAVP', 'RTP/SAVPF']) {
    test(`SEC-07, SEC-08, SEC-09: ${protocol} with ${suite} is answered with a key of our own, and recorded`, async (t) => {
      const bench = await open(t)
      const keys = [{ ...newKeys(suite)[0]!, tag: 7 }]
      const session = await bench.start(offer([secured(keys, { protocol })]))
      const [media] = session.answer.media
      assert.equal(media?.protocol, protocol)
      assert.ok(pairOfAnswer(keys, media).ok)
      const voice = tone(440, 1000)
      await bench.talk([await talker(bench, session, keys[0]!), voice])
      const { manifest, folder } = await bench.end(session)
      assert.equal(manifest.streams[0]?.totals.refused, 0)
      const [heard] = await audioOf(folder)
      assert.ok(correlate(voice, heard!, 4000).coefficient > 0.99)
    })
  }
}

test('SEC-12: keys are in nothing that is stored, shown or logged', async (t) => {
  const bench = await open(t)
  const keys = newKeys(SUITE)
  const session = await bench.start(offer([secured(keys)]))
  await bench.talk([await talker(bench, session, keys[0]!), tone(440, 100)])
  const seen = [JSON.stringify(await bench.server.sessions()), JSON.stringify(bench.events)]
  const { folder } = await bench.end(session)
  seen.push(JSON.stringify(bench.log.lines))
  for (const name of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (name.isFile()) seen.push(await readFile(join(name.parentPath, name.name), 'latin1'))
  }
  for (const { material } of [...keys, ourKey(session)]) {
    const bytes = Buffer.from(material)
    for (const text of seen) {
      for (const form of ['base64', 'hex', 'latin1'] as const) assert.ok(!text.includes(bytes.toString(form)))
    }
  }
  assert.ok(!seen.some((text) => text.includes('inline:')))
})

test('SEC-12: where keys are not to be kept none is, not even that of a stream that was taken away', async (t) => {
  const bench = await open(t)
  const keys = newKeys(SUITE)
  const plain: Line = { attributes: ['sendonly', 'label:2'] }
  const session = await bench.start(offer([secured(keys), plain]))
  const kept = async (): Promise<string> => {
    const name = (await readdir(bench.root, { recursive: true })).find((each) => each.endsWith('session.json'))
    return await readFile(join(bench.root, name!), 'utf8')
  }
  assert.ok(!(await kept()).includes('inline:'))
  assert.equal((JSON.parse(await kept()) as { media?: unknown }).media, undefined)
  await bench.settled(session.dialog.reinvite({ body: offer([{ ...secured(keys), port: 0 }, plain], 2) }))
  assert.ok(!(await kept()).includes('inline:'))
  assert.ok((JSON.parse(await kept()) as { media?: unknown }).media !== undefined, 'what is left can go on')
  await bench.end(session)
})

test('SEC-12: over signalling without TLS a secured stream is refused: alone with 488, beside plain ones with port 0', async (t) => {
  const bench = await open(t, { suites: srtpSuites, keysWithoutTls: false })
  const line = secured(newKeys(SUITE))
  const refused = await bench.invite(offer([line]))
  assert.ok('status' in refused && refused.status === 488)
  const session = await bench.start(offer([line, { attributes: ['sendonly', 'label:2'] }]))
  assert.deepEqual(
    session.ports.map((port) => port > 0),
    [false, true],
  )
  assert.deepEqual(cryptosOf(session.answer.media[0]!), [])
})

test('SEC-09: a secured stream without a key that we can answer is refused with 488', async (t) => {
  const bench = await open(t, { suites: ['AEAD_AES_256_GCM'], keysWithoutTls: true })
  for (const keys of [[], newKeys(SUITE)]) {
    const outcome = await bench.invite(offer([secured(keys)]))
    assert.ok('status' in outcome && outcome.status === 488)
  }
  const session = await bench.start(offer([secured(newKeys(SUITE, 'AEAD_AES_256_GCM'))]))
  assert.equal(ourKey(session).suite, 'AEAD_AES_256_GCM')
})

test('SEC-10: each stream of each session is answered with a key of its own', async (t) => {
  const bench = await open(t)
  const seen = new Set<string>()
  for (let at = 0; at < 3; at++) {
    const lines = [secured(newKeys(SUITE)), secured(newKeys(SUITE))]
    const session = await bench.start(offer(lines))
    for (const media of session.answer.media) {
      for (const { material } of cryptosOf(media)) seen.add(Buffer.from(material).toString('hex'))
    }
    await bench.end(session)
  }
  assert.equal(seen.size, 6)
})

test('RTP-27: packets that do not authenticate are dropped and counted; those that do may come from elsewhere', async (t) => {
  const bench = await open(t)
  const keys = newKeys(SUITE)
  const session = await bench.start(offer([secured(keys)]))
  const source = await talker(bench, session, keys[0]!)
  await bench.talk([source, tone(440, 100)])
  const attacker = await bench.source(session, 0)
  attacker.ssrc = source.ssrc
  await attacker.sendPacket(new Uint8Array(160))
  attacker.secure = new SrtpSender(newKeys(SUITE)[0]!)
  await attacker.sendPacket(new Uint8Array(160))
  // The same client, behind a NAT that has given it another port.
  const moved = await bench.source(session, 0)
  Object.assign(moved, { ssrc: source.ssrc, sequence: source.sequence, timestamp: source.timestamp })
  moved.secure = source.secure
  await bench.talk([moved, tone(440, 100)])
  const { manifest } = await bench.end(session)
  const { packets, refused, wrongSource } = manifest.streams[0]!.totals
  assert.deepEqual({ packets, refused, wrongSource }, { packets: 10, refused: 2, wrongSource: 0 })
})

test('SEC-11: a re-offer goes on under the same keys and rollover counters, also across a pause', async (t) => {
  const bench = await open(t)
  const keys = newKeys(SUITE)
  const session = await bench.start(offer([secured(keys)]))
  const source = await talker(bench, session, keys[0]!)
  source.sequence = 0xfffd
  await bench.talk([source, tone(440, 100)])
  const paused = { ...secured(keys), attributes: secured(keys).attributes!.with(0, 'inactive') }
  const answered = [await reoffer(bench, session, paused, 2), await reoffer(bench, session, secured(keys), 3)]
  for (const answer of answered) assert.deepEqual(ourKey(answer), ourKey(session))
  await bench.talk([source, tone(440, 100)])
  const { manifest } = await bench.end(session)
  const { packets, refused } = manifest.streams[0]!.totals
  assert.deepEqual({ packets, refused }, { packets: 10, refused: 0 })
})

test('SEC-11: a client that moves its port is answered with a new key, and heard under its own', async (t) => {
  const bench = await open(t)
  const session = await bench.start(offer([secured(newKeys(SUITE))]))
  const keys = newKeys(SUITE)
  const answer = await reoffer(bench, session, secured(keys, { port: 41_000 }), 2)
  assert.notDeepEqual(ourKey(answer).material, ourKey(session).material)
  await bench.talk([await talker(bench, session, keys[0]!), tone(440, 100)])
  const { manifest } = await bench.end(session)
  assert.equal(manifest.streams[0]?.totals.packets, 5)
})

test('SEC-11: a client that takes another key loses nothing of what it sends until it has our answer', async (t) => {
  const bench = await open(t)
  const [old, fresh] = [newKeys(SUITE), newKeys(SUITE)]
  const session = await bench.start(offer([secured(old)]))
  const source = await talker(bench, session, old[0]!)
  await bench.talk([source, tone(440, 100)])
  await reoffer(bench, session, secured(fresh), 2)
  await bench.talk([source, tone(440, 100)])
  source.secure = new SrtpSender(fresh[0]!)
  await bench.talk([source, tone(440, 100)])
  const { manifest } = await bench.end(session)
  const { packets, refused } = manifest.streams[0]!.totals
  assert.deepEqual({ packets, refused }, { packets: 15, refused: 0 })
})

test('SEC-09: reports of the recorder are SRTCP under its own key', async (t) => {
  const bench = await open(t)
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  const received: Buffer[] = []
  socket.on('message', (bytes) => received.push(bytes))
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const keys = newKeys('AEAD_AES_128_GCM')
  const session = await bench.start(offer([secured(keys, { attributes: [`rtcp:${socket.address().port}`] })]))
  await bench.talk([await talker(bench, session, keys[0]!), tone(440, 100)])
  bench.clock.advance(10_000)
  await bench.until(() => received.length > 0)
  const compound = new SrtpReceiver(ourKey(session)).openRtcp(received[0]!)
  assert.ok(compound !== undefined)
  assert.equal(parseRtcp(compound)[0]?.type, 'receiver-report')
})

test('SEC-11: our own offer repeats the key in use; an answer that does not fit changes nothing', async (t) => {
  const bench = await open(t)
  const [keys, others] = [newKeys(SUITE), newKeys(SUITE)]
  const session = await bench.start(offer([secured(keys), secured(others)]))
  const bodies: Uint8Array[] = []
  session.dialog.handlers = {
    onEnd: () => {},
    onRequest: (incoming) => {
      bodies.push(incoming.request.body)
      incoming.respond(200, {
        body: offer([{ ...secured(keys), attributes: ['sendonly', 'label:1'] }, { port: 0 }], 2),
      })
    },
  }
  const { recordingId } = (await bench.server.sessions())[0]!
  await bench.settled(bench.server.dropStream(recordingId, 1))
  const offered = parseSdp(bodies[0]!)
  assert.ok(offered.ok)
  assert.deepEqual(ourKey({ answer: offered.value }), ourKey(session))
  await bench.talk([await talker(bench, session, keys[0]!), tone(440, 100)])
  const { manifest } = await bench.end(session)
  assert.equal(manifest.streams[0]?.totals.packets, 5)
  assert.ok(manifest.facts.warnings.includes('media 1: the answer has 0 crypto lines'))
})
