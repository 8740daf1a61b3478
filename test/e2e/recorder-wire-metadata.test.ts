// Rows of RFC 7865 and RFC 7866 section 9.2 about metadata, at the socket of a client that words each message itself.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tone } from '../foreign/g711-tones.ts'
import { CallStory } from '../foreign/metadata-documents.ts'
import { isDisposition, partsOf } from '../foreign/mime-text.ts'
import { headerOf, parseNameAddr, type SipText, tokensOf } from '../foreign/sip-text.ts'
import type { WireClient } from '../foreign/wire-client.ts'
import { parseXml } from '../foreign/xml-tree.ts'
import { openWireScene } from '../harness/wire-scene.ts'

const NAMESPACE = 'urn:ietf:params:xml:ns:recording:1'

const partial = (inside: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\r\n<recording xmlns="${NAMESPACE}"><datamode>partial</datamode>${inside}</recording>`

/** A partial document that gives a party of a story another name. */
const named = (story: CallStory, party: number, name: string): string =>
  partial(
    `<participant participant_id="${story.participantIds[party]}"><nameID aor="${story.people[party]!.aor}"><name>${name}</name></nameID></participant>`,
  )

/** A partial document about somebody whom no document describes. */
const aboutNobody = (story: CallStory): string =>
  partial(
    `<participantstreamassoc participant_id="bm9ib2R5IGtub3dzIG1lIQ=="><send>${story.streamIds[0]}</send></participantstreamassoc>`,
  )

const asksSnapshot = (message: SipText): boolean => message.body.includes('requestsnapshot')
const snapshots = (client: WireClient): SipText[] => client.requests.filter(asksSnapshot)

for (const transport of ['udp', 'tcp'] as const) {
  test(`SRS-40: documents are applied in the order of CSeq over ${transport}, and one that comes late is not`, async (t) => {
    const scene = await openWireScene(t)
    const client = await scene.client({ transport })
    const story = new CallStory(['1', '2'])
    await client.request('INVITE', { sdp: client.sdp(), metadata: story.document('rfc8068') })
    client.dialog.cseq = 9
    assert.equal((await client.request('UPDATE', { metadata: named(story, 1, 'Ten') })).status, 200)
    assert.equal((await client.request('UPDATE', { metadata: named(story, 1, 'Five'), cseq: 5 })).status, 500)
    assert.equal((await client.request('UPDATE', { metadata: named(story, 0, 'Eleven') })).status, 200)
    assert.equal((await client.request('UPDATE', { metadata: named(story, 0, 'Twelve') })).status, 200)
    const { manifest } = await scene.end(client)
    const transactions = manifest.metadata.map((one) => one.transaction)
    assert.deepEqual(transactions, ['INVITE 1', 'UPDATE 10', 'UPDATE 11', 'UPDATE 12'])
    assert.deepEqual(manifest.facts.speakers, [['Twelve'], ['Ten']])
  })
}

test('SRS-41, SRS-42, SRS-44, SRS-55: a partial document without a base is followed by an UPDATE of its own for a snapshot, which is then taken', async (t) => {
  const scene = await openWireScene(t)
  const client = await scene.client()
  const story = new CallStory(['1', '2'])
  await client.request('INVITE', { sdp: client.sdp(), metadata: story.document('hold') })
  await client.waitFor(() => snapshots(client).length > 0, 'a request for a snapshot')
  const [request] = snapshots(client)
  assert.ok(request)
  assert.equal(request.method, 'UPDATE')
  assert.ok(tokensOf(request, 'Require').includes('siprec'))
  assert.ok(parseNameAddr(headerOf(request, 'Contact') ?? '').params.has('+sip.srs'))
  const objections: string[] = []
  const parts = partsOf(request, objections)
  assert.deepEqual([parts.map(({ type }) => type), objections], [['application/rs-metadata+xml'], []])
  assert.ok(isDisposition(parts[0]!, 'recording-session'))
  const root = parseXml(parts[0]!.content.toString('utf8'))
  assert.deepEqual([root.namespace, root.name], [NAMESPACE, 'requestsnapshot'])
  assert.ok(root.children.every(({ namespace, name }) => namespace === NAMESPACE && name === 'requestreason'))
  assert.equal((await client.request('UPDATE', { metadata: story.document('rfc8068') })).status, 200)
  assert.equal((await client.request('UPDATE', { metadata: named(story, 0, 'Renamed') })).status, 200)
  const { manifest } = await scene.end(client)
  assert.deepEqual(manifest.facts.speakers, [['Renamed'], ['Matías "Kit" Öberg & Co']])
  assert.equal(snapshots(client).length, 1)
  assert.deepEqual(client.responses.filter(asksSnapshot), [])
})

test('SRS-44, SRS-42: a part without a whole before it and a reference to nobody ask for a snapshot, a syntax error and a part of a whole do not', async (t) => {
  const scene = await openWireScene(t)
  const story = new CallStory(['1', '2'])
  const open = async (metadata = story.document('rfc8068')): Promise<WireClient> => {
    const client = await scene.client()
    await client.request('INVITE', { sdp: client.sdp(), metadata })
    return client
  }
  const [broken, whole, lost] = [await open(), await open(), await open()]
  const baseless = await open(named(story, 0, 'Somebody'))
  assert.equal((await broken.request('UPDATE', { metadata: story.document('broken') })).status, 200)
  assert.equal((await whole.request('UPDATE', { metadata: story.document('hold') })).status, 200)
  assert.equal((await lost.request('UPDATE', { metadata: aboutNobody(story) })).status, 200)
  for (const client of [baseless, lost]) {
    await client.waitFor(() => snapshots(client).length > 0, 'a request for a snapshot')
  }
  for (const client of [broken, whole]) {
    // What was under way at the recorder has come before this answer.
    assert.equal((await client.request('UPDATE')).status, 200)
    assert.deepEqual(client.asked('UPDATE'), [])
  }
  assert.deepEqual(
    [broken, whole, lost].flatMap(({ responses }) => responses.filter(asksSnapshot)),
    [],
  )
})

test('SRS-43: a client whose Allow has no UPDATE is asked nothing', async (t) => {
  const scene = await openWireScene(t)
  const story = new CallStory(['1', '2'])
  const without = await scene.client({ allow: 'INVITE, ACK, CANCEL, BYE' })
  const withIt = await scene.client()
  for (const client of [without, withIt]) {
    const { status } = await client.request('INVITE', { sdp: client.sdp(), metadata: story.document('hold') })
    assert.equal(status, 200)
  }
  await withIt.waitFor(() => snapshots(withIt).length > 0, 'a request for a snapshot')
  assert.equal((await without.request('BYE')).status, 200)
  assert.deepEqual(without.asked('UPDATE'), [])
})

test('SRS-46: a session that another client described is known: who refers to it makes no error, even at a strict recorder', async (t) => {
  const scene = await openWireScene(t, { recorderKeys: { strict: 'refuse' } })
  const story = new CallStory(['1', '2'])
  const document = story.document('rfc8068')!
  const first = await scene.client()
  assert.equal((await first.request('INVITE', { sdp: first.sdp(), metadata: document })).status, 200)
  const second = await scene.client()
  const withoutSession = document.replace(/<session [\s\S]*?<\/session>\r\n/, '')
  assert.notEqual(withoutSession, document)
  assert.equal((await second.request('INVITE', { sdp: second.sdp(), metadata: withoutSession })).status, 200)
  const { items } = (await scene.api.ask('get', '/api/recorder/sessions')).body
  const deviations: string[] = []
  for (const { recordingId } of items) {
    const { body } = await scene.api.ask('get', '/api/recordings/{recordingId}/verdict', { params: { recordingId } })
    for (const { severity, code } of body.deviations) deviations.push(`${severity} ${code}`)
  }
  assert.deepEqual([items.length, [...new Set(deviations)]], [2, ['warning dangling-reference']])
  assert.deepEqual([...first.requests, ...second.requests].filter(asksSnapshot), [])
})

test('SRS-47: an id of a party that a stream takes stays that of the party: the stream element is ignored and the fault told', async (t) => {
  const scene = await openWireScene(t)
  const client = await scene.client()
  const story = new CallStory(['1', '2'])
  await client.request('INVITE', { sdp: client.sdp(), metadata: story.document('rfc8068') })
  const id = story.participantIds[0]
  const reused = partial(`<stream stream_id="${id}" session_id="${story.sessionId}"><label>2</label></stream>`)
  assert.equal((await client.request('UPDATE', { metadata: reused })).status, 200)
  await Promise.all([client.streams[0]!.send(tone(400, 300)), client.streams[1]!.send(tone(1000, 300))])
  const { manifest } = await scene.end(client, 30)
  // Who an id in doubt stands for is not guessed; all else is as it was.
  assert.deepEqual(manifest.facts.speakers, [[], ['Matías "Kit" Öberg & Co']])
  assert.deepEqual(
    manifest.facts.participants.map(({ participantId, name }) => [participantId, name]),
    story.participantIds.map((one, party) => [one, story.people[party]!.name]),
  )
  assert.ok(
    manifest.facts.warnings.some((one) => one.includes(`id ${id}`)),
    manifest.facts.warnings.join('\n'),
  )
  assert.deepEqual(
    manifest.streams.map(({ totals }) => totals.packets),
    [15, 15],
  )
})
