// Our recorder towards a SIPREC client that was written from RFC 7866 and RFC 8068 alone.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { type TestContext, test } from 'node:test'
import { correlate, rmsDbfs } from '#audio'
import { delay } from '../foreign/deadline.ts'
import type { ClientOptions, InviteOptions } from '../foreign/foreign-client.ts'
import { ForeignClient } from '../foreign/foreign-client.ts'
import { shareOfTone, tone } from '../foreign/g711-tones.ts'
import { buildRtp } from '../foreign/rtp-wire.ts'
import { headerOf, parseNameAddr } from '../foreign/sip-text.ts'
import { type KeptRecording, keptRecording, keptRecordings } from '../harness/kept-recording.ts'
import { openTestProgram, type TestProgram } from '../harness/open-program.ts'
import { openResources } from '../harness/open-resources.ts'
import { until } from '../harness/until.ts'

const HOST = '127.0.0.1'
const DEADLINE_MS = 10_000
const TONES_HZ = [400, 1000, 1400, 1800] as const

interface Scene {
  readonly client: ForeignClient
  readonly recorder: TestProgram
}

async function openScene(t: TestContext, options: Partial<ClientOptions> = {}): Promise<Scene> {
  const recorder = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorder.close())
  const transport = options.transport ?? 'tcp'
  const client = await ForeignClient.open({
    transport,
    recorder: { host: HOST, port: recorder.port('recorder', transport) },
    deadlineMs: DEADLINE_MS,
    ...options,
  })
  t.after(() => client.close())
  return { client, recorder }
}

/** Sends each stream its own tone at the same time. */
async function sendTones(client: ForeignClient, durationMs: number, streams = 2): Promise<void> {
  await Promise.all(
    TONES_HZ.slice(0, streams).map((frequencyHz, index) => client.sendAudio(index, tone(frequencyHz, durationMs))),
  )
}

/** When all streams have begun, in ms of the recording. */
function begun({ manifest }: KeptRecording): number {
  return Math.max(...manifest.streams.map((stream) => stream.totals.firstPacketMs ?? 0))
}

/** As `assertChannels`, from when all streams have begun. */
function assertSpoken(kept: KeptRecording, fromMs: number, toMs: number, streams = 2): void {
  assertChannels(kept, begun(kept) + fromMs, begun(kept) + toMs, streams)
}

/** Fails unless each channel holds its own tone alone in a stretch. */
function assertChannels(kept: KeptRecording, fromMs: number, toMs: number, streams = 2): void {
  assert.equal(kept.channels.length, streams)
  for (const [index, channel] of kept.channels.entries()) {
    const part = channel.subarray(fromMs * 8, toMs * 8)
    for (const [other, frequencyHz] of TONES_HZ.entries()) {
      const share = shareOfTone(part, frequencyHz)
      if (other === index) assert.ok(share > 0.95, `channel ${index} holds ${frequencyHz} Hz: ${share}`)
      else assert.ok(share < 0.01, `channel ${index} does not hold ${frequencyHz} Hz: ${share}`)
    }
  }
}

for (const transport of ['tcp', 'udp'] as const) {
  test(`SRS-01, SRS-02, SRS-10, SRS-12, SRS-17, RTP-01: a session as in RFC 8068 over ${transport}, with hold, pause and resume, is kept whole`, async (t) => {
    const { client, recorder } = await openScene(t, { transport })
    const { status, response, answer } = await client.invite()
    assert.equal(status, 200)
    assert.deepEqual(
      answer?.media.map((line) => [line.direction, line.label]),
      [
        ['recvonly', '96'],
        ['recvonly', '98'],
      ],
    )
    assert.equal(client.answerContentType, 'application/sdp')
    assert.ok(parseNameAddr(client.answerContact ?? '').params.has('+sip.srs'))
    assert.doesNotMatch(response.body.toString(), /<recording/)
    await sendTones(client, 1000)
    assert.equal((await client.update({ metadata: 'hold' })).status, 200)
    assert.equal((await client.update({ metadata: 'resume' })).status, 200)

    const paused = await client.reinvite({ direction: 'inactive' })
    assert.deepEqual(
      paused.answer?.media.map((line) => [line.direction, line.label]),
      [
        ['inactive', '96'],
        ['inactive', '98'],
      ],
    )
    await delay(600)
    const resumed = await client.reinvite({ direction: 'sendonly', metadata: 'rfc8068' })
    assert.deepEqual(
      resumed.answer?.media.map((line) => line.direction),
      ['recvonly', 'recvonly'],
    )
    await sendTones(client, 1000)
    await client.waitFor(() => client.streams.every((stream) => stream.receiverReports > 0), DEADLINE_MS, 'RTCP RR')
    assert.equal((await client.bye({ metadata: 'end' })).status, 200)

    const kept = await keptRecording(recorder.store)
    assert.deepEqual(client.violations, [])
    assert.deepEqual(client.checkRtcp(), [])
    assert.equal(kept.manifest.state, 'published')
    assert.deepEqual(
      kept.manifest.streams.map((stream) => [stream.label, stream.totals.packets, stream.totals.lost]),
      [
        ['96', 100, 0],
        ['98', 100, 0],
      ],
    )
    assert.deepEqual(
      kept.manifest.streams.map((stream) => stream.participants),
      [['Ottoline Brandt'], ['Matías "Kit" Öberg & Co']],
    )
    assert.equal(kept.manifest.facts.metadataInvalid, false)
    assert.equal(kept.manifest.metadata.length, 5)
    assertSpoken(kept, 200, 900)
    for (const [index, { gaps, totals }] of kept.manifest.streams.entries()) {
      const gap = gaps.find((one) => one.cause === 'paused-by-client')!
      assert.ok(gap.toMs - gap.fromMs > 550, `the pause of ${gap.toMs - gap.fromMs} ms is a gap`)
      const silence = kept.channels[index]!.subarray((gap.fromMs + 20) * 8, (gap.toMs - 20) * 8)
      assert.equal(rmsDbfs(silence), Number.NEGATIVE_INFINITY)
      assert.equal(totals.pauses[0]?.packets, 0)
      assertChannels(kept, gap.toMs + 100, gap.toMs + 800)
    }
  })
}

const variants: readonly (readonly [string, Partial<ClientOptions>, InviteOptions])[] = [
  ['SRS-06: the letter of RFC 8068', { variant: 'rfc8068' }, {}],
  ['L-02, L-03, L-06: a client of the drafts', { variant: 'draft' }, {}],
  ['L-01: Require without feature tag', {}, { tag: 'none' }],
  ['L-02: +sip-src', {}, { tag: '+sip-src' }],
  ['L-02: the tag inside the brackets', {}, { isTagInside: true }],
  ['L-02: the tag without Require', {}, { require: false }],
  ['L-04: no metadata', {}, { metadata: 'none' }],
  ['L-05: metadata without disposition', {}, { metadataDisposition: '' }],
  ['L-05: a disposition with handling', {}, { metadataDisposition: 'recording-session;handling=required' }],
  ['L-05: the old media type in odd case', {}, { metadataType: 'Application/RS-Metadata; charset=UTF-8' }],
  ['L-08: no labels', {}, { labels: [undefined, undefined] }],
  ['SRS-12: labels of letters', {}, { labels: ['a_leg', 'b_leg'] }],
  ['SRS-12: labels of many digits', {}, { labels: ['16777227', '10'] }],
  ['L-09, SRS-11: no direction', {}, { direction: '' }],
  ['SRS-11: sendrecv', {}, { direction: 'sendrecv' }],
  ['SRS-45: broken XML', {}, { metadata: 'broken' }],
  ['SRS-45: an empty document', {}, { metadata: 'empty' }],
  ['SRS-45: metadata that is no XML', {}, { metadata: { xml: 'nothing of the kind' } }],
  ['SRS-06: metadata before SDP', {}, { partOrder: 'metadata-first' }],
  ['SRS-06: a preamble', {}, { preamble: 'This is a multipart message.' }],
  ['L-06, SRS-22: bare LF in the whole body', {}, { bareLf: true }],
  ['no telephone-event', {}, { codecs: ['PCMU'] }],
  ['A-law', {}, { codecs: ['PCMA', 'telephone-event'] }],
]
for (const [what, options, invite] of variants) {
  test(`${what}: both streams are kept`, async (t) => {
    const { client, recorder } = await openScene(t, options)
    const { status, answer } = await client.invite(invite)
    assert.equal(status, 200)
    const labels = invite.labels ?? ['96', '98']
    assert.deepEqual(
      answer?.media.map((line) => [line.direction, line.label]),
      labels.map((label) => ['recvonly', label]),
    )
    await sendTones(client, 500)
    assert.equal((await client.bye()).status, 200)
    const kept = await keptRecording(recorder.store)
    assertSpoken(kept, 100, 400)
    const isBroken = typeof invite.metadata === 'object' || invite.metadata === 'broken'
    assert.equal(kept.manifest.facts.metadataInvalid, isBroken)
  })
}

test('SRS-07, L-07: an extra part that may be ignored is, and a session with one that is required is kept too', async (t) => {
  for (const disposition of ['signal;handling=optional', 'signal;handling=required']) {
    const { client, recorder } = await openScene(t)
    const headers = [
      ['Content-Type', 'application/gtd'],
      ['Content-Disposition', disposition],
    ] as const
    const { status } = await client.invite({ extraParts: [{ headers: [...headers], content: Buffer.from('IAM,') }] })
    assert.equal(status, 200)
    await sendTones(client, 300)
    await client.bye()
    assertSpoken(await keptRecording(recorder.store), 50, 250)
  }
})

test('SRS-12: a label that is no token is not written back; its stream is kept', async (t) => {
  const { client, recorder } = await openScene(t)
  const { status, answer } = await client.invite({ labels: ['a=b', '2'] })
  assert.equal(status, 200)
  assert.deepEqual(
    answer?.media.map((line) => line.label),
    [undefined, '2'],
  )
  await sendTones(client, 500)
  await client.bye()
  assertSpoken(await keptRecording(recorder.store), 100, 400)
})

test('SRS-05: an unknown option is refused with 420 and named', async (t) => {
  const { client } = await openScene(t)
  const { status, response } = await client.invite({ require: ['siprec', 'foo'] })
  assert.deepEqual([status, headerOf(response, 'Unsupported')], [420, 'foo'])
})

test('SRS-09, SRS-13: four streams are four channels', async (t) => {
  const { client, recorder } = await openScene(t)
  const { answer } = await client.invite({ streams: 4 })
  assert.deepEqual(
    answer?.media.map((line) => line.direction),
    ['recvonly', 'recvonly', 'recvonly', 'recvonly'],
  )
  await sendTones(client, 600, 4)
  await client.bye()
  assertSpoken(await keptRecording(recorder.store), 100, 500, 4)
})

test('a stream that joins in the middle is silent before', async (t) => {
  const { client, recorder } = await openScene(t)
  await client.invite({ streams: 1 })
  await sendTones(client, 500, 1)
  const { answer } = await client.addStream('99', 'none')
  assert.deepEqual(
    answer?.media.map((line) => line.label),
    ['96', '99'],
  )
  await sendTones(client, 500, 2)
  await client.bye()
  const kept = await keptRecording(recorder.store)
  assert.equal(kept.channels.length, 2)
  assert.equal(rmsDbfs(kept.channels[1]!.subarray(0, 450 * 8)), Number.NEGATIVE_INFINITY)
  const gap = kept.manifest.streams[1]?.gaps[0]
  assert.deepEqual([gap?.fromMs, gap?.cause], [0, 'no-rtp-yet'])
  assertChannels(kept, gap!.toMs + 100, gap!.toMs + 400)
})

test('lost packets are silence in their place, named in the gap list', async (t) => {
  const { client, recorder } = await openScene(t)
  await client.invite()
  const spoken = tone(400, 1000)
  await Promise.all([client.sendAudio(0, spoken, { lossEvery: 10 }), client.sendAudio(1, tone(1000, 1000))])
  await client.bye()
  const kept = await keptRecording(recorder.store)
  const { manifest, channels } = kept
  const { gaps, totals } = manifest.streams[0]!
  const lost = gaps.filter((gap) => gap.cause === 'lost')
  // The hundredth part, the last one sent, is never known to have been lost.
  assert.deepEqual([totals.packets, totals.lost, lost.length], [45, 4, 4])
  for (const gap of lost) {
    assert.equal(Math.round(gap.toMs - gap.fromMs), 20)
    // A gap is told to a tenth of a millisecond, which is nearly a sample.
    const silence = channels[0]!.subarray(Math.ceil(gap.fromMs * 8) + 1, Math.floor(gap.toMs * 8) - 1)
    assert.equal(rmsDbfs(silence), Number.NEGATIVE_INFINITY)
  }
  assert.equal(manifest.streams[1]?.totals.lost, 0)
  assert.ok(correlate(spoken, channels[0]!.subarray(begun(kept) * 8), 800).coefficient > 0.93)
})

test('repeated packets are counted and heard once', async (t) => {
  const { client, recorder } = await openScene(t)
  await client.invite()
  await client.sendAudio(0, tone(400, 600), { repeatEvery: 3 })
  await client.bye()
  const kept = await keptRecording(recorder.store)
  assert.equal(kept.manifest.streams[0]?.totals.duplicates, 10)
  const from = begun(kept) * 8
  assert.ok(shareOfTone(kept.channels[0]!.subarray(from, from + 560 * 8), 400) > 0.95)
})

test('RTP-27: packets from a third socket are dropped', async (t) => {
  const { client, recorder } = await openScene(t)
  const { answer } = await client.invite()
  await client.sendAudio(0, tone(400, 200))
  const stranger = createSocket('udp4')
  t.after(() => stranger.close())
  const port = answer?.media[0]?.port ?? 0
  const talking = client.sendAudio(0, tone(400, 600))
  for (let i = 0; i < 20; i++) {
    const payload = Buffer.alloc(160, i % 2 === 0 ? 0x00 : 0x80)
    const packet = { payloadType: 0, marker: false, sequence: i, timestamp: i * 160, ssrc: 0x1234, payload }
    stranger.send(buildRtp(packet), port, HOST)
  }
  await talking
  await client.bye()
  const kept = await keptRecording(recorder.store)
  assert.equal(kept.manifest.streams[0]?.totals.wrongSource, 20)
  const from = begun(kept) * 8
  assert.ok(shareOfTone(kept.channels[0]!.subarray(from, from + 750 * 8), 400) > 0.95)
})

test('SRS-25: a BYE with a document alone in a multipart is answered 200 and applied', async (t) => {
  const { client, recorder } = await openScene(t)
  await client.invite()
  await sendTones(client, 200)
  assert.equal((await client.bye({ metadata: 'end', alwaysMultipart: true })).status, 200)
  const { manifest } = await keptRecording(recorder.store)
  assert.match(manifest.metadata.at(-1)?.transaction ?? '', /^BYE /)
})

test('SRS-08, L-20: a bare document in an UPDATE is metadata, and an UPDATE with an offer is answered', async (t) => {
  const { client, recorder } = await openScene(t)
  await client.invite()
  assert.equal((await client.update({ metadata: 'hold', alwaysMultipart: false })).status, 200)
  const { status, answer } = await client.update({ metadata: 'rfc8068', sdp: true })
  assert.deepEqual([status, answer?.media.length], [200, 2])
  await sendTones(client, 200)
  await client.bye()
  assert.equal((await keptRecording(recorder.store)).manifest.metadata.length, 3)
  assert.deepEqual(client.violations, [])
})

test('SRS-23: OPTIONS is answered with the types and methods of a recorder', async (t) => {
  const { client } = await openScene(t)
  const response = await client.options()
  assert.equal(response.status, 200)
  assert.match(headerOf(response, 'Accept') ?? '', /application\/rs-metadata\+xml/)
  assert.match(headerOf(response, 'Allow') ?? '', /UPDATE/)
})

test('a session without a packet is in the catalogue from its INVITE on, and ends with the cause', async (t) => {
  const { client, recorder } = await openScene(t)
  await client.invite()
  const page = async (): Promise<{ items: { state: string; cause?: string }[] }> =>
    (await (await fetch(`${recorder.httpUrl}/api/recordings`)).json()) as { items: { state: string; cause?: string }[] }
  assert.deepEqual(
    (await page()).items.map((item) => item.state),
    ['receiving'],
  )
  await client.bye()
  await until('the row is closed', async () => (await page()).items[0]?.state === 'no-audio')
  assert.equal((await page()).items[0]?.cause, 'no-rtp')
})

test('nothing is left of recording sessions: active resources and open files are back to the start', async (t) => {
  const recorder = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorder.close())
  let sessions = 0
  const round = async (): Promise<void> => {
    const address = { host: HOST, port: recorder.port('recorder', 'tcp') }
    const client = await ForeignClient.open({ transport: 'tcp', recorder: address, deadlineMs: DEADLINE_MS })
    assert.equal((await client.invite()).status, 200)
    await sendTones(client, 200)
    assert.equal((await client.bye()).status, 200)
    client.close()
    await keptRecordings(recorder.store, ++sessions)
  }
  // The first session opens what stays: threads of the pool, loaded modules.
  await round()
  const before = await openResources()
  for (let i = 0; i < 3; i++) await round()
  let now = before
  await until('resources are back', async () => {
    now = await openResources()
    return now.files <= before.files && now.active.length <= before.active.length
  }).catch(() => assert.deepEqual(now, before))
})
