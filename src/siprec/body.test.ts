import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededIds } from '#kernel'
import { isMetadata, isSdp, METADATA_TYPE, parseBody } from './body.ts'
import { buildMultipart, recordingBody } from './body-writer.ts'

const TYPE = 'multipart/mixed;boundary=b'

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function texts(body: string, contentType = TYPE): string[] {
  return parseBody(contentType, undefined, bytes(body)).parts.map((part) => new TextDecoder().decode(part.content))
}

test('SRC-22, SRC-24, SRC-25: SDP and metadata in one message are exactly these bytes', () => {
  const sdp = bytes('v=0\r\n')
  const metadata = bytes('<name>Zo\u00eb</name>\n')
  const body = recordingBody({ sdp, metadata }, seededIds(7))
  const boundary = `rs-${seededIds(7).hex(12)}`
  assert.equal(body?.contentType, `multipart/mixed;boundary=${boundary}`)
  assert.equal(body.disposition, undefined)
  const expected = [
    `--${boundary}`,
    'Content-Type: application/sdp',
    'Content-Disposition: session;handling=required',
    '',
    'v=0',
    '',
    `--${boundary}`,
    'Content-Type: application/rs-metadata+xml',
    'Content-Disposition: recording-session',
    '',
    '<name>Zo\u00eb</name>\n',
    `--${boundary}--`,
    '',
  ].join('\r\n')
  assert.deepEqual(body.content, bytes(expected))
  assert.notEqual(body.content.length, expected.length)
})

test('SRC-20, SRC-21, SRC-23: one part alone is bare; metadata keeps its disposition', () => {
  const content = bytes('x')
  const ids = seededIds(1)
  assert.deepEqual(recordingBody({ sdp: content }, ids), { contentType: 'application/sdp', content })
  assert.deepEqual(recordingBody({ metadata: content }, ids), {
    contentType: 'application/rs-metadata+xml',
    disposition: 'recording-session',
    content,
  })
  assert.equal(
    recordingBody({ metadata: content, metadataType: 'application/rs-metadata' }, ids)?.contentType,
    'application/rs-metadata',
  )
  assert.equal(recordingBody({}, ids), undefined)
})

test('SRC-22: the boundary occurs in no part', () => {
  const taken = `rs-${seededIds(3).hex(12)}`
  const { contentType } = buildMultipart([{ contentType: 'text/plain', content: bytes(`--${taken}`) }], seededIds(3))
  assert.equal(contentType.includes(taken), false)
})

test('SRC-24: parts of any bytes are read back as they were written', () => {
  const part = fc.record({
    contentType: fc.constantFrom('application/sdp', METADATA_TYPE, 'application/octet-stream;x=y'),
    disposition: fc.constantFrom('session', 'recording-session'),
    content: fc.uint8Array({ maxLength: 60 }),
  })
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), fc.nat(), (parts, seed) => {
      const built = buildMultipart(parts, seededIds(seed))
      const read = parseBody(built.contentType, undefined, built.content)
      assert.deepEqual(read.warnings, [])
      assert.deepEqual(
        read.parts.map(({ contentType, disposition, content }) => [contentType, disposition, [...content]]),
        parts.map(({ contentType, disposition, content }) => [contentType, disposition, [...content]]),
      )
    }),
  )
})

test('SRS-06: preamble, epilogue, nested and alternative parts, in any order', () => {
  const body = [
    'to be ignored',
    '--b',
    'Content-Type: multipart/alternative; boundary="in ner"',
    '',
    '--in ner',
    'Content-Type: application/rs-metadata+xml',
    '',
    '<recording/>',
    '--in ner',
    'Content-Type: text/plain',
    '',
    'words',
    '--in ner--',
    '--b',
    'Content-Type: application/sdp',
    '',
    'v=0',
    '--b--',
    'ignored too --b',
  ].join('\r\n')
  const { parts, warnings } = parseBody(TYPE, undefined, bytes(body))
  assert.deepEqual(
    parts.map((part) => part.mediaType),
    ['application/rs-metadata+xml', 'text/plain', 'application/sdp'],
  )
  assert.deepEqual(texts(body), ['<recording/>', 'words', 'v=0'])
  assert.deepEqual(warnings, [])
})

test('SRS-08: a bare body is what its type says', () => {
  const only = (type: string, disposition?: string): [boolean, boolean] => {
    const { parts } = parseBody(type, disposition, bytes('x'))
    return [isSdp(parts[0]!), isMetadata(parts[0]!)]
  }
  assert.deepEqual(only('application/sdp'), [true, false])
  assert.deepEqual(only('Application/RS-Metadata+XML; charset=utf-8', 'recording-session'), [false, true])
  assert.deepEqual(only('application/rs-metadata'), [false, true])
  assert.deepEqual(only('text/xml', 'Recording-Session;handling=required'), [false, true])
  assert.deepEqual(only('application/sdp', 'recording-session'), [true, false])
  assert.deepEqual(only('text/plain'), [false, false])
  assert.deepEqual(parseBody('application/sdp', undefined, new Uint8Array()).parts, [])
})

test('L-05, L-06: headers without blank, folded, in any case; LF; no closing delimiter; padding after a delimiter', () => {
  const body =
    '--b  \ncontent-type:application/sdp\nContent-Disposition: session;\n handling=required\n\nv=0\n--b\n\nplain\n'
  const { parts, warnings } = parseBody(TYPE, undefined, bytes(body))
  assert.deepEqual(
    parts.map((part) => [part.mediaType, part.disposition]),
    [
      ['application/sdp', 'session; handling=required'],
      ['', undefined],
    ],
  )
  assert.deepEqual(texts(body), ['v=0', 'plain\n'])
  assert.deepEqual(warnings, ['multipart without closing delimiter', 'part without Content-Type'])
})

test('L-06: a boundary missing from the header is taken from the body', () => {
  assert.deepEqual(texts('\r\n--zz\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--zz--', 'multipart/mixed'), ['v=0'])
  assert.deepEqual(texts('nothing', 'multipart/mixed'), [])
})

test('text that only begins like a delimiter is content', () => {
  assert.deepEqual(texts('--b\r\n\r\n--bc\r\n--b-\r\n--b--'), ['--bc\r\n--b-'])
})

test('a part without blank line after its headers keeps its content', () => {
  assert.deepEqual(texts('--b\r\nContent-Type: application/sdp\r\nv=0\r\n--b--'), ['v=0'])
})

test('limits: 32 parts, nesting of 4', () => {
  const many = parseBody(TYPE, undefined, bytes(`${'--b\r\n\r\nx\r\n'.repeat(40)}--b--`))
  assert.equal(many.parts.length, 32)
  assert.ok(many.warnings.includes('parts beyond 32 were dropped'))
  const nest = (depth: number): string =>
    depth === 0
      ? 'x'
      : `--n${depth}\r\nContent-Type: multipart/mixed;boundary=n${depth - 1}\r\n\r\n${nest(depth - 1)}\r\n--n${depth}--`
  const nested = (depth: number): number => {
    const body = nest(depth).replace('boundary=n0', 'x=y').replace('multipart/mixed;x=y', 'text/plain')
    return parseBody(`multipart/mixed;boundary=n${depth}`, undefined, bytes(body)).parts.length
  }
  assert.equal(nested(4), 1)
  assert.equal(nested(5), 0)
})

test('no body makes the reader throw', () => {
  const piece = fc.constantFrom(
    '--b',
    '--b--',
    '\r\n',
    '\n',
    'Content-Type: multipart/mixed;boundary=b',
    ':',
    'x',
    '\r\n\r\n',
    ' ',
  )
  fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => void texts(pieces.join(''))))
  fc.assert(fc.property(fc.string(), fc.uint8Array(), (type, body) => void parseBody(`multipart/${type}`, type, body)))
})
