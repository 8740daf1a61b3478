import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { SipHeaders } from './headers.ts'
import { MAX_HEADERS, MAX_LINE_BYTES, MAX_MESSAGE_BYTES, MAX_VIAS } from './limits.ts'
import { request, response, type SipMessage } from './message.ts'
import type { SipParseError } from './parse-error.ts'
import { type ParseOptions, parseMessage } from './parser.ts'
import { serializeMessage } from './serializer.ts'

const LINES = ['Via: SIP/2.0/UDP h;branch=z9hG4bKa', 'From: <sip:a@b>;tag=1', 'To: <sip:b@c>', 'Call-ID: 1']

function text(method: string, more: readonly string[] = [], body = ''): string {
  return [`${method} sip:a@b SIP/2.0`, ...LINES, `CSeq: 1 ${method}`, ...more, '', body].join('\r\n')
}

function accept(source: string | Uint8Array, options?: ParseOptions): SipMessage {
  const parsed = parseMessage(Buffer.from(source), options)
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error.message)
  return parsed.value
}

function refuse(source: string | Uint8Array, options?: ParseOptions): SipParseError {
  const parsed = parseMessage(Buffer.from(source), options)
  assert.ok(!parsed.ok)
  return parsed.error
}

test('SIP-02: bytes after Content-Length are dropped from a datagram', () => {
  assert.equal(Buffer.from(accept(text('INFO', ['l: 3'], 'abcdef')).body).toString(), 'abc')
})

test('SIP-02: without Content-Length, the body of a datagram reaches to its end', () => {
  assert.equal(accept(text('INFO', [], 'abcdef')).body.length, 6)
})

test('SIP-02: a body shorter than Content-Length makes a request 400, and a response vanish', () => {
  const error = refuse(text('INFO', ['Content-Length: 7'], 'abcdef'))
  assert.equal(error.status, 400)
  assert.equal(error.code, 'short-body')
  assert.equal(error.partial?.headers.get('Call-ID'), '1')
  const answer = ['SIP/2.0 200 OK', ...LINES, 'CSeq: 1 INFO', 'Content-Length: 7', '', 'abcdef'].join('\r\n')
  assert.equal(refuse(answer).status, 0)
})

test('SIP-02: on a stream, Content-Length must be there', () => {
  assert.equal(refuse(text('INFO'), { transport: 'stream' }).code, 'bad-content-length')
  assert.equal(accept(text('INFO', ['Content-Length: 0']), { transport: 'stream' }).kind, 'request')
})

test('a Content-Length that is no number, negative, huge or given twice is refused', () => {
  for (const value of ['x', '-1', '', '1 2', '+1', '1e3', '99999999999999999999']) {
    assert.equal(refuse(text('INFO', [`Content-Length: ${value}`])).status, 400, value)
  }
  assert.equal(refuse(text('INFO', ['Content-Length: 0', 'l: 0'])).code, 'repeated-header')
})

test('line ends may be LF alone, and empty lines may come first', () => {
  const message = accept(`\r\n\n\r\n${text('INFO', ['Subject: x'], 'ab').replaceAll('\r\n', '\n')}`)
  assert.equal(message.headers.get('Subject'), 'x')
  assert.equal(message.body.length, 2)
})

test('a datagram of line ends only is dropped', () => {
  for (const source of ['', '\r\n\r\n', '\n'])
    assert.deepEqual([refuse(source).code, refuse(source).status], ['empty', 0])
})

test('header values are read as UTF-8, each on its own: what is not UTF-8 is read as latin1', () => {
  const bytes = Buffer.concat([
    Buffer.from('INFO sip:a@b SIP/2.0\r\nSubject: grün\r\nX: '),
    Buffer.from([0x67, 0x72, 0xfc, 0x6e]),
    Buffer.from(`\r\n${LINES.join('\r\n')}\r\nCSeq: 1 INFO\r\n\r\n\xff`, 'latin1'),
  ])
  const message = accept(bytes)
  assert.equal(message.headers.get('Subject'), 'grün')
  assert.equal(message.headers.get('X'), 'grün')
  assert.deepEqual([...message.body], [0xff])
})

test('a character whose UTF-8 ends in the byte of a latin1 space keeps it, folded or not', () => {
  const message = accept(text('INFO', ['X-Plain: voilà', 'X-Folded: voilà\r\n voilà']))
  assert.equal(message.headers.get('X-Plain'), 'voilà')
  assert.equal(message.headers.get('X-Folded'), 'voilà voilà')
})

test('each mandatory header must be there, and once', () => {
  for (const name of ['Via', 'From', 'To', 'Call-ID', 'CSeq']) {
    const lines = text('INFO').split('\r\n')
    const without = lines.filter((line) => !line.startsWith(name)).join('\r\n')
    assert.deepEqual([refuse(without).code, refuse(without).status], ['missing-header', 400], name)
    if (name === 'Via') continue
    const line = lines.find((each) => each.startsWith(name))!
    assert.equal(refuse(text('INFO', [line])).code, 'repeated-header', name)
  }
})

test('a malformed ACK is dropped, as an ACK is never answered', () => {
  const error = refuse(text('ACK', ['Content-Length: x']))
  assert.equal(error.status, 0)
  assert.equal(error.partial, undefined)
})

test('what is no SIP at all is dropped', () => {
  for (const source of [
    'hello',
    'GET / HTTP/1.1\r\n\r\n'.slice(0, 3),
    '\0\0\0\0',
    'SIP/2.0 2000 OK\r\n\r\n',
    'SIP/3.0 200 OK\r\n\r\n',
  ]) {
    assert.equal(refuse(source).status, 0, source)
  }
})

test('limits: what is larger is refused with 513, what is just within is taken', () => {
  const filler = (count: number): string[] => Array.from({ length: count }, () => 'X: y')
  accept(text('INFO', filler(MAX_HEADERS - 5)))
  assert.deepEqual([refuse(text('INFO', filler(MAX_HEADERS - 4))).status], [513])
  accept(text('INFO', [`X: ${'y'.repeat(MAX_LINE_BYTES - 3)}`]))
  assert.equal(refuse(text('INFO', [`X: ${'y'.repeat(MAX_LINE_BYTES - 2)}`])).status, 513)
  assert.equal(refuse(text('INFO', [`X: ${'y\r\n '.repeat(MAX_LINE_BYTES / 4)}y`])).status, 513)
  const vias = (count: number): string[] => [`Via: ${Array(count).fill('SIP/2.0/UDP h').join(',')}`]
  accept(text('INFO', vias(MAX_VIAS - 1)))
  assert.equal(refuse(text('INFO', vias(MAX_VIAS))).status, 513)
  const head = text('INFO')
  accept(head + 'x'.repeat(MAX_MESSAGE_BYTES - head.length))
  const tooLarge = refuse(head + 'x'.repeat(MAX_MESSAGE_BYTES - head.length + 1))
  assert.equal(tooLarge.status, 513)
  assert.equal(tooLarge.partial?.headers.get('CSeq'), '1 INFO')
})

test('a header line without a name is refused, and the answer can still be addressed', () => {
  for (const line of ['no colon', ': x', 'a b: c', 'ä: b', '<a>: b']) {
    const error = refuse(text('INFO', [line]))
    assert.deepEqual([error.status, error.code], [400, 'bad-header-line'], line)
    assert.equal(error.partial?.headers.get('To'), '<sip:b@c>')
  }
})

test('a view into a larger buffer is parsed from its own start', () => {
  const inner = Buffer.from(text('INFO', ['Content-Length: 2'], 'ab'))
  const outer = Buffer.concat([Buffer.from('INVITE sip:x@y SIP/2.0\r\n'), inner, Buffer.from('rest')])
  const view = new Uint8Array(outer.buffer, outer.byteOffset + 24, inner.length)
  const message = accept(view)
  assert.ok(message.kind === 'request')
  assert.equal(message.method, 'INFO')
  assert.deepEqual([...message.body], [0x61, 0x62])
})

test('a message is serialized with its own Content-Length, at the place of the old one, and unknown headers in order', () => {
  const headers = SipHeaders.of([
    ['X-b', '1'],
    ['l', '99'],
    ['x-A', 'ä'],
    ['Content-Length', '3'],
  ])
  const bytes = serializeMessage(response(200, undefined, headers, Buffer.from([0, 255])))
  assert.equal(
    Buffer.from(bytes).toString('latin1'),
    'SIP/2.0 200 OK\r\nX-b: 1\r\nContent-Length: 2\r\nx-A: Ã¤\r\n\r\n\0ÿ',
  )
  const empty = serializeMessage(request('INFO', 'sip:a@b', SipHeaders.of([])))
  assert.equal(Buffer.from(empty).toString(), 'INFO sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n')
})

test('what is serialized is parsed as the same message', () => {
  const name = fc.stringMatching(/^X-[A-Za-z0-9!%*_+`'~.-]{1,20}$/)
  const value = fc.stringMatching(/^(?:[!-~äàñ€](?:[ -~äàñ€]{0,60}[!-~])?)?$/)
  const more = fc.array(fc.tuple(name, value), { maxLength: 30 })
  const mandatory = LINES.map((line) => line.split(': ') as [string, string])
  const status = fc.integer({ min: 100, max: 699 })
  fc.assert(
    fc.property(more, fc.uint8Array({ maxLength: 300 }), status, fc.boolean(), (extra, body, code, isRequest) => {
      const all = SipHeaders.of([...extra, ...mandatory, ['CSeq', '1 INFO'], ['Content-Length', String(body.length)]])
      const made = isRequest ? request('INFO', 'sip:a@b;x=y', all, body) : response(code, 'Grüße aus', all, body)
      const read = accept(serializeMessage(made))
      assert.deepEqual([...read.headers.entries()], [...made.headers.entries()])
      assert.deepEqual([...read.body], [...body])
      assert.deepEqual({ ...read, headers: 0, body: 0 }, { ...made, headers: 0, body: 0 })
    }),
  )
})

test('no bytes make the parser throw', () => {
  const start = fc.constantFrom(
    '',
    'INVITE sip:a@b SIP/2.0\r\n',
    'SIP/2.0 200 OK\r\nVia: ',
    `${text('INFO')}`,
    text('INFO').slice(0, -4),
  )
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 400 }), (head, bytes) => {
      const parsed = parseMessage(Buffer.concat([Buffer.from(head), bytes]))
      if (parsed.ok) serializeMessage(parsed.value)
      else if (parsed.error.partial !== undefined) serializeMessage(parsed.error.partial)
    }),
    { numRuns: 500 },
  )
})

test('no change of a few bytes makes the parser throw', () => {
  const source = Buffer.from(text('INVITE', ['Contact: "a, b" <sip:a@b;x=y>;q=0.5', 'Content-Length: 3'], 'abc'))
  const change = fc.tuple(fc.nat(source.length - 1), fc.nat(255))
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const bytes = Buffer.from(source)
      for (const [at, byte] of changes) bytes[at] = byte
      const parsed = parseMessage(bytes)
      if (!parsed.ok) return
      const again = parseMessage(serializeMessage(parsed.value))
      assert.ok(again.ok)
      assert.deepEqual(
        [...again.value.headers.entries()].map(([, value]) => value).slice(0, 5),
        [...parsed.value.headers.entries()].map(([, value]) => value).slice(0, 5),
      )
    }),
    { numRuns: 1000 },
  )
})
