// What RFC 7865 lets a document say and leave out, sent to a whole recorder by a client that words each message itself.

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { tone } from '../foreign/g711-tones.ts'
import { CallStory } from '../foreign/metadata-documents.ts'
import type { WireClient } from '../foreign/wire-client.ts'
import { assertLineTones } from '../harness/raw-scene.ts'
import { LINE_TONES_HZ } from '../harness/raw-socket-client.ts'
import { until } from '../harness/until.ts'
import { directionsOf, openWireScene } from '../harness/wire-scene.ts'

const NAMESPACE = 'urn:ietf:params:xml:ns:recording:1'
const BOTH = [['Ottoline Brandt'], ['Matías "Kit" Öberg & Co']]

const document = (inside: string, mode = 'complete'): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\r\n<recording xmlns="${NAMESPACE}"><datamode>${mode}</datamode>${inside}</recording>`

/** Each stream says its own tone. */
async function speak(client: WireClient): Promise<void> {
  await Promise.all(client.streams.map((stream, line) => stream.send(tone(LINE_TONES_HZ[line]!, 400))))
}

/** Both streams of `speak`. */
const PACKETS = 40

test('SRS-48: a session of no streams and an empty document stands, and takes streams and parties when there are some', async (t) => {
  const scene = await openWireScene(t)
  const client = await scene.client({ streams: 0 })
  const opened = await client.request('INVITE', { sdp: client.sdp(), metadata: document('') })
  assert.deepEqual([opened.status, directionsOf(opened)], [200, []])
  assert.equal((await client.request('UPDATE', { metadata: document('') })).status, 200)
  await client.addStream()
  await client.addStream()
  client.version++
  const story = new CallStory(['1', '2'])
  const call = await client.request('INVITE', { sdp: client.sdp(), metadata: story.document('rfc8068') })
  assert.deepEqual(directionsOf(call), ['recvonly', 'recvonly'])
  await speak(client)
  const kept = await scene.end(client, PACKETS)
  assertLineTones(kept, [0, 1])
  assert.deepEqual([kept.manifest.facts.metadataInvalid, kept.manifest.facts.speakers], [false, BOTH])
})

test('SRS-49: streams that are described and do not come are no fault, nor is one that comes and is not described', async (t) => {
  const scene = await openWireScene(t)
  const client = await scene.client()
  // Its streams: 1, which comes, and 9, which does not; 2 comes undescribed.
  const story = new CallStory(['1', '9'])
  const opened = await client.request('INVITE', { sdp: client.sdp(), metadata: story.document('rfc8068') })
  assert.deepEqual([opened.status, directionsOf(opened)], [200, ['recvonly', 'recvonly']])
  await speak(client)
  const kept = await scene.end(client, PACKETS)
  assertLineTones(kept, [0, 1])
  const { facts, streams } = kept.manifest
  assert.deepEqual([facts.metadataInvalid, facts.speakers], [false, [['Ottoline Brandt'], []]])
  assert.deepEqual(
    streams.map(({ label }) => label),
    ['1', '2'],
  )
})

test('SRS-50: elements of other namespaces at the end of every element are kept byte by byte, and change nothing', async (t) => {
  const scene = await openWireScene(t)
  const client = await scene.client()
  const story = new CallStory(['1', '2'])
  const foreign =
    '<v:x xmlns:v="urn:example:vendor" a="&lt;"><v:participant participant_id="1">&amp;</v:participant></v:x>'
  const places = ['group', 'session', 'participant', 'stream', 'sessionrecordingassoc']
  const closing = new RegExp(`</(${places.join('|')}|participantsessionassoc|participantstreamassoc|recording)>`, 'g')
  const metadata = story.document('rfc8068')!.replace(closing, `${foreign}</$1>`)
  assert.equal((await client.request('INVITE', { sdp: client.sdp(), metadata })).status, 200)
  await speak(client)
  const kept = await scene.end(client, PACKETS)
  assertLineTones(kept, [0, 1])
  const { facts, recordingId } = kept.manifest
  assert.deepEqual([facts.metadataInvalid, facts.speakers], [false, BOTH])
  assert.equal(facts.participants.length, 2)
  // The folder may just be on its way to where it is published.
  await until('the document is had as it came', async () => {
    return (await scene.api.text('/api/recordings/{recordingId}/metadata/1', { recordingId })) === metadata
  })
})

test('SRS-51: where policy keeps no documents, none is on disk and none can be had, and the parties are known', async (t) => {
  const said = '<!-- only in a document -->'
  const words: boolean[] = []
  for (const keepDocuments of [true, false]) {
    const scene = await openWireScene(t, { recorderStore: { keepDocuments } })
    const client = await scene.client()
    const metadata = new CallStory(['1', '2']).document('rfc8068')!.replace('</recording>', `${said}</recording>`)
    assert.equal((await client.request('INVITE', { sdp: client.sdp(), metadata })).status, 200)
    await speak(client)
    const { manifest, folder } = await scene.end(client, PACKETS)
    assert.deepEqual(manifest.facts.speakers, BOTH)
    const names = await readdir(folder, { recursive: true, withFileTypes: true })
    const files = names.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
    const texts = await Promise.all(files.map((file) => readFile(file, 'latin1')))
    words.push(texts.some((text) => text.includes(said)))
    const { recordingId } = manifest
    const path = `${scene.recorder.httpUrl}/api/recordings/${recordingId}/metadata/1`
    const wanted = keepDocuments ? 200 : 404
    await until(`it is answered ${wanted}`, async () => (await fetch(path)).status === wanted)
  }
  assert.deepEqual(words, [true, false])
})

for (const [what, date] of [
  ['right', new Date().toUTCString()],
  ['of another decade', 'Tue, 01 Jan 2008 00:00:05 GMT'],
  ['absent', undefined],
] as const) {
  test(`SRS-52: a Date that is ${what} stands beside the time of receipt, and never in its place`, async (t) => {
    const scene = await openWireScene(t)
    const client = await scene.client()
    const headers = date === undefined ? [] : ([['Date', date]] as const)
    const beforeMs = Date.now()
    assert.equal((await client.request('INVITE', { sdp: client.sdp(), headers })).status, 200)
    await speak(client)
    const bye = await client.request('BYE', { headers })
    assert.equal(bye.status, 200)
    const { manifest } = await scene.kept()
    assert.deepEqual([manifest.facts.sip.date, manifest.facts.sip.endDate], [date, date])
    for (const at of [manifest.startedAt, manifest.endedAt ?? '']) {
      assert.ok(Date.parse(at) >= beforeMs - 100 && Date.parse(at) <= Date.now(), `${what}: ${at}`)
    }
  })
}

for (const [what, namespace] of [
  ['of the version before', 'urn:ietf:params:xml:ns:recording'],
  ['of a version to come', 'urn:ietf:params:xml:ns:recording:2'],
] as const) {
  test(`SRS-55: a document in the namespace ${what} is read, its audio kept, and a strict recorder refuses it by 400`, async (t) => {
    const story = new CallStory(['1', '2'])
    const metadata = story.document('rfc8068')!.replace(NAMESPACE, namespace)
    const strict = await openWireScene(t, { recorderKeys: { strict: 'refuse' } })
    const refused = await strict.client()
    assert.equal((await refused.request('INVITE', { sdp: refused.sdp(), metadata })).status, 400)
    const scene = await openWireScene(t)
    const client = await scene.client()
    assert.equal((await client.request('INVITE', { sdp: client.sdp(), metadata })).status, 200)
    await speak(client)
    const kept = await scene.end(client, PACKETS)
    assertLineTones(kept, [0, 1])
    assert.deepEqual(kept.manifest.facts.speakers, BOTH)
  })
}
