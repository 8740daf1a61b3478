import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { parseCSeq } from './cseq.ts'
import { type NameAddr, nameAddrText, parseNameAddr } from './name-addr.ts'
import { quote, unquote } from './params.ts'
import { parseVia, type Via, viaText } from './via.ts'

const token = fc.stringMatching(/^[a-z0-9!%*_+`'~.-]{1,12}$/)
const params = fc
  .uniqueArray(
    fc.tuple(
      token,
      fc.option(
        fc.oneof(
          token,
          fc.string().map((text) => quote(text)),
        ),
        { nil: undefined },
      ),
    ),
    {
      selector: ([name]) => name,
      maxLength: 5,
    },
  )
  .map((entries) => new Map(entries))

function address(text: string): NameAddr {
  const parsed = parseNameAddr(text)
  assert.ok(parsed.ok, text)
  return parsed.value
}

test('a name-addr gives display name, URI and header parameters', () => {
  assert.deepEqual(address('"A. \\"G.\\" Bell" <sip:agb@bell.com;x=1> ;tag = a48s; +sip.src'), {
    displayName: 'A. "G." Bell',
    uri: 'sip:agb@bell.com;x=1',
    params: new Map([
      ['tag', 'a48s'],
      ['+sip.src', undefined],
    ]),
  })
  assert.deepEqual(address('Anonymous User<sip:c8oq@anon.org>'), {
    displayName: 'Anonymous User',
    uri: 'sip:c8oq@anon.org',
    params: new Map(),
  })
  assert.equal(address('<sip:a@b>;+sip.instance="<urn:uuid:1>"').params.get('+sip.instance'), '"<urn:uuid:1>"')
})

test('without angle brackets, parameters belong to the header', () => {
  assert.deepEqual(address('sip:+12125551212@phone2net.com;tag=887s'), {
    uri: 'sip:+12125551212@phone2net.com',
    params: new Map([['tag', '887s']]),
  })
})

test('malformed addresses are refused', () => {
  const malformed = [
    '',
    '<',
    '<>',
    'a',
    '<a@b>',
    '"a <sip:a@b>',
    '"a" sip:a@b',
    'Bell, A <sip:a@b>',
    '< sip:a@b>',
    '<sip:a b>',
  ]
  malformed.push(
    '<<sip:a@b>>',
    '<sip:a@b>;;',
    '<sip:a@b>;tag=1,2',
    '<sip:a@b> x',
    'sip:a@b?x=y',
    '<sip:a@b>;tag="x',
    '<sip:a@b>;=x',
  )
  for (const text of malformed) assert.ok(!parseNameAddr(text).ok, text)
})

test('what is written is read as the same name-addr', () => {
  const uri = fc.stringMatching(/^sip:[A-Za-z0-9;=%.-]{0,20}@[a-z.]{1,12}$/)
  fc.assert(
    fc.property(fc.option(fc.string({ minLength: 1 }), { nil: undefined }), uri, params, (displayName, text, all) => {
      const made: NameAddr = { ...(displayName === undefined ? {} : { displayName }), uri: text, params: all }
      assert.deepEqual(parseNameAddr(nameAddrText(made)), { ok: true, value: made })
    }),
  )
})

test('a Via gives transport, sent-by and parameters, with white space in all legal places', () => {
  const parsed = parseVia('SIP / 2.0 / tcp   [2001:db8::9] : 4000 ;branch = z9hG4bKa ; rport ;received=192.0.2.1')
  assert.deepEqual(parsed, {
    ok: true,
    value: {
      transport: 'TCP',
      host: '2001:db8::9',
      port: 4000,
      params: new Map([
        ['branch', 'z9hG4bKa'],
        ['rport', undefined],
        ['received', '192.0.2.1'],
      ]),
    },
  })
})

test('malformed Vias are refused', () => {
  const malformed = [
    '',
    'SIP',
    'SIP/2.0',
    'SIP/2.0/',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP ',
    'HTTP/2.0/UDP h',
    'SIP/2.0/UDP h:',
    'SIP/2.0/UDP h:99999',
  ]
  malformed.push(
    'SIP/2.0/UDP [::1',
    'SIP/2.0/UDP h x',
    'SIP/2.0/UDP h;;',
    'SIP/2.0/UDP h;,',
    'SIP/2.0/UDP ;branch=1',
    'SIP//UDP h',
  )
  for (const text of malformed) assert.ok(!parseVia(text).ok, text)
})

test('what is written is read as the same Via', () => {
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6())
  const port = fc.option(fc.integer({ min: 0, max: 65_535 }), { nil: undefined })
  fc.assert(
    fc.property(fc.constantFrom('UDP', 'TCP', 'TLS', 'SCTP'), host, port, params, (transport, name, at, all) => {
      const made: Via = { transport, host: name, ...(at === undefined ? {} : { port: at }), params: all }
      assert.deepEqual(parseVia(viaText(made)), { ok: true, value: made })
    }),
  )
})

test('a CSeq is a number below 2^31 and a method', () => {
  assert.deepEqual(parseCSeq('0009  INVITE'), { ok: true, value: { number: 9, method: 'INVITE' } })
  assert.ok(parseCSeq('2147483647 ACK').ok)
  for (const text of ['', '1', 'INVITE', '1INVITE', '2147483648 ACK', '-1 ACK', '1 A B', '1 ', '1 "']) {
    assert.ok(!parseCSeq(text).ok, text)
  }
})

test('quoting and unquoting are inverse', () => {
  fc.assert(fc.property(fc.string(), (text) => assert.equal(unquote(quote(text)), text)))
})

test('no text makes the parsers of header values throw', () => {
  const start = fc.constantFrom('', '"', '<sip:', '<sip:a@b>;', 'SIP/2.0/UDP ', 'SIP/2.0/UDP h;', '1 ')
  fc.assert(
    fc.property(start, fc.string({ unit: 'binary' }), (head, text) => {
      parseNameAddr(head + text)
      parseVia(head + text)
      parseCSeq(head + text)
    }),
  )
})
