import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { SipHeaders } from './headers.ts'
import { parseMessage } from './parser.ts'

const COMPACT = {
  a: 'Accept-Contact',
  b: 'Referred-By',
  c: 'Content-Type',
  d: 'Request-Disposition',
  e: 'Content-Encoding',
  f: 'From',
  i: 'Call-ID',
  j: 'Reject-Contact',
  k: 'Supported',
  l: 'Content-Length',
  m: 'Contact',
  n: 'Identity-Info',
  o: 'Event',
  r: 'Refer-To',
  s: 'Subject',
  t: 'To',
  u: 'Allow-Events',
  v: 'Via',
  x: 'Session-Expires',
  y: 'Identity',
}

function received(...lines: string[]): SipHeaders {
  const head = ['OPTIONS sip:a@b SIP/2.0', 'Via: SIP/2.0/UDP h;branch=z9hG4bKa', 'f: <sip:a@b>;tag=1', 't: <sip:b@c>']
  const text = [...head, 'i: 1', 'CSeq: 1 OPTIONS', ...lines, '', ''].join('\r\n')
  const parsed = parseMessage(Buffer.from(text))
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error.message)
  return parsed.value.headers
}

test('SIP-01: a header is found by long name, compact name and any case, however it was written', () => {
  for (const [compact, long] of Object.entries(COMPACT)) {
    for (const written of [compact, compact.toUpperCase(), long, long.toUpperCase()]) {
      const headers = SipHeaders.of([[written, 'value']])
      for (const asked of [compact, compact.toUpperCase(), long, long.toLowerCase()]) {
        assert.equal(headers.get(asked), 'value', `${written} asked as ${asked}`)
      }
    }
  }
  assert.equal(SipHeaders.of([['z', 'unknown']]).get('Z'), 'unknown')
})

test('SIP-01: white space around the colon, folds and line ends of a received header do not count', () => {
  const forms = [
    'Subject:x y',
    'Subject : x y',
    'subject\t:\tx y \t',
    's:x y',
    'S: x\r\n y',
    'Subject:\r\n\tx\r\n  y  ',
    's:x\n y',
  ]
  for (const form of forms) assert.equal(received(form).get('Subject'), 'x y', JSON.stringify(form))
  assert.equal(received('Subject:').get('Subject'), '')
})

test('SIP-01: lists over commas and lines keep their order; quotes and angle brackets protect commas', () => {
  const headers = received('Route: <sip:a;x=1,2>, "b, \\", c" <sip:b>', 'X: 1', 'Route:<sip:c>,,<sip:d>')
  assert.deepEqual(headers.list('route'), ['<sip:a;x=1,2>', '"b, \\", c" <sip:b>', '<sip:c>', '<sip:d>'])
  assert.equal(headers.all('Route').length, 2)
  assert.deepEqual(headers.list('absent'), [])
})

test('SIP-01: a stray CR in a received value reads as a space and cannot start a line when sent on', () => {
  assert.equal(received('Subject: a\rVia: b').get('Subject'), 'a Via: b')
})

test('a line break in a value that we set becomes a space', () => {
  const headers = SipHeaders.of([['Xa', 'a\r\nVia: b']])
  headers.append('Ya', 'c\nd')
  headers.set('Xa', `${headers.get('Xa')}\r\n\r\n`)
  assert.deepEqual(
    [...headers.entries()],
    [
      ['Xa', 'a Via: b'],
      ['Ya', 'c d'],
    ],
  )
})

test('set replaces all lines at the place of the first, prepend goes before the first, remove takes all', () => {
  const headers = SipHeaders.of([
    ['Aa', '1'],
    ['v', 'x'],
    ['Bb', '2'],
    ['Via', 'y'],
  ])
  headers.prepend('Via', 'w')
  assert.deepEqual(headers.all('via'), ['w', 'x', 'y'])
  const copy = headers.clone()
  headers.set('V', 'z')
  headers.set('New', 'n')
  assert.deepEqual(
    [...headers.entries()],
    [
      ['Aa', '1'],
      ['Via', 'z'],
      ['Bb', '2'],
      ['New', 'n'],
    ],
  )
  headers.remove('Via')
  assert.equal(headers.has('v'), false)
  headers.prepend('Record-Route', 'top')
  assert.deepEqual(headers.lines[0]?.name, 'Record-Route')
  assert.equal(copy.list('v').length, 3)
})

test('typed values are read from the topmost line, and change with it', () => {
  const headers = received('Via: SIP/2.0/TCP other')
  assert.deepEqual(headers.cseq(), { ok: true, value: { number: 1, method: 'OPTIONS' } })
  const from = headers.nameAddr('f')
  assert.ok(from?.ok)
  assert.equal(from.value.params.get('tag'), '1')
  headers.prepend('Via', 'SIP/2.0/TLS new:5061, SIP/2.0/UDP old')
  const via = headers.topVia()
  assert.ok(via?.ok)
  assert.equal(via.value.host, 'new')
  assert.equal(headers.nameAddr('Refer-To'), undefined)
})

test('a tag is read without the rest: of any case, folded or not, empty when absent, undefined when it cannot be', () => {
  const tagOf = (value: string): string | undefined => SipHeaders.of([['To', value]]).tag('To')
  assert.equal(tagOf('"a;tag=x" <sip:a@b;tag=y>;q=1;TAG = z'), 'z')
  assert.equal(tagOf('sip:a@b;tag=grün'), 'grün')
  assert.equal(tagOf('<sip:a@b>;stag=1'), '')
  assert.equal(tagOf('<sip:a@b>;tag=1;"'), undefined)
  assert.equal(SipHeaders.of([]).tag('To'), undefined)
  assert.equal(received('X: \xe4').tag('From'), '1')
})

test('headers keep what they were made of', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9!%*_+`'~.-]{2,30}$/)
  const value = fc.stringMatching(/^(?:[!-~äàñ€](?:[ -~äàñ€]{0,60}[!-~])?)?$/)
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 40 }), (entries) => {
      const headers = SipHeaders.of(entries)
      assert.deepEqual([...headers.entries()], entries)
      for (const [each] of entries) {
        const same = entries.filter(([other]) => other.toLowerCase() === each.toLowerCase())
        assert.deepEqual(
          headers.all(each.toUpperCase()),
          same.map(([, text]) => text),
        )
      }
    }),
  )
})
