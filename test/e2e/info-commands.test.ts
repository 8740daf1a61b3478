// Commands by INFO as the outside sees them: metadata with the sender's own ids, events, audit entries; AudioCodes' names for recorders.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { headerOf } from '../foreign/sip-text.ts'
import { openTalk, type Talk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const DEADLINE_MS = 10_000

interface Entry {
  readonly action: string
  readonly outcome: string
  readonly status: number
  readonly who: { readonly kind: string; readonly name: string }
  readonly target: Readonly<Record<string, string>>
  readonly detail?: Readonly<Record<string, unknown>>
}

interface Told {
  readonly type: string
  readonly callId?: string
  readonly data: Readonly<Record<string, unknown>>
}

async function openRecorder(t: TestContext): Promise<ForeignRecorder> {
  const recorder = await ForeignRecorder.open({})
  t.after(() => recorder.close())
  return recorder
}

async function items<T>(talk: Talk, path: string): Promise<readonly T[]> {
  const response = await fetch(`${talk.opened.httpUrl}${path}`)
  return ((await response.json()) as { readonly items: readonly T[] }).items
}

test('every command by INFO is an event and an audit entry, with its sender and what it was answered', async (t) => {
  const recorder = await openRecorder(t)
  const talk = await openTalk(t)
  assert.equal((await talk.info('pause')).status, 400)
  assert.equal((await talk.info('start', recorder.uri())).status, 200)
  assert.equal((await talk.infoFrom(talk.callee, 'stop')).status, 200)
  const from = '127.0.0.1'
  const told = await items<Told>(talk, '/api/events?types=recording.command')
  const refused = 'discarding invalid pauseCallRecording request'
  assert.deepEqual(
    told.map(({ callId, data }) => ({ callId, ...data })),
    [
      { callId: talk.callId, by: 'info', activity: 'pause', from, status: 400, text: refused },
      { callId: talk.callId, by: 'info', activity: 'start', from, status: 200, text: 'OK' },
      { callId: talk.callId, by: 'info', activity: 'stop', from, status: 200, text: 'OK' },
    ],
  )
  let audited: readonly Entry[] = []
  await until('the audit log has them', async () => {
    audited = await items<Entry>(talk, '/api/audit?action=call.recording')
    return audited.length === 3
  })
  assert.deepEqual(
    audited.map(({ who, target, outcome, status, detail }) => [who.kind, who.name, target, outcome, status, detail]),
    [
      ['sip', from, { callId: talk.callId }, 'done', 200, { activity: 'stop', by: 'info' }],
      ['sip', from, { callId: talk.callId }, 'done', 200, { activity: 'start', by: 'info' }],
      ['sip', from, { callId: talk.callId }, 'refused', 400, { activity: 'pause', by: 'info', text: refused }],
    ],
  )
  await talk.end()
})

test('an action that is not known is refused with those that are, in either dialect, and told of as every command is', async (t) => {
  const talk = await openTalk(t)
  const asked = (name: string, value: string) =>
    talk.callee.request('INFO', {
      headers: [
        [name, value],
        ['X-Srs-Url', 'sip:srs@127.0.0.1:9'],
      ],
    })
  const ours =
    'startCallRecording, stopCallRecording, pauseCallRecording, resumeCallRecording, maskCallRecording or unmaskCallRecording'
  const audiocodes = 'start-siprec, stop-siprec, pause-siprec or resume-siprec'
  const refused: string[] = []
  for (const [header, action, known] of [
    ['X-Reason', 'startRecording', ours],
    ['X-Reason', 'startCallRecordings', ours],
    ['X-AC-Action', 'begin-siprec', audiocodes],
    ['X-AC-Action', 'start-recording', audiocodes],
  ] as const) {
    const text = `invalid record action ${action}: expected ${known}`
    const { status, reason } = await asked(header, action)
    assert.deepEqual({ status, reason }, { status: 400, reason: text })
    refused.push(text)
  }
  assert.equal((await asked('X-Reason', 'mute')).status, 200, 'what is no recording command is no matter of ours')
  const told = await items<Told>(talk, '/api/events?types=recording.command')
  assert.deepEqual(
    told.map(({ data }) => [data['activity'], data['status'], data['text']]),
    refused.map((text) => ['unknown', 400, text]),
  )
  await talk.end()
})

test("the sender's ids of the call are what the recorder reads, and headers of the body are in its INVITE", async (t) => {
  const recorder = await openRecorder(t)
  const talk = await openTalk(t)
  const started = await talk.callee.request('INFO', {
    headers: [
      ['X-Reason', 'startCallRecording'],
      ['X-Srs-Url', recorder.uri()],
      ['X-Srs-Recording-ID', 'case-17'],
      ['X-Call-Sid', 'call<1>'],
      ['X-Account-Sid', 'account-2'],
      ['X-Application-Sid', 'application-3'],
    ],
    body: { contentType: 'application/json', content: Buffer.from('{"X-Tenant":"acme"}\n') },
  })
  assert.equal(started.status, 200)
  const invite = recorder.invites()[0]
  assert.ok(invite)
  assert.equal(headerOf(invite, 'X-Tenant'), 'acme')
  for (const [name, value] of [
    ['callsid', 'call&lt;1&gt;'],
    ['accountsid', 'account-2'],
    ['applicationsid', 'application-3'],
    ['recordingid', 'case-17'],
  ]) {
    assert.match(invite.body.toString(), new RegExp(`<jb:${name}[^>]*>${value}</jb:${name}>`))
  }
  await talk.end()
})

test('AudioCodes: start-siprec records at the recorders of its group, the other actions steer it, an unknown group is 400', async (t) => {
  const recorder = await openRecorder(t)
  const gateway = { info: { trustedPeers: ['127.0.0.1'], recorderGroups: { Recorders: recorder.uri() } } }
  const talk = await openTalk(t, { gateway })
  const act = async (action: string): Promise<number> =>
    (await talk.callee.request('INFO', { headers: [['X-AC-Action', action]] })).status
  assert.equal(await act('start-siprec;recording-ip-group=Elsewhere'), 400)
  assert.equal(await act('start-siprec;recording-ip-group=Recorders;recorded-side=peer'), 200)
  await recorder.waitFor(() => recorder.rtp(0).length > 10 && recorder.rtp(1).length > 10, DEADLINE_MS, 'RTP')
  assert.equal(await act('pause-siprec;recorded-side=peer'), 200)
  assert.equal(await talk.state(), 'paused')
  assert.equal(await act('resume-siprec'), 200)
  assert.equal(await act('stop-siprec'), 200)
  assert.equal(await talk.state(), 'none')
  await talk.end()
})
