import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InvariantError } from '#kernel'
import { LocalDescription, type LocalMedia } from './local-description.ts'
import { parseSdp } from './parser.ts'
import { isToken, labelOf, type SessionDescription } from './session-description.ts'

const PCMU = { payloadType: 0, encoding: 'PCMU/8000' }

function audio(over: Partial<LocalMedia> = {}): LocalMedia {
  return {
    kind: 'audio',
    port: 40_000,
    protocol: 'RTP/AVP',
    codecs: [PCMU],
    direction: 'sendonly',
    label: '1',
    ...over,
  }
}

function local(): LocalDescription {
  return new LocalDescription({ sessionId: '3981', username: 'gw', address: '192.0.2.10' })
}

function read(bytes: Uint8Array): SessionDescription {
  const result = parseSdp(bytes)
  assert.ok(result.ok)
  assert.deepEqual(result.value.warnings, [])
  return result.value
}

test('the text of an offer is exactly this', () => {
  const events = { payloadType: 101, encoding: 'TELEPHONE-EVENT/8000', fmtp: '0-15' }
  const bytes = local().describe([
    audio({ codecs: [PCMU, events], rtcpPort: 40_003, extra: [{ name: 'ptime', value: '20' }] }),
  ])
  assert.deepEqual(new TextDecoder().decode(bytes).split('\r\n'), [
    'v=0',
    'o=gw 3981 1 IN IP4 192.0.2.10',
    's=-',
    'c=IN IP4 192.0.2.10',
    't=0 0',
    'm=audio 40000 RTP/AVP 0 101',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    'a=rtcp:40003',
    'a=ptime:20',
    'a=sendonly',
    'a=label:1',
    '',
  ])
})

test('SRC-31: an offer lists the formats given, no others', () => {
  const g729 = { payloadType: 18, encoding: 'G729/8000' }
  assert.deepEqual(read(local().describe([audio({ codecs: [g729] })])).media[0]!.formats, ['18'])
})

test('SRC-33: the o= version rises by one when the text changes and stays when it does not', () => {
  const mine = local()
  const version = (media: LocalMedia[]): string => read(mine.describe(media)).origin.sessionVersion
  assert.equal(mine.current(), undefined)
  assert.equal(version([audio()]), '1')
  assert.equal(version([audio()]), '1')
  assert.equal(version([audio({ direction: 'inactive' })]), '2')
  assert.equal(version([audio({ direction: 'inactive' })]), '2')
  assert.equal(version([audio()]), '3')
  assert.equal(read(mine.current()!).origin.sessionVersion, '3')
})

test('SRC-33: a media description left out stays in its place with port 0 and its label', () => {
  const mine = local()
  mine.describe([audio(), audio({ label: '2', port: 40_002 })])
  const media = read(mine.describe([audio()])).media
  assert.deepEqual(
    media.map((each) => [each.port, labelOf(each)]),
    [
      [40_000, '1'],
      [0, '2'],
    ],
  )
})

const slot: fc.Arbitrary<LocalMedia> = fc.record({
  kind: fc.constant('audio'),
  port: fc.constantFrom(0, 40_000, 40_002),
  protocol: fc.constant('RTP/AVP'),
  codecs: fc.constantFrom([PCMU], [{ payloadType: 8, encoding: 'PCMA/8000' }]),
  direction: fc.constantFrom('sendonly' as const, 'inactive' as const),
  label: fc.nat(20).map(String),
})

test('SRC-26, SRC-33: over any series of re-offers slots never vanish, labels stay and the version counts changes', () => {
  fc.assert(
    fc.property(fc.array(fc.array(slot, { maxLength: 4 }), { minLength: 1, maxLength: 8 }), (offers) => {
      const mine = local()
      let count = 0
      let previous = ''
      let version = 0n
      for (const offer of offers) {
        const bytes = mine.describe(offer)
        const description = read(bytes)
        const body = new TextDecoder().decode(bytes)
        assert.ok(description.media.length >= count)
        assert.ok(description.media.every((each) => labelOf(each) !== undefined || each.port === 0))
        const next = BigInt(description.origin.sessionVersion)
        assert.equal(next, body === previous ? version : version + 1n)
        count = description.media.length
        previous = body
        version = next
      }
    }),
  )
})

test('SEC-12: of a slot that is removed no key is kept, and the description goes on all the same', () => {
  const before = local()
  const extra = [{ name: 'crypto', value: '1 AES_CM_128_HMAC_SHA1_80 inline:secret' }]
  before.describe([audio({ extra }), audio({ label: '2', extra })])
  before.describe([audio({ port: 0, extra }), audio({ label: '2', extra })])
  const kept = before.kept()
  assert.deepEqual(
    kept.media.map((slot) => slot.extra),
    [undefined, extra],
  )
  const after = local()
  after.resume(kept)
  assert.deepEqual(after.current(), before.current())
})

test('SRC-27: only a token is written as a label', () => {
  for (const label of ['1', 'a_leg', '16777227']) assert.equal(isToken(label), true)
  for (const label of ['', 'a b', 'a/b', 'YQ==', 'a:b', '(a)', 'é']) {
    assert.equal(isToken(label), false)
    assert.throws(() => local().describe([audio({ label })]), InvariantError)
  }
})

test('an IPv6 address is announced as one', () => {
  const mine = new LocalDescription({ sessionId: '1', address: '2001:db8::1' })
  assert.equal(read(mine.describe([audio()])).connection?.addressType, 'IP6')
})
