// Offers of recording clients in the field: how many streams, what codecs, when they begin, how they come.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goertzelPower, tone } from '#audio'
import { cryptosOf, directionOf, labelOf, type ParsedSdp } from '#sdp'
import { callXml, idOf, multipart, RawClient, sdpPart, sdpText, securedLine, xmlPart } from '../harness/raw-client.ts'
import { assertTones, hangUp, openRawSession, sendTones } from '../harness/raw-session.ts'
import { audioOf, RecorderBench } from '../harness/recorder.ts'

const directions = (answer: ParsedSdp): string[] => answer.media.map((media) => directionOf(media, answer))
const codecs = (change: string): string => sdpText(['1', '2']).replaceAll('0 PCMU/8000', change)

for (const count of [1, 2, 3, 4, 8, 16, 64]) {
  test(`oddity: ${count} m-lines, SRS-13: each is answered in its place with its label, and heard in its channel`, async (t) => {
    const labels = [...Array(count).keys()].map((at) => `${16_777_227 + 10 * at}`)
    const { bench, client, answer } = await openRawSession(t, { sdp: sdpText(labels) })
    assert.deepEqual(answer.media.map(labelOf), labels)
    const spoken = count > 8 ? [0, 1, 2, count - 1] : labels.map((_label, at) => at)
    await sendTones(bench, answer, spoken)
    const { folder, manifest } = await hangUp(bench, client)
    assert.equal(manifest.streams.length, count)
    await assertTones(folder, spoken)
  })
}

test('oddity: a first offer that is inactive, then sendonly: each offer gets its own answer, and the audio is kept', async (t) => {
  const inactive = sdpText(['1', '2'], ['a=inactive'])
  const { bench, client, answer } = await openRawSession(t, { sdp: inactive, xml: callXml() })
  assert.deepEqual(directions(answer), ['inactive', 'inactive'])
  assert.ok(bench.eventTypes().includes('paused'))
  const active = sdpText().replace('7 1 IN', '7 2 IN')
  const resumed = await client.request('INVITE', ['Content-Type: application/sdp'], active)
  assert.deepEqual(directions(client.answerOf(resumed)), ['recvonly', 'recvonly'])
  await sendTones(bench, client.answerOf(resumed))
  const { folder } = await hangUp(bench, client)
  await assertTones(folder, 2)
})

test('oddity: four m-lines of which two are inactive without rtpmap: all are answered, and the two that send are kept', async (t) => {
  const idle = (port: number, label: string): string => `m=audio ${port} RTP/AVP 97 98\na=inactive\na=label:${label}\n`
  const sdp = `${sdpText()}${idle(40_010, '3')}${idle(40_012, '4')}`
  const { bench, client, answer } = await openRawSession(t, { sdp, xml: callXml() })
  assert.deepEqual(directions(answer), ['recvonly', 'recvonly', 'inactive', 'inactive'])
  assert.deepEqual(answer.media.map(labelOf), ['1', '2', '3', '4'])
  assert.deepEqual(answer.media[2]?.formats, ['97', '98'])
  await sendTones(bench, answer, [0, 1])
  const { folder, manifest } = await hangUp(bench, client)
  assert.deepEqual(manifest.facts.speakers, [['Ann'], ['Ben'], [], []])
  await assertTones(folder, 2)
})

test('oddity: hold by c=0.0.0.0 for one m-line: that one is paused, the other goes on', async (t) => {
  const held = sdpText().replace('7 1 IN', '7 2 IN').replace('a=label:2', 'c=IN IP4 0.0.0.0\na=label:2')
  const { bench, client } = await openRawSession(t, { xml: callXml() })
  const response = await client.request('INVITE', ['Content-Type: application/sdp'], held)
  const [session] = await bench.server.sessions()
  assert.deepEqual(
    session?.streams.map(({ isPaused }) => isPaused),
    [false, true],
  )
  await sendTones(bench, client.answerOf(response), [0])
  const { folder } = await hangUp(bench, client)
  await assertTones(folder, [0])
})

test('L-09, oddity: a stream without any c= line is not taken for a pause', async (t) => {
  const { bench } = await openRawSession(t, { sdp: sdpText().replace('c=IN IP4 127.0.0.1\n', ''), xml: callXml() })
  assert.equal((await bench.server.sessions())[0]?.isPaused, false)
})

for (const [what, sdp, formats, encoding] of [
  ['G.729 only', codecs('18 G729/8000').replaceAll('AVP 0', 'AVP 18'), ['18'], 'G729/8000'],
  [
    'G.729 without rtpmap',
    codecs('18 G729/8000')
      .replaceAll('AVP 0', 'AVP 18')
      .replace(/a=rtpmap.*\n/g, ''),
    ['18'],
    'G729/8000',
  ],
  ['OPUS in upper case', codecs('111 OPUS/48000/2').replaceAll('AVP 0', 'AVP 111'), ['111'], 'OPUS/48000/2'],
  ['a codec that nobody knows', codecs('99 x-vendor/16000').replaceAll('AVP 0', 'AVP 99'), ['99'], 'X-VENDOR/16000'],
] as const) {
  test(`oddity: ${what}: the session is taken, and what comes is kept as it came`, async (t) => {
    const { bench, client, answer } = await openRawSession(t, { sdp, xml: callXml() })
    assert.deepEqual(answer.media[0]?.formats, formats)
    const source = await bench.source({ ports: answer.media.map(({ port }) => port) }, 0)
    source.payloadType = Number(formats[0])
    for (let sent = 1; sent <= 5; sent++) {
      bench.clock.advance(20)
      await source.sendPacket(new Uint8Array(20).fill(sent), 160)
    }
    await bench.until(() => bench.eventTypes().includes('first-packet'))
    const { manifest } = await hangUp(bench, client)
    const [stream] = manifest.streams
    assert.deepEqual([stream?.totals.packets, stream?.totals.refused], [5, 0])
    assert.equal(stream?.runs[0]?.encoding, encoding)
  })
}

test('L-19, oddity: one mixed stream of two parties: both are named, and it is heard', async (t) => {
  const two = callXml((text) =>
    text
      .replace(/<stream stream_id="M[^>]*><label>2.*\n/, '')
      .replaceAll(`<send>${idOf('2')}</send>`, `<send>${idOf('1')}</send>`),
  )
  const { bench, client, answer } = await openRawSession(t, { sdp: sdpText(['1']), xml: two })
  await sendTones(bench, answer)
  const { folder, manifest } = await hangUp(bench, client)
  assert.deepEqual(manifest.facts.speakers, [['Ann', 'Ben']])
  await assertTones(folder, 1)
})

test('L-19, oddity: two SSRCs that speak in turn on one m-line: both are heard in one channel', async (t) => {
  const { bench, client, answer } = await openRawSession(t, { sdp: sdpText(['1']) })
  const source = await bench.source({ ports: answer.media.map(({ port }) => port) }, 0)
  await bench.talk([source, tone(400, 200)])
  source.ssrc = 0xbeef
  source.sequence = 40_000
  source.timestamp = 123_456_789
  bench.clock.advance(60)
  await bench.talk([source, tone(1000, 200)])
  const { folder, manifest } = await hangUp(bench, client)
  assert.equal(manifest.streams[0]?.totals.packets, 20)
  const [heard] = await audioOf(folder)
  assert.ok(goertzelPower(heard!.subarray(0, 1600), 8000, 400) > 0.9)
  assert.ok(goertzelPower(heard!.subarray(-1600), 8000, 1000) > 0.9)
})

test('oddity: RTP/SAVP with SDES per m-line, and RTP/AVP beside it: each is answered in its own profile and key', async (t) => {
  const sdp = `${sdpText(['1'])}${securedLine('2')}${securedLine('3')}`
  const srtp = { suites: ['AES_CM_128_HMAC_SHA1_80'] as const, keysWithoutTls: true }
  const { client, bench, answer } = await openRawSession(t, { sdp, xml: callXml() }, { srtp })
  assert.deepEqual(
    answer.media.map(({ protocol }) => protocol),
    ['RTP/AVP', 'RTP/SAVP', 'RTP/SAVP'],
  )
  const [none, second, third] = answer.media.map((media) => cryptosOf(media))
  assert.equal(none?.length, 0)
  assert.deepEqual([second?.[0]?.tag, third?.[0]?.tag], [2, 3])
  assert.notDeepEqual(second?.[0], third?.[0])
  await sendTones(bench, answer, [0])
  await hangUp(bench, client)
})

for (const transport of ['udp', 'tcp', 'tls'] as const) {
  test(`oddity: 3.6 kB of INVITE over ${transport}: taken and kept`, async (t) => {
    const bench = await RecorderBench.open(t, {}, ['udp', 'tcp', 'tls'])
    const client = new RawClient(bench, transport)
    const padding = `Subject: ${'x'.repeat(1500)}`
    const response = await client.invite({ xml: callXml(), head: (lines) => [...lines, padding] })
    assert.equal(response.status, 200)
    await sendTones(bench, client.answerOf(response))
    const { folder, manifest } = await hangUp(bench, client)
    assert.equal(manifest.facts.sip.transport, transport)
    await assertTones(folder, 2)
  })
}

for (const [what, lengthError, speakers] of [
  ['greater than the datagram', 300, [['Ann'], ['Ben']]],
  ['smaller than the body', -300, [['Ann'], []]],
] as const) {
  test(`oddity: a Content-Length ${what}: both streams are kept`, async (t) => {
    const { bench, client, answer } = await openRawSession(t, { xml: callXml(), lengthError, transport: 'udp' })
    await sendTones(bench, answer)
    const { folder, manifest } = await hangUp(bench, client)
    assert.deepEqual(manifest.facts.speakers, speakers)
    await assertTones(folder, 2)
  })
}

test('oddity: an INVITE cut at 2957 bytes, as UDP does to some: the streams whose SDP came first are kept', async (t) => {
  const padding = `Subject: ${'x'.repeat(2957)}`
  const text = (whole: string): string => whole.slice(0, whole.indexOf('<session ') + 40)
  const head = (lines: string[]): string[] => [...lines, padding]
  const { bench, client, answer } = await openRawSession(t, { xml: callXml(), head, text, transport: 'udp' })
  await sendTones(bench, answer)
  const { folder, manifest } = await hangUp(bench, client)
  assert.equal(manifest.facts.metadataInvalid, true)
  await assertTones(folder, 2)
})

test('oddity: Require: 100rel: the recorder answers at once, without anything that needs a PRACK', async (t) => {
  const head = (lines: string[]): string[] => [...lines, 'Require: 100rel']
  const { bench, client, answer } = await openRawSession(t, { xml: callXml(), head })
  await sendTones(bench, answer)
  const stray = await client.request('PRACK', ['RAck: 1 1 INVITE'])
  assert.equal(stray.status, 481)
  const { folder } = await hangUp(bench, client)
  await assertTones(folder, 2)
})

test('oddity: a transfer as three dialogs tied by a group: three recordings, one group, each with its own parties', async (t) => {
  const bench = await RecorderBench.open(t)
  const grouped = (at: number): string =>
    callXml((text) =>
      text
        .replace('<session ', `<group group_id="${idOf('g')}"/><session `)
        .replace('<start-time>', `<group-ref>${idOf('g')}</group-ref><start-time>`)
        .replaceAll(idOf('c'), idOf(`${at}`))
        .replace('>Ben<', `>Ben ${at}<`)
        .replace('</recording>', `<ext xmlns="urn:vendor"><groupSeq>${at}</groupSeq></ext></recording>`),
    )
  for (const at of [3, 4, 5]) {
    const client = new RawClient(bench, 'tcp', `192.0.2.${60 + at}`)
    const response = await client.invite({ xml: grouped(at) })
    assert.equal(response.status, 200)
    assert.equal((await client.request('BYE')).status, 200)
  }
  await bench.until(() => bench.eventTypes().filter((type) => type === 'ended').length === 3)
  const facts = bench.events.flatMap((event) => (event.type === 'ended' ? [event.manifest.facts] : []))
  assert.deepEqual(
    facts.map(({ groupIds, sessionIds, speakers }) => [groupIds, sessionIds, speakers]),
    [3, 4, 5].map((at) => [[idOf('g')], [idOf(`${at}`)], [['Ann'], [`Ben ${at}`]]]),
  )
})

test('oddity: metadata in the re-INVITE that has no SDP, L-20: it is applied, and our offer adds nothing', async (t) => {
  const { bench, client } = await openRawSession(t, {})
  const headers = ['Content-Type: application/rs-metadata+xml', 'Content-Disposition: recording-session']
  const response = await client.request('INVITE', headers, callXml())
  assert.equal(client.answerOf(response).media.length, 2)
  const { manifest } = await hangUp(bench, client)
  assert.deepEqual(manifest.facts.speakers, [['Ann'], ['Ben']])
})

test('oddity: a pause re-INVITE without metadata, and an UPDATE with a new complete document in the old type', async (t) => {
  const { bench, client } = await openRawSession(t, { xml: callXml() })
  const paused = sdpText(['1', '2'], ['a=inactive']).replace('7 1 IN', '7 2 IN')
  await client.request('INVITE', ['Content-Type: application/sdp'], paused)
  assert.equal((await bench.server.sessions())[0]?.isPaused, true)
  const body = multipart([
    xmlPart(
      callXml((text) => text.replace('>Ben<', '>Cara<')),
      'application/rs-metadata',
    ),
    sdpPart(),
  ])
  await client.request('UPDATE', ['Content-Type: multipart/mixed;boundary=raw'], body)
  assert.equal((await bench.server.sessions())[0]?.isPaused, false)
  const { manifest } = await hangUp(bench, client)
  assert.deepEqual(manifest.facts.speakers, [['Ann'], ['Cara']])
})
