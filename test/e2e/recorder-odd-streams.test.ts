// Odd streams, lengths and updates of recording clients in the field, over sockets to a whole recorder.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { cryptoIds } from '#net'
import { cryptosOf, directionOf, labelOf, type ParsedSdp, parseSdp } from '#sdp'
import { fixtureText } from '../harness/fixtures.ts'
import { callXml, idOf, sdpText, securedLine } from '../harness/raw-client.ts'
import { assertLineTones, RawScene } from '../harness/raw-scene.ts'
import { answerOf, LINE_PACKETS, sendLineTones } from '../harness/raw-socket-client.ts'
import { RtpSource } from '../harness/rtp-source.ts'

const HOST = '127.0.0.1'
const PORTS = 600

let scene: RawScene
before(async () => {
  const srtp = { suites: ['AES_CM_128_HMAC_SHA1_80'], keysWithoutTls: true }
  const portMin = 10_000 + 2 * cryptoIds.integer(700)
  scene = await RawScene.open({ media: { portMin, portMax: portMin + PORTS, srtp } })
})
after(() => scene.close())

const directions = (answer: ParsedSdp): string[] => answer.media.map((media) => directionOf(media, answer))

test('oddity 12: four m-lines of which two are inactive without rtpmap: all are answered, and the two that send are kept', async (t) => {
  const idle = (port: number, label: string): string => `m=audio ${port} RTP/AVP 97 98\na=inactive\na=label:${label}\n`
  const client = await scene.client(t, 'tcp')
  const sdp = `${sdpText()}${idle(40_010, '3')}${idle(40_012, '4')}`
  const answer = answerOf(await client.invite({ sdp, xml: callXml() }))
  assert.deepEqual(directions(answer), ['recvonly', 'recvonly', 'inactive', 'inactive'])
  assert.deepEqual(answer.media.map(labelOf), ['1', '2', '3', '4'])
  await sendLineTones(t, answer, [0, 1])
  await scene.received(client, 2 * LINE_PACKETS)
  const kept = await scene.hangUp(client)
  assert.deepEqual(kept.manifest.facts.speakers, [['Ann'], ['Ben'], [], []])
  assertLineTones(kept, [0, 1])
})

test('oddity 13: a first offer that is inactive, then sendonly: each offer gets its own answer, and the audio is kept', async (t) => {
  const client = await scene.client(t, 'tcp')
  const first = answerOf(await client.invite({ sdp: sdpText(['1', '2'], ['a=inactive']), xml: callXml() }))
  assert.deepEqual(directions(first), ['inactive', 'inactive'])
  const active = sdpText().replace('7 1 IN', '7 2 IN')
  const answer = answerOf(await client.request('INVITE', ['Content-Type: application/sdp'], active))
  assert.deepEqual(directions(answer), ['recvonly', 'recvonly'])
  await sendLineTones(t, answer, [0, 1])
  await scene.received(client, 2 * LINE_PACKETS)
  assertLineTones(await scene.hangUp(client), [0, 1])
})

for (const [what, type, map] of [
  ['oddity 16: G.729 only', '18', 'a=rtpmap:18 G729/8000\n'],
  ['oddity 16: G.729 only, without rtpmap', '18', ''],
  ['oddity 15: OPUS in upper case', '111', 'a=rtpmap:111 OPUS/48000/2\n'],
] as const) {
  test(`${what}: the session is taken, and each payload is kept as it came`, async (t) => {
    const client = await scene.client(t, 'udp')
    const sdp = sdpText().replaceAll('AVP 0', `AVP ${type}`).replaceAll('a=rtpmap:0 PCMU/8000\n', map)
    const answer = answerOf(await client.invite({ sdp, xml: callXml() }))
    assert.deepEqual(answer.media[0]?.formats, [type])
    const source = await RtpSource.open({ host: HOST, port: answer.media[0]!.port })
    t.after(() => source.close())
    source.payloadType = Number(type)
    for (let sent = 0; sent < LINE_PACKETS; sent++) await source.sendPacket(new Uint8Array(20).fill(sent), 160)
    await scene.received(client, LINE_PACKETS)
    const { manifest } = await scene.hangUp(client)
    const [stream] = manifest.streams
    assert.deepEqual([stream?.totals.packets, stream?.totals.refused], [LINE_PACKETS, 0])
    assert.equal(stream?.runs[0]?.encoding, type === '18' ? 'G729/8000' : 'OPUS/48000/2')
    assert.deepEqual(manifest.facts.speakers, [['Ann'], ['Ben']])
  })
}

for (const [transport, what, lengthError, speakers] of [
  ['udp', 'greater than the datagram', 300, [['Ann'], ['Ben']]],
  ['udp', 'smaller than the body', -300, [['Ann'], []]],
  ['tcp', 'greater than the body', 300, [['Ann'], ['Ben']]],
  ['tcp', 'smaller than the body', -300, [['Ann'], ['Ben']]],
  ['tcp', 'smaller than the body by its last line end', -2, [['Ann'], ['Ben']]],
] as const) {
  test(`oddity 19: a Content-Length ${what}, over ${transport}: both streams are kept`, async (t) => {
    const client = await scene.client(t, transport)
    const answer = answerOf(await client.invite({ xml: callXml(), lengthError, transport }))
    await sendLineTones(t, answer, [0, 1])
    await scene.received(client, 2 * LINE_PACKETS)
    const kept = await scene.hangUp(client)
    assert.deepEqual(kept.manifest.facts.speakers, speakers)
    const { deviations = [] } = kept.manifest.facts.verdict ?? {}
    // What is left of a datagram that is cut at its Content-Length fits it; so does a body that only lacks its last line end.
    const isSeen = deviations.some(({ code }) => code === 'content-length')
    assert.equal(isSeen, lengthError > 0 || (transport === 'tcp' && lengthError < -2))
    assertLineTones(kept, [0, 1])
  })
}

test('oddity 21: RTP/SAVP with SDES per m-line, and RTP/AVP beside it: each is heard under its own key', async (t) => {
  const sdp = `${sdpText(['1'])}${securedLine('2')}${securedLine('3')}`
  const offered = parseSdp(Buffer.from(sdp))
  assert.ok(offered.ok)
  const keys = offered.value.media.map((media) => cryptosOf(media)[0])
  const client = await scene.client(t, 'tcp')
  const answer = answerOf(await client.invite({ sdp, xml: callXml() }))
  const protocols = answer.media.map(({ protocol }) => protocol)
  assert.deepEqual(protocols, ['RTP/AVP', 'RTP/SAVP', 'RTP/SAVP'])
  assert.deepEqual(
    answer.media.map((media) => cryptosOf(media).map(({ tag }) => tag)),
    [[], [2], [3]],
  )
  await sendLineTones(t, answer, [0, 1, 2], keys)
  await scene.received(client, 3 * LINE_PACKETS)
  assertLineTones(await scene.hangUp(client), [0, 1, 2])
})

test('oddity 23: a transfer as three dialogs tied by a group, with the same stream ids: each has its own audio and parties', async (t) => {
  const groups: unknown[] = []
  for (const at of ['3', '4', '5']) {
    const xml = callXml((text) =>
      text
        .replace('<session ', `<group group_id="${idOf('g')}"/><session `)
        .replace('<start-time>', `<group-ref>${idOf('g')}</group-ref><start-time>`)
        .replaceAll(idOf('c'), idOf(at))
        .replace('>Ben<', `>Ben ${at}<`)
        .replace('</recording>', `<ext xmlns="urn:vendor"><groupSeq>${at}</groupSeq></ext></recording>`),
    )
    const client = await scene.client(t, 'tcp')
    const answer = answerOf(await client.invite({ xml }))
    await sendLineTones(t, answer, [0, 1])
    await scene.received(client, 2 * LINE_PACKETS)
    const kept = await scene.hangUp(client)
    assertLineTones(kept, [0, 1])
    const { sessionIds, speakers, groupIds } = kept.manifest.facts
    assert.deepEqual([sessionIds, speakers], [[idOf(at)], [['Ann'], [`Ben ${at}`]]])
    groups.push(groupIds)
  }
  assert.deepEqual(groups, Array(3).fill([idOf('g')]))
})

for (const [vendor, caller] of [
  ['oracle', 'sip:8100@198.51.100.21'],
  ['broadworks', 'sip:02070000001'],
  ['ribbon', '5551235201@198.51.100.9'],
  ['cisco', 'sip:5101@192.0.2.40'],
  ['jambonz', 'sip:+15550100@carrier.example'],
] as const) {
  test(`L-18: the calling party in the form of ${vendor} is found, and its streams are heard`, async (t) => {
    const file = fixtureText(`vendors/${vendor}.txt`)
    const end = file.indexOf('\n\n')
    const body = { contentType: file.slice('Content-Type: '.length, end), text: file.slice(end + 2) }
    const client = await scene.client(t, 'tcp')
    const answer = answerOf(await client.invite({ body }))
    const lines = answer.media.flatMap((media, line) => (directionOf(media, answer) === 'recvonly' ? [line] : []))
    assert.ok(lines.length > 0)
    await sendLineTones(t, answer, lines)
    await scene.received(client, lines.length * LINE_PACKETS)
    const kept = await scene.hangUp(client)
    assertLineTones(kept, lines)
    const { callerId, participants } = kept.manifest.facts
    assert.equal(participants.find(({ participantId }) => participantId === callerId)?.aor, caller)
  })
}

test('L-19: one mixed stream of two parties: both are named, and it is heard', async (t) => {
  const xml = callXml((text) =>
    text
      .replace(/<stream stream_id="M[^>]*><label>2.*\n/, '')
      .replaceAll(`<send>${idOf('2')}</send>`, `<send>${idOf('1')}</send>`),
  )
  const client = await scene.client(t, 'udp')
  const answer = answerOf(await client.invite({ sdp: sdpText(['1']), xml }))
  await sendLineTones(t, answer, [0])
  await scene.received(client, LINE_PACKETS)
  const kept = await scene.hangUp(client)
  assert.deepEqual(kept.manifest.facts.speakers, [['Ann', 'Ben']])
  assertLineTones(kept, [0])
})

test('L-20: a document in a re-INVITE without SDP is applied, the offer in its answer keeps the streams, and one in BYE is applied too', async (t) => {
  const headers = ['Content-Type: application/rs-metadata+xml', 'Content-Disposition: recording-session']
  const client = await scene.client(t, 'tcp')
  await client.invite({})
  const answer = answerOf(await client.request('INVITE', headers, callXml()))
  assert.deepEqual(answer.media.map(labelOf), ['1', '2'])
  await sendLineTones(t, answer, [0, 1])
  await scene.received(client, 2 * LINE_PACKETS)
  const last = callXml((text) => text.replace('>Ben<', '>Cara<'))
  const kept = await scene.hangUp(client, headers, last)
  assert.deepEqual(kept.manifest.facts.speakers, [['Ann'], ['Cara']])
  assertLineTones(kept, [0, 1])
})
