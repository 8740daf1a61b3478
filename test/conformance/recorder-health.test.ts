// Recorders probed by OPTIONS, and which of them a recording would try.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDestinationPolicy } from '#call'
import { ManualClock, silentLogger } from '#kernel'
import { type AttemptOutcome, defaultProfile, RecorderProbes, RecorderRegistry } from '#recording-client'
import { RecordingBench } from '../harness/recording-bench.ts'

const INTERVAL_MS = 30_000

function probing(uris: readonly string[]) {
  const bench = new RecordingBench()
  const { core, clock, ids, log } = bench
  const recorders = new RecorderRegistry({ profiles: [], failover: [uris], clock, log })
  const told: string[] = []
  recorders.events.add(({ type, recorder }) => told.push(`${type} ${recorder}`))
  const probes = new RecorderProbes({
    core,
    recorders,
    uris,
    intervalMs: INTERVAL_MS,
    timeoutMs: 2_000,
    from: '<sip:src@gw.example>',
    destinations: createDestinationPolicy(['10.0.0.0/24']),
    clock,
    ids,
    log,
  })
  return { bench, recorders, probes, told }
}

test('FLOW-16: a recorder that falls silent is known to be down before a call needs it, and to be up again', async () => {
  const uris = ['sip:10.0.0.11', 'sip:10.0.0.12']
  const { bench, recorders, probes, told } = probing(uris)
  bench.recorder(11)
  bench.recorder(12)
  await bench.pass(1_500)
  assert.deepEqual([...told].sort(), uris.map((uri) => `recorder.up ${uri}`).sort())
  bench.network.detach('10.0.0.11')
  await bench.pass(2 * INTERVAL_MS + 5_000)
  assert.deepEqual(told.slice(2), ['recorder.down sip:10.0.0.11'])
  assert.deepEqual(recorders.candidates(['sip:10.0.0.11']), ['sip:10.0.0.12', 'sip:10.0.0.11'])
  bench.recorder(11)
  await bench.pass(2 * INTERVAL_MS + 5_000)
  assert.deepEqual(told.slice(3), ['recorder.up sip:10.0.0.11'])
  assert.deepEqual(recorders.candidates(['sip:10.0.0.11']), uris)
  probes.close()
  await bench.checkNothingLeft()
})

test('a recorder where recordings may not go is not probed; a probe is an OPTIONS from the gateway', async () => {
  const { bench, probes } = probing(['sip:10.9.9.9', 'sip:srs@10.0.0.11'])
  bench.recorder(11)
  await bench.pass(1_500)
  assert.deepEqual(bench.sentLabels('10.9.9.9'), [])
  assert.deepEqual(bench.sentLabels('10.0.0.11'), ['OPTIONS'])
  assert.match(
    bench.network.passages.find(({ to }) => to.host === '10.0.0.11')?.text ?? '',
    /^OPTIONS sip:srs@10\.0\.0\.11 [\s\S]*From: <sip:src@gw\.example>/,
  )
  assert.ok(bench.log.messages().includes('recorder is not probed: recordings may not go there'))
  probes.close()
  await bench.checkNothingLeft()
})

test('once closed, nothing is probed any more', async () => {
  const { bench, probes } = probing(['sip:10.0.0.11'])
  bench.recorder(11)
  await bench.pass(1_500)
  probes.close()
  await bench.pass(10 * INTERVAL_MS)
  assert.equal(bench.sentLabels('10.0.0.11').length, 1)
  await bench.checkNothingLeft()
})

test('SRC-65: what INVITEs come to is remembered: Retry-After, silence, acceptance', async () => {
  const clock = new ManualClock()
  const recorders = new RecorderRegistry({ profiles: [], failover: [], clock, log: silentLogger })
  const bench = new RecordingBench({ recorders })
  const busy = bench.recorder(11)
  busy.onInvite = 'leave'
  bench.start(`${busy.uri},sip:10.0.0.77`)
  await bench.pass()
  busy.session().invite.reject(503, { headers: [['Retry-After', '30 (maintenance);duration=3600']] })
  await bench.pass(10_000)
  const [first, second] = recorders.list()
  assert.deepEqual([first?.latest?.status, first?.skippedUntilMs], [503, clock.wallMs() + 30_000])
  assert.deepEqual([second?.latest?.status, second?.latest?.cause], [408, 'timeout'])
  busy.onInvite = 'take'
  bench.start(busy.uri)
  await bench.pass()
  assert.deepEqual([recorders.list().at(-1)?.state, recorders.list().at(-1)?.skippedUntilMs], ['up', undefined])
  await bench.checkNothingLeft()
})

/** A recording at the first of two recorders that stand in for each other; `lostAfterProbes` as told. */
async function recordingOnProbation(lostAfterProbes?: number) {
  const uris = ['sip:10.0.0.11', 'sip:10.0.0.12']
  const profile = { ...defaultProfile, ...(lostAfterProbes === undefined ? {} : { lostAfterProbes }) }
  const [clock, log] = [new ManualClock(), silentLogger]
  const recorders = new RecorderRegistry({ profiles: [{ hosts: [], profile }], failover: [uris], clock, log })
  const bench = new RecordingBench({ recorders })
  const [first, standby] = [bench.recorder(11), bench.recorder(12)]
  bench.start('sip:10.0.0.11')
  await bench.pass()
  const probed = async (...outcomes: readonly AttemptOutcome[]): Promise<number> => {
    for (const outcome of outcomes) recorders.probed('sip:10.0.0.11', outcome)
    await bench.pass()
    return standby.sessions.length
  }
  return { bench, first, standby, probed }
}

const SILENCE = { status: 408, cause: 'timeout' }
const REFUSED = { status: 503, cause: 'transport' }
const ANSWER = { status: 200, cause: 'response' }

test('SRC-63: a recorder that stops answering OPTIONS while its session is up is lost, and the next one has the audio', async () => {
  const { bench, first, probed } = await recordingOnProbation(2)
  assert.equal(await probed(ANSWER, SILENCE), 0, 'one may be chance')
  assert.equal(await probed(ANSWER, REFUSED), 0, 'not in a row')
  assert.equal(await probed(SILENCE), 1)
  const loss = bench.events.find((event) => event.type === 'recorder.lost')
  assert.deepEqual(loss?.type === 'recorder.lost' && loss.reason, 'no answer to 2 OPTIONS')
  assert.equal(await bench.audio(5), 10)
  assert.equal(first.sessions.length, 1)
  assert.equal(await probed(SILENCE), 1, 'nobody is there any more to be lost')
  await bench.checkNothingLeft()
})

for (const [what, limit, outcomes] of [
  ['a profile that does not ask for it', undefined, [ANSWER, SILENCE, SILENCE, SILENCE]],
  ['a recorder that never answered OPTIONS', 2, [SILENCE, REFUSED, SILENCE]],
  [
    'an answer that is a refusal',
    2,
    [
      ANSWER,
      { status: 503, cause: 'response' },
      { status: 503, cause: 'response' },
      { status: 405, cause: 'response' },
    ],
  ],
  ['a name that does not resolve', 2, [ANSWER, { status: 503, cause: 'dns' }, { status: 503, cause: 'dns' }]],
] as const) {
  test(`field 37: unanswered OPTIONS are no loss: ${what}`, async () => {
    const { bench, probed } = await recordingOnProbation(limit)
    assert.equal(await probed(...outcomes), 0)
    await bench.checkNothingLeft()
  })
}
