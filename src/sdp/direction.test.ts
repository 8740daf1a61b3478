import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerDirection, type Direction, directionOf, holdOf, isHeld, reverseDirection } from './direction.ts'
import { parseSdp } from './parser.ts'
import { remoteOf, type SdpMedia, type SessionDescription } from './session-description.ts'

const DIRECTIONS: Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive']

function described(lines: string[], address = '192.0.2.1'): [SdpMedia, SessionDescription] {
  const text = `v=0\no=- 1 1 IN IP4 h\ns=-\nc=IN IP4 ${address}\nt=0 0\n${lines.join('\n')}\n`
  const result = parseSdp(text)
  assert.ok(result.ok)
  return [result.value.media[0]!, result.value]
}

test('the direction is that of the media, else of the session, else sendrecv', () => {
  assert.equal(directionOf(...described(['a=inactive', 'm=audio 4000 RTP/AVP 0', 'a=sendonly'])), 'sendonly')
  assert.equal(directionOf(...described(['a=inactive', 'm=audio 4000 RTP/AVP 0'])), 'inactive')
  assert.equal(directionOf(...described(['m=audio 4000 RTP/AVP 0'])), 'sendrecv')
})

test('SIP-19: sendonly, inactive and the null address are holds, in either form', () => {
  const hold = (direction: string, address?: string): string =>
    holdOf(...described(['m=audio 4000 RTP/AVP 0', `a=${direction}`], address))
  assert.equal(hold('sendrecv'), 'none')
  assert.equal(hold('sendonly'), 'sendonly')
  assert.equal(hold('inactive'), 'inactive')
  assert.equal(hold('sendrecv', '0.0.0.0'), 'sendonly')
  assert.equal(hold('inactive', '0.0.0.0'), 'inactive')
  assert.equal(isHeld(...described(['m=audio 0 RTP/AVP 0', 'a=inactive'])), false)
})

test('SIP-19: the answer to a hold is not itself a hold', () => {
  const answer = (direction: Direction): [SdpMedia, SessionDescription] =>
    described(['m=audio 4000 RTP/AVP 0', `a=${direction}`])
  assert.equal(isHeld(...answer('recvonly'), 'sendonly'), false)
  assert.equal(isHeld(...answer('inactive'), 'inactive'), false)
  assert.equal(isHeld(...answer('sendonly'), 'recvonly'), false)
  assert.equal(isHeld(...answer('inactive'), 'sendonly'), true, 'both hold at once')
})

test('SRS-11: a party that only receives answers recvonly or inactive, as the offer allows', () => {
  assert.deepEqual(
    DIRECTIONS.map((offered) => answerDirection(offered, 'recvonly')),
    ['recvonly', 'recvonly', 'inactive', 'inactive'],
  )
})

test('an answer direction never sends or receives beyond the offer', () => {
  for (const offered of DIRECTIONS) {
    assert.equal(answerDirection(offered, 'sendrecv'), reverseDirection(offered))
    assert.equal(answerDirection('sendrecv', offered), offered)
    assert.equal(answerDirection(offered, 'inactive'), 'inactive')
  }
})

test('SRS-19: c=0.0.0.0 with a port is understood: nothing is sent there', () => {
  assert.equal(remoteOf(...described(['m=audio 4000 RTP/AVP 0'], '0.0.0.0')), undefined)
  assert.equal(remoteOf(...described(['m=audio 4000 RTP/AVP 0', 'c=IN IP6 ::'])), undefined)
  assert.equal(isHeld(...described(['m=audio 4000 RTP/AVP 0'], '0.0.0.0')), true)
})

test('the remote RTCP address is the next port unless a=rtcp names another', () => {
  const of = (...lines: string[]): unknown =>
    remoteOf(...described(['m=audio 4000 RTP/AVP 0', ...lines], '192.0.2.9/127'))
  const rtp = { host: '192.0.2.9', port: 4000 }
  assert.deepEqual(of(), { rtp, rtcp: { host: '192.0.2.9', port: 4001 } })
  assert.deepEqual(of('a=rtcp:5003'), { rtp, rtcp: { host: '192.0.2.9', port: 5003 } })
  assert.deepEqual(of('a=rtcp:5003 IN IP4 192.0.2.7'), { rtp, rtcp: { host: '192.0.2.7', port: 5003 } })
  assert.deepEqual(of('a=rtcp:none'), { rtp, rtcp: { host: '192.0.2.9', port: 4001 } })
  assert.equal(remoteOf(...described(['m=audio 0 RTP/AVP 0'])), undefined)
})
