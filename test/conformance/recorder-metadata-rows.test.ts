// Rows of RFC 7865 and 7866 about the metadata that a recorder is sent, each through a recorder.

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { applyMetadata, parseMetadata, type RecordingMetadata, writeMetadata } from '#siprec'
import { randomMetadata } from '../harness/random-metadata.ts'
import { callXml, idOf, RawClient, sdpText } from '../harness/raw-client.ts'
import { hangUp, openRawSession } from '../harness/raw-session.ts'
import { RecorderBench } from '../harness/recorder.ts'

const METADATA = ['Content-Type: application/rs-metadata+xml', 'Content-Disposition: recording-session']

/** The state that the last document on disk led to. */
async function lastState(folder: string): Promise<unknown> {
  const files = (await readdir(join(folder, 'metadata'))).filter((name) => name.endsWith('.json')).sort()
  const text = await readFile(join(folder, 'metadata', files.at(-1)!), 'utf8')
  return (JSON.parse(text) as { state?: unknown }).state ?? JSON.parse(text)
}

test('SRS-40: the updates of a session are applied in the order of CSeq, and each is kept: apply(a, b, c) is the state', async (t) => {
  const cases = fc.sample(fc.array(randomMetadata, { minLength: 1, maxLength: 5 }), { numRuns: 15, seed: 40 })
  for (const documents of cases) {
    const bench = await RecorderBench.open(t)
    const client = new RawClient(bench)
    assert.equal((await client.invite({})).status, 200)
    let model: RecordingMetadata | undefined
    for (const document of documents) {
      const text = new TextDecoder().decode(writeMetadata(document))
      assert.equal((await client.request('UPDATE', METADATA, text)).status, 200)
      const { metadata } = parseMetadata(Buffer.from(text))
      model = applyMetadata(model, metadata!)
    }
    const { folder, manifest } = await hangUp(bench, client)
    assert.equal(manifest.metadata.length, documents.length)
    assert.deepEqual(
      manifest.metadata.map(({ transaction }) => transaction),
      documents.map((_document, at) => `UPDATE ${at + 2}`),
    )
    assert.deepEqual(await lastState(folder), JSON.parse(JSON.stringify(model)))
  }
})

test('SRS-46: an id that another client defined too is no error: two sessions of one communication session are both kept', async (t) => {
  const bench = await RecorderBench.open(t)
  for (const ip of ['192.0.2.61', '192.0.2.62']) {
    const client = new RawClient(bench, 'tcp', ip)
    assert.equal((await client.invite({ xml: callXml() })).status, 200)
  }
  const sessions = await bench.server.sessions()
  assert.deepEqual(
    sessions.map(({ facts }) => [
      facts.sessionIds,
      facts.speakers,
      facts.warnings.filter((one) => one.includes('id ')),
    ]),
    [1, 2].map(() => [[idOf('c')], [['Ann'], ['Ben']], []]),
  )
})

test('SRS-47: an id of a participant that a stream has too: the later element is ignored and the fault told', async (t) => {
  const { bench, client } = await openRawSession(t, { xml: callXml((text) => text.replaceAll(idOf('2'), idOf('a'))) })
  const { manifest } = await hangUp(bench, client)
  const { facts } = manifest
  assert.deepEqual(facts.speakers, [[], []], 'nobody is named by an id that stands for two things')
  assert.deepEqual(facts.speakerEvidence, ['conflict', 'unknown'])
  assert.ok(facts.warnings.includes(`id ${idOf('a')} is that of a participant: the stream with it is ignored`))
  assert.equal(facts.participants.length, 2)
})

test('SRS-47: a partial document that gives the id of a participant to a stream leaves the participant as it was', async (t) => {
  const { bench, client } = await openRawSession(t, { xml: callXml() })
  const change = `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>partial</datamode>
<stream stream_id="${idOf('b')}" session_id="${idOf('c')}"><label>2</label></stream></recording>`
  await client.request('UPDATE', METADATA, change)
  const { manifest } = await hangUp(bench, client)
  assert.deepEqual(manifest.facts.speakers, [['Ann'], []])
  assert.ok(manifest.facts.warnings.some((one) => one.includes('is that of a participant')))
})

test('SRS-48: a session without sessions, groups and streams is legal, and what comes later is taken', async (t) => {
  const empty = '<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode></recording>'
  const sdp = 'v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n'
  const { bench, client, answer } = await openRawSession(t, { sdp, xml: empty })
  assert.equal(answer.media.length, 0)
  const body = `--raw\nContent-Type: application/sdp\n\n${sdpText().replace('7 1 IN', '1 2 IN')}\n--raw\nContent-Type: application/rs-metadata+xml\n\n${callXml()}\n--raw--\n`
  const response = await client.request('INVITE', ['Content-Type: multipart/mixed;boundary=raw'], body)
  assert.equal(client.answerOf(response).media.length, 2)
  const { manifest } = await hangUp(bench, client)
  assert.deepEqual(manifest.facts.speakers, [['Ann'], ['Ben']])
  assert.equal(manifest.facts.metadataInvalid, false)
})

test('SRS-50, L-17: elements of other namespaces are kept raw at every level and change nothing', async (t) => {
  const foreign = '<v:x xmlns:v="urn:vendor" a="1"><v:y>&lt;kept&gt;</v:y></v:x>'
  const closing =
    /<\/(session|participant|stream|sessionrecordingassoc|participantsessionassoc|participantstreamassoc|recording)>/g
  const { bench, client } = await openRawSession(t, {
    xml: callXml((text) => text.replace(closing, `${foreign}</$1>`)),
  })
  const { folder, manifest } = await hangUp(bench, client)
  assert.deepEqual(manifest.facts.speakers, [['Ann'], ['Ben']])
  assert.equal(manifest.facts.metadataInvalid, false)
  const state = JSON.stringify(await lastState(folder))
  assert.equal(state.match(/"<kept>"/g)?.length, 11)
  const raw = await readFile(join(folder, manifest.metadata[0]!.file!), 'utf8')
  assert.equal(raw.match(/urn:vendor/g)?.length, 11)
})

for (const [what, date] of [
  ['its own', 'Mon, 02 Mar 2026 10:00:00 GMT'],
  ['one far off', 'Thu, 01 Jan 1970 00:00:05 GMT'],
  ['none', undefined],
] as const) {
  test(`SRS-52: beginning and end by our clock, and by the Date of the client: ${what}`, async (t) => {
    const head = (lines: string[]): string[] =>
      lines.flatMap((line) => (line.startsWith('Date:') ? (date === undefined ? [] : [`Date: ${date}`]) : [line]))
    const { bench, client } = await openRawSession(t, { xml: callXml(), head })
    const startedAtMs = bench.clock.wallMs()
    bench.clock.advance(5000)
    await client.request('BYE', date === undefined ? [] : [`Date: ${date}`])
    await bench.until(() => bench.eventTypes().includes('ended'))
    const ended = bench.events.find((event) => event.type === 'ended')
    assert.ok(ended?.type === 'ended')
    const { facts, startedAt, endedAt } = ended.manifest
    assert.deepEqual([facts.sip.date, facts.sip.endDate], [date, date])
    assert.ok(Math.abs(Date.parse(startedAt) - startedAtMs) < 100)
    assert.ok(Math.abs(Date.parse(endedAt ?? '') - startedAtMs - 5000) < 100)
  })
}

test('SRS-44: a partial document that names what nobody described asks for a snapshot', async (t) => {
  const head = (lines: string[]): string[] => [...lines, 'Allow: INVITE, ACK, BYE, UPDATE']
  const { bench, client } = await openRawSession(t, { xml: callXml(), head })
  const change = `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>partial</datamode>
<participantstreamassoc participant_id="${idOf('z')}"><send>${idOf('1')}</send></participantstreamassoc></recording>`
  await client.request('UPDATE', METADATA, change)
  const asked = (): boolean => client.heard.some((one) => one.kind === 'request' && one.method === 'UPDATE')
  await bench.until(asked)
  assert.match(Buffer.from(client.heard.find((one) => one.kind === 'request')!.body).toString(), /requestsnapshot/)
})

test('L-15: addresses without scheme, with display text, and several nameIDs give one address and one name each', async (t) => {
  const change = (text: string): string =>
    text
      .replace(
        '<nameID aor="sip:ann@client.test"><name>Ann</name></nameID>',
        '<nameID aor="015550134@198.51.100.7"/><nameID aor="tel:+15550134"><name>Ann</name></nameID>',
      )
      .replace(
        '<nameID aor="sip:ben@client.test"><name>Ben</name></nameID>',
        `<nameID aor='"Ben B." &lt;sip:ben@client.test&gt;;tag=1'/>`,
      )
  const { bench, client } = await openRawSession(t, { xml: callXml(change) })
  const { manifest } = await hangUp(bench, client)
  assert.deepEqual(manifest.facts.participants, [
    { participantId: idOf('a'), aor: '015550134@198.51.100.7', name: 'Ann' },
    { participantId: idOf('b'), aor: 'sip:ben@client.test', name: 'Ben B.' },
  ])
})

test('SRS-26: a client that asks for a session timer and does not refresh loses its session; its recording is kept', async (t) => {
  const head = (lines: string[]): string[] => [
    ...lines,
    'Supported: timer',
    'Session-Expires: 90;refresher=uac',
    'Min-SE: 90',
  ]
  const { bench, response } = await openRawSession(t, { xml: callXml(), head })
  assert.match(response.headers.get('Session-Expires') ?? '', /^90;\s*refresher=uac$/)
  for (let seconds = 0; seconds < 200; seconds++) await bench.clock.advanceAsync(1000)
  await bench.until(() => bench.eventTypes().includes('ended'))
})

test('SRS-26: where the recorder is to refresh it does', async (t) => {
  const head = (lines: string[]): string[] => [
    ...lines,
    'Allow: INVITE, ACK, BYE, UPDATE',
    'Supported: timer',
    'Session-Expires: 90;refresher=uas',
  ]
  const { bench, client } = await openRawSession(t, { xml: callXml(), head })
  for (let seconds = 0; seconds < 50; seconds++) await bench.clock.advanceAsync(1000)
  await bench.until(() => client.heard.some((one) => one.kind === 'request' && one.method === 'UPDATE'))
})
