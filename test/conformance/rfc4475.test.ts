// RFC 4475, SIP torture test messages: the parser's and the stack's outcome for each of the 49.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { err, ManualClock, MemoryLogger, seededIds } from '#kernel'
import {
  createSipCore,
  parseMessage,
  parseSipUri,
  response,
  type SipFlow,
  SipHeaders,
  type SipMessage,
  type SipResponse,
  type SipTransportPort,
  serializeMessage,
} from '#sip'
import { type ParseOutcome, type StackOutcome, tortureCases } from './rfc4475-cases.ts'

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'test', 'conformance', 'fixtures', 'rfc4475')
const FLOW: SipFlow = {
  transport: 'udp',
  local: { host: '192.0.2.100', port: 5060 },
  remote: { host: '192.0.2.1', port: 5060 },
}

function load(file: string): Uint8Array {
  return readFileSync(join(FOLDER, `${file}.dat`))
}

function accepted(file: string): SipMessage {
  const parsed = parseMessage(load(file))
  assert.ok(parsed.ok, file)
  return parsed.value
}

test('RFC 4475: each file of the collection has its one case', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.dat'))
  assert.equal(files.length, 49)
  assert.deepEqual(files.sort(), tortureCases.map(({ file }) => `${file}.dat`).sort())
})

for (const { file, section, parse, stack } of tortureCases) {
  test(`RFC 4475 section ${section}: ${file} is ${parseText(parse)} by the parser`, () => {
    const parsed = parseMessage(load(file))
    const outcome = parsed.ok ? 'accepted' : parsed.error.status === 0 ? 'dropped' : parsed.error.status
    assert.equal(outcome, parse, parsed.ok ? '' : parsed.error.message)
    if (!parsed.ok) assert.equal(parsed.error.partial !== undefined, typeof parse === 'number')
  })

  test(`RFC 4475 section ${section}: ${file} is ${stackText(stack)} by the stack`, async () => {
    assert.deepEqual(await outcomeOf(load(file)), [stack])
  })
}

test('RFC 4475: what is accepted comes out of the serializer as the same message', () => {
  for (const { file, parse } of tortureCases) {
    if (parse !== 'accepted') continue
    const message = accepted(file)
    const again = parseMessage(serializeMessage(message))
    assert.ok(again.ok, file)
    assert.deepEqual(lines(again.value), lines(message), file)
    assert.deepEqual([...again.value.body], [...message.body], file)
  }
})

test('RFC 4475 section 3.1.1.1: a tortuous INVITE is read through folds, compact names and odd spacing', () => {
  const { headers } = accepted('wsinv')
  assert.equal(headers.get('To'), 'sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n')
  const to = headers.nameAddr('To')
  assert.ok(to?.ok)
  assert.equal(to.value.params.get('tag'), '1918181833n')
  assert.deepEqual(headers.cseq(), { ok: true, value: { number: 9, method: 'INVITE' } })
  assert.equal(headers.list('Via').length, 3)
  assert.equal(headers.get('Subject'), '')
  assert.equal(headers.get('unknownheaderwithunusualvalue'), ';;,,;;,;')
})

test('RFC 4475 section 3.1.1.5: a % is no escape in a display name, and there are two contacts', () => {
  const { headers } = accepted('esc02')
  const to = headers.nameAddr('To')
  assert.ok(to?.ok)
  assert.equal(to.value.displayName, '%Z%45')
  assert.equal(headers.list('Contact').length, 2)
})

test('RFC 4475 section 3.1.1.8: what follows the body of a datagram is no part of the message', () => {
  assert.equal(accepted('dblreq').body.length, 0)
})

test('RFC 4475 section 3.1.1.9: a semicolon belongs to the user part', () => {
  const message = accepted('semiuri')
  assert.ok(message.kind === 'request')
  const uri = parseSipUri(message.uri)
  assert.ok(uri.ok)
  assert.equal(uri.value.user, 'user;par=u%40example.net')
  assert.equal(uri.value.host, 'example.com')
})

test('RFC 4475 section 3.1.1.11: null bytes of a binary body part survive', () => {
  const { body, headers } = accepted('mpart01')
  assert.equal(body.length, Number(headers.get('Content-Length')))
  assert.ok(body.includes(0))
})

test('RFC 4475 section 3.1.1.12: an unusual reason phrase is read as UTF-8', () => {
  const message = accepted('unreason')
  assert.ok(message.kind === 'response')
  assert.equal(message.reason, '= 2**3 * 5**2 но сто девяносто девять - простое')
})

test('RFC 4475 section 3.1.2.15: an unquoted display name with a comma is refused in a complete message too', () => {
  const parsed = parseMessage(Buffer.concat([load('baddn'), Buffer.from('\r\n')]))
  assert.ok(!parsed.ok)
  assert.equal(parsed.error.status, 400)
  assert.equal(parsed.error.code, 'bad-header')
})

test('RFC 4475 section 3.3.5: the 420 lists the unknown options of Require, not those of Proxy-Require', async () => {
  const sent: SipResponse[] = []
  await outcomeOf(load('bext01'), sent)
  assert.equal(sent[0]?.headers.get('Unsupported'), 'nothingSupportsThis, nothingSupportsThisEither')
})

/** What a core does with the message: final answers that it gave of its own, or that its user was called. */
async function outcomeOf(bytes: Uint8Array, sent: SipResponse[] = []): Promise<StackOutcome[]> {
  const outcomes: StackOutcome[] = []
  const clock = new ManualClock()
  const log = new MemoryLogger()
  const core = createSipCore(
    {
      name: 'torture',
      clock,
      ids: seededIds(4475),
      log,
      transport: recordingTransport(sent),
      locator: { locate: async () => err({ code: 'no-target', message: 'nothing is there' }) },
      product: 'test/1.0',
      supported: ['timer'],
      allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'MESSAGE'],
      accept: ['application/sdp'],
      contactUser: 'gw',
    },
    { onInvite: () => outcomes.push('delivered'), onRequest: () => outcomes.push('delivered') },
  )
  core.receive(bytes, FLOW)
  await clock.advanceAsync(100)
  for (const response of sent) if (response.status >= 200) outcomes.push(response.status)
  core.close()
  assert.deepEqual(
    log.lines.filter((line) => line.level === 'error'),
    [],
  )
  return outcomes.length === 0 ? ['ignored'] : outcomes
}

function recordingTransport(sent: SipResponse[]): SipTransportPort {
  return {
    supports: () => true,
    localAddress: () => FLOW.local,
    sendTo: () => assert.fail('the core must not send on its own'),
    sendBack: (_flow, bytes) => {
      sent.push(readAnswer(bytes))
    },
  }
}

// The answer to a malformed request may repeat what was malformed: then only its status is read.
function readAnswer(bytes: Uint8Array): SipResponse {
  const parsed = parseMessage(bytes)
  if (parsed.ok && parsed.value.kind === 'response') return parsed.value
  const status = /^SIP\/2\.0 (\d{3}) /.exec(Buffer.from(bytes).toString('latin1'))?.[1]
  assert.ok(status, 'an answer has a status line')
  return response(Number(status), undefined, SipHeaders.of([]))
}

function lines(message: SipMessage): (readonly [string, string])[] {
  return [...message.headers.entries()].filter(([name]) => name.toLowerCase() !== 'content-length')
}

function parseText(outcome: ParseOutcome): string {
  return typeof outcome === 'number' ? `refused with ${outcome}` : outcome
}

function stackText(outcome: StackOutcome): string {
  return typeof outcome === 'number' ? `answered ${outcome}` : outcome
}
