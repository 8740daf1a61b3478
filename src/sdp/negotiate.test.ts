import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecsOf } from './codec.ts'
import { LocalDescription } from './local-description.ts'
import { answerProblems, negotiateCodecs, refusedMedia } from './negotiate.ts'
import { parseSdp } from './parser.ts'
import { labelOf, type SessionDescription } from './session-description.ts'

function sdp(...media: string[]): SessionDescription {
  const result = parseSdp(['v=0', 'o=- 1 1 IN IP4 h', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', ...media].join('\n'))
  assert.ok(result.ok)
  return result.value
}

test("SRC-32: common codecs keep the offerer's order and payload types", () => {
  const offered = codecsOf(
    sdp('m=audio 4000 RTP/AVP 107 0 97', 'a=rtpmap:107 PCMA/8000', 'a=rtpmap:97 telephone-event/8000').media[0]!,
  )
  assert.deepEqual(negotiateCodecs(offered, ['PCMU/8000', 'PCMA/8000', 'telephone-event/8000']), [
    { payloadType: 107, encoding: 'PCMA/8000' },
    { payloadType: 0, encoding: 'PCMU/8000' },
    { payloadType: 97, encoding: 'TELEPHONE-EVENT/8000' },
  ])
})

test('tones and comfort noise alone are nothing in common', () => {
  const offered = codecsOf(sdp('m=audio 4000 RTP/AVP 18 13 97', 'a=rtpmap:97 telephone-event/8000').media[0]!)
  assert.deepEqual(negotiateCodecs(offered, ['PCMU/8000', 'CN/8000', 'TELEPHONE-EVENT/8000']), [])
})

test('a refused media description keeps its place, kind, formats and label', () => {
  const offer = sdp('m=image 4000 udptl t38', 'a=label:9')
  const bytes = new LocalDescription({ sessionId: '1', address: '192.0.2.1' }).describe(offer.media.map(refusedMedia))
  const result = parseSdp(bytes)
  assert.ok(result.ok)
  const media = result.value.media[0]!
  assert.deepEqual(
    [media.kind, media.port, media.protocol, media.formats, labelOf(media)],
    ['image', 0, 'udptl', ['t38'], '9'],
  )
})

test('SIP-18: a legal answer has no problems, each broken one is named', () => {
  const offer = sdp(
    'm=audio 4000 RTP/AVP 0',
    'a=sendonly',
    'm=audio 4002 RTP/AVP 0',
    'a=sendonly',
    'm=audio 0 RTP/AVP 0',
  )
  const problems = (...media: string[]): string[] => answerProblems(offer, sdp(...media))
  const second = ['m=audio 0 RTP/AVP 0', 'm=audio 0 RTP/AVP 0']
  assert.deepEqual(problems('m=audio 5000 RTP/AVP 0', 'a=recvonly', ...second), [])
  assert.deepEqual(problems('m=audio 5000 RTP/AVP 96', 'a=rtpmap:96 PCMU/8000', 'a=inactive', ...second), [])
  assert.equal(problems('m=audio 5000 RTP/AVP 0', 'a=recvonly').length, 1)
  assert.match(problems('m=audio 5000 RTP/AVP 0', 'a=sendrecv', ...second)[0]!, /direction/)
  assert.match(problems('m=audio 5000 RTP/AVP 8', 'a=recvonly', ...second)[0]!, /codec/)
  assert.match(problems('m=video 5000 RTP/AVP 0', 'a=recvonly', ...second)[0]!, /kind/)
  assert.match(problems('m=audio 5000 RTP/SAVP 0', 'a=recvonly', ...second)[0]!, /protocol/)
  assert.match(problems(second[0]!, second[0]!, 'm=audio 5000 RTP/AVP 0', 'a=inactive')[0]!, /port 0/)
})
