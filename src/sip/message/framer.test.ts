import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { type FramerOutput, StreamFramer } from './framer.ts'
import { MAX_MESSAGE_BYTES } from './limits.ts'

function message(body: string, more = ''): string {
  const head = `INFO sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n`
  return `${head}Call-ID: 1\r\nCSeq: 1 INFO\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

function pushAll(framer: StreamFramer, bytes: Uint8Array, sizes: readonly number[]): FramerOutput[] {
  const outputs: FramerOutput[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!
    outputs.push(...framer.push(bytes.subarray(at, at + size)))
    at += size
  }
  return outputs
}

function labels(outputs: readonly FramerOutput[]): string[] {
  return outputs.map((output) => (output.type === 'message' ? Buffer.from(output.bytes).toString() : output.type))
}

test('SIP-02: messages come out whole, however the stream is cut', () => {
  const messages = [message('a\r\n\r\nb'), message(''), message('x'.repeat(5000), 'Subject: y\r\n')]
  const bytes = Buffer.from(messages.join(''))
  for (const sizes of [[1], [2], [3], [7], [1000], [bytes.length]]) {
    assert.deepEqual(labels(pushAll(new StreamFramer(), bytes, sizes)), messages)
  }
  const chunks = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 })
  fc.assert(
    fc.property(chunks, (sizes) => assert.deepEqual(labels(pushAll(new StreamFramer(), bytes, sizes)), messages)),
    { numRuns: 50 },
  )
})

test('RFC 5626 keep-alives between messages are told apart: two line ends are a ping, one is a pong', () => {
  const framer = new StreamFramer()
  const first = message('a')
  assert.deepEqual(labels(framer.push(Buffer.from(`\r\n\r\n${first}\r\n`))), ['ping', first, 'pong'])
  assert.deepEqual(labels(framer.push(Buffer.from(first))), [first])
  assert.deepEqual(labels(framer.push(Buffer.from('\r\n\r\n\r\n\r\n'))), ['ping', 'ping'])
})

test('a ping that arrives byte by byte is seen as one', () => {
  const outputs = pushAll(new StreamFramer(), Buffer.from(`\r\n\r\n${message('a')}`), [1])
  assert.deepEqual(labels(outputs), ['pong', 'ping', message('a')])
})

test('SIP-02: no, a bad or a repeated Content-Length ends the stream with an error that can be answered', () => {
  for (const line of ['', 'Content-Length: x\r\n', 'Content-Length: -1\r\n', 'Content-Length: 1\r\nl: 1\r\n']) {
    const framer = new StreamFramer()
    const text = message('').replace('Content-Length: 0\r\n', line)
    const [output, ...more] = framer.push(Buffer.from(text))
    assert.ok(output?.type === 'error', line)
    assert.equal(output.error.status, 400)
    assert.equal(output.error.partial?.headers.get('Call-ID'), '1')
    assert.deepEqual(more, [])
    assert.deepEqual(framer.push(Buffer.from(message('a'))), [])
  }
})

test('a head without end, or a message above the limit, ends the stream before it fills memory', () => {
  const endless = new StreamFramer()
  const filling = Buffer.alloc(1000, 'X: y\r\n')
  const outputs: FramerOutput[] = []
  for (let sent = 0; sent <= MAX_MESSAGE_BYTES + 1000; sent += 1000) outputs.push(...endless.push(filling))
  assert.deepEqual(labels(outputs), ['error'])
  const [huge] = new StreamFramer().push(Buffer.from(message('').replace('Length: 0', 'Length: 999999999')))
  assert.ok(huge?.type === 'error')
  assert.equal(huge.error.status, 513)
})

test('no bytes make the framer throw', () => {
  const chunk = fc.oneof(fc.uint8Array(), fc.constantFrom(Buffer.from(message('a')), Buffer.from('\r\n')))
  fc.assert(
    fc.property(fc.array(chunk), (chunks) => {
      const framer = new StreamFramer()
      for (const bytes of chunks) framer.push(bytes)
    }),
  )
})
