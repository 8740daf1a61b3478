// Recorders that misbehave: the call goes on as if nothing had happened, and the recording's state says what did.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import type { RecorderScript } from '../foreign/recorder-session.ts'
import { openTalk, type Talk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const DEADLINE_MS = 10_000
/** Short ones, for recorders that let them pass. */
const TIMES = { answerDeadlineMs: 1000, lateAnswerMs: 3000, firstResponseMs: 500 }

interface Scene {
  readonly recorder: ForeignRecorder
  readonly talk: Talk
}

async function openScene(t: TestContext, script: RecorderScript, times = {}): Promise<Scene> {
  const recorder = await ForeignRecorder.open(script)
  t.after(() => recorder.close())
  return { recorder, talk: await openTalk(t, { gateway: { recording: times } }) }
}

async function resultOf(talk: Talk): Promise<string | undefined> {
  return (await talk.view()).recording?.sessions[0]?.result
}

for (const status of [403, 404, 415, 420, 480, 486, 488, 500, 503, 600, 603]) {
  test(`a recorder that refuses with ${status} leaves the call untouched and the slot free`, async (t) => {
    const { recorder, talk } = await openScene(t, { answer: status })
    const refused = await talk.rest('start', recorder.uri())
    assert.deepEqual(refused, { status: 503, text: 'no recorder accepted the recording' })
    await talk.assertUndisturbed()
    assert.equal(await talk.state(), 'none')
    recorder.script = {}
    assert.equal((await talk.rest('start', recorder.uri())).status, 200)
    await recorder.waitFor(() => recorder.rtp(0, recorder.sessions.length - 1).length > 5, DEADLINE_MS, 'RTP')
    await talk.end()
    assert.deepEqual(recorder.violations, [])
  })
}

for (const transport of ['udp', 'tcp'] as const) {
  test(`SRC-13: a recorder that is silent over ${transport} fails the start by the deadline, and only that`, async (t) => {
    const { recorder, talk } = await openScene(t, { answer: 'silent', dropTcp: transport === 'udp' }, TIMES)
    const starting = talk.rest('start', recorder.uri())
    await talk.assertUndisturbed()
    assert.deepEqual(await starting, { status: 503, text: 'no recorder answered in time' })
    await talk.assertUndisturbed()
    assert.equal(await talk.state(), 'none')
    await talk.end()
    assert.deepEqual(recorder.violations, [])
  })
}

test('SRC-15: a recorder that rings past the deadline is cancelled', async (t) => {
  const { recorder, talk } = await openScene(t, { answer: { lateMs: 60_000 } }, TIMES)
  assert.deepEqual(await talk.rest('start', recorder.uri()), { status: 503, text: 'no recorder answered in time' })
  await recorder.waitFor(() => recorder.requests('CANCEL').length === 1, DEADLINE_MS, 'CANCEL')
  await recorder.waitFor(() => recorder.requests('ACK').length === 1, DEADLINE_MS, 'the ACK of the 487')
  await talk.assertUndisturbed()
  assert.equal(await talk.state(), 'none')
  await talk.end()
  assert.deepEqual(recorder.violations, [])
})

test('SRC-15: the call ends before the recorder answers: CANCEL, and no packet', async (t) => {
  const { recorder, talk } = await openScene(t, { answer: { lateMs: 60_000 } })
  const starting = talk.rest('start', recorder.uri())
  await recorder.waitFor(() => recorder.invites().length === 1, DEADLINE_MS, 'INVITE')
  await talk.end()
  assert.deepEqual(await starting, { status: 400, text: 'the call ended' })
  await recorder.waitFor(() => recorder.requests('ACK').length === 1, DEADLINE_MS, 'the ACK of the 487')
  assert.equal(recorder.requests('CANCEL').length, 1)
  assert.equal(recorder.rtp(0).length, 0)
  assert.deepEqual(recorder.violations, [])
})

test('a recorder that answers late joins a recording that another one carries', async (t) => {
  const { recorder: late, talk } = await openScene(t, { answer: { lateMs: 1500 } })
  const prompt = await ForeignRecorder.open()
  t.after(() => prompt.close())
  assert.equal((await talk.rest('start', `${late.uri()},${prompt.uri()}`)).status, 200)
  assert.equal(await resultOf(talk), 'pending')
  await late.waitFor(() => late.rtp(0).length > 5 && late.rtp(1).length > 5, DEADLINE_MS, 'RTP at the late recorder')
  assert.equal(await resultOf(talk), 'accepted')
  await talk.assertUndisturbed()
  await talk.end()
  assert.deepEqual([...late.violations, ...prompt.violations], [])
})

test('SRC-38, field 33: of a recorder that answers with fewer m-lines, and that nobody can replace, the streams it takes are sent', async (t) => {
  const { recorder, talk } = await openScene(t, { fewerMediaLines: true })
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await recorder.waitFor(() => recorder.rtp(0).length > 20, DEADLINE_MS, 'RTP')
  assert.equal(recorder.rtp(1).length, 0)
  await talk.assertUndisturbed()
  await talk.end()
})

test('SRC-38: a stream answered with port 0 is not sent, the other one is', async (t) => {
  const { recorder, talk } = await openScene(t, { port0On: 1 })
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await recorder.waitFor(() => recorder.rtp(0).length > 20, DEADLINE_MS, 'RTP')
  assert.equal(recorder.rtp(1).length, 0)
  assert.equal((await talk.rest('pause')).status, 200)
  assert.equal((await talk.rest('resume')).status, 200)
  const count = recorder.rtp(0).length
  await recorder.waitFor(() => recorder.rtp(0).length > count + 10, DEADLINE_MS, 'RTP after the pause')
  assert.equal(recorder.rtp(1).length, 0)
  await talk.assertUndisturbed()
  await talk.end()
  assert.deepEqual(recorder.violations, [])
})

test('SRC-02, SRC-38, SRC-40: nothing is sent to an inactive answer until the recorder re-offers recvonly', async (t) => {
  const { recorder, talk } = await openScene(t, { answerDirection: 'inactive' })
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await talk.assertUndisturbed()
  assert.equal(recorder.rtp(0).length + recorder.rtp(1).length, 0)
  assert.equal((await recorder.reinvite('recvonly')).status, 200)
  await recorder.waitFor(() => recorder.rtp(0).length > 5 && recorder.rtp(1).length > 5, DEADLINE_MS, 'RTP')
  await talk.end()
  assert.deepEqual(recorder.violations, [])
})

test('SRC-64: a recorder that wants no more ends its recording and nothing else; another start works', async (t) => {
  const { recorder, talk } = await openScene(t, {})
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await recorder.waitFor(() => recorder.rtp(0).length > 10, DEADLINE_MS, 'RTP')
  assert.equal((await recorder.bye(undefined, [['Reason', 'SIP;cause=603']])).status, 200)
  await until('the recording is over', async () => (await talk.state()) === 'none')
  // What was sent before is read meanwhile.
  await talk.assertUndisturbed()
  const counts = [recorder.rtp(0).length, recorder.rtp(1).length]
  await talk.assertUndisturbed()
  assert.deepEqual([recorder.rtp(0).length, recorder.rtp(1).length], counts)
  assert.ok(talk.opened.log.lines.some((line) => line.fields['event'] === 'recording.lost'))
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await recorder.waitFor(() => recorder.rtp(0, 1).length > 10, DEADLINE_MS, 'RTP of the second recording')
  await talk.end()
  assert.deepEqual(recorder.violations, [])
})

test('one of two recorders hangs up: the other one goes on through pause and resume', async (t) => {
  const { recorder: leaving, talk } = await openScene(t, {})
  const staying = await ForeignRecorder.open()
  t.after(() => staying.close())
  assert.equal((await talk.rest('start', `${leaving.uri()},${staying.uri()}`)).status, 200)
  for (const one of [leaving, staying]) await one.waitFor(() => one.rtp(0).length > 10, DEADLINE_MS, 'RTP')
  await leaving.bye(undefined, [['Reason', 'Q.850;cause=16']])
  assert.equal((await talk.rest('pause')).status, 200)
  assert.equal(await talk.state(), 'paused')
  assert.equal((await talk.rest('resume')).status, 200)
  const count = staying.rtp(1).length
  await staying.waitFor(() => staying.rtp(1).length > count + 10, DEADLINE_MS, 'RTP after the pause')
  await talk.assertUndisturbed()
  await talk.end()
  assert.deepEqual([...leaving.violations, ...staying.violations], [])
})

for (const status of [488, 500]) {
  test(`SRC-62: a pause whose re-INVITE gets ${status} is still a pause: no packet comes`, async (t) => {
    const { recorder, talk } = await openScene(t, { rejectReinvite: status })
    assert.equal((await talk.rest('start', recorder.uri())).status, 200)
    await recorder.waitFor(() => recorder.rtp(0).length > 10, DEADLINE_MS, 'RTP')
    assert.equal((await talk.rest('pause')).status, 200)
    assert.equal(await talk.state(), 'paused')
    const receipts = (await talk.view()).recording?.receipts ?? []
    const last = (): number | undefined => recorder.rtp(0).at(-1)?.sequence
    const ssrc = recorder.rtp(0).at(-1)?.ssrc
    await recorder.waitFor(() => receipts.some((one) => one.ssrc === ssrc && one.lastSequence === last()), 1000)
    const count = recorder.rtp(0).length
    await talk.assertUndisturbed()
    assert.equal(recorder.rtp(0).length, count)
    recorder.script = {}
    assert.equal((await talk.rest('resume')).status, 200)
    await recorder.waitFor(() => recorder.rtp(0).length > count + 10, DEADLINE_MS, 'RTP after the pause')
    await talk.end()
    assert.deepEqual(recorder.violations, [])
  })
}

test('SRC-67: a re-INVITE that meets 491 comes again after its wait', async (t) => {
  const { recorder, talk } = await openScene(t, { rejectReinvite: 491 })
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  const pausing = talk.rest('pause')
  await recorder.waitFor(() => recorder.invites().length === 2, DEADLINE_MS, 'the re-INVITE')
  recorder.script = {}
  assert.equal((await pausing).status, 200)
  const isInactive = (): boolean => recorder.sessions[0]?.offers.at(-1)?.media[0]?.direction === 'inactive'
  await recorder.waitFor(isInactive, DEADLINE_MS, 'the second try')
  await talk.end()
  assert.deepEqual(recorder.violations, [])
})

test('SRC-55, SRC-56: a snapshot request is answered first, then a complete document comes with an offer', async (t) => {
  const { recorder, talk } = await openScene(t, {})
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  const count = recorder.documents().length
  assert.equal((await recorder.requestSnapshot()).status, 200)
  await recorder.waitFor(() => recorder.documents().length > count, DEADLINE_MS, 'the snapshot')
  assert.match(recorder.documents().at(-1) ?? '', /<datamode>complete</)
  assert.equal(recorder.sessions[0]?.documents.at(-1)?.method, 'INVITE')
  await talk.end()
  assert.deepEqual(recorder.violations, [])
})

test('a recorder that cuts its connection in the middle is reached again for pause and stop', async (t) => {
  const { recorder, talk } = await openScene(t, {})
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await recorder.waitFor(() => recorder.rtp(0).length > 10, DEADLINE_MS, 'RTP')
  recorder.closeTcp()
  assert.equal((await talk.rest('pause')).status, 200)
  assert.equal(await talk.state(), 'paused')
  await talk.assertUndisturbed()
  assert.equal((await talk.rest('stop')).status, 200)
  await recorder.waitFor(() => recorder.requests('BYE').length === 1, DEADLINE_MS, 'BYE over UDP')
  await talk.end()
})
