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

/** An INVITE with a multipart body whose Content-Length is off by `lengthError`. */
function odd(lengthError: number, body = '--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--\r\n'): string {
  const text = message(body, 'Content-Type: multipart/mixed;boundary=b\r\n')
  return text.replace(/Content-Length: \d+/, `Content-Length: ${Buffer.byteLength(body) + lengthError}`)
}

const tolerant = { isTolerant: true }

/** The messages; line ends after the closing delimiter may have become a keep-alive, which means nothing. */
function bodies(outputs: readonly FramerOutput[]): string[] {
  return labels(outputs.filter(({ type }) => type !== 'pong')).map((text) => text.trimEnd())
}

for (const sizes of [[1], [7], [10_000]]) {
  test(`oddity 19: a tolerant framer takes a multipart up to its closing delimiter, pieces of ${sizes} bytes`, () => {
    for (const lengthError of [-1, -2, -9, -30]) {
      const whole = odd(lengthError)
      const framer = new StreamFramer(tolerant)
      assert.deepEqual(bodies(pushAll(framer, Buffer.from(whole), sizes)), [whole.trimEnd()], `${lengthError}`)
      assert.deepEqual(
        [bodies(pushAll(framer, Buffer.from(message('next')), sizes)), framer.isDoubtful],
        [[message('next')], false],
      )
    }
    for (const lengthError of [1, 2, 300]) {
      const whole = odd(lengthError)
      const framer = new StreamFramer(tolerant)
      assert.deepEqual([bodies(pushAll(framer, Buffer.from(whole), sizes)), framer.isDoubtful], [[], true])
      assert.deepEqual(bodies(framer.settle()), [whole.trimEnd()])
      assert.deepEqual(bodies(pushAll(framer, Buffer.from(message('next')), sizes)), [message('next')])
    }
  })
}

test('oddity 19: what is as long as it says is taken at once, and is in no doubt, whatever follows', () => {
  const framer = new StreamFramer(tolerant)
  for (const body of [undefined, 'no delimiter at all', '--b\r\n\r\nx\r\n--b--\r\nepilogue\r\n']) {
    const next = message('next')
    assert.deepEqual(labels(framer.push(Buffer.from(odd(0, body) + next))), [odd(0, body), next])
    assert.equal(framer.isDoubtful, false)
  }
})

test('oddity 19: a multipart without its closing delimiter ends by Content-Length once nothing more comes', () => {
  const [framer, open] = [new StreamFramer(tolerant), odd(0, '--b\r\n\r\nx')]
  assert.deepEqual([labels(framer.push(Buffer.from(open))), framer.isDoubtful], [[], true])
  assert.deepEqual([labels(framer.settle()), framer.isDoubtful], [[open], false])
})

test('oddity 19: nothing of another message becomes part of a body, and a delimiter within a line is none', () => {
  const framer = new StreamFramer(tolerant)
  const [open, next] = [odd(0, '--b\r\n\r\nx\r\n'), odd(0)]
  assert.deepEqual(labels(framer.push(Buffer.from(open + next))), [open, next])
  const within = odd(0, '--b\r\n\r\nx --b-- y\r\n--b--z\r\n')
  assert.deepEqual(labels(framer.push(Buffer.from(within))), [])
  assert.deepEqual(labels(framer.settle()), [within])
})

test('SIP-02: a framer that is not told to be tolerant goes by Content-Length alone', () => {
  const framer = new StreamFramer()
  assert.deepEqual([labels(framer.push(Buffer.from(odd(5)))), framer.isDoubtful, framer.settle()], [[], false, []])
})

test('SIP-02: what cannot be framed is given with what there is of it', () => {
  const text = message('x').replace(/Content-Length: \d+\r\n/, '')
  const [error] = new StreamFramer().push(Buffer.from(text))
  assert.ok(error?.type === 'error')
  assert.deepEqual([error.error.status, Buffer.from(error.bytes).toString()], [400, text])
})
