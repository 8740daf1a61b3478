import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { sameUri } from './same-uri.ts'
import { parseSipUri, type SipUri, uriText } from './uri.ts'

function uri(text: string): SipUri {
  const parsed = parseSipUri(text)
  assert.ok(parsed.ok, text)
  return parsed.value
}

test('a URI is taken apart into user, password, host, port, parameters and headers', () => {
  assert.deepEqual(uri('sip:alice:secret@example.com:5080;transport=tcp;LR?Subject=hi&x=y'), {
    scheme: 'sip',
    user: 'alice',
    password: 'secret',
    host: 'example.com',
    port: 5080,
    params: new Map([
      ['transport', 'tcp'],
      ['lr', undefined],
    ]),
    headers: 'Subject=hi&x=y',
  })
  assert.deepEqual(uri('SIPS:[2001:db8::1]:5061'), {
    scheme: 'sips',
    host: '2001:db8::1',
    port: 5061,
    params: new Map(),
  })
  assert.equal(uri('sip:user;par=u%40example.net@example.com').user, 'user;par=u%40example.net')
  assert.equal(uri('sip:%61lice@host').user, '%61lice')
  assert.equal(uri('sip:host;').host, 'host')
})

test('a telephone URI has a number and parameters, and no host', () => {
  const parsed = uri('tel:+1-201-555-0123;phone-context=example.com')
  assert.equal(parsed.user, '+1-201-555-0123')
  assert.equal(parsed.host, '')
  assert.equal(parsed.params.get('phone-context'), 'example.com')
})

test('malformed URIs and foreign schemes are told apart', () => {
  const malformed = [
    '',
    'sip',
    'sip:',
    ':a@b',
    'sip:@b',
    'sip:a@',
    'sip:a b@c',
    'sip:a@b c',
    'sip:a@b:65536',
    'sip:a@b:x',
  ]
  malformed.push(
    'sip:a@[::1',
    'sip:a@::1',
    'sip:a@b;=x',
    'sip:a@b;x="y"',
    'sip:a@b>',
    'sip:<a@b',
    'tel:',
    'tel:a@b',
    'sip:a@b?"',
  )
  for (const text of malformed) {
    const parsed = parseSipUri(text)
    assert.ok(!parsed.ok, text)
    assert.equal(parsed.error.code, 'malformed', text)
  }
  for (const text of ['http://example.com', 'urn:service:sos', 'mailto:a@b']) {
    const parsed = parseSipUri(text)
    assert.ok(!parsed.ok)
    assert.equal(parsed.error.code, 'unsupported-scheme')
  }
})

test('characters that may not stand in a user part are escaped when written', () => {
  assert.equal(
    uriText({ scheme: 'sip', user: 'a b@ä"<', host: '::1', port: 5060, params: new Map() }),
    'sip:a%20b%40%C3%A4%22%3C@[::1]:5060',
  )
})

test('what is written is read as the same URI', () => {
  const params = fc.dictionary(
    fc.stringMatching(/^[a-z]{1,8}$/),
    fc.option(fc.stringMatching(/^[A-Za-z0-9.%-]{1,8}$/), { nil: undefined }),
  )
  const user = fc.option(fc.stringMatching(/^[A-Za-z0-9+;?&%_.-]{1,20}$/), { nil: undefined })
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6())
  const port = fc.option(fc.integer({ min: 0, max: 65_535 }), { nil: undefined })
  fc.assert(
    fc.property(
      fc.constantFrom('sip' as const, 'sips' as const),
      user,
      host,
      port,
      params,
      (scheme, name, address, at, all) => {
        const made: SipUri = {
          scheme,
          ...(name === undefined ? {} : { user: name }),
          host: address,
          ...(at === undefined ? {} : { port: at }),
          params: new Map(Object.entries(all)),
        }
        assert.deepEqual(parseSipUri(uriText(made)), { ok: true, value: made })
      },
    ),
  )
})

test('no text makes the URI parser throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('', 'sip:', 'sips:a@', 'tel:+'), (text, start) => {
      const parsed = parseSipUri(start + text)
      if (parsed.ok) uriText(parsed.value)
    }),
  )
})

test('URIs are compared as RFC 3261 section 19.1.4 says', () => {
  const same: [string, string][] = [
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;newparam=5'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
    ['tel:+1-201-555-0123', 'tel:+12015550123'],
  ]
  const different: [string, string][] = [
    ['sip:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:a@b', 'sips:a@b'],
    ['tel:+12015550123', 'tel:12015550123'],
  ]
  for (const [a, b] of same) assert.ok(sameUri(uri(a), uri(b)) && sameUri(uri(b), uri(a)), `${a} and ${b}`)
  for (const [a, b] of different) assert.ok(!sameUri(uri(a), uri(b)) && !sameUri(uri(b), uri(a)), `${a} and ${b}`)
})
