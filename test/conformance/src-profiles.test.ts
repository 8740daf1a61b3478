// What a recorder profile changes on the wire: headers, types, dialects, streams, codecs; rows SRC-20, SRC-66, META-29, AMB-*.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultProfile } from '#recording-client'
import { CALL_NAMESPACE, childElements, parseMetadata, textOf } from '#siprec'
import { profiled } from '../harness/profiles.ts'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { descriptionOf, documentProblems, mediaLines, type RecordingMessage } from '../harness/recording-message.ts'
import { takeAll } from '../harness/test-recorder.ts'

function row(
  name: string,
  change: Parameters<typeof profiled>[0],
  run: (bench: RecordingBench) => Promise<void>,
): void {
  test(name, () => withBench(run, profiled(change)))
}

/** Header lines of that name. */
function lines({ message }: RecordingMessage, name: string): string[] {
  return message.headers.all(name)
}

async function invite(bench: RecordingBench): Promise<RecordingMessage> {
  return (await bench.recording()).session().first
}

row(
  'a profile adds headers of its own, and none of those that make the message',
  {
    headers: [
      ['User-to-User', '00;encoding=hex'],
      ['Call-Info', '<https://crm.example/7>;purpose=info'],
      ['X-Tenant', 'a'],
      ['Require', 'x-profile'],
      ['m', '<sip:else@where.example>'],
      ['Content-Type', 'text/plain'],
      ['Contact', '<sip:else@where.example>'],
    ],
  },
  async (bench) => {
    const recorder = bench.recorder()
    bench.start(recorder.uri, { headers: [['x-tenant', 'asked']] })
    await bench.pass()
    const { first } = recorder.session()
    assert.deepEqual(lines(first, 'User-to-User'), ['00;encoding=hex'])
    assert.deepEqual(lines(first, 'Call-Info'), ['<https://crm.example/7>;purpose=info'])
    assert.deepEqual(lines(first, 'X-Tenant'), ['asked'], 'the word of the asker counts more')
    assert.deepEqual(lines(first, 'Require'), ['siprec'])
    assert.deepEqual([lines(first, 'Contact').length, lines(first, 'Content-Type').length], [1, 1])
    assert.doesNotMatch(lines(first, 'Contact')[0] ?? '', /else@where/)
  },
)

row(
  'a profile may tell the ids of the recording in its headers; one that is not known leaves its header out',
  {
    headers: [
      ['User-to-User', '{recordingId};encoding=ascii'],
      ['X-Call', '{callId} {sessionId}'],
    ],
  },
  async (bench) => {
    const recorder = bench.recorder()
    const { callId, sessionId } = bench.call.snapshot()
    bench.start(recorder.uri)
    await bench.pass()
    assert.deepEqual(lines(recorder.session().first, 'User-to-User'), ['rec-1;encoding=ascii'])
    assert.deepEqual(lines(recorder.session().first, 'X-Call'), [`${callId} ${Buffer.from(sessionId).toString('hex')}`])
    bench.stop()
    await bench.pass(1_000)
    bench.start(recorder.uri, { recordingId: '' })
    await bench.pass()
    assert.deepEqual(lines(recorder.session(1).first, 'User-to-User'), [])
  },
)

for (const [omit, told] of [
  [[], ['Älice <&>', 'alice', 'fact']],
  [['names'], ['alice']],
  [['numbers'], ['Älice <&>']],
  [['names', 'numbers'], []],
] as const) {
  row(
    `SRC-59, SEC-25: a document without ${omit.join(' and ') || 'omissions'} is as valid as another, and in no message stands what is left out`,
    { metadata: { omit } },
    async (bench) => {
      bench.call.change({ facts: { 'History-Info': '<sip:alice@desk.example>;index=1' } }, { type: 'codec-changed' })
      const recorder = await bench.recording()
      bench.call.join()
      await bench.pass(500)
      bench.call.end()
      await bench.pass(500)
      const messages = bench.sent(recorder.ip).filter(({ documentText }) => documentText !== undefined)
      assert.ok(messages.length >= 3)
      for (const message of messages) {
        assert.deepEqual(documentProblems(message), [])
        const text = message.documentText ?? ''
        const found = ['Älice &lt;&amp;&gt;', 'alice', 'fact'].filter((person) => text.includes(person))
        assert.deepEqual(
          found.map((person) => (person.startsWith('Ä') ? 'Älice <&>' : person)),
          told,
        )
        assert.equal(message.document?.participants[0]?.nameIds.length, 1)
      }
    },
  )
}

const registered = 'application/rs-metadata+xml'
const legacy = 'application/rs-metadata'

/** Content-Type of the metadata part. */
function metadataType({ message }: RecordingMessage): string | undefined {
  return /^Content-Type: (application\/rs-metadata\S*)\r$/m.exec(new TextDecoder().decode(message.body))?.[1]
}

row('SRC-20, AMB-01, field 29: metadata goes out under the registered type', {}, async (bench) => {
  assert.equal(metadataType(await invite(bench)), registered)
})

row(
  'SRC-20, AMB-01, field 29: a recorder of the old type gets it, then as later',
  { metadata: { mediaType: 'legacy' } },
  async (bench) => {
    const recorder = await bench.recording()
    bench.call.join()
    await bench.pass()
    assert.deepEqual([recorder.session().first, ...recorder.session().reoffers].map(metadataType), [legacy, legacy])
  },
)

for (const [name, accept, sent] of [
  ['names the old type only', `application/sdp, ${legacy}`, [registered, legacy]],
  ['names both types', `application/sdp, ${legacy};q=0.5, ${registered}`, [registered]],
  ['names neither', 'application/sdp', [registered]],
] as const) {
  row(`SRC-66, AMB-01: 415 whose Accept ${name}: sent ${sent.length} times`, {}, async (bench) => {
    const peer = bench.scripted()
    const start = bench.start(`sip:${peer.ip}`)
    await bench.pass()
    peer.respond(peer.take('INVITE'), 415, { tag: 'one', headers: [`Accept: ${accept}`] })
    await bench.pass()
    if (sent.length > 1) {
      peer.respond(peer.take('INVITE'), 415, { tag: 'two', headers: [`Accept: ${accept}`] })
      await bench.pass()
    }
    assert.deepEqual([start.status, start.outcome?.results], [503, { [`sip:${peer.ip}`]: 'failed(415)' }])
    assert.deepEqual(
      bench
        .sent(peer.ip)
        .filter(({ label }) => label === 'INVITE')
        .map(metadataType),
      sent,
    )
    const dialogs = bench.sent(peer.ip).map(({ message }) => message.headers.get('call-id'))
    assert.equal(new Set(dialogs).size, 1, 'in the same Call-ID (RFC 3261 section 8.1.3.5)')
  })
}

row('SRC-66: a recorder that takes the old type after a 415 keeps getting it', {}, async (bench) => {
  const recorder = bench.recorder()
  recorder.refuseFirst(415, [['Accept', `application/sdp, ${legacy}`]])
  const start = bench.start(recorder.uri)
  await bench.pass()
  assert.equal(start.status, 200)
  bench.call.join()
  await bench.pass()
  assert.deepEqual(recorder.session(1).reoffers.map(metadataType), [legacy])
})

row(
  'field 32: a legacy recorder gets the vocabulary of the drafts, and the id of the recording by header',
  { metadata: { dialect: 'smarttap', mediaType: 'legacy', updates: 'partial' } },
  async (bench) => {
    const recorder = await bench.recording()
    bench.call.join()
    await bench.pass()
    const { first, reoffers } = recorder.session()
    assert.deepEqual(lines(first, 'X-Audc-Call-Id'), ['rec-1'])
    for (const { documentText, document } of [first, ...reoffers]) {
      const read = parseMetadata(new TextEncoder().encode(documentText))
      assert.deepEqual([read.dialect, read.invalid, read.warnings.length], ['mid-draft', false, 1])
      assert.equal(document?.dataMode, 'complete', 'nobody knows how the drafts merge')
      assert.deepEqual(
        document?.streams.map(({ label }) => label),
        ['1', '2'],
      )
      assert.equal(
        document?.participantStreamAssocs.some(({ send }) => send.length === 1),
        true,
      )
      assert.match(documentText ?? '', /<extensiondata>/)
    }
  },
)

row(
  'field 16: the extension data stands in the namespace that the recorder knows',
  { metadata: { extensionNamespace: 'urn:example:tenant' } },
  async (bench) => {
    bench.call.change({ facts: { 'History-Info': '<sip:desk@pbx.example>;index=1' } }, { type: 'codec-changed' })
    const first = await invite(bench)
    assert.deepEqual(documentProblems(first), [])
    const extensions = first.document?.sessions[0]?.extensions ?? []
    const call = extensions.find(({ name }) => name === 'call')
    assert.equal(call?.namespace, 'urn:example:tenant')
    const fact = call && childElements(call).find(({ name }) => name === 'fact')
    assert.deepEqual(
      [fact?.attributes[0]?.value, fact && textOf(fact)],
      ['History-Info', '<sip:desk@pbx.example>;index=1'],
    )
    assert.equal((first.documentText ?? '').includes(CALL_NAMESPACE), false)
  },
)

for (const [side, tap] of [
  ['caller', 'caller received'],
  ['far', 'caller sent'],
] as const) {
  row(`a recorder of the ${side} side gets one m-line, and nobody else's voice`, { media: { side } }, async (bench) => {
    const first = await invite(bench)
    assert.deepEqual(documentProblems(first), [])
    assert.equal(mediaLines(first).length, 1)
    const taps = [...bench.call.media.forks.values()].map(
      (fork) => 'leg' in fork.tap && `${fork.tap.leg} ${fork.tap.point}`,
    )
    assert.deepEqual(taps, [tap])
  })
}

row(
  'field 34: a recorder of G.711 is offered nothing else, whatever the call speaks',
  { media: { codecs: 'g711' } },
  async (bench) => {
    bench.call.changeEncodings(['OPUS/48000/2', 'PCMA/8000', 'TELEPHONE-EVENT/8000'])
    const first = await invite(bench)
    assert.deepEqual(
      descriptionOf(first).media.map(({ formats }) => formats),
      [
        ['8', '0', '101'],
        ['8', '0', '101'],
      ],
    )
  },
)

for (const media of [{ codecs: 'g711' }, { streams: 'mixed' }] as const) {
  test(`a recorder of ${Object.values(media)[0]} is refused when nothing of the call can be read, with the cause, and the call goes on`, () =>
    withBench(
      async (bench) => {
        bench.call.changeEncodings(['OPUS/48000/2', 'TELEPHONE-EVENT/8000'])
        const recorder = bench.recorder()
        const start = bench.start(recorder.uri)
        await bench.pass()
        assert.deepEqual([start.status, start.outcome?.results[recorder.uri]], [503, 'failed(488)'])
        const reason = 'nothing that the call speaks can be converted into what the recorder takes'
        assert.deepEqual(
          bench.events.flatMap((event) => (event.type === 'recorder.failed' ? [event.reason] : [])),
          [reason],
        )
        assert.equal(recorder.sessions.length, 0)
        assert.equal(bench.call.snapshot().state, 'answered')
        bench.call.changeEncodings(['OPUS/48000/2', 'PCMA/8000'])
        const again = bench.start(recorder.uri)
        await bench.pass()
        assert.equal(again.status, 200)
        assert.deepEqual(descriptionOf(recorder.session().first).media[0]?.formats.slice(0, 1), ['8'])
        bench.call.changeEncodings(['OPUS/48000/2'])
        await bench.pass()
        assert.deepEqual(descriptionOf(recorder.session().reoffers.at(-1)!).media[0]?.formats, ['0', '8'])
        assert.ok(bench.log.lines.some(({ message }) => message === reason))
      },
      { ...profiled({ media }), transcodes: ['PCMU/8000', 'PCMA/8000', 'G722/8000'] },
    ))
}

row(
  'META-29, FLOW-06: a mixed stream: one m-line of G.711, to which everyone sends and which everyone hears',
  { media: { streams: 'mixed' } },
  async (bench) => {
    bench.call.join()
    const recorder = await bench.recording()
    const { first } = recorder.session()
    assert.deepEqual(mediaLines(first), ['port sendonly 1'])
    assert.deepEqual(descriptionOf(first).media[0]?.formats, ['0', '8'])
    const [fork] = [...bench.call.media.forks.values()]
    assert.deepEqual(fork?.tap, {
      mix: [
        { leg: 'caller', point: 'received' },
        { leg: 'caller', point: 'sent' },
      ],
    })
    const streamId = first.document?.streams[0]?.streamId
    const present = first.document?.participantStreamAssocs.filter((each) => each.disassociateTime === undefined) ?? []
    assert.deepEqual(
      present.map(({ send, recv }) => [send, recv]),
      [
        [[streamId], [streamId]],
        [[streamId], [streamId]],
      ],
    )
  },
)

row(
  'digits are left out of what a recorder gets whose profile masks them',
  { media: { maskDtmf: true } },
  async (bench) => {
    await bench.recording()
    assert.deepEqual(
      [...bench.call.media.forks.values()].map(({ masked }) => masked),
      [true, true],
    )
  },
)

row('a profile asks for a session timer', { sessionExpiresSeconds: 300 }, async (bench) => {
  const first = await invite(bench)
  assert.match(lines(first, 'Session-Expires')[0] ?? '', /^300\b/)
})

row(
  'a recorder that asks who we are is answered by the credentials of its profile, and their secret is not told',
  { credentials: { username: 'gateway', password: 'opensesame', allowMd5: false } },
  async (bench) => {
    const recorder = bench.recorder()
    recorder.refuseFirst(401, [['WWW-Authenticate', 'Digest realm="rec", nonce="n1", algorithm=SHA-256, qop="auth"']])
    const start = bench.start(recorder.uri)
    await bench.pass()
    assert.equal(start.status, 200)
    const second = recorder.session(1).first
    assert.match(lines(second, 'Authorization')[0] ?? '', /username="gateway"/)
    assert.equal(second.document?.dataMode, 'complete')
    assert.doesNotMatch(JSON.stringify([bench.log.lines, bench.events]), /opensesame/)
  },
)

row(
  'RTP-20: RTCP on the port of the RTP is offered on every m-line, agreed when the answer says so, and answered to a recorder that asks for it',
  { media: { ...defaultProfile.media, rtcpMux: true } },
  async (bench) => {
    const recorder = await bench.recording()
    const { first, dialog } = recorder.session()
    const muxed = (sdp: string): number => sdp.match(/^a=rtcp-mux\r$/gm)?.length ?? 0
    assert.equal(muxed(first.sdp), 2)
    const ports = (): (readonly [number, number])[] =>
      [...bench.call.media.forks.values()].map(({ remote }) => [remote!.remote.rtp.port, remote!.remote.rtcp.port])
    assert.deepEqual(ports(), [
      [40_000, 40_001],
      [40_002, 40_003],
    ])
    const plain = new TextDecoder().decode(recorder.answerBody(first.sdp).content)
    for (const [offer, wanted, agreed] of [
      [plain.replaceAll(/^(m=.*)\r$/gm, '$1\r\na=rtcp-mux\r'), 2, 0],
      [plain, 0, 1],
    ] as const) {
      const theirs = dialog?.reinvite({
        body: { contentType: 'application/sdp', content: new TextEncoder().encode(offer) },
      })
      await bench.pass(100)
      const outcome = await theirs
      assert.ok(outcome !== undefined && outcome.status === 200)
      assert.equal(muxed(new TextDecoder().decode(outcome.response!.body)), wanted)
      assert.deepEqual(
        ports().map(([rtp, rtcp]) => rtcp - rtp),
        [agreed, agreed],
      )
    }
  },
)

row(
  'RTP-20: an answer that takes RTCP on the port of the RTP, which was not offered, has it on the port after it',
  {},
  async (bench) => {
    const recorder = bench.recorder()
    recorder.answer = (index, offered) => ({ ...takeAll(index, offered)!, codecs: ['0 PCMU/8000\r\na=rtcp-mux'] })
    bench.start(recorder.uri)
    await bench.pass()
    const [fork] = bench.call.media.forks.values()
    assert.equal(fork!.remote!.remote.rtcp.port, fork!.remote!.remote.rtp.port + 1)
  },
)
