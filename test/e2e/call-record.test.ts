// What is kept of a call after its end: of a recorded one, of one whose recorder refuses, and of one that the program did not outlive.

import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { CallRecordSummary, CallRecordView } from '#control'
import { cryptoIds } from '#net'
import { anySipPorts, startProgram } from '../demo/processes.ts'
import { openFault, uriOf } from '../harness/open-chaos.ts'
import { openTestProgram } from '../harness/open-program.ts'
import { openPhone, openTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const HOST = '127.0.0.1'
/** A capture is made 5 s after the failure. */
const DEADLINE_MS = 20_000

async function read<T>(url: string): Promise<T | undefined> {
  const response = await fetch(url)
  return response.ok ? ((await response.json()) as T) : undefined
}

async function recordOf(httpUrl: string, callId: string): Promise<CallRecordView> {
  let found: CallRecordView | undefined
  await until('the call has its record', async () => {
    found = await read<CallRecordView>(`${httpUrl}/api/call-records/${callId}`)
    return found !== undefined
  })
  return found!
}

test('a call that is over has its record: recordings with ledgers, receipts, commands, and why it ended', async (t) => {
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const recorder = recorders.recorderUri('tcp')
  const talk = await openTalk(t)
  const { httpUrl } = talk.opened
  assert.equal((await talk.rest('start', recorder, 'order-7')).status, 200)
  await talk.assertUndisturbed()
  assert.equal((await talk.rest('pause')).status, 200)
  assert.equal((await talk.rest('resume')).status, 200)
  assert.equal((await talk.rest('resume')).status, 400)
  assert.equal((await talk.rest('stop')).status, 200)
  assert.equal((await talk.rest('start', recorder, 'order-8')).status, 200)
  await talk.assertUndisturbed()
  assert.equal(await read(`${httpUrl}/api/call-records/${talk.callId}`), undefined, 'none while it lasts')
  await talk.end()

  const record = await recordOf(httpUrl, talk.callId)
  assert.deepEqual([record.verdict, record.end, record.call.state], ['recorded', 'hung up', 'ended'])
  assert.deepEqual(
    record.commands.map(({ activity, by, status }) => `${activity} ${by} ${status}`),
    ['start rest 200', 'pause rest 200', 'resume rest 200', 'resume rest 400', 'stop rest 200', 'start rest 200'],
  )
  assert.deepEqual(
    record.recordings.map(({ recording }) => [recording.recordingId, recording.state]),
    [
      ['order-7', 'none'],
      ['order-8', 'none'],
    ],
  )
  const [first] = record.recordings
  assert.equal(first?.recording.receipts.length, 2)
  const [row] = first.recording.ledger
  assert.deepEqual([row?.recorder, row?.gaps.map(({ reason }) => reason)], [recorder, ['pause']])
  assert.ok((row?.packetsSent ?? 0) > 5)
  assert.deepEqual(
    record.call.parties.map(({ role }) => role),
    ['caller', 'callee'],
  )
  const call = await read<{ state: string; recording: { recordingId: string } }>(`${httpUrl}/api/calls/${talk.callId}`)
  assert.deepEqual([call?.state, call?.recording.recordingId], ['ended', 'order-8'])
  const list = async (query: string): Promise<readonly CallRecordSummary[]> =>
    (await read<{ items: CallRecordSummary[] }>(`${httpUrl}/api/call-records?${query}`))?.items ?? []
  assert.deepEqual(
    (await list('text=ORDER-8')).map(({ callId, verdict, recordings }) => [callId, verdict, recordings]),
    [[talk.callId, 'recorded', 2]],
  )
  assert.deepEqual(await list('verdict=failed'), [])
})

test('a call whose recorder refuses has a record that says so, with the capture', async (t) => {
  const chaos = await openFault(t, 'busy')
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', uriOf(chaos))).status, 503)
  await talk.end()
  const record = await recordOf(talk.opened.httpUrl, talk.callId)
  assert.equal(record.verdict, 'failed')
  assert.deepEqual(
    record.recordings.map(({ recording }) => recording.ledger.map(({ outcome }) => outcome)),
    [['failed(486)']],
  )
  await until(
    'the capture is there',
    async () => {
      const { captures } = await recordOf(talk.opened.httpUrl, talk.callId)
      return captures.length === 1 && captures[0]?.failure === 'recorder.failed'
    },
    DEADLINE_MS,
  )
})

test('a call under which the program is killed has a record all the same, and one that was over keeps its own', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'killed-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const [alice, bob] = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')]
  bob.onIncoming = (call) => call.accept()
  const portMin = 22_000 + 2 * cryptoIds.integer(3000)
  const config = {
    http: { port: 0, folder: join(folder, 'http') },
    gateway: {
      sip: anySipPorts,
      media: { portMin, portMax: portMin + 600 },
      routes: [{ match: 'bob', callee: bob.uri }],
      destinations: { dial: [HOST], record: [HOST] },
      awareness: { exempt: 'test' },
    },
  }
  const first = await startProgram(folder, 'first', config)
  t.after(() => first.kill())
  const place = async (): Promise<{ readonly callId: string; readonly end: () => Promise<unknown> }> => {
    const call = await alice.call(`sip:bob@${HOST}:${first.sipPort('udp')}`)
    assert.equal(await call.answered, true)
    const { items } = (await read<{ items: { callId: string }[] }>(`${first.httpUrl}/api/calls`))!
    const { callId } = items.at(-1)!
    const body = JSON.stringify({ activity: 'start', callRecordingServer: recorders.recorderUri('tcp') })
    const headers = { 'Content-Type': 'application/json' }
    const started = await fetch(`${first.httpUrl}/api/calls/${callId}/recording`, { method: 'POST', headers, body })
    assert.equal(started.status, 200)
    return { callId, end: () => call.hangup() }
  }
  const over = await place()
  await over.end()
  await recordOf(first.httpUrl, over.callId)
  const cut = await place()
  await until('the recording is noted', async () => {
    const noted = join(folder, 'http', 'calls', 'under-way', `${cut.callId}.json`)
    return (await readFile(noted, 'utf8').catch(() => '')).includes('"outcome":"accepted"')
  })
  await first.kill()

  // On the same ports, so that the phones hear that their call is gone.
  const listen = (['udp', 'tcp'] as const).map((transport) => ({ transport, port: first.sipPort(transport) }))
  const gateway = { ...config.gateway, sip: { listen } }
  const second = await startProgram(folder, 'second', { ...config, gateway })
  t.after(() => second.kill())
  const [whole, broken] = [await recordOf(second.httpUrl, over.callId), await recordOf(second.httpUrl, cut.callId)]
  assert.equal(whole.end, 'hung up')
  assert.deepEqual([broken.end, broken.verdict], ['cut off', 'incomplete'])
  assert.deepEqual(
    broken.recordings.map(({ recording }) => recording.ledger.map(({ outcome }) => outcome)),
    [['accepted']],
  )
})
