// Each row of how a jambonz or Cognigy feature server and its border controllers record, played against ours (docs/jambonz-compatibility.tsv).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InfoBench } from '../harness/info-bench.ts'
import { type Command, type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { mediaLines } from '../harness/recording-message.ts'
import type { TestRecorder } from '../harness/test-recorder.ts'

type State = 'off' | 'on' | 'paused'
type Activity = 'start' | 'stop' | 'pause' | 'resume'

const DUPLICATE = 'discarding duplicate startCallRecording request for a call'
const DUPLICATE_IN_FLOW = 'Cannot start recording when recording is already started'
const MISSING_URL = 'startCallRecording request is missing X-Srs-Url header'
const NOT_RECORDING = 'discarding stopCallRecording request because we are not recording'
const NO_PAUSE = 'discarding invalid pauseCallRecording request'
const NO_RESUME = 'discarding invalid resumeCallRecording request'
const INVALID_URI = 'no valid SIP URI in Call Recording Server'

function row(title: string, run: (info: InfoBench, bench: RecordingBench) => Promise<void>): void {
  test(title, () => withBench((bench) => run(new InfoBench(bench), bench)))
}

async function recorderIn(state: State, bench: RecordingBench): Promise<TestRecorder> {
  if (state === 'off') return bench.recorder()
  return state === 'on' ? await bench.recording() : await bench.paused()
}

/** The command as a flow gives it. */
function flowCommand(bench: RecordingBench, activity: Activity, recorder: TestRecorder): Command {
  return activity === 'start' ? bench.start(recorder.uri, { origin: 'flow' }) : bench[activity]('flow')
}

for (const [title, state, activity, text] of [
  ['FS-01: start while off is sent', 'off', 'start', 'OK'],
  [
    'FS-02: start while recording sends nothing, and is refused with the text of the page',
    'on',
    'start',
    DUPLICATE_IN_FLOW,
  ],
  [
    'FS-03: start while paused sends nothing, and is refused with the text of the page',
    'paused',
    'start',
    DUPLICATE_IN_FLOW,
  ],
  ['FS-04: stop while off sends nothing, and is refused', 'off', 'stop', NOT_RECORDING],
  ['FS-05: stop while recording is sent', 'on', 'stop', 'OK'],
  ['FS-06: stop while paused is sent', 'paused', 'stop', 'OK'],
  ['FS-07: pause while off sends nothing, and is refused', 'off', 'pause', NO_PAUSE],
  ['FS-08: pause while recording is sent', 'on', 'pause', 'OK'],
  ['FS-10: resume while off sends nothing, and is refused', 'off', 'resume', NO_RESUME],
  ['FS-11: resume while recording sends nothing, and is refused', 'on', 'resume', NO_RESUME],
  ['FS-12: resume while paused is sent', 'paused', 'resume', 'OK'],
] as const) {
  row(title, async (_info, bench) => {
    const recorder = await recorderIn(state, bench)
    const before = bench.sentLabels(recorder.ip).length
    const command = flowCommand(bench, activity, recorder)
    await bench.pass()
    const sent = bench.sentLabels(recorder.ip).slice(before)
    assert.deepEqual([command.status, command.outcome?.text], [text === 'OK' ? 200 : 400, text])
    assert.equal(sent.length > 0, text === 'OK', sent.join(' '))
  })
}

row('FS-09: pause while paused is 200, and stays paused', async (info, bench) => {
  await bench.paused()
  assert.equal((await info.done('pauseCallRecording')).status, 200)
  assert.deepEqual([bench.state, await bench.audio()], ['paused', 0])
})

test('FS-13: a start before the answer is kept, and carried out at the answer', () =>
  withBench(
    async (bench) => {
      const recorder = bench.recorder()
      const start = bench.start(recorder.uri, { origin: 'flow' })
      await bench.pass()
      assert.deepEqual([start.status, recorder.sessions.length], ['pending', 0])
      bench.call.answer()
      await bench.pass()
      assert.deepEqual([start.status, recorder.sessions.length], [200, 1])
    },
    { state: 'ringing' },
  ))

test('FS-14: stop, pause and resume before the answer do nothing, and are refused', () =>
  withBench(
    async (bench) => {
      const commands = [bench.stop('flow'), bench.pause('flow'), bench.resume('flow')]
      await bench.pass()
      assert.deepEqual(
        commands.map(({ status }) => status),
        [400, 400, 400],
      )
    },
    { state: 'ringing' },
  ))

row('FS-15: a command that fails leaves the state as it was', async (info, bench) => {
  const recorder = bench.recorder()
  recorder.onInvite = 486
  assert.equal((await info.start(recorder.uri)).status, 503)
  assert.equal(bench.state, 'none')
  recorder.onInvite = 'take'
  await info.start(recorder.uri)
  await info.done('pauseCallRecording')
  recorder.reofferRules.push(500)
  assert.equal((await info.done('resumeCallRecording')).status, 503)
  assert.deepEqual([bench.state, await bench.audio()], ['paused', 0])
})

row('FS-16: a start that fails is logged as the page has it, with the recorder and its code', async (info, bench) => {
  const recorder = bench.recorder()
  recorder.onInvite = 486
  await info.start(recorder.uri)
  const line = info.log.lines.find(({ message }) => message === '503 response to startCallRecording INFO')
  assert.deepEqual(line?.fields['results'], { [recorder.uri]: 'failed(486)' })
})

row(
  'FS-17: an unknown action is 400 with the actions that there are, is logged, and changes nothing',
  async (info, bench) => {
    await bench.recording()
    const asked = info.ask('restartCallRecording')
    assert.equal(asked.status, 400)
    assert.match(asked.reason, /^invalid record action restartCallRecording: expected startCallRecording, .* or unmask/)
    const requests = info.log.lines.filter(({ message }) => message === '_onInfo: got request')
    assert.deepEqual(
      requests.map(({ fields }) => fields['action']),
      ['restartCallRecording'],
    )
    assert.ok(info.says('invalid record action'))
    assert.equal(bench.state, 'recording')
  },
)

row('FS-18: whoever asks learns what became of it, and when the recording is lost', async (info, bench) => {
  const recorder = bench.recorder()
  await info.start(recorder.uri)
  recorder.decline()
  await bench.pass()
  assert.deepEqual(
    info.told.map(({ activity, status }) => [activity, status]),
    [['start', 200]],
  )
  assert.ok(bench.eventTypes.includes('recording.lost'))
})

row('INFO-01: every header of a start is read, and told to the recorder', async (info, bench) => {
  const recorder = bench.recorder()
  const headers = {
    'X-Srs-Url': recorder.uri,
    'X-Srs-Recording-ID': 'rec-7',
    'X-Call-Sid': 'call-1',
    'X-Account-Sid': 'account-2',
    'X-Application-Sid': 'application-3',
  }
  assert.equal((await info.done('startCallRecording', headers)).status, 200)
  const document = recorder.session().first.documentText ?? ''
  for (const [name, value] of [
    ['callsid', 'call-1'],
    ['accountsid', 'account-2'],
    ['applicationsid', 'application-3'],
    ['recordingid', 'rec-7'],
  ]) {
    assert.match(document, new RegExp(`<jb:${name}[^>]*>${value}</jb:${name}>`))
  }
})

row('INFO-02: the JSON body of a start is headers of the INVITE', async (info, bench) => {
  const recorder = bench.recorder()
  const body = '{"X-Tenant":"acme","X-Number":7}\n'
  assert.equal((await info.done('startCallRecording', { 'X-Srs-Url': recorder.uri }, body)).status, 200)
  const { headers } = recorder.session().invite.request
  assert.deepEqual([headers.get('X-Tenant'), headers.get('X-Number')], ['acme', '7'])
})

row('INFO-03: a stop needs nothing but X-Reason', async (info, bench) => {
  const recorder = await bench.recording()
  assert.equal((await info.done('stopCallRecording')).status, 200)
  assert.equal(recorder.session().end?.cause, 'remote-bye')
})

row('INFO-04: the JSON body of a pause or resume is headers of its re-INVITE, and of no other', async (info, bench) => {
  const recorder = await bench.recording()
  await info.done('pauseCallRecording', {}, '{"X-Why":"card number","Via":"SIP/2.0/UDP evil.example"}\n')
  await info.done('resumeCallRecording', {}, '{"X-Why":"card taken"}\n')
  await info.done('pauseCallRecording')
  const { reoffers } = recorder.session()
  assert.deepEqual(
    reoffers.map((offer) => [mediaLines(offer)[0], offer.message.headers.get('X-Why')]),
    [
      ['port inactive 1', 'card number'],
      ['port sendonly 1', 'card taken'],
      ['port inactive 1', undefined],
    ],
  )
  assert.doesNotMatch(reoffers[0]?.message.headers.all('Via').join() ?? '', /evil/)
})

row('INFO-05: an array of URLs, which arrives with commas, is a list', async (info, bench) => {
  const recorders = [bench.recorder(11), bench.recorder(12)]
  assert.equal((await info.start(String(recorders.map(({ uri }) => uri)))).status, 200)
  assert.deepEqual(
    recorders.map(({ sessions }) => sessions.length),
    [1, 1],
  )
})

row('INFO-06: X-Srs-Url undefined is 400, and nobody is called', async (info) => {
  const asked = await info.start('undefined')
  assert.deepEqual([asked.status, asked.reason], [400, MISSING_URL])
})

row('INFO-07: an empty X-Srs-Url is 400', async (info) => {
  const asked = await info.start('')
  assert.deepEqual([asked.status, asked.reason], [400, MISSING_URL])
})

row('INFO-08: the recording id undefined is none', async (info, bench) => {
  const recorder = bench.recorder()
  await info.done('startCallRecording', { 'X-Srs-Url': recorder.uri, 'X-Srs-Recording-ID': 'undefined' })
  assert.doesNotMatch(recorder.session().first.documentText ?? '', /recordingid|undefined/)
})

row('INFO-09: mute, unmute and digits are not taken for recording commands', async (info, bench) => {
  await bench.recording()
  for (const reason of ['mute', 'unmute', 'muteCall', 'sendDtmf']) assert.equal(info.ask(reason).isTaken, false)
  assert.equal(bench.state, 'recording')
})

row('SBC-01: each request is logged as it comes', async (info, bench) => {
  const recorder = bench.recorder()
  await info.start(recorder.uri)
  for (const reason of ['pauseCallRecording', 'resumeCallRecording', 'stopCallRecording']) await info.done(reason)
  for (const reason of ['startCallRecording', 'pauseCallRecording', 'resumeCallRecording', 'stopCallRecording']) {
    assert.ok(info.says(`_onInfo: got request ${reason}`), reason)
  }
  assert.ok(info.says('startCallRecording request for a call'))
})

row('SBC-01: a start is logged as one, once, whatever becomes of it', async (info, bench) => {
  const recorder = bench.recorder()
  const starts = () =>
    [...info.log.messages(), ...bench.log.messages()].filter((text) => text === 'startCallRecording request for a call')
  await info.start(recorder.uri)
  assert.equal(starts().length, 1, 'let through')
  await info.start(recorder.uri)
  assert.equal(starts().length, 2, 'a duplicate')
  await info.done('startCallRecording')
  assert.equal(starts().length, 3, 'without a URL')
})

row('SBC-18: each recorder is logged, with the text of the original', async (info, bench) => {
  const [good, bad] = [bench.recorder(11), bench.recorder(12)]
  bad.onInvite = 503
  await info.start(`${good.uri},${bad.uri}`)
  const told = bench.log.lines.flatMap(({ fields }) =>
    fields['original'] === undefined ? [] : [[fields['recorder'], fields['original']]],
  )
  assert.deepEqual(told.toSorted(), [
    [good.uri, 'SrsClient:start - successfully connected to SRS'],
    [bad.uri, 'Error sending SIPREC INVITE'],
  ])
})

row('SBC-02: a start while there are clients is 400 with its text, and logged', async (info, bench) => {
  const recorder = await bench.recording()
  const asked = await info.start(recorder.uri)
  assert.deepEqual([asked.status, asked.reason, info.says(DUPLICATE)], [400, DUPLICATE, true])
  assert.equal(recorder.sessions.length, 1)
})

row('SBC-03: a start without X-Srs-Url is 400 with its text, and logged', async (info) => {
  const asked = await info.done('startCallRecording')
  assert.deepEqual([asked.status, asked.reason, info.says(MISSING_URL)], [400, MISSING_URL, true])
})

row('SBC-04: the first recorder that accepts makes it 200, logged as in the original', async (info, bench) => {
  const [quick, slow] = [bench.recorder(11), bench.recorder(12)]
  slow.onInvite = 'leave'
  assert.equal((await info.start(`${quick.uri},${slow.uri}`)).status, 200)
  assert.ok(info.says('successfully established siprec connection'))
})

row('SBC-05: when all fail it is 503, and the text of the original stands in the log', async (info, bench) => {
  const recorders = [bench.recorder(11), bench.recorder(12)]
  for (const recorder of recorders) recorder.onInvite = 503
  assert.equal((await info.start(recorders.map(({ uri }) => uri).join(','))).status, 503)
  const line = info.log.lines.find(({ level }) => level === 'error')
  assert.equal(line?.fields['original'], 'Error starting SipRec call recording')
})

row('SBC-06: when nobody answers by the deadline it is 503, not 400', async (info, bench) => {
  const recorder = bench.recorder()
  recorder.onInvite = 'leave'
  const asked = info.ask('startCallRecording', { 'X-Srs-Url': recorder.uri })
  await bench.pass(4_900)
  assert.equal(asked.status, 'pending')
  await bench.pass(200)
  assert.deepEqual([asked.status, recorder.session().isCancelled], [503, true])
})

for (const [title, reason, text] of [
  ['SBC-07: stop without a recording is 400 with its text', 'stopCallRecording', NOT_RECORDING],
  ['SBC-08: pause without an active recording is 400 with its text', 'pauseCallRecording', NO_PAUSE],
  ['SBC-09: resume without a paused recording is 400 with its text', 'resumeCallRecording', NO_RESUME],
] as const) {
  row(title, async (info) => {
    const asked = await info.done(reason)
    assert.deepEqual([asked.status, asked.reason, info.says(text)], [400, text, true])
  })
}

row('SBC-10: stop, pause and resume are answered by what happened', async (info, bench) => {
  const recorder = await bench.recording()
  recorder.reofferRules.push(500)
  assert.equal((await info.done('pauseCallRecording')).status, 200, 'the cut is ours, and it is made')
  assert.equal(await bench.audio(), 0)
  assert.equal((await info.done('resumeCallRecording')).status, 200)
  await info.done('pauseCallRecording')
  recorder.reofferRules.push(500)
  assert.equal((await info.done('resumeCallRecording')).status, 503)
  const line = info.log.lines.find(({ level }) => level === 'error')
  assert.equal(line?.fields['original'], 'Error resuming SipRec call recording')
  assert.equal((await info.done('stopCallRecording')).status, 200)
})

row('SBC-11: a body that is no JSON is 400, and the recording goes on and can be stopped', async (info, bench) => {
  const recorder = await bench.recording()
  assert.equal((await info.done('pauseCallRecording', {}, '{')).status, 400)
  assert.deepEqual([bench.state, await bench.audio()], ['recording', 20])
  assert.equal((await info.done('stopCallRecording')).status, 200)
  assert.equal(recorder.session().end?.cause, 'remote-bye')
})

row('SBC-13: the deadline of a start does not hold up the commands after it', async (info, bench) => {
  const [quick, slow] = [bench.recorder(11), bench.recorder(12)]
  slow.onInvite = 'leave'
  await info.start(`${quick.uri},${slow.uri}`)
  assert.equal((await info.done('pauseCallRecording')).status, 200)
  assert.equal((await info.done('stopCallRecording')).status, 200)
})

row(
  'SBC-14: the recorders of a list are invited at the same time, and one that fails does not spoil it',
  async (info, bench) => {
    const [busy, good] = [bench.recorder(11), bench.recorder(12)]
    busy.onInvite = 486
    assert.equal((await info.start(`${busy.uri},${good.uri}`)).status, 200)
    assert.deepEqual([busy.sessions.length, good.sessions.length], [1, 1])
  },
)

row('SBC-15: each recorder has a dialog of its own, but the ids are the same', async (info, bench) => {
  const recorders = [bench.recorder(11), bench.recorder(12)]
  await info.start(recorders.map(({ uri }) => uri).join(','))
  const firsts = recorders.map((recorder) => recorder.session().first)
  assert.equal(new Set(firsts.map(({ message }) => message.headers.get('Call-ID'))).size, 2)
  assert.equal(new Set(firsts.map(({ document }) => document?.sessions[0]?.sessionId)).size, 1)
})

row('SBC-16: at the end of the call every recorder gets its BYE', async (info, bench) => {
  const recorders = [bench.recorder(11), bench.recorder(12)]
  await info.start(recorders.map(({ uri }) => uri).join(','))
  bench.call.end()
  await bench.pass()
  assert.deepEqual(
    recorders.map((recorder) => recorder.session().end?.cause),
    ['remote-bye', 'remote-bye'],
  )
})

for (const form of ['sip:10.0.0.11', 'sip:10.0.0.11:5060', 'sip:srs@10.0.0.11;transport=udp']) {
  row(`URI-01: ${form} is called`, async (info, bench) => {
    bench.recorder(11)
    assert.equal((await info.start(form)).status, 200)
  })
}

for (const form of ['wss://siprec.example.com', 'https://siprec.example.com/record', 'http://10.0.0.11']) {
  row(`URI-02: ${form} is 503, and nobody is called`, async (info, bench) => {
    const recorder = bench.recorder(11)
    const asked = await info.start(form)
    assert.deepEqual([asked.status, asked.reason, recorder.sessions.length], [503, INVALID_URI, 0])
  })
}

for (const form of ['siprec.example.com', '10.0.0.11', '10.0.0.11:5068']) {
  row(`URI-03: ${form} without a scheme is 503, and the reason is logged`, async (info, bench) => {
    const asked = await info.start(form)
    assert.deepEqual([asked.status, asked.reason], [503, INVALID_URI])
    assert.ok(bench.log.messages().includes('recorder URI is not usable'))
  })
}

row('URI-04: white space in a list is of no account, and doubles are called once', async (info, bench) => {
  const recorders = [bench.recorder(11), bench.recorder(12)]
  const [one = '', two = ''] = recorders.map(({ uri }) => uri)
  assert.equal((await info.start(` ${one},\t${two} , ${one}`)).status, 200)
  assert.deepEqual(
    recorders.map(({ sessions }) => sessions.length),
    [1, 1],
  )
})

row('URI-05: white space alone is 400', async (info) => {
  const asked = await info.start('  ')
  assert.deepEqual([asked.status, asked.reason], [400, MISSING_URL])
})

row(
  'URI-06: 503 is for what cannot be called, 400 for what is missing, double or in the wrong state',
  async (info, bench) => {
    const recorder = bench.recorder()
    const statuses = [await info.start('sip:'), await info.start(''), await info.done('resumeCallRecording')]
    await info.start(recorder.uri)
    statuses.push(await info.start(recorder.uri))
    assert.deepEqual(
      statuses.map(({ status }) => status),
      [503, 400, 400, 400],
    )
  },
)
