// Several recording sessions of one call are one logical recording over the API of a whole recorder: in parallel, one after another, over a restart.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LogicalRecordingView } from '../../src/control/recordings/logical-recording-contract.ts'
import { describedApi } from '../harness/described-api.ts'
import { keptRecordings } from '../harness/kept-recording.ts'
import { openTestProgram, type TestProgram } from '../harness/open-program.ts'
import { recordSession } from '../harness/recorded-session.ts'
import { endTake, heardCalls, openTake, toldCall } from '../harness/session-takes.ts'
import { openTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const MAIN = fileURLToPath(new URL('../../src/app/main.js', import.meta.url))
const SESSION = '/api/communication-sessions/{sessionId}'
const GROUP = '/api/communication-session-groups/{groupId}'

async function openRecorder(t: TestContext, folder: string): Promise<TestProgram> {
  const recorder = await openTestProgram({ gateway: false, recorder: true, recorderStore: { folder } })
  t.after(() => recorder.close())
  return recorder
}

/** The session, once so many takes of it are over. */
async function sessionOf({ httpUrl }: TestProgram, sessionId: string, over: number): Promise<LogicalRecordingView> {
  const api = await describedApi(httpUrl)
  let session: LogicalRecordingView | undefined
  await until(`${over} takes are over`, async () => {
    const { status, body } = await api.ask('get', SESSION, { params: { sessionId } })
    session = status === 200 ? body : undefined
    return session?.takes.filter(({ state }) => state === 'published').length === over
  })
  return session!
}

/** What of a session does not hang on how fast this machine is. */
function shapeOf({ takes, gaps, overlaps }: LogicalRecordingView) {
  return {
    ended: takes.map(({ ended }) => ended),
    gaps: gaps.map(({ cause, after }) => [cause, after]),
    overlaps: overlaps.map((overlap) => overlap.takes),
  }
}

test('SRS-53: what a client records of one call before a restart, after it and in parallel are takes of one recording, also after a rebuild', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'takes-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const call = toldCall()
  const first = await openRecorder(t, folder)
  const cut = await openTake(first, call)
  await first.close()
  cut.close()

  const recorder = await openRecorder(t, folder)
  await endTake(await openTake(recorder, call))
  const parallel = [await openTake(recorder, call), await openTake(recorder, call)]
  const live = await sessionOf(recorder, call.sessionId, 2)
  assert.deepEqual([live.takes.length, live.endedAt, live.takes[3]?.state], [4, undefined, 'receiving'])
  for (const client of parallel) await endTake(client)
  await recordSession(recorder, 100)
  await keptRecordings(folder, 5)

  const session = await sessionOf(recorder, call.sessionId, 4)
  assert.deepEqual(shapeOf(session), {
    ended: ['local-bye', 'remote-bye', 'remote-bye', 'remote-bye'],
    gaps: [
      ['recorder-ended', 1],
      ['client-ended', 2],
    ],
    overlaps: [[3, 4]],
  })
  assert.deepEqual([session.groupIds, session.participants.length, session.isWhole], [[call.groupId], 2, true])
  const missingMs = session.gaps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
  assert.ok(Math.abs(session.coveredMs + missingMs - session.durationMs) < 0.01)
  assert.ok(missingMs > 0 && session.coveredMs > 0)
  const api = await describedApi(recorder.httpUrl)
  const group = await api.ask('get', GROUP, { params: { groupId: call.groupId } })
  assert.deepEqual(group.body.items, [session])
  for (const path of [SESSION, GROUP]) {
    const nobody = await api.ask('get', path, {
      params: { sessionId: session.takes[0]!.recordingId, groupId: 'nobody' },
    })
    assert.equal(nobody.status, 404)
  }

  const params = { recordingId: session.takes[1]!.recordingId }
  const deleted = await api.ask('delete', '/api/recordings/{recordingId}', { params, body: { reason: 'asked for' } })
  assert.equal(deleted.status, 200)
  const config = join(folder, 'command.yaml')
  await writeFile(config, `recorder:\n  store:\n    folder: ${JSON.stringify(folder)}\n`)
  await promisify(execFile)(process.execPath, [MAIN, 'rebuild-catalogue', '--config', config])
  const rebuilt = await sessionOf(recorder, call.sessionId, 4)
  assert.deepEqual(
    rebuilt.takes.map(({ recordingId, isDeleted }) => [recordingId, isDeleted]),
    session.takes.map(({ recordingId, number }) => [recordingId, number === 2]),
  )
  assert.deepEqual(shapeOf(rebuilt).gaps, [
    ['recorder-ended', 1],
    ['deleted', 1],
    ['unknown', 2],
  ])
})

test('SRS-53: what our gateway records of a call at two URIs in parallel are takes of one recording', async (t) => {
  const talk = await openTalk(t, { recorder: true })
  const { opened } = talk
  assert.equal((await talk.rest('start', `${opened.recorderUri('tcp')},${opened.recorderUri('udp')}`)).status, 200)
  await until('both are heard', async () => (await heardCalls(opened)).length === 2)
  assert.equal((await talk.rest('stop')).status, 200)
  await talk.end()
  const [one] = await keptRecordings(opened.store, 2)
  const session = await sessionOf(opened, one!.manifest.facts.sessionIds[0]!, 2)
  assert.deepEqual(shapeOf(session), { ended: ['remote-bye', 'remote-bye'], gaps: [], overlaps: [[1, 2]] })
  assert.deepEqual(
    session.takes.map(({ lane }) => lane),
    [0, 1],
  )
})
