// Recordings that no recorder takes: into the spool, out of it when a recorder is there again, with pauses kept and told (SRC-63).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultProfile, parsePolicy } from '#recording-client'
import { FakeSpool } from '../harness/fake-spool.ts'
import { Command, type RecordingBench, withBench } from '../harness/recording-bench.ts'
import type { TestRecorder } from '../harness/test-recorder.ts'

const RETRY_MS = 10_000

function bench(name: string, run: (bench: RecordingBench, spool: FakeSpool) => Promise<void>): void {
  const spool = new FakeSpool()
  test(name, () => withBench((b) => run(b, spool), { spool }))
}

/** A recorder that refuses, and a recording that is spooled therefore. */
async function spooled(b: RecordingBench): Promise<TestRecorder> {
  const recorder = b.recorder()
  recorder.onInvite = 503
  const start = b.start(recorder.uri)
  await b.pass()
  assert.equal(start.status, 200)
  assert.deepEqual(start.outcome?.results, { [recorder.uri]: 'failed(503)', spool: 'spooled' })
  assert.equal(b.state, 'recording')
  return recorder
}

/** Lets the spool say that it has sent what is being delivered. */
async function sendAll(b: RecordingBench, spool: FakeSpool): Promise<void> {
  for (const id of spool.flowing.keys()) spool.emit({ type: 'sent', id })
  await b.pass()
}

async function endCall(b: RecordingBench): Promise<void> {
  b.call.end()
  await b.pass()
}

bench('SRC-63: a recording that everybody refuses goes into the spool at once, and audio with it', async (b) => {
  await spooled(b)
  assert.equal(await b.audio(5), 10)
  assert.deepEqual(b.eventTypes.slice(-2), ['spool.began', 'recording.started'])
  for (const { remote } of b.call.media.forks.values()) assert.equal(remote?.remote.rtp.host, '127.0.0.1')
  b.client.close()
})

bench('SRC-63: a lost recorder that does not come back is followed by the spool', async (b, spool) => {
  const recorder = await b.recording()
  recorder.onInvite = 503
  recorder.bye()
  await b.pass()
  assert.deepEqual(b.eventTypes.slice(-2), ['recorder.failed', 'spool.began'])
  assert.equal(await b.audio(5), 10)
  assert.equal(b.state, 'recording')
  assert.equal(spool.kept.size, 1)
  b.client.close()
})

bench('a pause of what is spooled is cut and proved, stands in the ledger, and ends', async (b) => {
  const recorder = await spooled(b)
  const pause = b.pause()
  await b.pass()
  assert.equal(pause.status, 200)
  assert.deepEqual(
    pause.outcome?.receipts?.map((receipt) => receipt.recorder),
    ['spool', 'spool'],
  )
  assert.equal(await b.audio(5), 0)
  await b.pass(3_000)
  const resume = b.resume()
  await b.pass()
  assert.equal(resume.status, 200)
  assert.equal(await b.audio(5), 10)
  recorder.onInvite = 'take'
  const ledger = b.client.recordingsOf(b.call.callId)[0]?.ledger
  const row = ledger?.find((each) => each.recorder === 'spool')
  assert.deepEqual(
    row?.gaps.map(({ reason }) => reason),
    ['pause'],
  )
  assert.ok((row?.gapMs ?? 0) >= 3_000)
  b.client.close()
})

for (const unproved of ['all', 'one'] as const) {
  bench(
    `a pause whose cut the spool cannot prove for ${unproved} of its streams is 503, and another part takes what follows it`,
    async (b, spool) => {
      await spooled(b)
      const [first] = b.call.media.forks.keys()
      const { shutGates } = b.call.media
      b.call.media.shutGates = async (forks) => {
        const receipts = await shutGates.call(b.call.media, forks)
        return receipts.map((receipt) => ({ ...receipt, drained: unproved === 'one' && receipt.fork !== first }))
      }
      const pause = b.pause()
      await b.pass()
      b.call.media.shutGates = shutGates
      assert.deepEqual([pause.status, b.state, spool.kept.size], [503, 'paused', 2])
      assert.equal(b.call.media.forks.has(first ?? ''), false)
      assert.equal(await b.audio(5), 0)
      const resume = b.resume()
      await b.pass()
      assert.deepEqual([resume.status, b.state], [200, 'recording'])
      assert.equal(await b.audio(5), 10)
      b.client.close()
    },
  )
}

bench(
  'a mask that the spool cannot prove is 503, and another part, masked, takes what follows it',
  async (b, spool) => {
    await spooled(b)
    b.engine.onCommand = (command) =>
      command.name === 'maskDtmf' ? Promise.reject(new Error('worker is gone')) : undefined
    const mask = new Command(b.client.mask(b.call, true, 'info'))
    await b.pass()
    assert.deepEqual([mask.status, spool.kept.size], [503, 2])
    const forks = [...b.call.media.forks.values()]
    assert.deepEqual(
      forks.map(({ masked }) => masked),
      [true, true],
    )
    assert.equal(await b.audio(5), 10)
    b.client.close()
  },
)

bench('a recording that is paused when its recorder is lost is silent in the spool until it is resumed', async (b) => {
  const recorder = await b.paused()
  recorder.onInvite = 503
  recorder.bye()
  await b.pass()
  assert.ok(b.eventTypes.includes('spool.began'))
  assert.equal(await b.audio(5), 0)
  assert.equal(b.state, 'paused')
  const resume = b.resume()
  await b.pass()
  assert.equal(resume.status, 200)
  assert.equal(await b.audio(5), 10)
  b.client.close()
})

bench(
  'SRC-63: a recorder that is there again gets the rest live, and what was spooled by a session of its own',
  async (b, spool) => {
    const recorder = await spooled(b)
    const [id] = spool.kept.keys()
    recorder.onInvite = 'take'
    await b.pass(1_500)
    assert.ok(b.eventTypes.includes('spool.kept'))
    assert.equal(recorder.sessions.filter(({ dialog }) => dialog !== undefined).length, 2)
    assert.ok(b.call.media.forks.size === 2 && spool.flowing.has(id!))
    await sendAll(b, spool)
    assert.equal(b.eventTypes.at(-1), 'spool.delivered')
    assert.equal(spool.kept.size, 0)
    assert.equal(await b.audio(5), 10)
  },
)

bench(
  'SRC-63: a delivery tells the same ids, when it was recorded and what is missing, and last how the call ended',
  async (b, spool) => {
    const recorder = await spooled(b)
    await b.pass(1_000)
    b.pause()
    await b.pass(1_000)
    b.resume()
    await b.pass(1_000)
    await endCall(b)
    const live = recorder.session().first.document
    await b.pass(60_000)
    recorder.onInvite = 'take'
    b.client.deliverSpooled()
    await b.pass()
    const session = recorder.sessions.at(-1)
    assert.ok(session !== undefined)
    const { document } = session.first
    for (const part of ['groups', 'sessions', 'participants', 'streams'] as const) {
      const idsOf = (of: typeof document): unknown =>
        of?.[part].map((each) =>
          Object.values(each).filter((value) => typeof value === 'string' && value.endsWith('==')),
        )
      assert.deepEqual(idsOf(document), idsOf(live))
    }
    assert.match(session.first.sdp, /^a=x-delivery-pace:8\r?$/m)
    assert.doesNotMatch(recorder.session().first.sdp, /x-delivery-pace/)
    assert.ok(
      document?.participantStreamAssocs.some(({ send }) => (send ?? []).length > 0),
      'it says who speaks',
    )
    const element = document?.sessions[0]?.extensions.find(({ name }) => name === 'spooled')
    const attributes = Object.fromEntries(element?.attributes.map(({ name, value }) => [name, value]) ?? [])
    const lasted = Date.parse(attributes['to'] ?? '') - Date.parse(attributes['from'] ?? '')
    assert.ok(lasted >= 3_000 && lasted < 10_000, `spooled for ${lasted} ms`)
    assert.equal(element?.children.length, 1)
    await sendAll(b, spool)
    const last = session.reoffers.at(-1)?.document
    assert.ok(last?.sessions[0]?.stopTime !== undefined)
    assert.ok(session.end !== undefined, 'it is ended by BYE')
  },
)

bench('a delivery that fails is repeated, later each time, until it is done', async (b, spool) => {
  const recorder = await spooled(b)
  await endCall(b)
  const asked = (): number => b.eventTypes.filter((type) => type === 'spool.undelivered').length
  assert.equal(asked(), 1)
  const [waiting] = b.client.spooled
  assert.deepEqual(
    [waiting?.state, waiting?.callId, waiting?.attempts, waiting?.lastError],
    ['waiting', b.call.callId, 1, 'refused: 503'],
  )
  assert.ok(waiting !== undefined && waiting.bytes > 0 && waiting.sinceMs <= b.clock.wallMs())
  const inMs = Number(waiting.nextTryAtMs) - b.clock.wallMs()
  assert.ok(inMs > 0 && inMs <= RETRY_MS, `next try in ${inMs} ms`)
  await b.pass(RETRY_MS)
  assert.equal(asked(), 2)
  await b.pass(RETRY_MS)
  assert.equal(asked(), 2)
  await b.pass(RETRY_MS)
  assert.equal(asked(), 3)
  recorder.onInvite = 'take'
  await b.pass(4 * RETRY_MS)
  assert.deepEqual(
    b.client.spooled.map(({ state, attempts, nextTryAtMs }) => [state, attempts, nextTryAtMs]),
    [['delivering', 3, undefined]],
  )
  await sendAll(b, spool)
  assert.equal(b.eventTypes.at(-1), 'spool.delivered')
  assert.deepEqual([spool.kept.size, b.client.spooled.length], [0, 0])
})

bench('a recorder that hangs up in the middle of a delivery has not got it', async (b, spool) => {
  const recorder = await spooled(b)
  recorder.onInvite = 'take'
  await endCall(b)
  recorder.bye(recorder.sessions.at(-1))
  await b.pass()
  assert.equal(b.eventTypes.at(-1), 'spool.undelivered')
  assert.equal(spool.kept.size, 1)
  await b.pass(RETRY_MS)
  await sendAll(b, spool)
  assert.equal(spool.kept.size, 0)
})

bench('a spool that takes nothing leaves the start refused, and says why', async (b, spool) => {
  spool.refusal = 'the spool is full'
  const recorder = b.recorder()
  recorder.onInvite = 503
  const start = b.start(recorder.uri)
  await b.pass()
  assert.equal(start.status, 503)
  const refused = b.events.find(({ type }) => type === 'spool.refused')
  assert.ok(refused?.type === 'spool.refused' && refused.reason === 'the spool is full')
  assert.equal(b.state, 'none')
})

bench(
  'a spool that stops in the middle is told of; what it has is delivered, and recorders are asked on',
  async (b, spool) => {
    const recorder = await spooled(b)
    const [id] = spool.kept.keys()
    spool.emit({ type: 'stopped', id: id!, reason: 'the spool is full' })
    await b.pass(100)
    assert.ok(b.eventTypes.includes('spool.stopped'))
    assert.equal(b.call.media.forks.size, 0)
    recorder.onInvite = 'take'
    await b.pass(15_000)
    assert.equal(await b.audio(5), 10)
    await sendAll(b, spool)
    assert.equal(spool.kept.size, 0)
  },
)

bench('a third party that joins is spooled too, in a file with all three', async (b, spool) => {
  const recorder = await spooled(b)
  b.call.join()
  b.call.join('third', 'sip:carol@desk.example')
  await b.pass()
  assert.equal(b.call.media.forks.size, 3)
  assert.equal(await b.audio(5), 15)
  assert.equal(spool.kept.size, 2)
  recorder.onInvite = 'take'
  await endCall(b)
  b.client.deliverSpooled()
  await b.pass()
  await sendAll(b, spool)
  await sendAll(b, spool)
  assert.equal(spool.kept.size, 0)
})

bench('what is too old is removed, and told', async (b, spool) => {
  await spooled(b)
  await endCall(b)
  for (const kept of spool.kept.values()) kept.isExpired = true
  await b.pass(RETRY_MS)
  assert.equal(b.eventTypes.at(-1), 'spool.expired')
  assert.equal(spool.kept.size, 0)
})

test('a recording that must be had from a recorder is not helped by the spool', () => {
  const policy = parsePolicy('all else end')
  assert.ok(policy.ok)
  return withBench(
    async (b) => {
      const recorder = b.recorder()
      recorder.onInvite = 503
      const start = b.start(recorder.uri)
      await b.pass(6_000)
      assert.equal(start.status, 503)
      assert.equal(b.state, 'none')
      b.client.close()
    },
    { policy: policy.value, spool: new FakeSpool() },
  )
})

for (const when of ['before it is spooled', 'while it is spooled'] as const) {
  bench(
    `SEC-28, SRC-63: what the spool takes under a mask that began ${when} has no keys, nor has its next part`,
    async (b, spool) => {
      const recorder = await b.recording()
      recorder.onInvite = 503
      const mask = async (): Promise<void> => {
        const on = new Command(b.client.mask(b.call, true, 'info'))
        await b.pass(0)
        assert.equal(on.status, 200)
      }
      const areMasked = (): boolean[] => [...b.call.media.forks.values()].map(({ masked }) => masked)
      if (when === 'before it is spooled') await mask()
      recorder.bye()
      await b.pass()
      assert.ok(b.eventTypes.includes('spool.began'))
      if (when === 'while it is spooled') await mask()
      assert.deepEqual(areMasked(), [true, true])
      b.call.join()
      b.call.join('third', 'sip:carol@desk.example')
      await b.pass()
      assert.deepEqual(areMasked(), [true, true, true], 'a party that joins is in a part of its own')
      recorder.onInvite = 'take'
      await b.pass(15_000)
      assert.deepEqual(
        [b.state, areMasked()],
        ['recording', [true, true, true]],
        'nor has the recorder that is there again',
      )
      while (spool.kept.size > 0) await sendAll(b, spool)
    },
  )
}

function spoolGaps(b: RecordingBench): unknown[] {
  const row = b.client.recordingsOf(b.call.callId)[0]?.ledger.find(({ recorder }) => recorder === 'spool')
  return (row?.gaps ?? []).map(({ reason, streams, toMs }) => [reason, streams, toMs === undefined ? 'open' : 'over'])
}

bench('a voice of which the spool gets no copy is a gap of its own, beside a pause and after it', async (b) => {
  b.engine.onCommand = (command) =>
    command.name === 'addFork' && command.options.id.includes('spool') && command.options.id.endsWith('/2')
      ? Promise.reject(new Error('no RTP port is free'))
      : undefined
  await spooled(b)
  const lacking = ['no copy of streams: 2 (no RTP port is free)', ['2'], 'open']
  assert.deepEqual([spoolGaps(b), await b.audio(5)], [[lacking], 5])
  b.pause()
  await b.pass()
  b.resume()
  await b.pass()
  assert.deepEqual(spoolGaps(b), [[lacking[0], lacking[1], 'over'], ['pause', undefined, 'over'], lacking])
  b.client.close()
})

for (const video of [true, false]) {
  const spool = new FakeSpool()
  const { media } = defaultProfile
  test(`video, which is not spooled, is ${video ? '' : 'no '}gap where recorders would ${video ? '' : 'not '}get it`, () =>
    withBench(
      async (b) => {
        b.call.join('bob')
        const parties = b.call.snapshot().parties.map((party) => {
          return party.role === 'automaton' ? party : { ...party, videoLeg: `${party.leg}-video` }
        })
        for (const { videoLeg } of parties) if (videoLeg !== undefined) void b.call.media.addLeg(videoLeg)
        b.call.change({ parties, videoEncodings: ['VP8/90000'] }, { type: 'codec-changed' })
        await spooled(b)
        const reason = 'video is not spooled: 3, 4'
        assert.deepEqual(spoolGaps(b), video ? [[reason, ['3', '4'], 'open']] : [])
        b.client.close()
      },
      { spool, profileOf: () => ({ ...defaultProfile, media: { ...media, video } }) },
    ))
}
