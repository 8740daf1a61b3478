// The foreign client against the foreign recorder: each is proved on the other before either judges anything else.

import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import { describe, it } from 'node:test'
import { type ClientOptions, ForeignClient, type InviteOptions } from './foreign-client.ts'
import { ForeignRecorder } from './foreign-recorder.ts'
import { fromALaw, fromMuLaw, shareOfTone, toALaw, toMuLaw, tone } from './g711-tones.ts'
import type { RecorderScript } from './recorder-session.ts'
import { buildRtp } from './rtp-wire.ts'
import { headerOf, parseNameAddr } from './sip-text.ts'

const DEADLINE_MS = 3000

type Pair = { readonly client: ForeignClient; readonly recorder: ForeignRecorder }

/** Opens both, runs the story, closes both whatever happens. */
async function withPair(
  script: RecorderScript,
  options: Partial<ClientOptions>,
  story: (pair: Pair) => Promise<void>,
): Promise<void> {
  const recorder = await ForeignRecorder.open(script)
  const base = { transport: 'tcp', recorder: recorder.address, deadlineMs: DEADLINE_MS } as const
  const client = await ForeignClient.open({ ...base, ...options })
  try {
    await story({ client, recorder })
  } finally {
    client.close()
    recorder.close()
  }
}

for (const transport of ['tcp', 'udp'] as const) {
  it(`a whole session over ${transport} records one tone per stream, pauses, resumes, updates and ends cleanly`, async () => {
    await withPair({ dropTcp: transport === 'udp' }, { transport }, async ({ client, recorder }) => {
      const { status, answer } = await client.invite()
      assert.equal(status, 200)
      assert.deepEqual(
        answer?.media.map((line) => [line.direction, line.label]),
        [
          ['recvonly', '96'],
          ['recvonly', '98'],
        ],
      )
      assert.ok(parseNameAddr(client.answerContact ?? '').params.has('+sip.srs'))
      assert.equal(client.answerContentType, 'application/sdp')
      await Promise.all([client.sendAudio(0, tone(400, 1000)), client.sendAudio(1, tone(1000, 1000))])
      await recorder.waitFor(() => recorder.rtp(0).length === 50 && recorder.rtp(1).length === 50, DEADLINE_MS)
      for (const [index, own, other] of [
        [0, 400, 1000],
        [1, 1000, 400],
      ] as const) {
        assert.equal(recorder.audio(index).length, 8000)
        assert.ok(shareOfTone(recorder.audio(index), own) > 0.95)
        assert.ok(shareOfTone(recorder.audio(index), other) < 0.01)
      }
      const pause = await client.reinvite({ direction: 'inactive' })
      assert.deepEqual(
        pause.answer?.media.map((line) => line.direction),
        ['inactive', 'inactive'],
      )
      const resume = await client.reinvite({ direction: 'sendonly', metadata: 'rfc8068' })
      assert.deepEqual(
        resume.answer?.media.map((line) => line.direction),
        ['recvonly', 'recvonly'],
      )
      assert.equal((await client.update({ metadata: 'hold' })).status, 200)
      assert.equal((await client.update({ metadata: 'resume' })).status, 200)
      await client.sendAudio(0, tone(400, 200), { paced: false })
      await recorder.waitFor(() => recorder.rtp(0).length === 60, DEADLINE_MS)
      assert.equal((await client.bye()).status, 200)
      await client.waitFor(() => client.streams.every((stream) => stream.receiverReports > 0), DEADLINE_MS)
      assert.equal(recorder.invites().length, 3)
      assert.equal(recorder.documents().length, 4)
      assert.deepEqual(
        recorder.sessions[0]?.offers.map((offer) => Number(offer.origin[2])),
        [1, 2, 3],
      )
      assert.deepEqual(recorder.violations, [])
      assert.deepEqual(client.violations, [])
      assert.deepEqual(client.checkRtcp(), [])
    })
  })
}

it('RFC 8068 3.2.4: the last document comes in the BYE, in a multipart of one part', async () => {
  await withPair({}, {}, async ({ client, recorder }) => {
    await client.invite()
    await client.bye({ metadata: 'end' })
    assert.match(recorder.documents().at(-1) ?? '', /<stop-time>/)
    assert.deepEqual(recorder.violations, [])
    assert.ok(recorder.advice.some((line) => line.includes('metadata in BYE')))
  })
})

it('lost and repeated packets leave silence where they were and nothing else', async () => {
  await withPair({}, {}, async ({ client, recorder }) => {
    await client.invite({ codecs: ['PCMA'] })
    const sent = await client.sendAudio(0, tone(400, 400), { paced: false, lossEvery: 5, startTimestamp: 0xffff_ff00 })
    await recorder.waitFor(() => recorder.rtp(0).length === 16, DEADLINE_MS)
    assert.deepEqual([sent.packets, sent.endTimestamp], [16, 3200 - 256])
    const audio = recorder.audio(0)
    assert.ok(audio.subarray(4 * 160, 5 * 160).every((sample) => sample === 0))
    assert.ok(shareOfTone(audio.subarray(0, 4 * 160), 400) > 0.95)
  })
})

it('a key is one event with one timestamp, marked first and ended three times (RFC 4733)', async () => {
  await withPair({ payloadTypes: { 101: 97 } }, {}, async ({ client, recorder }) => {
    await client.invite()
    await client.sendDigit(0, '5', 60)
    await recorder.waitFor(() => recorder.rtp(0).length === 5, DEADLINE_MS)
    const packets = recorder.rtp(0)
    assert.deepEqual(
      packets.map((packet) => packet.payloadType),
      [97, 97, 97, 97, 97],
    )
    assert.deepEqual(
      packets.map((packet) => packet.marker),
      [true, false, false, false, false],
    )
    assert.deepEqual(
      packets.map((packet) => (packet.payload[1] ?? 0) >> 7),
      [0, 0, 1, 1, 1],
    )
    assert.equal(new Set(packets.map((packet) => packet.timestamp)).size, 1)
    assert.deepEqual(recorder.violations, [])
  })
})

describe('the recorder does what its script says', () => {
  it('refuses with a code and its headers', async () => {
    const script: RecorderScript = { answer: 503, answerHeaders: [['Retry-After', '7']] }
    await withPair(script, {}, async ({ client, recorder }) => {
      const { status, response } = await client.invite()
      assert.deepEqual([status, headerOf(response, 'Retry-After')], [503, '7'])
      await recorder.waitFor(() => recorder.requests('ACK').length === 1, DEADLINE_MS)
      assert.deepEqual(recorder.violations, [])
    })
  })

  it('stays silent, and a UDP client repeats its INVITE', async () => {
    await withPair(
      { answer: 'silent', dropTcp: true },
      { transport: 'udp', deadlineMs: 700 },
      async ({ client, recorder }) => {
        await assert.rejects(client.invite(), /no final response within 700 ms/)
        assert.equal(recorder.invites().length, 1)
        assert.equal(recorder.arrivals.filter((one) => one.isRepeat).length, 1)
      },
    )
  })

  it('answers late, and CANCEL ends the wait with 487', async () => {
    await withPair({ answer: { lateMs: 60_000 } }, {}, async ({ client, recorder }) => {
      const invite = client.invite()
      await client.waitFor(() => client.provisional.length > 0, DEADLINE_MS)
      assert.equal((await client.cancel()).status, 200)
      assert.equal((await invite).status, 487)
      await recorder.waitFor(() => recorder.requests('ACK').length === 1, DEADLINE_MS)
      assert.deepEqual(recorder.violations, [])
    })
  })

  it('leaves an m-line out, and the client objects', async () => {
    await withPair({ fewerMediaLines: true, contactTag: false }, {}, async ({ client }) => {
      await client.invite()
      assert.ok(client.violations.some((line) => line.includes('1 m-lines answer 2')))
      assert.ok(client.violations.some((line) => line.includes('no +sip.srs')))
    })
  })

  it('answers sendrecv, and the client objects', async () => {
    await withPair({ answerDirection: 'sendrecv' }, {}, async ({ client }) => {
      await client.invite()
      assert.ok(client.violations.some((line) => line.includes('sendrecv answers sendonly')))
    })
  })

  it('refuses one stream with port 0', async () => {
    await withPair({ port0On: 1, labels: false }, {}, async ({ client }) => {
      const { answer } = await client.invite()
      assert.deepEqual(
        answer?.media.map((line) => [line.port > 0, line.label]),
        [
          [true, undefined],
          [false, undefined],
        ],
      )
      await assert.rejects(client.sendAudio(1, tone(400, 20)), /no port/)
    })
  })

  it('is not ready, then re-offers recvonly (RFC 7866 figure 7)', async () => {
    await withPair({ answerDirection: 'inactive', reinviteRecvonly: true }, {}, async ({ client, recorder }) => {
      const { answer } = await client.invite()
      assert.deepEqual(
        answer?.media.map((line) => line.direction),
        ['inactive', 'inactive'],
      )
      await client.waitFor(() => client.requests.some((one) => one.method === 'ACK'), DEADLINE_MS)
      assert.deepEqual(
        client.answer?.media.map((line) => line.direction),
        ['recvonly', 'recvonly'],
      )
      await client.sendAudio(0, tone(400, 100), { paced: false })
      await recorder.waitFor(() => recorder.rtp(0).length === 5, DEADLINE_MS)
      assert.deepEqual(recorder.violations, [])
    })
  })

  it('refuses a re-INVITE with 491 once, and the client comes again after its wait', async () => {
    await withPair({ rejectReinvite: 491 }, { glareWaitMs: 60 }, async ({ client, recorder }) => {
      await client.invite()
      const pause = client.reinvite({ direction: 'inactive' })
      await recorder.waitFor(() => recorder.requests('ACK').length === 2, DEADLINE_MS)
      recorder.script = {}
      assert.equal((await pause).status, 200)
      assert.equal(recorder.invites().length, 3)
      assert.deepEqual(recorder.violations, [])
    })
  })

  it('asks for a snapshot, and a complete document comes with an offer in a request of its own', async () => {
    await withPair({}, {}, async ({ client, recorder }) => {
      await client.invite()
      assert.equal((await recorder.requestSnapshot()).status, 200)
      await recorder.waitFor(() => recorder.documents().length === 2, DEADLINE_MS)
      assert.equal(recorder.sessions[0]?.documents[1]?.method, 'INVITE')
      await recorder.waitFor(() => recorder.requests('ACK').length === 2, DEADLINE_MS)
      assert.deepEqual(recorder.violations, [])
    })
  })

  it('ends the session itself, and refuses an UPDATE', async () => {
    await withPair({ byeAfterMs: 20, rejectUpdate: 488 }, {}, async ({ client, recorder }) => {
      await client.invite()
      assert.equal((await client.update({ metadata: 'hold' })).status, 488)
      assert.equal(recorder.documents().length, 1)
      await client.waitFor(() => client.isEnded, DEADLINE_MS)
    })
  })

  it('answers OPTIONS with its types', async () => {
    await withPair({}, {}, async ({ client }) => {
      assert.match(headerOf(await client.options(), 'Accept') ?? '', /rs-metadata\+xml/)
    })
  })
})

describe('the recorder objects to what a client does wrong', () => {
  const wrong: readonly (readonly [string, Partial<ClientOptions>, InviteOptions, RegExp])[] = [
    ['no Require', {}, { require: false }, /without Require: siprec/],
    ['no feature tag', {}, { tag: 'none' }, /has no \+sip\.src/],
    ['a misspelt feature tag', {}, { tag: '+sip-src' }, /has no \+sip\.src/],
    ['the feature tag inside the brackets', {}, { isTagInside: true }, /inside the angle brackets/],
    ['no disposition', {}, { metadataDisposition: '' }, /Content-Disposition ""/],
    ['the old media type', {}, { metadataType: 'application/rs-metadata' }, /lacks \+xml/],
    ['no labels', {}, { labels: [undefined, '2'] }, /m-line 0 has no label/],
    ['a label that is no token', {}, { labels: ['a=b', '2'] }, /a=b is no token/],
    ['a label twice', {}, { labels: ['1', '1'] }, /two m-lines have the label 1/],
    ['sendrecv', {}, { direction: 'sendrecv' }, /direction of m-line 0 is sendrecv/],
    ['no direction', {}, { direction: '' }, /m-line 0 is not written/],
    ['broken XML', {}, { metadata: 'broken' }, /not well-formed/],
    ['a partial document first', {}, { metadata: 'hold' }, /partial document before any complete/],
    ['a large INVITE over UDP', { transport: 'udp' }, {}, /over UDP though TCP was open/],
    [
      'a part it does not know',
      {},
      { extraParts: [{ headers: [['Content-Type', 'application/gtd']], content: Buffer.from('x') }] },
      /required part of type application\/gtd/,
    ],
    ['a client of the drafts', { variant: 'draft' }, {}, /has no \+sip\.src/],
  ]
  for (const [what, options, invite, expected] of wrong) {
    it(what, async () => {
      await withPair({}, options, async ({ client, recorder }) => {
        await client.invite(invite)
        assert.ok(
          recorder.violations.some((line) => expected.test(line)),
          recorder.violations.join('\n'),
        )
      })
    })
  }

  it('RTP and RTCP from another port, an unknown payload type, and RTP while inactive', async () => {
    await withPair({}, {}, async ({ client, recorder }) => {
      const { answer } = await client.invite()
      const port = answer?.media[0]?.port ?? 0
      const stranger = dgram.createSocket('udp4')
      const packet = { payloadType: 18, marker: false, sequence: 1, timestamp: 0, ssrc: 9, payload: Buffer.alloc(20) }
      stranger.send(buildRtp(packet), port, '127.0.0.1')
      await recorder.waitFor(() => recorder.rtp(0).length === 1, DEADLINE_MS)
      stranger.send(Buffer.from('80c9000100000009', 'hex'), port + 1, '127.0.0.1')
      await recorder.waitFor(() => recorder.rtcp(0).length === 1, DEADLINE_MS)
      stranger.close()
      await client.reinvite({ direction: 'inactive' })
      await client.sendAudio(0, tone(400, 400))
      await recorder.waitFor(() => recorder.rtp(0).length === 21, DEADLINE_MS)
      for (const expected of [
        /RTP comes from/,
        /RTCP comes from/,
        /type 18 is not/,
        /while the stream is inactive/,

        /without a CNAME/,
      ]) {
        assert.ok(
          recorder.violations.some((line) => expected.test(line)),
          String(expected),
        )
      }
    })
  })

  it('a stream without RTCP, and RTP after the end', async () => {
    await withPair({ rtcpDueMs: 10 }, {}, async ({ client, recorder }) => {
      await client.invite()
      await client.sendAudio(0, tone(400, 100), { withoutRtcp: true })
      await recorder.waitFor(() => recorder.rtp(0).length === 5, DEADLINE_MS)
      await recorder.bye()
      await client.sendAudio(0, tone(400, 400), { withoutRtcp: true })
      await recorder.waitFor(() => recorder.rtp(0).length === 25, DEADLINE_MS)
      assert.deepEqual(recorder.violations, [
        'RFC 7866 8.1.1: no RTCP came (m-line 0)',
        'RFC 3264 5.1: RTP comes while the stream is inactive (m-line 0)',
      ])
    })
  })

  it('an answer that is never acknowledged', async () => {
    const recorder = await ForeignRecorder.open({ answer: { lateMs: 30 }, dropTcp: true })
    const client = await ForeignClient.open({ transport: 'udp', recorder: recorder.address, deadlineMs: DEADLINE_MS })
    const invite = client.invite()
    await client.waitFor(() => client.provisional.length > 0, DEADLINE_MS)
    client.close()
    await recorder.waitFor(() => recorder.sessions[0]?.pendingStatus === 200, DEADLINE_MS)
    recorder.close()
    assert.ok(recorder.violations.some((line) => line.includes('never acknowledged')))
    await Promise.race([invite.catch(() => undefined), Promise.resolve()])
  })
})

it('G.711: every octet survives decoding and encoding', () => {
  assert.deepEqual([fromMuLaw(0x80), fromMuLaw(0), fromALaw(0xd5), fromALaw(0x2a)], [32_124, -32_124, 8, -32_256])
  for (let octet = 0; octet < 256; octet++) {
    assert.equal(toALaw(fromALaw(octet)), octet)
    if (octet !== 0x7f) assert.equal(toMuLaw(fromMuLaw(octet)), octet)
  }
})
