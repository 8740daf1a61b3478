import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordingResult } from '#flow'
import { type LogLine, MemoryLogger, settle } from '#kernel'
import { type IncomingRequest, type MessageOptions, request, type SipFlow, SipHeaders } from '#sip'
import type { InfoRecordingCommand } from './info-dialect.ts'
import { type InfoOutcome, RecordingInfo, type RecordingInfoOptions } from './recording-info.ts'

const flow: SipFlow = {
  transport: 'udp',
  local: { host: '127.0.0.1', port: 5060 },
  remote: { host: '127.0.0.1', port: 5070 },
}

class AnsweredRequest implements IncomingRequest {
  readonly request
  readonly flow = flow
  readonly answers: { status: number; options: MessageOptions }[] = []

  constructor(headers: Record<string, string>) {
    this.request = request('INFO', 'sip:call@gw.example', SipHeaders.of(Object.entries(headers)))
  }

  respond(status: number, options: MessageOptions = {}): boolean {
    this.answers.push({ status, options })
    return this.answers.length === 1
  }
}

interface Setup {
  readonly info: RecordingInfo
  readonly commands: InfoRecordingCommand[]
  readonly told: InfoOutcome[]
  /** Log lines after the one for the request. */
  said(): LogLine[]
}

function setup(result: Partial<RecordingResult> = {}, options: Partial<RecordingInfoOptions> = {}): Setup {
  const log = new MemoryLogger()
  const commands: InfoRecordingCommand[] = []
  const execute = async (command: InfoRecordingCommand): Promise<RecordingResult> => {
    commands.push(command)
    return { status: 200, text: '', results: {}, ...result }
  }
  const told: InfoOutcome[] = []
  const groups = new Map([['Recorders', 'sip:a.example|sip:b.example']])
  const onAnswered = (outcome: InfoOutcome): void => void told.push(outcome)
  const info = new RecordingInfo({ execute, isTrusted: () => true, groups, onAnswered, log, ...options })
  return { info, commands, told, said: () => log.lines.filter(({ message }) => !message.startsWith('_onInfo')) }
}

const messages = (lines: LogLine[]): string[] => lines.map(({ message }) => message)

const start = { 'X-Reason': 'startCallRecording', 'X-Srs-Url': 'sip:srs.example', 'X-Srs-Recording-ID': 'r-1' }

test('a command is answered 200 at its outcome', async () => {
  let finish: (result: RecordingResult) => void = () => {}
  const execute = (): Promise<RecordingResult> => new Promise((resolve) => (finish = resolve))
  const { info, said } = setup({}, { execute })
  const incoming = new AnsweredRequest(start)
  assert.equal(info.handle(incoming), true)
  await settle()
  assert.deepEqual(incoming.answers, [])
  finish({ status: 200, text: '', results: { 'sip:srs.example': 'accepted' } })
  await settle()
  assert.deepEqual(incoming.answers, [{ status: 200, options: {} }])
  assert.deepEqual(messages(said()), ['successfully established siprec connection'])
})

test('page row 1: a 503 is answered, and logged as 503 response to startCallRecording INFO', async () => {
  const text = 'no recorder accepted the recording'
  const { info, said, commands } = setup({ status: 503, text, results: { 'wss://srs.example': 'failed(503)' } })
  const incoming = new AnsweredRequest({ ...start, 'X-Srs-Url': 'wss://srs.example' })
  info.handle(incoming)
  await settle()
  assert.equal(commands[0]?.server, 'wss://srs.example')
  assert.deepEqual(incoming.answers, [{ status: 503, options: { reason: text, headers: [['X-Reason', text]] } }])
  assert.deepEqual(
    said().map(({ level, message }) => [level, message]),
    [['error', '503 response to startCallRecording INFO']],
  )
})

for (const [row, text] of [
  [2, 'Cannot start recording when recording is already started'],
  [3, 'discarding duplicate startCallRecording request for a call'],
] as const) {
  test(`page row ${row}: a duplicate start is answered 400 and logged verbatim: ${text}`, async () => {
    const { info, said } = setup({ status: 400, text })
    const incoming = new AnsweredRequest(start)
    info.handle(incoming)
    await settle()
    assert.deepEqual(incoming.answers, [{ status: 400, options: { reason: text, headers: [['X-Reason', text]] } }])
    assert.deepEqual(messages(said()), [text])
  })
}

test('page row 4: a start without server is answered 400 and logged verbatim, and nothing is started', async () => {
  const text = 'startCallRecording request is missing X-Srs-Url header'
  const { info, said, commands } = setup()
  const incoming = new AnsweredRequest({ 'X-Reason': 'startCallRecording', 'X-Srs-Url': '' })
  assert.equal(info.handle(incoming), true)
  await settle()
  assert.deepEqual(incoming.answers, [{ status: 400, options: { reason: text, headers: [['X-Reason', text]] } }])
  assert.deepEqual(messages(said()), ['startCallRecording request for a call', text])
  assert.deepEqual(commands, [])
})

for (const [activity, original] of [
  ['start', 'Error starting SipRec call recording'],
  ['stop', 'Error stopping SipRec call recording'],
  ['pause', 'Error pausing SipRec call recording'],
  ['resume', 'Error resuming SipRec call recording'],
] as const) {
  test(`a ${activity} that is 503 stands in the log in the words of the page and of the original`, async () => {
    const { info, said } = setup({ status: 503, text: 'no recorder' })
    info.handle(new AnsweredRequest({ ...start, 'X-Reason': `${activity}CallRecording` }))
    await settle()
    assert.deepEqual(
      said().map(({ level, message, fields }) => [level, message, fields['original']]),
      [['error', `503 response to ${activity}CallRecording INFO`, original]],
    )
  })
}

test('a command that throws is 500, and the text of the original stands in the log', async () => {
  const { info, said } = setup({}, { execute: () => Promise.reject(new Error('no such port')) })
  const incoming = new AnsweredRequest(start)
  info.handle(incoming)
  await settle()
  assert.equal(incoming.answers[0]?.status, 500)
  const line = said().find(({ message }) => message === 'recording INFO failed')
  assert.equal(line?.fields['original'], 'Error handing INFO request on uac leg')
})

test('an INFO from a peer that is not listed is answered 403 and starts nothing', async () => {
  const { info, said, commands } = setup({}, { isTrusted: ({ remote }) => remote.host !== '127.0.0.1' })
  const incoming = new AnsweredRequest(start)
  assert.equal(info.handle(incoming), true)
  await settle()
  assert.equal(incoming.answers[0]?.status, 403)
  assert.deepEqual(commands, [])
  assert.deepEqual(messages(said()), ['recording control is not allowed from this peer'])
})

test('an unknown action of a peer that is not listed is answered 403, and a long one does not hide what is known', () => {
  const untrusted = setup({}, { isTrusted: () => false })
  const incoming = new AnsweredRequest({ 'X-Reason': 'startRecording' })
  assert.equal(untrusted.info.handle(incoming), true)
  assert.equal(incoming.answers[0]?.status, 403)
  const long = new AnsweredRequest({ 'X-Reason': `${'start\u00e9'.repeat(50)}Recording` })
  setup().info.handle(long)
  assert.match(long.answers[0]?.options.reason ?? '', /^[ -~]* or unmaskCallRecording$/)
})

test('an INFO that is no recording command is left to others', () => {
  const { info } = setup()
  const incoming = new AnsweredRequest({ 'X-Reason': 'muteCall' })
  assert.equal(info.handle(incoming), false)
  assert.deepEqual(incoming.answers, [])
})

test('the end of the call answers what is pending 487, and a late outcome is not answered again', async () => {
  let finish: (result: RecordingResult) => void = () => {}
  const execute = (): Promise<RecordingResult> => new Promise((resolve) => (finish = resolve))
  const { info } = setup({}, { execute })
  const incoming = new AnsweredRequest(start)
  info.handle(incoming)
  info.abandon()
  finish({ status: 200, text: '', results: {} })
  await settle()
  assert.deepEqual(
    incoming.answers.map(({ status }) => status),
    [487],
  )
})

test('a fault while executing is answered 500 and logged', async () => {
  for (const execute of [
    () => Promise.reject(new Error('broken')),
    () => {
      throw new Error('broken')
    },
  ]) {
    const { info, said } = setup({}, { execute })
    const incoming = new AnsweredRequest(start)
    info.handle(incoming)
    await settle()
    assert.deepEqual(
      incoming.answers.map(({ status }) => status),
      [500],
    )
    assert.equal(said()[0]?.message, 'recording INFO failed')
  }
})

test('a text that does not fit a status line is made fit', async () => {
  const { info } = setup({ status: 503, text: `bad\r\nVia: x${'y'.repeat(300)}` })
  const incoming = new AnsweredRequest(start)
  info.handle(incoming)
  await settle()
  const reason = incoming.answers[0]?.options.reason ?? ''
  assert.match(reason, /^bad {2}Via: xy+$/)
  assert.equal(reason.length, 200)
})

test('a command of AudioCodes is carried out at the recorders of its group', async () => {
  const { info, commands } = setup()
  const incoming = new AnsweredRequest({ 'X-AC-Action': 'start-siprec;recording-ip-group=Recorders' })
  assert.equal(info.handle(incoming), true)
  await settle()
  assert.deepEqual([commands[0]?.activity, commands[0]?.server], ['start', 'sip:a.example|sip:b.example'])
  assert.equal(incoming.answers[0]?.status, 200)
})

test('every command is told of once it is answered: done, refused, not allowed, cut off by the end of the call', async () => {
  const from = '127.0.0.1'
  const done = setup()
  done.info.handle(new AnsweredRequest(start))
  done.info.handle(new AnsweredRequest({ 'X-Reason': 'startCallRecording' }))
  await settle()
  const missing = 'startCallRecording request is missing X-Srs-Url header'
  assert.deepEqual(done.told, [
    { activity: 'start', from, status: 400, text: missing },
    { activity: 'start', from, status: 200, text: '' },
  ])
  const untrusted = setup({}, { isTrusted: () => false })
  untrusted.info.handle(new AnsweredRequest({ 'X-Reason': 'pauseCallRecording' }))
  assert.deepEqual(
    untrusted.told.map(({ activity, status }) => [activity, status]),
    [['pause', 403]],
  )
  const cut = setup({}, { execute: () => new Promise(() => {}) })
  cut.info.handle(new AnsweredRequest(start))
  cut.info.abandon()
  assert.deepEqual(cut.told, [{ activity: 'start', from, status: 487, text: 'the call ended' }])
})
