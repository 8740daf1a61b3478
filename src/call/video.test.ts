import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallBench } from '../../test/harness/call-bench.ts'
import { bodyText, type PhoneCall, type PhoneMedia, phoneSdp } from '../../test/harness/test-phone.ts'

const OFFERED = [
  'm=video 4002 RTP/AVPF 97 99 96',
  'a=rtpmap:97 H264/90000',
  'a=fmtp:97 profile-level-id=42e01f;packetization-mode=1',
  'a=rtpmap:99 rtx/90000',
  'a=fmtp:99 apt=97',
  'a=rtpmap:96 VP8/90000',
  'a=rtcp-fb:97 nack pli',
  'a=rtcp-fb:97 goog-remb',
  'a=rtcp-fb:* ccm fir',
]
const ANSWERED = [
  'm=video 5002 RTP/AVPF 97',
  'a=rtpmap:97 H264/90000',
  'a=fmtp:97 profile-level-id=42e01f;packetization-mode=1',
  'a=rtcp-fb:97 nack pli',
]
const REFUSED = ['m=video 0 RTP/AVPF 97']

interface Talk {
  readonly bench: CallBench
  readonly alice: PhoneCall
  readonly bob: PhoneCall
  /** What bob was offered, and what alice was answered. */
  readonly offered: string
  readonly answered: string
}

async function talk(answer: PhoneMedia, bench = new CallBench(), offer: PhoneMedia = { more: OFFERED }): Promise<Talk> {
  const alice = bench.alice.call(bench.uri('bob'), { body: phoneSdp(offer) })
  await bench.pass()
  const bob = bench.bob.incoming[0]!
  bob.accept(phoneSdp(answer))
  await bench.pass()
  return { bench, alice, bob, offered: bodyText(bob.incoming?.request), answered: bodyText(alice.accepted) }
}

async function end({ bench, alice }: Talk): Promise<void> {
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
}

/** The lines of the video of a description. */
function videoOf(sdp: string): string[] {
  const lines = sdp.trim().split('\r\n')
  const start = lines.findIndex((line) => line.startsWith('m=video'))
  return start < 0 ? [] : lines.slice(start)
}

test('FLOW-22: video is offered to the callee as the caller wrote it, but for repair and feedback that a relay cannot keep', async () => {
  const call = await talk({ more: ANSWERED })
  const [line, ...attributes] = videoOf(call.offered)
  assert.match(line ?? '', /^m=video \d+ RTP\/AVPF 97 96$/)
  assert.deepEqual(
    attributes.filter((one) => /rtpmap|fmtp|rtcp-fb/.test(one)),
    [
      'a=rtpmap:97 H264/90000',
      'a=fmtp:97 profile-level-id=42e01f;packetization-mode=1',
      'a=rtpmap:96 VP8/90000',
      'a=rtcp-fb:97 nack pli',
      'a=rtcp-fb:* ccm fir',
    ],
  )
  assert.match(videoOf(call.answered)[0] ?? '', /^m=video [1-9]\d* RTP\/AVPF 97$/)
  assert.ok(videoOf(call.answered).includes('a=fmtp:97 profile-level-id=42e01f;packetization-mode=1'))
  await end(call)
})

test('the video of both parties is relayed by legs of its own, which the recording client is told of', async () => {
  const call = await talk({ more: ANSWERED })
  const media = call.bench.engine.last
  const codec = { encoding: 'H264/90000', receivePayloadType: 97, sendPayloadType: 97 }
  for (const [leg, peer, port] of [
    ['caller-video', 'callee-1-video', 4002],
    ['callee-1-video', 'caller-video', 5002],
  ] as const) {
    assert.equal(media.legs.get(leg)?.peer, peer)
    const { remote, codecs, send, receive } = media.legs.get(leg)?.media ?? {}
    assert.deepEqual([remote?.rtp.port, codecs, send, receive], [port, [codec], true, true])
  }
  const snapshot = call.bench.service.calls()[0]!.snapshot()
  assert.deepEqual(
    snapshot.parties.map(({ videoLeg }) => videoLeg),
    ['caller-video', 'callee-1-video'],
  )
  assert.deepEqual(snapshot.videoEncodings, ['H264/90000'])
  await end(call)
})

for (const [what, answer] of [
  ['refuses it', { more: REFUSED }],
  ['leaves its line out', {}],
  ['takes none of its codecs', { more: ['m=video 5002 RTP/AVPF 120', 'a=rtpmap:120 AV1/90000'] }],
] as const) {
  test(`a callee that ${what} has a call of audio, and so has the caller`, async () => {
    const call = await talk(answer)
    assert.match(videoOf(call.answered)[0] ?? '', /^m=video 0 /)
    const snapshot = call.bench.service.calls()[0]!.snapshot()
    assert.ok(snapshot.parties.every(({ videoLeg }) => videoLeg === undefined))
    assert.equal(snapshot.videoEncodings, undefined)
    await end(call)
  })
}

test('a hold and its end go through both lines, and the video is the same after it', async () => {
  const call = await talk({ more: ANSWERED })
  const directionsOf = (sdp: string): (string | undefined)[] =>
    sdp
      .split('m=')
      .slice(1)
      .map((part) => /a=(sendrecv|sendonly|recvonly|inactive)/.exec(part)?.[1])
  call.bob.answer = (offer) => {
    const direction = /a=sendonly/.test(offer) ? 'recvonly' : 'sendrecv'
    return phoneSdp({ direction, more: [...ANSWERED, `a=${direction}`] })
  }
  for (const direction of ['sendonly', 'sendrecv'] as const) {
    const asked = call.alice.dialog?.reinvite({ body: phoneSdp({ direction, more: [...OFFERED, `a=${direction}`] }) })
    await call.bench.pass(200)
    const outcome = await asked
    assert.equal(outcome?.status, 200)
    const answer = direction === 'sendonly' ? 'recvonly' : 'sendrecv'
    assert.deepEqual(directionsOf(bodyText(outcome?.response)), [answer, answer])
    assert.deepEqual(directionsOf(call.bob.offers().at(-1) ?? ''), [direction, direction])
    assert.match(videoOf(call.bob.offers().at(-1) ?? '')[0] ?? '', /^m=video [1-9]\d* RTP\/AVPF 97/)
  }
  assert.equal(call.bench.engine.last.legs.get('callee-1-video')?.media?.send, true)
  await end(call)
})

test('video that is dropped by a re-INVITE is refused from then on, and the audio goes on', async () => {
  const call = await talk({ more: ANSWERED })
  const asked = call.alice.dialog?.reinvite({ body: phoneSdp({ more: REFUSED }) })
  await call.bench.pass(200)
  const outcome = await asked
  assert.equal(outcome?.status, 200)
  assert.match(bodyText(outcome?.response), /m=audio [1-9][\s\S]*m=video 0 /)
  assert.deepEqual(call.bench.engine.last.legs.get('caller-video')?.media?.codecs, [])
  await end(call)
})

test('without ports for video the call is one of audio', async () => {
  const bench = new CallBench()
  bench.engine.onCommand = (command) => {
    if (command.name === 'addLeg' && command.leg.endsWith('-video')) throw new Error('no port is free')
  }
  const call = await talk({}, bench)
  assert.deepEqual(videoOf(call.offered), [])
  assert.match(videoOf(call.answered)[0] ?? '', /^m=video 0 /)
  await end(call)
})
