import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededIds } from '#kernel'
import { RELAYED } from './codecs.ts'
import { LegSdp } from './leg-sdp.ts'

const LOCAL = { host: '192.0.2.10', rtpPort: 20_000, rtcpPort: 20_001 }
const OUR_ENCODINGS = ['PCMU/8000', 'TELEPHONE-EVENT/8000']

function leg(): LegSdp {
  return new LegSdp({ sessionId: '1', local: LOCAL, ids: seededIds(3) })
}

function bytes(lines: readonly string[]): Uint8Array {
  const head = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0']
  return new TextEncoder().encode(`${[...head, ...lines].join('\r\n')}\r\n`)
}

function lines(description: Uint8Array, prefix: string): string[] {
  return new TextDecoder()
    .decode(description)
    .split('\r\n')
    .filter((line) => line.startsWith(prefix))
}

const attribute = fc.oneof(
  fc.string({ maxLength: 20 }).map((text) => `a=${text}`),
  fc.constantFrom('a=label:a b', 'a=sendonly', 'a=rtcp:x', 'a=rtpmap:96 telephone-event/8000', 'c=IN IP4 0.0.0.0'),
)
const section = fc
  .tuple(
    fc.constantFrom('audio', 'video', 'image', 'x'),
    fc.integer({ min: 0, max: 70_000 }),
    fc.constantFrom('RTP/AVP', 'RTP/SAVP', 'udptl'),
    fc.array(fc.integer({ min: 0, max: 130 }), { maxLength: 5 }),
    fc.array(attribute, { maxLength: 4 }),
  )
  .map(([kind, port, protocol, formats, attributes]) => [
    `m=${kind} ${port} ${protocol} ${formats.join(' ')}`,
    ...attributes,
  ])

test('any offer is either refused or answered line by line, and never more than one line is taken', () => {
  fc.assert(
    fc.property(fc.array(section, { maxLength: 5 }), (sections) => {
      const sdp = leg()
      const offer = bytes(sections.flat())
      const taken = sdp.takeOffer(offer)
      if (!taken.ok) {
        assert.ok([400, 488].includes(taken.error.status))
        assert.equal(sdp.state, 'stable')
        return
      }
      const answered = lines(sdp.answer(taken.value.encodings, 'sendrecv'), 'm=')
      const offered = lines(offer, 'm=')
      assert.deepEqual(
        answered.map((line) => line.split(' ')[0]),
        offered.map((line) => line.split(' ')[0]),
      )
      assert.equal(answered.filter((line) => line.split(' ')[1] !== '0').length, 1)
      assert.equal(sdp.state, 'stable')
    }),
    { numRuns: 500 },
  )
})

test('any bytes as answer are refused or taken, and a refused one leaves our offer open', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.array(section, { maxLength: 3 })), (said) => {
      const sdp = leg()
      sdp.offer(RELAYED, 'sendrecv')
      const taken = sdp.takeAnswer(said instanceof Uint8Array ? said : bytes(said.flat()))
      assert.equal(sdp.state, taken.ok ? 'stable' : 'local-offer')
    }),
  )
})

test('SIP-18: the payload types of an exchange are those of either side', () => {
  const sdp = leg()
  sdp.offer(OUR_ENCODINGS, 'sendrecv')
  const answer = ['m=audio 4000 RTP/AVP 0 97', 'a=rtpmap:97 telephone-event/8000', 'a=rtcp:4999']
  assert.ok(sdp.takeAnswer(bytes(answer)).ok)
  assert.deepEqual(sdp.media.codecs, [
    { encoding: 'PCMU/8000', receivePayloadType: 0, sendPayloadType: 0 },
    { encoding: 'TELEPHONE-EVENT/8000', receivePayloadType: 101, sendPayloadType: 97 },
  ])
  assert.deepEqual(sdp.media.remote?.rtcp, { host: '192.0.2.1', port: 4999 })
})

test('a payload type stays bound to its format, and a number that is taken is not offered for another', () => {
  const sdp = leg()
  const offer = ['m=audio 4000 RTP/AVP 101 0', 'a=rtpmap:101 PCMA/8000']
  assert.ok(sdp.takeOffer(bytes(offer)).ok)
  sdp.answer(['PCMA/8000', 'PCMU/8000'], 'sendrecv')
  const again = sdp.offer(['PCMA/8000', 'PCMU/8000', 'TELEPHONE-EVENT/8000'], 'sendonly')
  assert.deepEqual(lines(again, 'm='), ['m=audio 20000 RTP/AVP 101 0 96'])
})

test('a refused re-offer changes nothing, whoever made it', () => {
  const sdp = leg()
  const offer = ['m=audio 4000 RTP/AVP 0']
  assert.ok(sdp.takeOffer(bytes(offer)).ok)
  sdp.answer(['PCMU/8000'], 'sendrecv')
  const before = sdp.media
  sdp.offer(['PCMA/8000'], 'inactive')
  sdp.abandonOffer()
  assert.ok(sdp.takeOffer(bytes(['m=audio 4000 RTP/AVP 8', 'a=inactive'])).ok)
  sdp.refuseOffer()
  assert.deepEqual(sdp.media, before)
  assert.deepEqual(lines(sdp.offer(['PCMU/8000'], 'sendrecv'), 'm='), ['m=audio 20000 RTP/AVP 0'])
})

test('the audio in use stays the same line when a re-offer has more of them', () => {
  const sdp = leg()
  assert.ok(sdp.takeOffer(bytes(['m=video 4002 RTP/AVP 31', 'm=audio 4000 RTP/AVP 0'])).ok)
  sdp.answer(['PCMU/8000'], 'sendrecv')
  assert.deepEqual(lines(sdp.offer(['PCMU/8000'], 'sendrecv'), 'm='), [
    'm=video 0 RTP/AVP 31',
    'm=audio 20000 RTP/AVP 0',
  ])
  sdp.abandonOffer()
  assert.ok(sdp.takeOffer(bytes(['m=audio 6000 RTP/AVP 0', 'm=audio 4000 RTP/AVP 0'])).ok)
  assert.deepEqual(lines(sdp.answer(['PCMU/8000'], 'sendrecv'), 'm='), [
    'm=audio 0 RTP/AVP 0',
    'm=audio 20000 RTP/AVP 0',
  ])
})
