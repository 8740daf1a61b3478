import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { tone } from '#audio'
import { seededIds } from '#kernel'
import { buildMultipart } from '#siprec'
import { type ClientSession, RecorderBench } from '../../test/harness/recorder.ts'
import { bareMetadata, metadata, offer, parties, withMetadata } from '../../test/harness/recording-offer.ts'
import { MetadataHistory } from './metadata-history.ts'
import { SessionMetadata } from './session-metadata.ts'

const text = new TextEncoder()

/** Takes what the recorder asks within the dialog and answers it. */
function answering(session: ClientSession, status: number): { methods: string[]; bodies: string[]; headers: string[] } {
  const seen = { methods: [] as string[], bodies: [] as string[], headers: [] as string[] }
  session.dialog.handlers = {
    onEnd: () => {},
    onRequest: (incoming) => {
      seen.methods.push(incoming.request.method)
      seen.bodies.push(new TextDecoder().decode(incoming.request.body))
      seen.headers.push([...incoming.request.headers.entries()].map((header) => header.join(': ')).join('\n'))
      incoming.respond(status)
    },
  }
  return seen
}

test('SRS-08: bare metadata in UPDATE and re-INVITE is metadata, not SDP', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(withMetadata(offer(), metadata('Bob')))
  const update = await bench.settled(session.dialog.request('UPDATE', { body: bareMetadata('Robert', 'partial') }))
  assert.equal(update.status, 200)
  await bench.until(() => bench.eventTypes().includes('metadata'))
  const { manifest, folder } = await bench.end(session)
  assert.deepEqual(manifest.streams[0]?.participants, ['Robert'])
  const history = (await readFile(join(folder, 'metadata/history.jsonl'), 'utf8')).trim().split('\n')
  assert.deepEqual(
    history.map((line) => JSON.parse(line).transaction.split(' ')[0]),
    ['INVITE', 'UPDATE'],
  )
})

test('SRS-25: BYE with metadata gets 200 and the metadata is applied', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer())
  const { manifest } = await bench.end(session, { body: bareMetadata('Late Bob') })
  assert.equal(manifest.facts.participants[0]?.name, 'Late Bob')
})

test('SRS-45: broken metadata refuses nothing: audio is recorded, the document kept and flagged', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(withMetadata(offer(), text.encode('<recording><oops')))
  const source = await bench.source(session, 0)
  await bench.talk([source, tone(440, 200)])
  const update = await bench.settled(
    session.dialog.request('UPDATE', {
      body: { contentType: 'application/rs-metadata', content: text.encode('nonsense') },
    }),
  )
  assert.equal(update.status, 200)
  const { manifest, folder } = await bench.end(session)
  assert.equal(manifest.state, 'published')
  assert.equal(manifest.facts.metadataInvalid, true)
  assert.equal(await readFile(join(folder, 'metadata/0002.xml'), 'utf8'), 'nonsense')
})

test('SRS-51: raw documents are not kept where policy says so', async (t) => {
  const bench = await RecorderBench.open(t, { keepRawMetadata: false })
  const session = await bench.start(withMetadata(offer(), metadata('Bob')))
  const { folder } = await bench.end(session)
  assert.equal(existsSync(join(folder, 'metadata/0001.xml')), false)
  assert.match(await readFile(join(folder, 'metadata/state.json'), 'utf8'), /Bob/)
})

test('SRS-41 SRS-42 SRS-44: partial metadata without a base is answered by one UPDATE that asks for a snapshot, without SDP', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer(), [
    ['Require', 'siprec'],
    ['Allow', 'INVITE, ACK, BYE, CANCEL, UPDATE'],
  ])
  const seen = answering(session, 200)
  for (let n = 0; n < 3; n++) {
    await bench.settled(session.dialog.request('UPDATE', { body: bareMetadata('Bob', 'partial') }))
    await bench.until(() => bench.eventTypes().filter((type) => type === 'metadata').length === n + 1)
  }
  await bench.until(() => seen.methods.length > 0)
  assert.deepEqual(seen.methods, ['UPDATE'])
  assert.match(seen.bodies[0]!, /<requestsnapshot xmlns="urn:ietf:params:xml:ns:recording:1"/)
  assert.match(seen.headers[0]!, /Require: siprec/)
  assert.match(seen.headers[0]!, /Content-Disposition: recording-session/)
  assert.match(seen.headers[0]!, /Contact: [^\n]*\+sip\.srs/)
})

test('SRS-43: a client that refuses snapshots is not asked again', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer())
  const seen = answering(session, 488)
  for (let n = 0; n < 2; n++) {
    await bench.settled(session.dialog.request('UPDATE', { body: bareMetadata('Bob', 'partial') }))
    await bench.until(() => bench.eventTypes().filter((type) => type === 'metadata').length === n + 1)
    bench.clock.advance(11_000)
  }
  assert.deepEqual(seen.methods, ['UPDATE'])
})

test('SRS-06: SDP and metadata are found in any order and nesting', async (t) => {
  const bench = await RecorderBench.open(t)
  const inner = buildMultipart(
    [{ contentType: 'application/rs-metadata', disposition: 'recording-session', content: metadata('Bob') }, offer()],
    seededIds(8),
  )
  const session = await bench.start(
    buildMultipart([{ contentType: 'text/plain', content: text.encode('x') }, inner], seededIds(9)),
  )
  const { manifest } = await bench.end(session)
  assert.deepEqual(manifest.streams[0]?.participants, ['Bob'])
})

test('SRS-54, FLOW-02: while the metadata says that nobody speaks on a stream, its silence is a hold', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(withMetadata(offer(), metadata('Bob')))
  const source = await bench.source(session, 0)
  await bench.talk([source, tone(440, 1000)])
  const document = new TextDecoder().decode(metadata('Bob', 'partial'))
  const told = (from: string, to: string) => {
    const content = text.encode(document.replace(from, to))
    const body = { contentType: 'application/rs-metadata+xml', content }
    return bench.settled(session.dialog.request('UPDATE', { body }))
  }
  await told('<send>UAAMm5GRQKSCMVvLyl4rFw==</send>', '<recv>UAAMm5GRQKSCMVvLyl4rFw==</recv>')
  bench.clock.advance(5000)
  await told('', '')
  source.skip(0, 5000 * 8)
  await bench.talk([source, tone(440, 1000)])
  const { manifest } = await bench.end(session)
  const { account } = manifest.streams[0]!
  assert.ok(Math.abs((account?.missingMs.hold ?? 0) - 5000) <= 40, JSON.stringify(account))
  assert.equal(account?.missingMs.dtx, undefined)
})

test('a hold in the old form, c=0.0.0.0, is a hold in the ledger', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer([{ attributes: ['sendonly', 'label:1'] }]))
  const source = await bench.source(session, 0)
  await bench.talk([source, tone(440, 1000)])
  await bench.settled(
    session.dialog.reinvite({ body: offer([{ attributes: ['sendonly', 'label:1'], connection: '0.0.0.0' }], 2) }),
  )
  bench.clock.advance(5000)
  const { manifest } = await bench.end(session)
  assert.ok(Math.abs((manifest.streams[0]!.account?.missingMs.hold ?? 0) - 5000) <= 40)
})

for (const [isLabelled, expected] of [
  [true, [['Bob'], ['Carol'], []]],
  [false, [[], [], []]],
] as const) {
  test(`a video line before the others comes behind them as a stream, and lends its speaker to no other, ${isLabelled ? 'with' : 'without'} labels`, async (t) => {
    const bench = await RecorderBench.open(t)
    const label = (value: string): string[] => ['sendonly', ...(isLabelled ? [`label:${value}`] : [])]
    const lines = [
      { kind: 'video', formats: '97', attributes: ['rtpmap:97 H264/90000', ...label('v')] },
      { attributes: label('1') },
      { attributes: label('2') },
    ]
    const session = await bench.start(withMetadata(offer(lines), twoSpeakers()))
    const { manifest } = await bench.end(session)
    assert.deepEqual(
      manifest.streams.map(({ participants }) => participants),
      expected,
    )
  })
}

test('who sent before a restart of the recorder and only receives after it holds; who never sent does not', () => {
  const heldAfter = (before: Uint8Array): boolean[] | undefined => {
    const [first, second] = [new SessionMetadata(), new SessionMetadata()]
    first.apply(before, 'application/rs-metadata+xml', ['1', '2'])
    second.resume(JSON.parse(JSON.stringify(first.kept())))
    second.apply(parties({ 1: 'send', 2: 'recv' }), 'application/rs-metadata+xml', ['1', '2'])
    return second.facts(['1', '2']).held as boolean[] | undefined
  }
  assert.deepEqual(heldAfter(parties({ 1: 'send', 2: 'send' })), [false, true])
  assert.deepEqual(heldAfter(parties({ 1: 'send' })), [false, false])
})

test('read again, a recording of audio and video without labels names nobody: its streams are in another order than the lines may have been', () => {
  const speakers = (kinds: readonly string[]) => new MetadataHistory(['', ''], kinds).next(twoSpeakers()).speakers
  assert.deepEqual(speakers(['audio', 'audio']), [['Bob'], ['Carol']])
  assert.deepEqual(speakers(['audio', 'video']), [[], []])
})

/** Bob sends the stream of label 1, Carol that of label 2. */
function twoSpeakers(): Uint8Array {
  const ids = ['UAAMm5GRQKSCMVvLyl4rFw==', 'WAAMm5GRQKSCMVvLyl4rFw==']
  const party = (name: string, id: string, at: number): string =>
    `<participant participant_id="${id}"><nameID aor="sip:${name}@example.test"><name>${name}</name></nameID></participant>
<stream stream_id="${ids[at]}" session_id="hVpd7YQgRW2nD22h7q60JQ=="><label>${at + 1}</label></stream>
<participantstreamassoc participant_id="${id}"><send>${ids[at]}</send></participantstreamassoc>`
  return new TextEncoder().encode(`<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>
<session session_id="hVpd7YQgRW2nD22h7q60JQ=="></session>
${party('Bob', 'srfBElmCRp2QB23b7Mpk0w==', 0)}${party('Carol', 'trfBElmCRp2QB23b7Mpk0w==', 1)}
</recording>`)
}
