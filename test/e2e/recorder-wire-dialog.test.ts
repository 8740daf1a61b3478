// Rows of RFC 7866, 3264, 3311 and 3261 about the dialog of a recorder, at the socket of a client that words each message itself.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tone } from '../foreign/g711-tones.ts'
import { CallStory } from '../foreign/metadata-documents.ts'
import { headerOf, parseNameAddr, type SipText, tokensOf } from '../foreign/sip-text.ts'
import { answerOf, OK, type WireClient } from '../foreign/wire-client.ts'
import { directionsOf, openWireScene, versionOf, type WireScene } from '../harness/wire-scene.ts'

const SESSION = '/api/recorder/sessions/{recordingId}'

/** What every request of a recorder carries (RFC 7866 section 6.2). */
function assertRecorder(request: SipText): void {
  assert.ok(tokensOf(request, 'Require').includes('siprec'), `Require of ${request.method}`)
  const { params, uri } = parseNameAddr(headerOf(request, 'Contact') ?? '')
  assert.ok(params.has('+sip.srs'), `Contact of ${request.method}`)
  assert.doesNotMatch(uri, /sip\.srs/)
}

async function idOfSession({ api }: WireScene): Promise<string> {
  return (await api.ask('get', '/api/recorder/sessions')).body.items[0].recordingId
}

test('SRS-03, SRS-15: an invited client gets an INVITE that offers nothing; what is recorded stands in its own offer, the answer in the ACK', async (t) => {
  const scene = await openWireScene(t, { recorderKeys: { invite: ['127.0.0.1'] } })
  const client = await scene.client({ transport: 'udp' })
  const story = new CallStory(['1', '2'])
  client.reply = (request) =>
    request.method === 'INVITE'
      ? { ...OK, sdp: client.sdp(), metadata: story.document('rfc8068')! }
      : client.usualReply(request)
  const target = parseNameAddr(client.dialog.contact).uri
  const asked = await scene.api.ask('post', '/api/recorder/invitations', { body: { target } })
  assert.equal(asked.status, 201)
  await client.waitFor(() => client.asked('ACK').length > 0, 'the ACK')
  const invite = client.asked('INVITE')[0]!
  assertRecorder(invite)
  assert.equal(invite.body.length, 0)
  assert.equal(headerOf(invite, 'Content-Type'), undefined)
  const ack = client.asked('ACK')[0]!
  assert.deepEqual(directionsOf(ack), ['recvonly', 'recvonly'])
  await Promise.all([client.streams[0]!.send(tone(400, 400)), client.streams[1]!.send(tone(1000, 400))])
  const { manifest } = await scene.end(client, 40)
  assert.deepEqual(
    manifest.streams.map(({ totals }) => totals.packets),
    [20, 20],
  )
  assert.equal(manifest.recordingId, asked.body.recordingId)
})

test('SRS-14, SRS-03: whatever the client has added and removed, an offer of the recorder has its streams and no other', async (t) => {
  const scene = await openWireScene(t)
  const client = await scene.client({ streams: 1 })
  const story = new CallStory(['1'])
  assert.equal((await client.request('INVITE', { sdp: client.sdp(), metadata: story.document('rfc8068') })).status, 200)
  const params = { recordingId: await idOfSession(scene) }
  const offers = (): SipText[] => client.requests.filter((one) => one.method !== 'ACK' && answerOf(one) !== undefined)
  const offered: unknown[] = []
  const pauseAndResume = async (): Promise<void> => {
    const before = offers().length
    for (const command of ['pause', 'resume']) {
      const { status } = await scene.api.ask('post', `${SESSION}/${command}`, { params, body: {} })
      assert.equal(status, 200)
    }
    await client.waitFor(() => offers().length >= before + 2, 'two offers of the recorder')
    offered.push(
      offers()
        .slice(before)
        .map((one) => answerOf(one)!.media.map(({ port, label }) => (port === 0 ? 'removed' : label))),
    )
  }
  await pauseAndResume()
  await client.addStream()
  client.version++
  assert.deepEqual(directionsOf(await client.request('INVITE', { sdp: client.sdp() })), ['recvonly', 'recvonly'])
  await pauseAndResume()
  client.version++
  const without = client.sdp().replace(/m=audio \d+/, 'm=audio 0')
  assert.deepEqual(directionsOf(await client.request('INVITE', { sdp: without })), ['removed', 'recvonly'])
  await pauseAndResume()
  assert.deepEqual(offered, [
    [['1'], ['1']],
    [
      ['1', '2'],
      ['1', '2'],
    ],
    [
      ['removed', '2'],
      ['removed', '2'],
    ],
  ])
  for (const offer of offers()) assertRecorder(offer)
  // RFC 3261 section 14.1: a re-INVITE without a description asks for an offer.
  const asked = await client.request('INVITE')
  assert.deepEqual(directionsOf(asked), ['removed', 'recvonly'])
})

test('SRS-16: a stream that the recorder takes out has port 0 in its offer, and the others go on', async (t) => {
  const scene = await openWireScene(t)
  const client = await scene.client()
  const opened = await client.request('INVITE', { sdp: client.sdp() })
  assert.deepEqual(directionsOf(opened), ['recvonly', 'recvonly'])
  const recordingId = await idOfSession(scene)
  await client.streams[1]!.send(tone(1000, 200))
  await scene.recorder.program.recorder?.server.dropStream(recordingId, 1)
  const [offer] = client.asked('INVITE')
  assert.ok(offer)
  assertRecorder(offer)
  assert.deepEqual(directionsOf(offer), ['recvonly', 'removed'])
  assert.equal(versionOf(offer), versionOf(opened) + 1)
  assert.equal(answerOf(offer)!.media[0]!.port, answerOf(opened)!.media[0]!.port)
  await client.streams[0]!.send(tone(400, 300))
  const { manifest } = await scene.end(client, 25)
  assert.deepEqual(
    manifest.streams.map(({ totals }) => totals.packets),
    [15, 10],
  )
})

test('SRS-20: an UPDATE that comes while another is unanswered gets 500 and Retry-After from 0 to 10, and changes nothing', async (t) => {
  const scene = await openWireScene(t)
  const client = await scene.client()
  assert.equal((await client.request('INVITE', { sdp: client.sdp() })).status, 200)
  const offer = (version: number): string => {
    client.version = version
    return client.sdp(version % 2 === 0 ? 'inactive' : 'sendonly')
  }
  const [first, second] = await Promise.all([
    client.request('UPDATE', { sdp: offer(2) }),
    client.request('UPDATE', { sdp: offer(3) }),
  ])
  assert.deepEqual([first.status, second.status], [200, 500])
  assert.match(headerOf(second, 'Retry-After') ?? '', /^(\d|10)\b/)
  assert.deepEqual(directionsOf(first), ['inactive', 'inactive'])
  const again = await client.request('UPDATE', { sdp: offer(2) })
  assert.deepEqual([directionsOf(again), versionOf(again)], [['inactive', 'inactive'], versionOf(first)])
})

test('SRS-20: an UPDATE with an offer while the offer of the recorder is unanswered gets 491; one without is answered', async (t) => {
  const scene = await openWireScene(t)
  const client = await scene.client()
  assert.equal((await client.request('INVITE', { sdp: client.sdp() })).status, 200)
  const params = { recordingId: await idOfSession(scene) }
  client.reply = () => undefined
  const pausing = scene.api.ask('post', `${SESSION}/pause`, { params, body: {} })
  await client.waitFor(() => client.asked('INVITE').length > 0, 'the offer of the recorder')
  client.version++
  assert.equal((await client.request('UPDATE', { sdp: client.sdp() })).status, 491)
  assert.equal((await client.request('UPDATE')).status, 200)
  client.version--
  const offer = client.asked('INVITE')[0]!
  client.answer(offer, client.usualReply(offer))
  assert.equal((await pausing).body.clientStatus, 200)
})

test('SRS-21: requests with an old number or of no dialog change nothing: audio, metadata and the next answer are as before', async (t) => {
  const scene = await openWireScene(t)
  const client: WireClient = await scene.client({ transport: 'udp' })
  const story = new CallStory(['1', '2'])
  client.dialog.cseq = 99
  const opened = await client.request('INVITE', { sdp: client.sdp(), metadata: story.document('rfc8068') })
  const other = new CallStory(['1', '2'], [{ name: 'Nobody', aor: 'sip:nobody@client.example' }])
  const change = { sdp: client.sdp('inactive').replace(' 1 IN ', ' 2 IN '), metadata: other.document('rfc8068') }
  for (const method of ['UPDATE', 'INVITE']) {
    assert.equal((await client.request(method, { ...change, cseq: 50 })).status, 500, method)
    assert.equal((await client.request(method, { ...change, toTag: 'nobody' })).status, 481, method)
  }
  assert.equal((await client.request('BYE', { cseq: 51 })).status, 500)
  assert.equal((await client.request('BYE', { toTag: 'nobody' })).status, 481)
  client.dialog.cseq += 50
  const again = await client.request('UPDATE', { sdp: client.sdp() })
  assert.deepEqual([directionsOf(again), versionOf(again)], [['recvonly', 'recvonly'], versionOf(opened)])
  await client.streams[0]!.send(tone(400, 400))
  const { manifest } = await scene.end(client, 20)
  assert.equal(manifest.streams[0]?.totals.packets, 20)
  assert.equal(manifest.metadata.length, 1)
  assert.deepEqual(manifest.facts.speakers, [['Ottoline Brandt'], ['Matías "Kit" Öberg & Co']])
})
