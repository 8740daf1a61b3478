// Loss of a recorder mid-call, by whatever sign, and re-homing to another or to the same again (SRC-63, SRC-64, META ids).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultProfile } from '#recording-client'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { mediaLines } from '../harness/recording-message.ts'
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

function forksOf(b: RecordingBench): string[] {
  return [...b.call.media.forks.keys()]
}

bench('SRC-63: a recorder that hangs up is replaced by the next, which gets the audio and the same ids', async (b) => {
  const [first, standby] = await withStandby(b)
  first.bye()
  await b.pass()
  const [before, after] = [first.session().first, standby.session().first]
  assert.deepEqual(mediaLines(after), ['port sendonly 1', 'port sendonly 2'])
  assert.equal(after.document?.dataMode, 'complete')
  const idsOf = ({ document }: typeof before): unknown => [
    document?.sessions.map(({ sessionId }) => sessionId),
    document?.groups.map(({ groupId }) => groupId),
    document?.participants.map(({ participantId }) => participantId),
    document?.streams.map(({ streamId, label }) => [streamId, label]),
  ]
  assert.deepEqual(idsOf(after), idsOf(before))
  assert.equal(await b.audio(5), 10)
  assert.deepEqual(b.eventTypes.slice(-3), ['recorder.lost', 'recorder.accepted', 'recorder.re-homed'])
  assert.equal(b.state, 'recording')
  const moved = b.events.at(-1)
  assert.ok(moved?.type === 'recorder.re-homed')
  assert.deepEqual([moved.from, moved.to, moved.gapMs < 250], [first.uri, standby.uri, true])
})

bench('SRC-63: a single recorder is invited again, at once', async (b) => {
  const recorder = await b.recording()
  recorder.bye()
  await b.pass()
  assert.equal(recorder.sessions.length, 2)
  assert.equal(await b.audio(5), 10)
})

bench('SRC-63: the new association begins when the new session does', async (b) => {
  const [first, standby] = await withStandby(b)
  await b.pass(10_000)
  first.bye()
  await b.pass()
  const [before, after] = [first, standby].map(
    (one) => one.session().first.document?.sessionRecordingAssocs[0]?.associateTime,
  )
  assert.ok(before !== undefined && after !== undefined && Date.parse(after) - Date.parse(before) >= 10_000)
})

bench('SRC-62, SRC-63: a recorder that answers a re-INVITE with 481 is lost and replaced', async (b) => {
  const [first, standby] = await withStandby(b)
  first.reofferRules.push(481)
  b.call.join()
  await b.pass(1_000)
  assert.equal(standby.sessions.length, 1)
  assert.equal(await b.audio(5), 10)
})

bench('SRC-64: a recorder that declines the call is not replaced; the recording is over', async (b) => {
  const [first, standby] = await withStandby(b)
  first.decline()
  await b.pass(30_000)
  assert.deepEqual([first.sessions.length, standby.sessions.length], [1, 0])
  assert.deepEqual(b.eventTypes.slice(-3), ['recorder.lost', 'recording.lost', 'recording.closed'])
})

for (const [what, headers] of [
  ['Retry-After', [['Retry-After', '120']]],
  ['a Reason of 503', [['Reason', 'SIP;cause=503;text="Draining"']]],
] as const) {
  bench(`SRC-64: a recorder that leaves with ${what} is replaced and not asked again`, async (b) => {
    const [first, standby] = await withStandby(b)
    standby.onInvite = 486
    first.bye(undefined, headers)
    await b.pass(60_000)
    assert.equal(first.sessions.length, 1)
    assert.equal(standby.sessions.length, 5)
    assert.equal(b.eventTypes.at(-2), 'recording.lost')
  })
}

bench('SRC-63: when nobody takes the recording, it is tried again after 1, 2, 5 and 10 s, and then lost', async (b) => {
  const recorder = await b.recording()
  recorder.onInvite = 503
  recorder.bye()
  const triedAtMs: number[] = []
  const startedAtMs = b.clock.nowMs()
  for (let known = 1; b.clock.nowMs() - startedAtMs < 25_000; await b.pass(100)) {
    if (recorder.sessions.length > known) triedAtMs.push(Math.floor((b.clock.nowMs() - startedAtMs) / 1000))
    known = recorder.sessions.length
  }
  assert.deepEqual(triedAtMs, [0, 1, 3, 8, 18])
  assert.deepEqual([b.state, b.eventTypes.at(-2)], ['none', 'recording.lost'])
})

/** From now on the recorder takes every session and hangs up at once. */
function hangsUpAtOnce(recorder: TestRecorder, times: number): void {
  let left = times
  recorder.onSession = (session) => {
    if (left-- > 0) recorder.bye(session)
  }
}

for (const [policy, ends] of [
  ['any', false],
  ['any else end', true],
] as const) {
  bench(`SRC-63: a recorder that takes every session and hangs up at once is no recorder: ${policy}`, async (b) => {
    const recorder = b.recorder()
    hangsUpAtOnce(recorder, 6)
    b.start(recorder.uri, { policy })
    await b.pass(900)
    assert.equal(b.state, 'recording', 'a loss or two may happen')
    await b.pass(4_000)
    assert.deepEqual([b.state, b.view?.sessions[0]?.result], ['starting', 'lost'])
    assert.equal(b.eventTypes.filter((type) => type === 'recorder.unsteady').length, 2)
    await b.pass(5_000)
    assert.equal(b.eventTypes.includes('recording.policy-unmet') || b.call.hangups.length > 0, true)
    assert.equal(b.call.hangups.length, ends ? 1 : 0)
    await b.pass(15_000)
    assert.deepEqual([b.state, recorder.sessions.length], ['none', ends ? 4 : 6])
  })
}

bench('SRC-63: a recorder that hung up at once and stays for once is one again', async (b) => {
  const recorder = b.recorder()
  hangsUpAtOnce(recorder, 4)
  b.start(recorder.uri)
  await b.pass(9_000)
  assert.deepEqual([b.state, recorder.sessions.length, b.view?.sessions[0]?.result], ['recording', 5, 'unsteady'])
  assert.equal(b.view?.policy, 'unmet')
  assert.equal(await b.audio(5), 10, 'it has the audio all the same')
  await b.pass(10_000)
  assert.deepEqual([b.state, b.view?.sessions[0]?.result, b.view?.policy], ['recording', 'accepted', 'met'])
  assert.deepEqual(
    b.eventTypes.filter((type) => type === 'recorder.steady' || type === 'recorder.re-homed').slice(-2),
    ['recorder.steady', 'recorder.re-homed'],
  )
})

bench('SRC-63: the other recorder of the list knows nothing of one that hangs up at once', async (b) => {
  const [bad, good] = [b.recorder(11), b.recorder(12)]
  hangsUpAtOnce(bad, 6)
  b.start(`${bad.uri},${good.uri}`)
  await b.pass(60_000)
  assert.deepEqual(
    [b.state, bad.sessions.length, good.sessions.length, good.session().reoffers.length],
    ['recording', 6, 1, 0],
  )
  assert.equal(await b.audio(5), 10)
})

bench('a re-homed recording that is paused begins inactive, and its gates stay shut until it is resumed', async (b) => {
  const [first, standby] = await withStandby(b)
  b.pause()
  await b.pass()
  first.bye()
  await b.pass()
  assert.deepEqual(mediaLines(standby.session().first), ['port inactive 1', 'port inactive 2'])
  assert.equal(await b.audio(5), 0)
  assert.equal(b.state, 'paused')
  const resume = b.resume()
  await b.pass()
  assert.equal(resume.status, 200)
  assert.equal(await b.audio(5), 10)
})

bench('a pause while nobody carries the recording holds for whoever comes', async (b) => {
  const recorder = await b.recording()
  recorder.onInvite = 503
  recorder.bye()
  await b.pass(500)
  const pause = b.pause()
  await b.pass(100)
  assert.deepEqual([pause.status, b.state], [200, 'paused'])
  recorder.onInvite = 'take'
  await b.pass(1_000)
  assert.deepEqual(recorder.sessions.at(-1)?.first.sdp.match(/a=inactive/g)?.length, 2)
  assert.equal(await b.audio(5), 0)
})

bench('a stop while nobody carries the recording ends it, and nobody is asked again', async (b) => {
  const recorder = await b.recording()
  recorder.onInvite = 503
  recorder.bye()
  await b.pass(500)
  const stop = b.stop()
  await b.pass(30_000)
  assert.deepEqual([stop.status, b.state, recorder.sessions.length], [200, 'none', 2])
})

bench('ICMP: a recorder whose media port is closed three times over is lost and replaced', async (b) => {
  const [, standby] = await withStandby(b)
  await b.audio(5)
  const [fork] = forksOf(b)
  for (let times = 0; times < 3; times++)
    b.call.media.emit({ type: 'fork-refused', fork: fork ?? '', reason: 'ECONNREFUSED' })
  await b.pass()
  assert.equal(standby.sessions.length, 1)
  const loss = b.events.find((event) => event.type === 'recorder.lost')
  assert.deepEqual(loss?.type === 'recorder.lost' && loss.reason, 'RTP is refused (ECONNREFUSED)')
})

const watched = { profileOf: () => ({ ...defaultProfile, lostAfterSilenceMs: 15_000 }) }

bench(
  'RTCP silence beyond what the profile allows counts as loss, once no stream is heard any more',
  async (b) => {
    const [, standby] = await withStandby(b)
    const [one = '', two = ''] = forksOf(b)
    const unheard = (fork: string, forMs: number): void => b.call.media.emit({ type: 'fork-unheard', fork, forMs })
    for (const fork of [one, two]) b.call.media.emit({ type: 'fork-heard', fork, atMs: b.clock.wallMs() })
    unheard(one, 20_000)
    await b.pass()
    assert.equal(standby.sessions.length, 0, 'the other stream is heard')
    unheard(two, 10_000)
    await b.pass()
    assert.equal(standby.sessions.length, 0, 'not for long enough')
    unheard(two, 15_000)
    await b.pass()
    assert.equal(standby.sessions.length, 1)
  },
  watched,
)

bench('field 37: silence is no loss when no profile says so', async (b) => {
  const [, standby] = await withStandby(b)
  for (const fork of forksOf(b)) b.call.media.emit({ type: 'fork-unheard', fork, forMs: 600_000 })
  await b.pass()
  assert.equal(standby.sessions.length, 0)
})

bench('the call notices nothing of a loss', async (b) => {
  const [first] = await withStandby(b)
  first.bye()
  await b.pass(30_000)
  assert.deepEqual([b.call.hangups, b.call.snapshot().state, b.announced], [[], 'answered', []])
})

/** The gaps of the recorder that was asked first. */
function gapsOf(
  b: RecordingBench,
): readonly { readonly reason: string; readonly fromMs: number; readonly toMs?: number }[] {
  return b.view?.ledger[0]?.gaps ?? []
}

/** What the engine tells when nothing comes from the recorder on any stream. */
function fallSilent(b: RecordingBench, forMs: number): void {
  for (const fork of forksOf(b)) b.call.media.emit({ type: 'fork-unheard', fork, forMs })
}

bench(
  'field 22: the gap of a recorder that is lost by silence begins when it fell silent, not when that is noticed',
  async (b) => {
    const [, standby] = await withStandby(b)
    const silentAtMs = b.clock.wallMs()
    await b.pass(15_000)
    fallSilent(b, 15_000)
    await b.pass()
    assert.equal(standby.sessions.length, 1)
    const [gap, ...others] = gapsOf(b)
    assert.deepEqual([gap?.reason, gap?.fromMs, others], ['lost: no sign of life for 15 s', silentAtMs, []])
    assert.ok(gap?.toMs !== undefined && gap.toMs >= silentAtMs + 15_000, 'it ends when the other has taken over')
    assert.equal(b.view?.ledger[0]?.gapMs, gap.toMs - silentAtMs)
  },
  watched,
)

bench('field 22: the gap of a recorder that fell silent and then hangs up begins when it fell silent', async (b) => {
  const [first] = await withStandby(b)
  const silentAtMs = b.clock.wallMs()
  await b.pass(20_000)
  fallSilent(b, 20_000)
  await b.pass(3_000)
  first.bye()
  await b.pass()
  assert.deepEqual(
    gapsOf(b).map(({ reason, fromMs }) => [reason, fromMs]),
    [['lost: remote-bye', silentAtMs]],
  )
})

bench('field 22: a recorder that was silent and is heard again has no gap before the loss', async (b) => {
  const [first] = await withStandby(b)
  await b.pass(20_000)
  fallSilent(b, 20_000)
  for (const fork of forksOf(b)) b.call.media.emit({ type: 'fork-heard', fork, atMs: b.clock.wallMs() })
  await b.pass(3_000)
  const lostAtMs = b.clock.wallMs()
  first.bye()
  await b.pass()
  const [gap] = gapsOf(b)
  assert.ok(gap !== undefined && gap.fromMs >= lostAtMs)
})

bench(
  'field 22: silence of a recorder that is paused meanwhile is counted once, and the pause stays a pause',
  async (b) => {
    const [first] = await withStandby(b)
    const silentAtMs = b.clock.wallMs()
    await b.pass(15_000)
    fallSilent(b, 15_000)
    const pausedAtMs = b.clock.wallMs()
    b.pause()
    await b.pass(4_000)
    const lostAtMs = b.clock.wallMs()
    first.bye()
    await b.pass()
    const gaps = gapsOf(b)
    const pause = gaps.find(({ reason }) => reason === 'pause')
    assert.ok(pause?.toMs !== undefined && pause.fromMs === pausedAtMs && pause.toMs >= lostAtMs, JSON.stringify(gaps))
    const silence = gaps.filter(({ reason }) => reason.startsWith('lost'))
    assert.deepEqual([silence[0]?.fromMs, silence[0]?.toMs], [silentAtMs, pausedAtMs])
    const sum = gaps.reduce((ms, { fromMs, toMs = b.clock.wallMs() }) => ms + toMs - fromMs, 0)
    assert.equal(b.view?.ledger[0]?.gapMs, sum)
    assert.ok(sum <= b.clock.wallMs() - silentAtMs, 'nothing is counted twice')
  },
)
