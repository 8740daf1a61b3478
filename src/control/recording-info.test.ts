import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordingResult } from '#flow'
import { MemoryLogger, settle } from '#kernel'
import { type IncomingRequest, type MessageOptions, request, type SipFlow, SipHeaders } from '#sip'
import type { InfoRecordingCommand } from './info-dialect.ts'
import { RecordingInfo, type RecordingInfoOptions } from './recording-info.ts'

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
  readonly log: MemoryLogger
  readonly commands: InfoRecordingCommand[]
}

function setup(result: Partial<RecordingResult> = {}, options: Partial<RecordingInfoOptions> = {}): Setup {
  const log = new MemoryLogger()
  const commands: InfoRecordingCommand[] = []
  const execute = async (command: InfoRecordingCommand): Promise<RecordingResult> => {
    commands.push(command)
    return { status: 200, text: '', results: {}, ...result }
  }
  return { info: new RecordingInfo({ execute, isTrusted: () => true, log, ...options }), log, commands }
}

const start = { 'X-Reason': 'startCallRecording', 'X-Srs-Url': 'sip:srs.example', 'X-Srs-Recording-ID': 'r-1' }

test('a command is answered 200 at its outcome', async () => {
  let finish: (result: RecordingResult) => void = () => {}
  const execute = (): Promise<RecordingResult> => new Promise((resolve) => (finish = resolve))
  const { info, log } = setup({}, { execute })
  const incoming = new AnsweredRequest(start)
  assert.equal(info.handle(incoming), true)
  await settle()
  assert.deepEqual(incoming.answers, [])
  finish({ status: 200, text: '', results: { 'sip:srs.example': 'accepted' } })
  await settle()
  assert.deepEqual(incoming.answers, [{ status: 200, options: {} }])
  assert.deepEqual(log.messages(), ['recording INFO done'])
})

test('page row 1: a 503 is answered, and logged as 503 response to startCallRecording INFO', async () => {
  const text = 'no recorder accepted the recording'
  const { info, log, commands } = setup({ status: 503, text, results: { 'wss://srs.example': 'failed(503)' } })
  const incoming = new AnsweredRequest({ ...start, 'X-Srs-Url': 'wss://srs.example' })
  info.handle(incoming)
  await settle()
  assert.equal(commands[0]?.server, 'wss://srs.example')
  assert.deepEqual(incoming.answers, [{ status: 503, options: { reason: text, headers: [['X-Reason', text]] } }])
  assert.deepEqual(
    log.lines.map(({ level, message }) => [level, message]),
    [['error', '503 response to startCallRecording INFO']],
  )
})

for (const [row, text] of [
  [2, 'Cannot start recording when recording is already started'],
  [3, 'discarding duplicate startCallRecording request for a call'],
] as const) {
  test(`page row ${row}: a duplicate start is answered 400 and logged verbatim: ${text}`, async () => {
    const { info, log } = setup({ status: 400, text })
    const incoming = new AnsweredRequest(start)
    info.handle(incoming)
    await settle()
    assert.deepEqual(incoming.answers, [{ status: 400, options: { reason: text, headers: [['X-Reason', text]] } }])
    assert.deepEqual(log.messages(), [text])
  })
}

test('page row 4: a start without server is answered 400 and logged verbatim, and nothing is started', async () => {
  const text = 'startCallRecording request is missing X-Srs-Url header'
  const { info, log, commands } = setup()
  const incoming = new AnsweredRequest({ 'X-Reason': 'startCallRecording', 'X-Srs-Url': '' })
  assert.equal(info.handle(incoming), true)
  await settle()
  assert.deepEqual(incoming.answers, [{ status: 400, options: { reason: text, headers: [['X-Reason', text]] } }])
  assert.deepEqual(log.messages(), [text])
  assert.deepEqual(commands, [])
})

test('an INFO from a peer that is not listed is answered 403 and starts nothing', async () => {
  const { info, log, commands } = setup({}, { isTrusted: ({ remote }) => remote.host !== '127.0.0.1' })
  const incoming = new AnsweredRequest(start)
  assert.equal(info.handle(incoming), true)
  await settle()
  assert.equal(incoming.answers[0]?.status, 403)
  assert.deepEqual(commands, [])
  assert.deepEqual(log.messages(), ['recording control is not allowed from this peer'])
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
    const { info, log } = setup({}, { execute })
    const incoming = new AnsweredRequest(start)
    info.handle(incoming)
    await settle()
    assert.deepEqual(
      incoming.answers.map(({ status }) => status),
      [500],
    )
    assert.equal(log.lines[0]?.message, 'recording INFO failed')
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
