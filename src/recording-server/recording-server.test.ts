import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { correlate, goertzelPower, tone } from '#audio'
import { attributeOf, directionOf, labelOf } from '#sdp'
import { audioOf, type ClientSession, RecorderBench, STRICT } from '../../test/harness/recorder.ts'
import { metadata, offer, withMetadata } from '../../test/harness/recording-offer.ts'

const text = new TextEncoder()

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

test('RTP-15: contributors in the packets of a mixed stream are passed over: who speaks is what the metadata says', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(withMetadata(offer([{ attributes: ['sendonly', 'label:1'] }]), metadata('Bob')))
  const source = await bench.source(session, 0)
  const voices = [tone(440, 200), tone(440, 200), tone(440, 200)]
  for (const [at, csrcs] of [[], [1, 2], [3]].entries()) {
    source.csrcs = csrcs
    await bench.talk([source, voices[at]!])
  }
  const { manifest, folder } = await bench.end(session)
  const [stream] = manifest.streams
  assert.deepEqual([stream?.totals.packets, stream?.totals.refused, stream?.participants], [30, 0, ['Bob']])
  const [heard] = await audioOf(folder)
  assert.ok(goertzelPower(heard!, 8000, 440) > 0.9)
})

test('SRS-01: strict takes only INVITEs with +sip.src and Require: siprec, others get 403', async (t) => {
  const bench = await RecorderBench.open(t, { policyFor: () => STRICT })
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
      { kind: 'application', formats: '97', attributes: ['rtpmap:97 X/90000', 'label:d', 'sendonly'] },
      { attributes: ['label:a_leg', 'sendonly'] },
      { protocol: 'RTP/SAVP', attributes: ['label:s', 'sendonly'] },
      { attributes: ['sendonly'] },
    ]),
  )
  assert.deepEqual(
    session.answer.media.map(({ kind }) => kind),
    ['audio', 'application', 'audio', 'audio', 'audio'],
  )
  assert.deepEqual(
    session.ports.map((port) => port > 0),
    [true, false, true, false, true],
  )
  assert.deepEqual(session.answer.media.map(labelOf), ['16777227', 'd', 'a_leg', 's', undefined])
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

test('RTP-19: G.711 is answered first, unknown codecs and redundancy are taken, repair formats are left out', async (t) => {
  const bench = await RecorderBench.open(t)
  const session = await bench.start(
    offer([
      {
        formats: '96 101 97 98 8 99',
        attributes: [
          'rtpmap:96 opus/48000/2',
          'rtpmap:101 telephone-event/8000',
          'rtpmap:97 AMR-WB/16000',
          'rtpmap:98 red/8000',
          'rtpmap:99 ulpfec/8000',
        ],
      },
    ]),
  )
  assert.deepEqual(session.answer.media[0]?.formats, ['8', '96', '97', '101', '98'])
})

test('an offer of nothing that we can take is refused with 488, and nothing is stored', async (t) => {
  const bench = await RecorderBench.open(t)
  const outcome = await bench.invite(offer([{ kind: 'application', formats: '97' }]))
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

test('SRS-54, AMB-08: pause and resume by re-INVITE: the answer follows, the file keeps wall time, the gap is paused', async (t) => {
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
  const gap = manifest.streams[0]!.gaps.find(({ cause }) => cause === 'paused-by-client')
  assert.ok(gap !== undefined && Math.abs(gap.toMs - gap.fromMs - pausedMs) <= 40)
  assert.deepEqual(
    bench.eventTypes().filter((type) => type !== 'first-packet'),
    ['started', 'paused', 'resumed', 'ended'],
  )
})

test('SRS-19: c=0.0.0.0 is a pause', async (t) => {
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

test('an offerless re-INVITE is answered by our offer, which adds nothing (SRS-14)', async (t) => {
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
