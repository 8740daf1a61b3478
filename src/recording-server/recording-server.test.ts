import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { correlate, goertzelPower, tone } from '#audio'
import { seededIds } from '#kernel'
import { attributeOf, directionOf, labelOf } from '#sdp'
import type { SipBody } from '#sip'
import { buildMultipart } from '#siprec'
import { audioOf, type ClientSession, RecorderBench } from '../../test/harness/recorder.ts'

const text = new TextEncoder()

interface Line {
  kind?: string
  port?: number
  protocol?: string
  formats?: string
  attributes?: string[]
  connection?: string
}

/** An offer of a recording client; by default two PCMU streams with labels 1 and 2. */
function offer(
  lines: Line[] = [{ attributes: ['sendonly', 'label:1'] }, { attributes: ['sendonly', 'label:2'] }],
  version = 1,
): SipBody {
  const sdp = [
    'v=0',
    `o=- 77 ${version} IN IP4 127.0.0.1`,
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    ...lines.flatMap(
      ({ kind = 'audio', port = 40_000, protocol = 'RTP/AVP', formats = '0', attributes = [], connection }) => [
        `m=${kind} ${port} ${protocol} ${formats}`,
        ...(connection === undefined ? [] : [`c=IN IP4 ${connection}`]),
        ...attributes.map((attribute) => `a=${attribute}`),
      ],
    ),
    '',
  ].join('\r\n')
  return { contentType: 'application/sdp', content: text.encode(sdp) }
}

function metadata(name: string, dataMode = 'complete'): Uint8Array {
  return text.encode(`<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>${dataMode}</datamode>
<session session_id="hVpd7YQgRW2nD22h7q60JQ=="></session>
<participant participant_id="srfBElmCRp2QB23b7Mpk0w=="><nameID aor="sip:bob@example.test"><name>${name}</name></nameID></participant>
<stream stream_id="UAAMm5GRQKSCMVvLyl4rFw==" session_id="hVpd7YQgRW2nD22h7q60JQ=="><label>1</label></stream>
<participantstreamassoc participant_id="srfBElmCRp2QB23b7Mpk0w=="><send>UAAMm5GRQKSCMVvLyl4rFw==</send></participantstreamassoc>
</recording>`)
}

function withMetadata(sdp: SipBody, document: Uint8Array): SipBody {
  const parts = [
    sdp,
    { contentType: 'application/rs-metadata+xml', disposition: 'recording-session', content: document },
  ]
  return buildMultipart(parts, seededIds(4))
}

const bareMetadata = (name: string, mode?: string): SipBody => ({
  contentType: 'application/rs-metadata+xml',
  disposition: 'recording-session',
  content: metadata(name, mode),
})

function directions(session: Pick<ClientSession, 'answer'>): string[] {
  return session.answer.media.map((media) => directionOf(media, session.answer))
}

test('two parties are recorded: stereo file, manifest, catalogue row, metadata history', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(withMetadata(offer(), metadata('Bob')))
  const left = await bench.source(session, 0)
  const right = await bench.source(session, 1)
  const voices = [tone(440, 1000), tone(880, 1000)] as const
  await bench.talk([left, voices[0]], [right, voices[1]])
  const { manifest, folder } = await bench.end(session)
  const channels = await audioOf(folder)
  for (const [index, voice] of voices.entries()) {
    assert.ok(correlate(voice, channels[index]!, 4000).coefficient > 0.99, `channel ${index}`)
  }
  assert.ok(goertzelPower(channels[0]!, 8000, 880) < 0.01)
  assert.equal(manifest.state, 'published')
  assert.deepEqual(
    manifest.streams.map(({ label }) => label),
    ['1', '2'],
  )
  assert.deepEqual(manifest.streams[0]?.participants, ['Bob'])
  assert.deepEqual(manifest.facts.participants[0]?.aor, 'sip:bob@example.test')
  const row = await bench.settled(bench.catalogue.get(manifest.recordingId))
  assert.equal(row?.state, 'published')
  assert.equal(row?.packets, 100)
  assert.equal(bench.store.pathOf(row.folder!, 'x'), join(folder, 'x'))
  assert.match(await readFile(join(folder, 'metadata/0001.xml'), 'utf8'), /Bob/)
  assert.deepEqual(bench.eventTypes(), ['started', 'first-packet', 'first-packet', 'ended'])
})

test('SRS-01: strict takes only INVITEs with +sip.src and Require: siprec, others get 403', async (t) => {
  const bench = await RecorderBench.open(t, { strict: true })
  assert.ok('dialog' in (await bench.invite(offer())))
  const outcome = await bench.invite(offer(), [])
  assert.ok('status' in outcome && outcome.status === 403)
  const untagged = await bench.invite(offer(), [
    ['Require', 'siprec'],
    ['Contact', '<sip:src@192.0.2.1>'],
  ])
  assert.ok('status' in untagged && untagged.status === 403)
})

test('SRS-01: lenient takes an INVITE with neither mark, and says so in the manifest', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer(), [['Contact', '<sip:src@192.0.2.1>']])
  const { manifest } = await bench.end(session)
  assert.deepEqual(manifest.facts.warnings, ['no +sip.src in Contact', 'no siprec in Require'])
})

test('SRS-02 SRS-17: the 200 has +sip.srs in Contact and plain SDP', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(withMetadata(offer(), metadata('Bob')))
  assert.match(session.response.headers.get('Contact') ?? '', />;\+sip\.srs/)
  assert.equal(session.response.headers.get('Content-Type'), 'application/sdp')
  const again = await bench.settled(session.dialog.reinvite({ body: offer(undefined, 2) }))
  assert.match(again.response?.headers.get('Contact') ?? '', />;\+sip\.srs/)
  assert.equal(again.response?.headers.get('Content-Type'), 'application/sdp')
})

test('SRS-09 SRS-12: every m-line is answered in order with its own label; what we cannot take has port 0', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(
    offer([
      { attributes: ['label:16777227', 'sendonly'] },
      { kind: 'video', formats: '97', attributes: ['rtpmap:97 H264/90000', 'label:v', 'sendonly'] },
      { attributes: ['label:a_leg', 'sendonly'] },
      { protocol: 'RTP/SAVP', attributes: ['label:s', 'sendonly'] },
      { attributes: ['sendonly'] },
    ]),
  )
  assert.deepEqual(
    session.answer.media.map(({ kind }) => kind),
    ['audio', 'video', 'audio', 'audio', 'audio'],
  )
  assert.deepEqual(
    session.ports.map((port) => port > 0),
    [true, false, true, false, true],
  )
  assert.deepEqual(session.answer.media.map(labelOf), ['16777227', 'v', 'a_leg', 's', undefined])
  assert.equal(session.answer.media[3]?.protocol, 'RTP/SAVP')
})

test('SRS-10 SRS-11: sendonly, sendrecv and no direction become recvonly; inactive stays inactive', async (t) => {
  const bench = await RecorderBench.open(t)
  const lines = [['sendonly'], ['sendrecv'], [], ['inactive'], ['recvonly']]
  const session = await bench.start(offer(lines.map((attributes) => ({ attributes }))))
  assert.deepEqual(directions(session), ['recvonly', 'recvonly', 'recvonly', 'inactive', 'inactive'])
})

test('SRS-13: up to 64 streams are taken, the 65th is refused', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(
    offer(Array.from({ length: 65 }, (_unused, n) => ({ attributes: [`label:${n}`, 'sendonly'] }))),
  )
  assert.equal(session.ports.filter((port) => port > 0).length, 64)
  assert.equal(session.ports[64], 0)
  assert.equal(new Set(session.ports).size, 65)
})

test('RTP-23 RTP-24: static types need no rtpmap; a bundle is answered without it, each m-line on ports of its own', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer([{ formats: '8 0 18 13' }, { attributes: ['mid:b'] }]))
  assert.deepEqual(session.answer.media[0]?.formats, ['8', '0', '18', '13'])
  assert.equal(attributeOf(session.answer.attributes, 'group'), undefined)
  assert.notEqual(session.ports[0], session.ports[1])
})

test('RTP-19: G.711 is answered first, unknown codecs are taken, redundancy formats are left out', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(
    offer([
      {
        formats: '96 101 97 98 8',
        attributes: [
          'rtpmap:96 opus/48000/2',
          'rtpmap:101 telephone-event/8000',
          'rtpmap:97 AMR-WB/16000',
          'rtpmap:98 red/8000',
        ],
      },
    ]),
  )
  assert.deepEqual(session.answer.media[0]?.formats, ['8', '96', '97', '101'])
})

test('an offer of nothing that we can take is refused with 488, and nothing is stored', async (t) => {
  const bench = await RecorderBench.open(t)
  const outcome = await bench.invite(offer([{ kind: 'video', formats: '97' }]))
  assert.ok('status' in outcome && outcome.status === 488)
  assert.equal(await bench.settled(bench.catalogue.count({})), 0)
})

test('SRS-18: the same offer again is answered by the same answer; a changed one with an old version is applied and noted', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer())
  const first = new TextDecoder().decode(session.response.body)
  const same = await bench.settled(session.dialog.reinvite({ body: offer() }))
  assert.equal(new TextDecoder().decode(same.response?.body), first)
  const changed = await bench.settled(
    session.dialog.reinvite({
      body: offer([{ attributes: ['inactive', 'label:1'] }, { attributes: ['inactive', 'label:2'] }]),
    }),
  )
  assert.match(new TextDecoder().decode(changed.response?.body), /a=inactive/)
  const { manifest } = await bench.end(session)
  assert.ok(manifest.facts.warnings.includes('SDP changed without a new version in o='))
})

test('SRS-54: pause and resume by re-INVITE: the answer follows, the file keeps wall time, the gap is paused', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer([{ attributes: ['sendonly', 'label:1'] }]))
  const source = await bench.source(session, 0)
  await bench.talk([source, tone(440, 1000)])
  const pause = await bench.settled(
    session.dialog.reinvite({ body: offer([{ attributes: ['inactive', 'label:1'] }], 2) }),
  )
  assert.match(new TextDecoder().decode(pause.response?.body), /a=inactive/)
  const pausedAtMs = bench.clock.nowMs()
  bench.clock.advance(5000)
  const resume = await bench.settled(
    session.dialog.reinvite({ body: offer([{ attributes: ['sendonly', 'label:1'] }], 3) }),
  )
  assert.match(new TextDecoder().decode(resume.response?.body), /a=recvonly/)
  const pausedMs = bench.clock.nowMs() - pausedAtMs
  source.skip(0, Math.round(pausedMs * 8))
  await bench.talk([source, tone(440, 1000)])
  const startedAtMs = (await bench.server.sessions())[0]!.startedAtMs
  const wallMs = bench.clock.wallMs() - startedAtMs
  const { manifest, folder } = await bench.end(session)
  const [channel] = await audioOf(folder)
  assert.ok(Math.abs(channel!.length / 8 - wallMs) <= 20, `${channel!.length / 8} ms of file for ${wallMs} ms of wall`)
  const gap = manifest.streams[0]!.gaps.find(({ cause }) => cause === 'paused')
  assert.ok(gap !== undefined && Math.abs(gap.toMs - gap.fromMs - pausedMs) <= 40)
  assert.deepEqual(
    bench.eventTypes().filter((type) => type !== 'first-packet'),
    ['started', 'paused', 'resumed', 'ended'],
  )
})

test('SRS-19: c=0.0.0.0 is a pause, and no RTCP goes there', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer([{ attributes: ['sendonly'], connection: '0.0.0.0' }]))
  assert.equal((await bench.server.sessions())[0]?.isPaused, true)
  assert.ok(bench.eventTypes().includes('paused'))
  const { manifest } = await bench.end(session)
  assert.equal(manifest.state, 'no-audio')
  assert.equal(manifest.cause, 'inactive')
})

test('a stream added by re-INVITE becomes a new channel; one removed has port 0 and its channel stays', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer([{ attributes: ['sendonly', 'label:1'] }]))
  const source = await bench.source(session, 0)
  await bench.talk([source, tone(440, 400)])
  const added = await bench.settled(
    session.dialog.reinvite({
      body: offer([{ port: 0, attributes: ['label:1'] }, { attributes: ['sendonly', 'label:2'] }], 2),
    }),
  )
  const answer = new TextDecoder().decode(added.response?.body)
  assert.match(answer, /m=audio 0 /)
  assert.match(answer, /label:2/)
  const { manifest } = await bench.end(session)
  assert.deepEqual(
    manifest.streams.map(({ label }) => label),
    ['1', '2'],
  )
  assert.equal(manifest.streams[0]?.totals.packets, 20)
})

test('an offerless re-INVITE is answered by our offer, which adds nothing (SRS-14), and its answer is applied', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer([{ attributes: ['inactive', 'label:1'] }, { kind: 'video', formats: '97' }]))
  const outcome = await bench.settled(session.dialog.reinvite({}))
  const ours = new TextDecoder().decode(outcome.response?.body)
  assert.equal(ours.match(/^m=/gm)?.length, 2)
  assert.match(ours, /a=recvonly/)
})

test('SRS-20: UPDATE without a body gets 200 without one; with SDP it gets the answer', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer())
  const bare = await bench.settled(session.dialog.request('UPDATE'))
  assert.equal(bare.status, 200)
  assert.equal(bare.response?.body.length, 0)
  const update = await bench.settled(session.dialog.request('UPDATE', { body: offer(undefined, 2) }))
  assert.equal(update.status, 200)
  assert.match(new TextDecoder().decode(update.response?.body), /a=recvonly/)
})

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

test('SRS-16: dropStream offers the stream with port 0, with Require: siprec (SRS-03)', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer())
  const offers: string[] = []
  session.dialog.handlers = {
    onEnd: () => {},
    onRequest: (incoming) => {
      assert.deepEqual(incoming.request.headers.list('Require'), ['siprec'])
      offers.push(new TextDecoder().decode(incoming.request.body))
      incoming.respond(200, { body: offer([{ port: 0 }, { attributes: ['sendonly', 'label:2'] }], 2) })
    },
  }
  const recordingId = (await bench.server.sessions())[0]!.recordingId
  const outcome = await bench.settled(bench.server.dropStream(recordingId, 0))
  assert.equal(outcome?.status, 200)
  assert.match(offers[0]!, /m=audio 0 /)
  assert.equal(offers[0]!.match(/^m=/gm)?.length, 2)
  assert.deepEqual(
    (await bench.server.sessions())[0]!.streams.map(({ isRemoved }) => isRemoved),
    [true, false],
  )
})

test('SRS-24: draining, too many sessions and an unusable store get 503 with Retry-After; too many of one source get 486', async (t) => {
  const full = await RecorderBench.open(t, { maxSessions: 1 })
  const session = await full.start(offer())
  const refused = await full.invite(offer())
  assert.ok('status' in refused && refused.status === 503)
  assert.match(refused.response?.headers.get('Retry-After') ?? '', /^\d+$/)
  await full.end(session)
  await full.settled(full.server.drain())
  const drained = await full.invite(offer())
  assert.ok('status' in drained && drained.status === 503)

  const greedy = await RecorderBench.open(t, { maxSessionsPerSource: 1 })
  await greedy.start(offer())
  const second = await greedy.invite(offer())
  assert.ok('status' in second && second.status === 486)

  const broken = await RecorderBench.open(t)
  Object.assign(broken.store, { refusal: () => Promise.resolve('disk-full') })
  const unwritable = await broken.invite(offer())
  assert.ok('status' in unwritable && unwritable.status === 503)
})

test('no packet: an alarm after 3 s, and manifest and catalogue say no-audio with the cause', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer())
  assert.equal((await bench.settled(bench.catalogue.list({ limit: 1 })))[0]?.state, 'receiving')
  bench.clock.advance(3000)
  const alarms = bench.events.filter((event) => event.type === 'alarm')
  assert.deepEqual(
    alarms.map(({ alarm, label }) => [alarm, label]),
    [
      ['no-packets', '1'],
      ['no-packets', '2'],
    ],
  )
  const { manifest } = await bench.end(session)
  assert.equal(manifest.state, 'no-audio')
  assert.equal(manifest.cause, 'no-rtp')
  const row = await bench.settled(bench.catalogue.get(manifest.recordingId))
  assert.equal(row?.state, 'no-audio')
  assert.equal(row.cause, 'no-rtp')
})

test('a catalogue that fails disturbs no recording', async (t) => {
  const failing = () => Promise.reject(new Error('locked'))
  const catalogue = { put: failing, get: failing, list: failing, count: failing, remove: failing, close: failing }
  const bench = await RecorderBench.open(t, { catalogue })
  const session = await bench.start(offer())
  const source = await bench.source(session, 0)
  await bench.talk([source, tone(440, 200)])
  const { manifest } = await bench.end(session)
  assert.equal(manifest.state, 'published')
  assert.ok(bench.log.messages().includes('catalogue not updated'))
})

test('stop says BYE to every session and publishes what it holds', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer())
  const source = await bench.source(session, 0)
  await bench.talk([source, tone(440, 200)])
  await bench.settled(bench.server.stop())
  assert.equal(session.dialog.ended, true)
  assert.equal(bench.events.at(-1)?.type, 'ended')
  assert.deepEqual(await bench.server.sessions(), [])
})

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

test('a client that vanished without a BYE is found out, and its recording is published', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer())
  const source = await bench.source(session, 0)
  await bench.talk([source, tone(440, 200)])
  bench.vanish()
  for (let seconds = 0; seconds < 240; seconds++) await bench.clock.advanceAsync(1000)
  await bench.until(() => bench.eventTypes().includes('ended'))
  const ended = bench.events.at(-1)
  assert.ok(ended?.type === 'ended' && ended.manifest.state === 'published')
  assert.equal(ended.manifest.facts.sip.ended, 'gone')
})

test('a silent client that lives keeps its session', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer([{ attributes: ['inactive'] }]))
  for (let seconds = 0; seconds < 200; seconds++) {
    await bench.clock.advanceAsync(1000)
  }
  await bench.until(() => bench.network.passages.some((passage) => passage.text.startsWith('OPTIONS ')))
  for (let seconds = 0; seconds < 60; seconds++) await bench.clock.advanceAsync(1000)
  assert.equal(session.dialog.ended, false)
})

test('an INVITE cancelled before the answer leaves no open folder, and the catalogue says cancelled', async (t) => {
  const bench = await RecorderBench.open(t)
  let go = (): void => {}
  const held = new Promise<undefined>((resolve) => {
    go = () => resolve(undefined)
  })
  Object.assign(bench.store, { refusal: () => held })
  await bench.cancelled(offer())
  go()
  await bench.until(() => bench.eventTypes().includes('ended'))
  const [row] = await bench.settled(bench.catalogue.list({ limit: 1 }))
  assert.equal(row?.state, 'no-audio')
  assert.equal(row.cause, 'cancelled')
})

test('a re-offer with fewer m-lines, or one that is no SDP, gets 488 and changes nothing', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(offer())
  const fewer = await bench.settled(session.dialog.reinvite({ body: offer([{ attributes: ['inactive'] }], 2) }))
  assert.equal(fewer.status, 488)
  const broken = await bench.settled(
    session.dialog.reinvite({ body: { contentType: 'application/sdp', content: text.encode('m=') } }),
  )
  assert.equal(broken.status, 488)
  assert.equal((await bench.server.sessions())[0]?.isPaused, false)
})

test('an INVITE whose SDP cannot be read gets 400, one without an offer 488', async (t) => {
  const bench = await RecorderBench.open(t)
  const broken = await bench.invite({ contentType: 'application/sdp', content: text.encode('hello') })
  assert.ok('status' in broken && broken.status === 400)
  const empty = await bench.invite(undefined)
  assert.ok('status' in empty && empty.status === 488)
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
