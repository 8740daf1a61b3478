// Rows SEC-06 to SEC-13, SEC-20: SRTP towards recorders: what is offered, what counts as an answer, which keys are used and when.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SrtpKeys, SrtpSuite } from '#engine'
import { type SipTrace, sipTrace } from '#kernel'
import { defaultProfile, type RecorderProfile } from '#recording-client'
import { srtpSuites } from '#rtp'
import { cryptosOf, type SdpCrypto } from '#sdp'
import { but, offered, openForks } from '../harness/recorder-offers.ts'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { descriptionOf, type RecordingMessage } from '../harness/recording-message.ts'
import { type TestRecorder, takeAll } from '../harness/test-recorder.ts'

const SUITE: SrtpSuite = 'AES_CM_128_HMAC_SHA1_80'

function profileWith(srtp: readonly SrtpSuite[], over: Partial<RecorderProfile> = {}): RecorderProfile {
  return { ...defaultProfile, trustedNetwork: true, ...over, media: { ...defaultProfile.media, srtp } }
}

function row(name: string, profile: RecorderProfile, run: (bench: RecordingBench) => Promise<void>): void {
  test(name, () => withBench(run, { profileOf: () => profile }))
}

const protocols = (message: RecordingMessage): string[] => descriptionOf(message).media.map(({ protocol }) => protocol)
const lines = (message: RecordingMessage): SdpCrypto[][] => descriptionOf(message).media.map(cryptosOf)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Keys that the engine was given for the forks, by label. */
function engineKeys(bench: RecordingBench): (SrtpKeys | undefined)[] {
  return [...bench.call.media.forks.values()].map(({ remote }) => remote?.srtp)
}

async function recording(bench: RecordingBench): Promise<TestRecorder> {
  return await bench.recording()
}

row(
  'SEC-07, SEC-08, peer defect 7: every suite is offered, best first, each with a key',
  profileWith(srtpSuites),
  async (bench) => {
    const recorder = await recording(bench)
    const { first } = recorder.session()
    assert.deepEqual(protocols(first), ['RTP/SAVP', 'RTP/SAVP'])
    for (const offer of lines(first)) {
      assert.deepEqual(
        offer.map(({ tag, suite }) => `${tag} ${suite}`),
        srtpSuites.map((suite, index) => `${index + 1} ${suite}`),
      )
    }
    assert.deepEqual(openForks(bench), ['1', '2'])
  },
)

row(
  'SEC-09: the engine sends under our key of the suite that was chosen, and hears under the recorder’s',
  profileWith(srtpSuites),
  async (bench) => {
    const recorder = await recording(bench)
    for (const [index, offer] of lines(recorder.session().first).entries()) {
      const keys = engineKeys(bench)[index]
      assert.equal(keys?.send.suite, srtpSuites[0])
      assert.equal(hex(keys!.send.material), hex(offer[0]!.material))
      assert.notEqual(hex(keys!.receive.material), hex(keys!.send.material))
    }
  },
)

for (const [what, change] of [
  ['no crypto line', { crypto: [] }],
  ['two crypto lines', { crypto: [1, 2].map((tag) => `${tag} ${SUITE} inline:${'A'.repeat(40)}`) }],
  ['a tag that was not offered', { crypto: [`7 ${SUITE} inline:${'A'.repeat(40)}`] }],
  ['another suite', { crypto: [`1 AES_CM_128_HMAC_SHA1_32 inline:${'A'.repeat(40)}`] }],
  ['plain RTP', { protocol: 'RTP/AVP', crypto: [] }],
] as const) {
  row(`SEC-09: a stream answered with ${what} gets no media, the other does`, profileWith([SUITE]), async (bench) => {
    const recorder = bench.recorder()
    recorder.answer = but(0, change)
    bench.start(recorder.uri)
    await bench.pass()
    assert.deepEqual([bench.state, openForks(bench)], ['recording', ['2']])
    assert.equal(engineKeys(bench)[0], undefined)
  })
}

row(
  'SEC-09: a recorder that answers no stream with a key has failed: ACK, BYE',
  profileWith([SUITE]),
  async (bench) => {
    const recorder = bench.recorder()
    recorder.answer = (index, direction) => ({ ...takeAll(index, direction)!, crypto: [] })
    const start = bench.start(recorder.uri)
    await bench.pass()
    assert.deepEqual([start.status, start.outcome?.results], [503, { [recorder.uri]: 'failed(488)' }])
    assert.deepEqual(bench.sentLabels(recorder.ip), ['INVITE', 'ACK', 'BYE'])
  },
)

test('SRTP answered where plain RTP was offered is refused', () =>
  withBench(async (bench) => {
    const recorder = bench.recorder()
    recorder.answer = but(0, { protocol: 'RTP/SAVP' })
    bench.start(recorder.uri)
    await bench.pass()
    assert.deepEqual(openForks(bench), ['2'])
  }))

row(
  'SEC-10, SEC-13, SRC-18: each stream, direction and recorder has a key of its own',
  profileWith([SUITE]),
  async (bench) => {
    const recorders = [bench.recorder(11), bench.recorder(12)]
    bench.start(recorders.map(({ uri }) => uri).join(','))
    await bench.pass()
    const keys = engineKeys(bench).flatMap((pair) => [pair!.send.material, pair!.receive.material])
    assert.equal(keys.length, 8)
    assert.equal(new Set(keys.map(hex)).size, 8)
  },
)

row(
  'SEC-11: a pause and its end repeat the key in use, and nothing begins anew',
  profileWith(srtpSuites),
  async (bench) => {
    const recorder = await recording(bench)
    const before = engineKeys(bench).map((pair) => hex(pair!.send.material))
    bench.pause()
    await bench.pass()
    bench.resume()
    await bench.pass()
    for (const message of recorder.session().reoffers) {
      assert.deepEqual(
        lines(message).map((offer) => offer.map(({ material }) => hex(material))),
        before.map((key) => [key]),
      )
    }
    assert.equal(recorder.session().reoffers.length, 2)
    assert.deepEqual(
      engineKeys(bench).map((pair) => hex(pair!.send.material)),
      before,
    )
    assert.equal(bench.state, 'recording')
  },
)

row(
  'SEC-11: a recorder that moves to another port gets a new key, one that stays does not',
  profileWith([SUITE]),
  async (bench) => {
    const recorder = await recording(bench)
    const [first] = engineKeys(bench)
    const same = await offered(bench, recorder, takeAll)
    assert.deepEqual(protocols(same), ['RTP/SAVP', 'RTP/SAVP'])
    assert.equal(hex(lines(same)[0]![0]!.material), hex(first!.send.material))
    const moved = await offered(bench, recorder, but(0, { port: 50_000 }))
    const [fresh] = lines(moved)[0]!
    assert.notEqual(hex(fresh!.material), hex(first!.send.material))
    assert.equal(hex(engineKeys(bench)[0]!.send.material), hex(fresh!.material))
    assert.equal(hex(lines(moved)[1]![0]!.material), hex(engineKeys(bench)[1]!.send.material))
  },
)

row('SEC-11: a refused re-offer leaves the keys as they are', profileWith([SUITE]), async (bench) => {
  const recorder = await recording(bench)
  const before = engineKeys(bench)
  recorder.reofferRules.push(488)
  bench.call.join()
  await bench.pass()
  assert.deepEqual(engineKeys(bench), before)
})

row(
  'RTP-06: a recorder that offers RTP/SAVPF is answered in kind; plain RTP is refused',
  profileWith([SUITE]),
  async (bench) => {
    const recorder = await recording(bench)
    const rule = but(1, { protocol: 'RTP/AVP', crypto: [] })
    const answer = await offered(bench, recorder, (index, direction) => ({
      ...rule(index, direction)!,
      ...(index === 0 ? { protocol: 'RTP/SAVPF' } : {}),
    }))
    assert.deepEqual(
      descriptionOf(answer).media.map(({ protocol, port }) => `${protocol} ${port === 0 ? 'refused' : 'taken'}`),
      ['RTP/SAVPF taken', 'RTP/AVP refused'],
    )
    assert.deepEqual(openForks(bench), ['1'])
  },
)

const tlsCall = { signalling: 'tls', media: SUITE } as const

for (const [why, profile, uriOf] of [
  ['its signalling is not as good', profileWith([SUITE], { trustedNetwork: false }), (ip: string) => `sip:${ip}`],
  ['its media is not as good', profileWith([], { trustedNetwork: false }), (ip: string) => `sips:${ip}`],
  [
    'its suite is weaker',
    profileWith(['AES_CM_128_HMAC_SHA1_32'], { trustedNetwork: false }),
    (ip: string) => `sips:${ip}`,
  ],
] as const) {
  row(`SEC-06, SEC-20: a call over TLS and SRTP is not given to a recorder where ${why}`, profile, async (bench) => {
    bench.call.change({ protection: tlsCall }, { type: 'codec-changed' })
    const recorder = bench.recorder()
    const uri = uriOf(recorder.ip)
    const start = bench.start(uri)
    await bench.pass()
    assert.deepEqual([start.status, start.outcome?.results], [503, { [uri]: 'failed(488)' }])
    assert.deepEqual(bench.sentLabels(recorder.ip), [])
    assert.equal(bench.call.media.forks.size, 0)
    const [entry] = bench.log.lines.filter(({ message }) => message === 'recorder refused for its protection')
    assert.equal(entry?.level, 'warn')
    const [failed] = bench.events.filter(({ type }) => type === 'recorder.failed')
    assert.ok(failed, bench.eventTypes.join())
  })
}

row(
  'SEC-06: a network that is declared trusted takes any call, and so does one as good as the call',
  profileWith([]),
  async (bench) => {
    bench.call.change({ protection: tlsCall }, { type: 'codec-changed' })
    await recording(bench)
    assert.equal(bench.state, 'recording')
  },
)

row(
  'SEC-06: a recorder that a call has outgrown hears no more of it: the forks go, BYE',
  profileWith([], { trustedNetwork: false }),
  async (bench) => {
    const recorder = await recording(bench)
    bench.call.change({ protection: { signalling: 'none', media: 'none' } }, { type: 'protection-changed' })
    await bench.pass()
    assert.equal(bench.state, 'recording')
    bench.call.change({ protection: tlsCall }, { type: 'protection-changed' })
    assert.deepEqual(openForks(bench), [])
    await bench.pass()
    assert.equal(recorder.session().end?.cause, 'remote-bye')
    assert.ok(bench.eventTypes.includes('recorder.lost'), bench.eventTypes.join())
    assert.ok(bench.log.messages().includes('recorder left for its protection'))
  },
)

row(
  'SEC-06: a party alone is waited with: what the call is like shows with the next one',
  profileWith([], { trustedNetwork: false }),
  async (bench) => {
    await recording(bench)
    const { parties } = bench.call.snapshot()
    const [caller, callee] = parties
    const alone = [caller!, { ...callee!, leftAtMs: bench.clock.wallMs() }]
    bench.call.change(
      { protection: tlsCall, parties: alone },
      { type: 'party-left', participantId: callee!.participantId },
    )
    await bench.pass()
    assert.notDeepEqual(openForks(bench), [])
    bench.call.change({ parties }, { type: 'party-joined', participantId: callee!.participantId })
    assert.deepEqual(openForks(bench), [])
    await bench.pass()
  },
)

row(
  'SEC-12: keys are not offered over signalling that anybody reads',
  profileWith([SUITE], { trustedNetwork: false }),
  async (bench) => {
    const recorder = bench.recorder()
    const start = bench.start(recorder.uri)
    await bench.pass()
    assert.equal(start.status, 503)
    assert.deepEqual(bench.sentLabels(recorder.ip), [])
  },
)

row('SEC-12: no key stands in a log, an event or a trace', profileWith(srtpSuites), async (bench) => {
  const traced: string[] = []
  const note = (message: unknown): void => void traced.push(Buffer.from((message as SipTrace).bytes).toString('latin1'))
  sipTrace.subscribe(note)
  try {
    const recorder = await recording(bench)
    bench.pause()
    await bench.pass()
    const keys = engineKeys(bench).map((pair) => Buffer.from(pair!.send.material).toString('base64'))
    const told = JSON.stringify([bench.log.lines, bench.events]) + traced.join('\n')
    assert.ok(recorder.session().first.sdp.includes(keys[0]!), 'on the wire it stands')
    for (const key of keys) assert.ok(!told.includes(key))
    assert.match(told, /a=crypto:1 AEAD_AES_256_GCM inline:\*{60}\r\n/)
  } finally {
    sipTrace.unsubscribe(note)
  }
})
