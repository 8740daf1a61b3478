// Recording commanded as by the REST API of jambonz, row by row (docs/jambonz-compatibility.tsv): the HTTP API over the recording client.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '#call'
import type { RecordingResult } from '#flow'
import { MemoryLogger } from '#kernel'
import type { CommandOutcome } from '#recording-client'
import { call, httpFixture, withApp } from '../harness/http-fixture.ts'
import { benchCommands } from '../harness/info-bench.ts'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'

const JAMBONZ = '/v1/Accounts/ea9f2b61-0000-4000-8000-000000000001/Calls/call-1'

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** Asks for an update of the bench's call. */
type Update = (payload: object, over?: { readonly method?: 'PUT' | 'POST'; readonly url?: string }) => Promise<Answer>

function withoutProof({ status, text, results }: CommandOutcome): RecordingResult {
  return { status, text, results }
}

function row(title: string, run: (update: Update, bench: RecordingBench) => Promise<void>): void {
  test(title, () =>
    withBench(async (bench) => {
      const commands = benchCommands(bench, new MemoryLogger())
      const calls = {
        ...httpFixture().options.calls!,
        record: (callId: string, command: Parameters<typeof commands.execute>[1]) => {
          if (callId !== call.callId) return undefined
          const { headers } = command
          const context = { origin: 'rest' as const, ...(headers === undefined ? {} : { headers }) }
          // The bench's call has all of a call that commands without a notice look at.
          return commands.execute(bench.call as unknown as Call, command, context).then(withoutProof)
        },
      }
      await withApp(
        async (app) => {
          const update: Update = async (payload, { method = 'PUT', url = JAMBONZ } = {}) => {
            let answer: Answer | undefined
            const asked = app.inject({ method, url, payload }).then(({ statusCode, body }) => {
              answer = { status: statusCode, body: JSON.parse(body) as Answer['body'] }
            })
            while (answer === undefined) {
              await new Promise<void>((resolve) => setImmediate(resolve))
              await bench.pass()
            }
            await asked
            return answer
          }
          await run(update, bench)
        },
        { calls },
      )
    }),
  )
}

for (const [method, url] of [
  ['PUT', JAMBONZ],
  ['POST', JAMBONZ],
  ['PUT', '/api/calls/call-1'],
  ['POST', '/api/calls/call-1'],
] as const) {
  row(
    `REST-01: a start by ${method} ${url.replace(/ea9f.*\/C/, '{sid}/C')} is 202, and records`,
    async (update, bench) => {
      const recorder = bench.recorder()
      const record = { action: 'startCallRecording', siprecServerURL: recorder.uri, recordingID: 'order-7' }
      const { status, body } = await update({ record }, { method, url })
      assert.deepEqual([status, body['results'], bench.state], [202, { [recorder.uri]: 'accepted' }, 'recording'])
      assert.equal(bench.view?.recordingId, 'order-7')
    },
  )
}

row('REST-02: pause, resume and stop name no recorder, and are 202 when they are done', async (update, bench) => {
  await bench.recording()
  for (const [action, state, audio] of [
    ['pauseCallRecording', 'paused', 0],
    ['resumeCallRecording', 'recording', 20],
    ['stopCallRecording', 'none', 0],
  ] as const) {
    const { status } = await update({ record: { action } })
    assert.deepEqual([status, bench.state, await bench.audio()], [202, state, audio], action)
  }
})

row('REST-03: recorders in a list are invited at once, with the headers', async (update, bench) => {
  const [one, two] = [bench.recorder(11), bench.recorder(12)]
  const headers = { 'X-Tenant': 'shop', Via: 'x', 'X-Bad': 'a\r\nb: c' }
  const record = { action: 'startCallRecording', siprecServerURL: [one.uri, two.uri], headers }
  assert.equal((await update({ record })).status, 202)
  for (const recorder of [one, two]) {
    const { request } = recorder.session().invite
    assert.deepEqual([request.headers.get('X-Tenant'), request.headers.get('X-Bad')], ['shop', undefined])
  }
})

for (const [title, payload, text] of [
  ['REST-04: a record without an action is 400', { record: {} }, 'record requires action property'],
  [
    'REST-05: a start without a recorder is 400',
    { record: { action: 'startCallRecording' } },
    'record requires siprecServerURL property when starting recording',
  ],
  ['REST-06: an update of nothing is 400', {}, 'no valid options supplied to updateCall'],
  [
    'REST-07: an update of several things is 400',
    { record: { action: 'stopCallRecording' }, mute_status: 'mute' },
    'multiple options are not allowed in updateCall',
  ],
  [
    'REST-11: an unknown action is 400',
    { record: { action: 'startRecording', siprecServerURL: 'sip:10.0.0.11' } },
    'invalid record action startRecording: expected startCallRecording, stopCallRecording, pauseCallRecording or resumeCallRecording',
  ],
  [
    'REST-12: recording to a bucket is 400',
    { record: { action: 'startCallRecording', type: 'cloud' } },
    'record type cloud is not supported here: only siprec is',
  ],
] as const) {
  row(`${title}, says so, and changes nothing`, async (update, bench) => {
    await bench.recording()
    const { status, body } = await update(payload)
    assert.deepEqual([status, body['msg'], bench.state], [400, text, 'recording'])
  })
}

for (const other of [
  'call_hook',
  'child_call_hook',
  'call_status',
  'listen_status',
  'transcribe_status',
  'conf_hold_status',
  'conf_mute_status',
  'conferenceParticipantAction',
  'mute_status',
  'sip_request',
  'tag',
  'dtmf',
  'dub',
  'boostAudioSignal',
  'media_path',
  'whisper',
]) {
  row(
    `REST-13: an update of ${other} is 400 and says so; REST-07: beside record it is one thing too many`,
    async (update, bench) => {
      await bench.recording()
      const alone = await update({ [other]: 'x' })
      assert.deepEqual([alone.status, alone.body['msg']], [400, `${other} is not supported here: only record is`])
      const both = await update({ record: { action: 'stopCallRecording' }, [other]: 'x' })
      assert.deepEqual([both.status, both.body['msg']], [400, 'multiple options are not allowed in updateCall'])
      assert.equal(bench.state, 'recording')
    },
  )
}

row('REST-08: an update of a call that is not there is 404', async (update) => {
  const record = { action: 'stopCallRecording' }
  assert.equal((await update({ record }, { url: JAMBONZ.replace('call-1', 'call-2') })).status, 404)
})

row('REST-09: a refusal has the text in msg, beside the code that our API has', async (update) => {
  const { body } = await update({ record: { action: 7_000 } })
  assert.deepEqual([body['msg'], body['message'], body['code']], [body['message'], body['msg'], 'invalid-request'])
})

row(
  'REST-10: a command that the state does not allow is 400, and one that no recorder takes 503, with the text',
  async (update, bench) => {
    const refused = await update({ record: { action: 'pauseCallRecording' } })
    assert.deepEqual([refused.status, refused.body['msg']], [400, 'discarding invalid pauseCallRecording request'])
    const record = { action: 'startCallRecording', siprecServerURL: 'wss://srs.example' }
    const failed = await update({ record })
    assert.deepEqual([failed.status, failed.body['msg']], [503, 'no valid SIP URI in Call Recording Server'])
    assert.equal(bench.state, 'none')
  },
)
