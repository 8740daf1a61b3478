// Rows SRC-01 to SRC-31 and SRC-60: what a recording session looks like on the wire when it begins.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isToken, labelOf } from '#sdp'
import { parseNameAddr, parseSipUri } from '#sip'
import { isUuidBase64, parseBody } from '#siprec'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { descriptionOf, documentProblems, mediaLines, type RecordingMessage } from '../harness/recording-message.ts'
import type { TestRecorder } from '../harness/test-recorder.ts'

function row(
  name: string,
  run: (bench: RecordingBench) => Promise<void>,
  over?: Parameters<typeof withBench>[1],
): void {
  test(name, () => withBench(run, over))
}

/** The only INVITE that went to a recorder. */
async function invited(bench: RecordingBench, recorder: TestRecorder): Promise<RecordingMessage> {
  bench.start(recorder.uri)
  await bench.pass()
  const [invite] = bench.sent(recorder.ip)
  assert.equal(invite?.label, 'INVITE')
  return invite
}

/** Everything that we may say on a recording session: start, change, pause, resume, the recorder's own offers, stop. */
async function wholeStory(bench: RecordingBench, recorder: TestRecorder): Promise<RecordingMessage[]> {
  bench.start(recorder.uri)
  await bench.pass()
  bench.call.join()
  await bench.pass()
  bench.pause()
  await bench.pass()
  bench.resume()
  await bench.pass()
  const { dialog, first } = recorder.session()
  void dialog?.reinvite({ body: recorder.answerBody(first.sdp) })
  await bench.pass()
  void dialog?.request('UPDATE', { body: recorder.answerBody(first.sdp) })
  await bench.pass()
  void dialog?.reinvite({})
  await bench.pass()
  bench.stop()
  await bench.pass()
  return bench.sent(recorder.ip)
}

const offering = ['INVITE', 'UPDATE']

/** Requests and 2xx responses that make or refresh the dialog. */
function dialogMakers(messages: readonly RecordingMessage[]): RecordingMessage[] {
  return messages.filter(({ label, message }) => {
    if (label !== '200') return offering.includes(label)
    return /INVITE|UPDATE/.test(message.headers.get('cseq') ?? '')
  })
}

row('SRC-01: the INVITE and every re-offer require siprec', async (bench) => {
  const messages = (await wholeStory(bench, bench.recorder())).filter(({ label }) => offering.includes(label))
  assert.ok(messages.length >= 5)
  for (const { message } of messages) assert.deepEqual(message.headers.list('require'), ['siprec'])
})

row('SRC-01: a plain UAS that answers 420 is not a recorder, and is not asked again without Require', async (bench) => {
  const peer = bench.scripted()
  const start = bench.start(`sip:${peer.ip}`)
  await bench.pass()
  peer.respond(peer.take('INVITE'), 420, { tag: 'uas', headers: ['Unsupported: siprec'] })
  await bench.pass()
  assert.deepEqual([start.status, start.outcome?.results], [503, { [`sip:${peer.ip}`]: 'failed(420)' }])
  assert.equal(peer.count('INVITE'), 0)
})

row(
  'SRC-02: +sip.src stands on every message that makes or refreshes the dialog, our 200 to the recorder too',
  async (bench) => {
    const messages = dialogMakers(await wholeStory(bench, bench.recorder()))
    assert.deepEqual([...new Set(messages.map(({ label }) => label))].sort(), ['200', 'INVITE', 'UPDATE'])
    assert.ok(messages.filter(({ label }) => label === '200').length >= 3)
    for (const { message } of messages) assert.match(message.headers.get('contact') ?? '', />;\+sip\.src$/)
  },
)

row('SRC-03, AMB-16: the tag is a header parameter without value, once, outside the angle brackets', async (bench) => {
  const { message } = await invited(bench, bench.recorder())
  const contact = parseNameAddr(message.headers.get('contact') ?? '')
  assert.ok(contact.ok)
  assert.deepEqual([...contact.value.params], [['+sip.src', undefined]])
  const uri = parseSipUri(contact.value.uri)
  assert.ok(uri.ok)
  assert.equal(
    [...uri.value.params.keys()].some((name) => name.includes('src')),
    false,
  )
})

row('SRC-04, AMB-18: From is the gateway, To the recorder; no party of the call stands in a header', async (bench) => {
  const recorder = bench.recorder()
  bench.call.join('callee', 'sip:bob@desk.example')
  const { message } = await invited(bench, recorder)
  const from = parseNameAddr(message.headers.get('from') ?? '')
  assert.equal(from.ok && from.value.uri, 'sip:src@gw.example')
  assert.equal(message.headers.get('to'), `<${recorder.uri}>`)
  for (const [name, value] of message.headers.entries()) assert.doesNotMatch(value, /alice|bob|Älice/i, name)
})

row('SRC-07: siprec is not in Supported', async (bench) => {
  const { message } = await invited(bench, bench.recorder())
  assert.equal(message.headers.list('supported').includes('siprec'), false)
})

row('SRC-10: Accept names SDP and metadata, the old type too', async (bench) => {
  const { message } = await invited(bench, bench.recorder())
  assert.deepEqual(message.headers.list('accept'), [
    'application/sdp',
    'application/rs-metadata+xml',
    'application/rs-metadata',
  ])
})

row(
  'SRC-11, field 39: the INVITE, being over 1300 bytes, goes by TCP though the URI does not ask for it',
  async (bench) => {
    const recorder = bench.recorder()
    await invited(bench, recorder)
    const passage = bench.network.passages.find(({ to }) => to.host === recorder.ip)
    assert.equal(passage?.transport, 'tcp')
    assert.ok(Buffer.byteLength(passage?.text ?? '') > 1300)
    assert.match(passage?.text ?? '', /^Via: SIP\/2\.0\/TCP /m)
  },
)

row('SRC-12: INVITE and BYE have a Date in RFC 1123 form, GMT', async (bench) => {
  const recorder = await bench.recording()
  await bench.pass(61_000)
  bench.stop()
  await bench.pass()
  const dates = bench
    .sent(recorder.ip)
    .filter(({ label }) => label === 'INVITE' || label === 'BYE')
    .map(({ message }) => message.headers.get('date'))
  assert.deepEqual(dates, ['Mon, 05 Jan 2026 09:00:00 GMT', 'Mon, 05 Jan 2026 09:01:01 GMT'])
})

row('SRC-15: the call ends before the recorder answers: CANCEL, and no audio ever', async (bench) => {
  const peer = bench.scripted()
  bench.start(`sip:${peer.ip}`)
  await bench.pass()
  const invite = peer.take('INVITE')
  peer.respond(invite, 180, { tag: 'srs' })
  await bench.pass()
  bench.call.end()
  await bench.pass()
  peer.respond(peer.take('CANCEL'), 200)
  peer.respond(invite, 487, { tag: 'srs' })
  await bench.pass()
  peer.take('ACK')
  assert.equal(bench.call.media.commandNames().includes('openGates'), false)
})

row('SRC-15: a 200 that crosses the CANCEL is ACKed, then BYEd', async (bench) => {
  const peer = bench.scripted()
  bench.start(`sip:${peer.ip}`)
  await bench.pass()
  const invite = peer.take('INVITE')
  peer.respond(invite, 180, { tag: 'srs' })
  await bench.pass()
  bench.call.end()
  peer.respond(invite, 200, { tag: 'srs' })
  await bench.pass()
  assert.deepEqual(peer.labels(), ['CANCEL', 'ACK', 'BYE'])
  peer.respond(peer.take('CANCEL'), 200)
  peer.respond(peer.take('BYE'), 200)
  await bench.pass()
})

row(
  'SRC-18: two recorders: the same ids, different dialogs and ports, and one failing leaves the other',
  async (bench) => {
    const [one, two] = [bench.recorder(11), bench.recorder(12)]
    bench.start(`${one.uri},${two.uri}`)
    await bench.pass()
    const [a, b] = [one.session().first, two.session().first]
    const idsOf = ({ document }: RecordingMessage): unknown => [
      document?.sessions.map(({ sessionId }) => sessionId),
      document?.groups.map(({ groupId }) => groupId),
      document?.participants.map(({ participantId }) => participantId),
      document?.streams.map(({ streamId, label }) => [streamId, label]),
    ]
    assert.deepEqual(idsOf(a), idsOf(b))
    assert.notEqual(a.message.headers.get('call-id'), b.message.headers.get('call-id'))
    const ports = [a, b].flatMap((message) => descriptionOf(message).media.map(({ port }) => port))
    assert.equal(new Set(ports).size, 4)
    assert.notEqual(descriptionOf(a).origin.sessionId, descriptionOf(b).origin.sessionId)
    one.decline()
    await bench.pass()
    assert.equal(bench.state, 'recording')
    assert.equal(await bench.audio(5), 10)
    assert.equal(two.session().end, undefined)
  },
)

row('SRC-18: the ids are those of the next recording of the same call, too', async (bench) => {
  const recorder = await bench.recording()
  bench.stop()
  await bench.pass()
  bench.start(recorder.uri)
  await bench.pass()
  const [first, second] = [recorder.session(0).first.document, recorder.session(1).first.document]
  assert.deepEqual(
    first?.streams.map(({ streamId }) => streamId),
    second?.streams.map(({ streamId }) => streamId),
  )
})

row(
  'SRC-20, SRC-21, SRC-22, SRC-25, AMB-03: SDP first, then metadata, each with its type and disposition',
  async (bench) => {
    const { message } = await invited(bench, bench.recorder())
    assert.match(message.headers.get('content-type') ?? '', /^multipart\/mixed;boundary=/)
    const { parts, warnings } = parseBody(message.headers.get('content-type'), undefined, message.body)
    assert.deepEqual(warnings, [])
    assert.deepEqual(
      parts.map(({ contentType, disposition }) => [contentType, disposition]),
      [
        ['application/sdp', 'session;handling=required'],
        ['application/rs-metadata+xml', 'recording-session'],
      ],
    )
  },
)

row('SRC-23: a re-offer without a document is bare SDP', async (bench) => {
  const recorder = await bench.paused()
  const [reoffer] = recorder.session().reoffers
  assert.equal(reoffer?.message.headers.get('content-type'), 'application/sdp')
  assert.equal(reoffer?.message.headers.get('content-disposition'), undefined)
  assert.equal(reoffer?.document, undefined)
})

row('SRC-24: the multipart is exact to the byte, and Content-Length counts bytes, not characters', async (bench) => {
  const recorder = bench.recorder()
  const { message, documentText, sdp } = await invited(bench, recorder)
  const wire = bench.network.passages.find(({ to }) => to.host === recorder.ip)?.text ?? ''
  const boundary = /boundary=(\S+)/.exec(message.headers.get('content-type') ?? '')?.[1] ?? ''
  assert.match(documentText ?? '', /Älice/)
  const body = [
    `--${boundary}`,
    'Content-Type: application/sdp',
    'Content-Disposition: session;handling=required',
    '',
    sdp,
    `--${boundary}`,
    'Content-Type: application/rs-metadata+xml',
    'Content-Disposition: recording-session',
    '',
    documentText,
    `--${boundary}--`,
    '',
  ].join('\r\n')
  assert.equal(wire.slice(wire.indexOf('\r\n\r\n') + 4), body)
  assert.equal(message.headers.get('content-length'), `${Buffer.byteLength(body)}`)
  assert.notEqual(body.length, Buffer.byteLength(body))
  assert.doesNotMatch(sdp, /(^|[^\r])\n/)
  assert.ok(sdp.endsWith('\r\n'))
  assert.equal(
    [sdp, documentText].some((part) => part?.includes(boundary)),
    false,
  )
})

row(
  'SRC-26, SRC-27, SRC-30, field 27, field 30: every m-line of every offer has a token label and a direction of its own',
  async (bench) => {
    const messages = (await wholeStory(bench, bench.recorder())).filter(({ sdp }) => sdp !== '')
    assert.ok(messages.length >= 8)
    for (const message of messages) {
      const labels = descriptionOf(message).media.map((media) => labelOf(media))
      assert.deepEqual(labels, ['1', '2'], message.label)
      assert.ok(labels.every((label) => label !== undefined && isToken(label)))
      for (const line of mediaLines(message)) assert.match(line, /^port (sendonly|inactive) /)
    }
  },
)

row('SRC-29: one m-line for what the caller says, one for what the caller hears', async (bench) => {
  bench.call.join()
  const recorder = await bench.recording()
  assert.deepEqual(mediaLines(recorder.session().first), ['port sendonly 1', 'port sendonly 2'])
  assert.deepEqual(
    [...bench.call.media.forks.values()].map(({ tap }) => tap),
    [
      { leg: 'caller', point: 'received' },
      { leg: 'caller', point: 'sent' },
    ],
  )
})

for (const [encodings, formats] of [
  [
    ['PCMU/8000', 'TELEPHONE-EVENT/8000'],
    ['0', '101'],
  ],
  [['PCMA/8000'], ['8']],
  [['G729/8000'], ['18']],
  [
    ['G722/8000', 'PCMU/8000'],
    ['9', '0'],
  ],
  [
    ['OPUS/48000/2', 'ILBC/8000', 'TELEPHONE-EVENT/8000'],
    ['96', '97', '0', '8', '101'],
  ],
  [
    ['G722/8000', 'ILBC/8000'],
    ['9', '96', '0', '8'],
  ],
] as const) {
  row(
    `SRC-31: a call in ${encodings.join(', ')} offers just that, and G.711 if that can be made of it`,
    async (bench) => {
      bench.call.changeEncodings(encodings)
      const recorder = await bench.recording()
      for (const media of descriptionOf(recorder.session().first).media) assert.deepEqual(media.formats, formats)
    },
  )
}

row(
  'SRC-60: a refused connection, a 503 and silence each lead to the next address, with a branch of its own',
  async (bench) => {
    bench.network.attach('closed', '10.0.0.31', ['udp'])
    const [busy, silent] = [bench.scripted(32), bench.scripted(33)]
    const recorder = bench.recorder(34)
    const target = (host: string): { transport: 'tcp'; host: string; port: number } => ({
      transport: 'tcp',
      host,
      port: 5060,
    })
    bench.network.name('srs.example', [target('10.0.0.31'), target(busy.ip), target(silent.ip), target(recorder.ip)])
    const start = bench.start('sip:srs.example')
    await bench.pass(10)
    const first = busy.take('INVITE')
    busy.respond(first, 503, { tag: 'busy' })
    await bench.pass(1_600)
    assert.equal(start.status, 200)
    const second = silent.take('INVITE')
    const branches = [first, second].map(({ message }) => /branch=([^;]+)/.exec(message.headers.get('via') ?? '')?.[1])
    assert.equal(new Set(branches).size, 2)
    assert.equal(first.message.headers.get('call-id'), second.message.headers.get('call-id'))
    assert.equal(
      recorder.session().first.document?.dataMode,
      'complete',
      'SRC-53: the next target gets the whole document',
    )
  },
)

row('META-05, META-06, peer defect 11: ids are base64 of version 4 UUIDs', async (bench) => {
  bench.call.join()
  const { document } = await invited(bench, bench.recorder())
  assert.ok(document)
  const ids = [
    ...document.sessions.map(({ sessionId }) => sessionId),
    ...document.groups.map(({ groupId }) => groupId),
    ...document.participants.map(({ participantId }) => participantId),
    ...document.streams.map(({ streamId }) => streamId),
  ]
  assert.equal(new Set(ids).size, 7)
  for (const id of ids) {
    assert.ok(isUuidBase64(id))
    assert.match(id, /^[A-Za-z0-9+/]{21}[AQgw]==$/)
    assert.equal((Buffer.from(id, 'base64')[6] ?? 0) >> 4, 4)
  }
})

row(
  'META-01, META-04, SRC-37, SRC-50, SRC-52, field 27: the INVITE has a whole, valid document whose labels are those of its SDP',
  async (bench) => {
    const invite = await invited(bench, bench.recorder())
    assert.deepEqual(documentProblems(invite), [])
    assert.equal(invite.document?.dataMode, 'complete')
    assert.match(invite.documentText ?? '', /^<\?xml version="1\.0" encoding="UTF-8"\?>/)
  },
)

row('the Call Recording ID is named, and when it is empty there is no element at all', async (bench) => {
  const recorder = await bench.recording()
  assert.match(recorder.session().first.documentText ?? '', /rec-1/)
  bench.stop()
  await bench.pass()
  bench.start(recorder.uri, { recordingId: '  ' })
  await bench.pass()
  assert.doesNotMatch(recorder.session(1).first.documentText ?? '', /recordingid|recordingRef/i)
})

row('headers of the asker go with the INVITE and cannot replace those of the session', async (bench) => {
  const recorder = bench.recorder()
  bench.start(recorder.uri, {
    headers: [
      ['X-Tenant', 't-1'],
      ['require', '100rel'],
      ['Date', 'now'],
    ],
  })
  await bench.pass()
  const { message } = recorder.session().first
  assert.equal(message.headers.get('x-tenant'), 't-1')
  assert.deepEqual(message.headers.list('require'), ['siprec'])
  assert.match(message.headers.all('date').join(), /^Mon, 05 Jan 2026 [^,]*$/)
})
