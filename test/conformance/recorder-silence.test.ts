// A recorder that loses power says nothing of it: no RTCP and no answer to a question, where there was one before (decision 043).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultProfile } from '#recording-client'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import type { TestRecorder } from '../harness/test-recorder.ts'

function bench(
  name: string,
  run: (bench: RecordingBench) => Promise<void>,
  over?: Parameters<typeof withBench>[1],
): void {
  test(name, () => withBench(run, over))
}

/** A recording at the first of two recorders, the other one standing by. */
async function withStandby(b: RecordingBench): Promise<readonly [TestRecorder, TestRecorder]> {
  const [first, standby] = [b.recorder(11), b.recorder(12)]
  const start = b.start(`${first.uri}|${standby.uri}`)
  await b.pass()
  assert.equal(start.status, 200)
  return [first, standby]
}

function tell(b: RecordingBench, type: 'fork-heard' | 'fork-unheard', ms: number): void {
  for (const fork of b.call.media.forks.keys()) {
    b.call.media.emit(type === 'fork-heard' ? { type, fork, atMs: b.clock.wallMs() } : { type, fork, forMs: ms })
  }
}

/** Time passes, and the engine tells of silence as it does: at `fromMs`, and each 5 s from then on. */
async function staySilent(b: RecordingBench, fromMs: number, toMs: number): Promise<void> {
  await b.pass(fromMs)
  for (let ms = fromMs; ms < toMs; ms += 5_000) {
    tell(b, 'fork-unheard', ms)
    await b.pass(5_000)
  }
}

/** Nothing reaches it from now on, and nobody looks at what it has left. */
function losePower(b: RecordingBench, recorder: TestRecorder): void {
  recorder.core.receive = () => {}
  b.recorders.splice(b.recorders.indexOf(recorder), 1)
}

function questionsTo({ network }: RecordingBench, { ip }: TestRecorder): number {
  return network.passages.filter(({ text, to }) => text.startsWith('OPTIONS') && to.host === ip).length
}

function reasonOf(b: RecordingBench): string | undefined {
  const loss = b.events.find((event) => event.type === 'recorder.lost')
  return loss?.type === 'recorder.lost' ? loss.reason : undefined
}

bench(
  'SRC-63: a recorder that sent RTCP and loses power is lost within half a minute, and the next has the audio',
  async (b) => {
    const [first, standby] = await withStandby(b)
    tell(b, 'fork-heard', 0)
    await b.pass(3_000)
    const [silentAtMs, askedFromMs] = [b.clock.wallMs(), b.clock.nowMs()]
    losePower(b, first)
    await staySilent(b, 15_000, 30_000)
    assert.equal(standby.sessions.length, 1)
    assert.equal(reasonOf(b), 'no RTCP, and no answer to OPTIONS for 12 s')
    const invite = b.network.passages.find(({ text, to }) => text.startsWith('INVITE') && to.host === standby.ip)
    assert.ok((invite?.atMs ?? Number.NaN) - askedFromMs <= 28_000, `${invite?.atMs} ms`)
    assert.equal(await b.audio(5), 10)
    const [gap] = b.view?.ledger[0]?.gaps ?? []
    assert.ok(Math.abs((gap?.fromMs ?? 0) - silentAtMs) <= 100, 'the gap begins when it fell silent')
    assert.deepEqual([b.call.hangups, b.announced], [[], []])
  },
)

bench(
  'SRC-63: a recorder that sends no RTCP and answers when asked is asked each 15 s, and lost when it answers no more',
  async (b) => {
    const [first, standby] = await withStandby(b)
    await staySilent(b, 5_000, 60_000)
    assert.equal(standby.sessions.length, 0)
    assert.equal(questionsTo(b, first), 4, 'at 10, 25, 40 and 55 s')
    losePower(b, first)
    await staySilent(b, 60_000, 90_000)
    assert.equal(standby.sessions.length, 1)
    assert.equal(reasonOf(b), 'no RTCP, and no answer to OPTIONS for 12 s')
  },
)

bench(
  'field 37: of a recorder that neither sends RTCP nor ever answers OPTIONS silence proves nothing, and it is asked once',
  async (b) => {
    const [first, standby] = await withStandby(b)
    first.ignoreQuestions()
    await staySilent(b, 5_000, 120_000)
    assert.equal(standby.sessions.length, 0)
    const ids = b.network.passages.filter(({ text, to }) => text.startsWith('OPTIONS') && to.host === first.ip)
    assert.equal(new Set(ids.map(({ text }) => /^CSeq: (\d+)/m.exec(text)?.[1])).size, 1)
    assert.equal(await b.audio(5), 10)
  },
)

bench('SRC-63: who is heard again before the question is given up for is not lost', async (b) => {
  const [first, standby] = await withStandby(b)
  tell(b, 'fork-heard', 0)
  first.ignoreQuestions()
  await staySilent(b, 15_000, 20_000)
  tell(b, 'fork-heard', 0)
  await b.pass(60_000)
  assert.equal(standby.sessions.length, 0)
})

bench(
  'SRC-63: nobody is asked where the profile says so',
  async (b) => {
    const [first, standby] = await withStandby(b)
    tell(b, 'fork-heard', 0)
    losePower(b, first)
    await staySilent(b, 15_000, 120_000)
    assert.deepEqual([standby.sessions.length, questionsTo(b, first)], [0, 0])
  },
  { profileOf: () => ({ ...defaultProfile, lostWhenUnanswered: false }) },
)
