// The spool when things happen at the same time, or never: what ends while it is being taken, what is delivered while it is looked for, a
// recorder that takes a delivery and nothing of it, or dies in the middle of it (SRC-63).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MediaLocal, MediaRemote } from '#engine'
import type { Result } from '#kernel'
import type { SpooledFile } from '#recording-client'
import { FakeSpool } from '../harness/fake-spool.ts'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'

/** A spool whose answers come when the test says so. */
class SlowSpool extends FakeSpool {
  #release: (() => void)[] = []
  holdsTake = false
  holdsList = false

  release(): void {
    for (const go of this.#release.splice(0)) go()
  }

  override async take(
    id: string,
    sources: readonly MediaLocal[],
    facts: string,
  ): Promise<Result<readonly MediaRemote[], string>> {
    const taken = await super.take(id, sources, facts)
    if (this.holdsTake) await this.#held()
    return taken
  }

  override async list(): Promise<readonly SpooledFile[]> {
    const files = await super.list()
    if (this.holdsList) await this.#held()
    return files
  }

  #held(): Promise<void> {
    return new Promise((resolve) => void this.#release.push(resolve))
  }
}

/** Lets the spool say that it has sent what flows. */
function sendAll(spool: FakeSpool): void {
  for (const [id, forks] of [...spool.flowing]) if (forks.size > 0) spool.emit({ type: 'sent', id })
}

/** A recorder that comes back when a call is over that it did not take; what waits in the spool is on its way to it. */
async function deliveringTo(b: RecordingBench): Promise<ReturnType<RecordingBench['recorder']>> {
  const recorder = b.recorder()
  recorder.onInvite = 503
  b.start(recorder.uri)
  await b.pass()
  b.call.end()
  await b.pass()
  recorder.onInvite = 'take'
  b.client.deliverSpooled()
  await b.pass()
  return recorder
}

function bench(
  name: string,
  run: (bench: RecordingBench, spool: SlowSpool) => Promise<void>,
  over: { readonly replayMs?: number } = {},
): void {
  const spool = new SlowSpool()
  test(name, () => withBench((b) => run(b, spool), { spool, ...over }))
}

bench('SRC-63: a call that ends while the spool is about to take it leaves nothing open there', async (b, spool) => {
  const recorder = b.recorder()
  recorder.onInvite = 503
  spool.holdsTake = true
  b.start(recorder.uri)
  await b.pass()
  b.call.end()
  await b.pass()
  spool.release()
  await b.pass()
  assert.deepEqual(
    [...spool.kept.values()].filter(({ isOpen }) => isOpen),
    [],
  )
  b.client.close()
})

bench('SRC-63: what was delivered while the spool was looked through is not delivered again', async (b, spool) => {
  const recorder = await deliveringTo(b)
  spool.holdsList = true
  const other = b.anotherCall()
  recorder.onInvite = 503
  void b.client.start(other, { servers: recorder.uri, recordingId: 'rec-2', origin: 'info', noticePlayed: true })
  await b.pass()
  other.end()
  await b.pass()
  sendAll(spool)
  await b.pass()
  assert.equal(b.eventTypes.filter((type) => type === 'spool.delivered').length, 1)
  spool.holdsList = false
  spool.release()
  await b.pass()
  assert.deepEqual(
    b.client.spooled.map(({ id }) => id),
    [...spool.kept.keys()],
  )
  b.client.close()
})

bench(
  'SRC-63: a recorder that takes a delivery and holds it for ever does not hold up the others',
  async (b, spool) => {
    const [holding, other] = [b.recorder(11), b.recorder(12)]
    for (const recorder of [holding, other]) recorder.onInvite = 503
    b.start(holding.uri)
    await b.pass()
    b.call.end()
    await b.pass()
    const second = b.anotherCall()
    void b.client.start(second, { servers: other.uri, recordingId: 'rec-2', origin: 'info', noticePlayed: true })
    await b.pass()
    second.end()
    await b.pass()
    assert.equal(spool.kept.size, 2)
    for (const recorder of [holding, other]) recorder.onInvite = 'take'
    holding.answer = (index) => ({ port: 40_000 + 2 * index, direction: 'inactive' })
    b.client.deliverSpooled()
    await b.pass(120_000)
    sendAll(spool)
    await b.pass()
    assert.ok(b.eventTypes.includes('spool.undelivered'), 'what is not taken is told')
    assert.ok(b.events.some((event) => event.type === 'spool.delivered' && event.recorder === other.uri))
    holding.onInvite = 503
    await b.pass(120_000)
    b.client.close()
  },
)

bench(
  'SRC-63: a delivery whose end the recorder does not answer is none, and what was spooled is kept',
  async (b, spool) => {
    const recorder = await deliveringTo(b)
    assert.equal(spool.flowing.size, 1)
    b.network.detach(recorder.ip)
    sendAll(spool)
    await b.pass(60_000)
    assert.equal(b.eventTypes.at(-1), 'spool.undelivered')
    assert.equal(spool.kept.size, 1)
    recorder.core.close()
    b.client.close()
  },
)

bench('SRC-63: a delivery to a recorder that has forgotten its session by the end is none', async (b, spool) => {
  const recorder = await deliveringTo(b)
  recorder.reofferRules.push(481)
  sendAll(spool)
  await b.pass(5_000)
  assert.equal(b.eventTypes.at(-1), 'spool.undelivered')
  await b.pass(20_000)
  sendAll(spool)
  await b.pass()
  assert.equal(b.eventTypes.at(-1), 'spool.delivered')
  assert.equal(spool.kept.size, 0)
})

/** What is read of facts. */
interface Facts {
  readonly streams: readonly object[]
  readonly codecs: readonly { readonly encoding: string }[]
  readonly span: {
    readonly fromMs: number
    readonly toMs?: number
    readonly gaps: readonly { readonly reason: string }[]
  }
}

/** The facts of what is spooled, oldest first. */
function factsOf(spool: FakeSpool): Facts[] {
  return [...spool.kept.values()].map(({ facts }) => JSON.parse(facts) as Facts)
}

/** A recording that everybody refuses, and a spool that is about to take it. */
async function aboutToTake(b: RecordingBench, spool: SlowSpool): Promise<void> {
  const recorder = b.recorder()
  recorder.onInvite = 503
  spool.holdsTake = true
  b.start(recorder.uri)
  await b.pass()
  assert.equal(spool.kept.size, 1)
  spool.holdsTake = false
}

bench('SRC-63: a party that joins while the spool is about to take it is spooled too', async (b, spool) => {
  await aboutToTake(b, spool)
  b.call.join()
  b.call.join('third', 'sip:carol@desk.example')
  await b.pass()
  spool.release()
  await b.pass()
  assert.equal(await b.audio(5), 15)
  assert.equal(factsOf(spool).at(-1)?.streams.length, 3)
  b.client.close()
})

bench('SRC-63: a codec that comes while the spool is about to take it is spooled too', async (b, spool) => {
  await aboutToTake(b, spool)
  b.call.changeEncodings(['G722/8000', 'TELEPHONE-EVENT/8000'])
  await b.pass()
  spool.release()
  await b.pass()
  assert.ok(factsOf(spool)[0]?.codecs.some(({ encoding }) => encoding === 'G722/8000'))
  for (const { remote } of b.call.media.forks.values()) {
    assert.ok(remote?.codecs.some(({ encoding }) => encoding === 'G722/8000'))
  }
  b.client.close()
})

bench(
  'SRC-63: a codec that comes while the forks are aimed at the spool does not keep it from being told',
  async (b) => {
    const recorder = b.recorder()
    recorder.onInvite = 503
    let isFirst = true
    b.engine.onCommand = (command) => {
      if (command.name !== 'connectFork' || !isFirst) return
      isFirst = false
      queueMicrotask(() => b.call.changeEncodings(['G722/8000', 'TELEPHONE-EVENT/8000']))
    }
    const start = b.start(recorder.uri)
    await b.pass()
    assert.equal(start.status, 200)
    assert.ok(b.eventTypes.includes('spool.began'))
    b.client.close()
  },
)

bench('SRC-63: a pause that comes while the spool is about to take it stands in the ledger', async (b, spool) => {
  await aboutToTake(b, spool)
  b.pause()
  await b.pass()
  spool.release()
  await b.pass()
  assert.equal(await b.audio(5), 0)
  b.call.end()
  await b.pass()
  assert.deepEqual(
    factsOf(spool)[0]?.span.gaps.map(({ reason }) => reason),
    ['pause'],
  )
  b.client.close()
})

bench(
  'SRC-63: a second part has nothing that the first has',
  async (b, spool) => {
    const recorder = await b.recording()
    await b.pass(3_000)
    recorder.onInvite = 503
    recorder.bye()
    await b.pass()
    await b.pass(4_000)
    b.call.join()
    b.call.join('third', 'sip:carol@desk.example')
    await b.pass()
    const [first, second] = factsOf(spool)
    assert.ok(first?.span.toMs !== undefined && second !== undefined)
    assert.ok(second.span.fromMs >= first.span.toMs, `${second.span.fromMs} is before ${first.span.toMs}`)
    b.client.close()
  },
  { replayMs: 60_000 },
)

bench('SRC-63: a part that begins after a pause of the part before is not within that pause', async (b, spool) => {
  const recorder = b.recorder()
  recorder.onInvite = 503
  b.start(recorder.uri)
  await b.pass()
  b.pause()
  await b.pass()
  recorder.onInvite = 'take'
  await b.pass(15_000)
  assert.ok(b.eventTypes.includes('spool.kept'))
  b.resume()
  await b.pass(30_000)
  recorder.onInvite = 503
  recorder.bye(recorder.sessions.find(({ dialog }) => dialog !== undefined))
  await b.pass()
  assert.equal(await b.audio(5), 10)
  assert.equal(spool.kept.size, 2)
  b.call.end()
  await b.pass()
  assert.deepEqual(factsOf(spool).at(-1)?.span.gaps, [])
  sendAll(spool)
  await b.pass()
  b.client.close()
})
