import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestOutcome, SipBody } from '#sip'
import { type BenchOptions, CallBench } from '../../test/harness/call-bench.ts'
import { bodyText, type PhoneCall, phoneSdp } from '../../test/harness/test-phone.ts'

interface Answered {
  readonly bench: CallBench
  readonly phone: PhoneCall
  readonly digits: string[]
}

async function answered(options: BenchOptions = {}): Promise<Answered> {
  const bench = new CallBench(options)
  const phone = bench.alice.call(bench.uri('flow'), { body: phoneSdp() })
  await bench.pass()
  const digits: string[] = []
  bench.flow.onDigit((digit) => digits.push(digit))
  void bench.flow.answer()
  await bench.pass()
  return { bench, phone, digits }
}

async function ask(
  { bench, phone }: Answered,
  method: string,
  options: { body?: SipBody; headers?: [string, string][] } = {},
): Promise<RequestOutcome> {
  const asked = phone.dialog!.request(method, options)
  await bench.pass()
  return await asked
}

async function end({ bench, phone }: Answered): Promise<void> {
  void phone.dialog?.bye()
  await bench.checkNothingLeft()
}

function text(contentType: string, content: string): SipBody {
  return { contentType, content: new TextEncoder().encode(content) }
}

test('SIP-25: a digit is heard once, by telephone-event or by either form of INFO', async () => {
  const talk = await answered()
  talk.bench.engine.last.emit({ type: 'dtmf', leg: 'caller', digit: '1', durationMs: 100 })
  for (const body of [
    text('application/dtmf-relay', 'Signal=2\r\nDuration=160\r\n'),
    text('Application/DTMF-Relay; charset=utf-8', 'duration= 160\nsignal= 11'),
    text('application/dtmf', '*'),
  ]) {
    assert.equal((await ask(talk, 'INFO', { body })).status, 200)
  }
  assert.deepEqual(talk.digits, ['1', '2', '#', '*'])
  await end(talk)
})

test('SIP-24: an INFO is answered by the hook if that takes it, else 469, 415 or 200', async () => {
  const seen: string[] = []
  const talk = await answered({
    info: (call, incoming) => {
      seen.push(call.callId)
      return incoming.request.headers.has('X-Reason') && incoming.respond(202)
    },
  })
  assert.equal((await ask(talk, 'INFO', { headers: [['X-Reason', 'startCallRecording']] })).status, 202)
  assert.equal((await ask(talk, 'INFO', { headers: [['Info-Package', 'conference']] })).status, 469)
  assert.equal((await ask(talk, 'INFO', { body: text('application/media_control+xml', '<a/>') })).status, 415)
  assert.equal((await ask(talk, 'INFO')).status, 200)
  assert.equal((await ask(talk, 'INFO', { body: text('application/dtmf-relay', 'Signal=?') })).status, 400)
  assert.deepEqual(seen, new Array(3).fill(talk.bench.flow.callId))
  assert.deepEqual(talk.digits, [])
  await end(talk)
})

test('OPTIONS within a call is answered 200; a NOTIFY that nobody asked for is refused', async () => {
  const talk = await answered()
  assert.equal((await ask(talk, 'OPTIONS')).status, 200)
  assert.equal((await ask(talk, 'NOTIFY', { headers: [['Event', 'refer']] })).status, 481)
  assert.equal(talk.bench.flow.ended, false)
  await end(talk)
})

test('SIP-25: a digit by INFO goes on to the other party of a bridged call', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  bench.bob.incoming[0]?.accept()
  await bench.pass()
  const digits: string[] = []
  bench.service.calls()[0]?.onDigit((digit) => digits.push(digit))
  await ask({ bench, phone, digits }, 'INFO', { body: text('application/dtmf-relay', 'Signal=5') })
  const passedOn = bench.bob.incoming[0]?.requests.map(({ request }) => [request.method, bodyText(request)])
  assert.deepEqual(passedOn, [['INFO', 'Signal=5']])
  void phone.dialog?.request('INFO', { body: text('application/dtmf', '1') })
  void bench.bob.incoming[0]?.dialog?.request('INFO', { body: text('application/dtmf', '2') })
  await bench.pass()
  assert.deepEqual(digits, ['5', '1'], "only the caller's digits are for the flow")
  await end({ bench, phone, digits })
})
