import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutKeys } from './trace.ts'

const clean = (text: string): string => new TextDecoder().decode(withoutKeys(new TextEncoder().encode(text)))

for (const [written, shown] of [
  ['response="6629fae49393a05397450978507c4ef1"', 'response="********************************"'],
  ['RESPONSE="6629fae4"', 'RESPONSE="********"'],
  ['Response = "6629fae4"', 'Response = "********"'],
  ['response\t=\r\n "6629fae4"', 'response\t=\r\n "********"'],
  ['response=6629fae4', 'response=********'],
] as const) {
  test(`a response to a challenge is written over, and nothing else: ${JSON.stringify(written)}`, () => {
    const [head, tail] = [
      'Authorization: Digest username="alice", ',
      ', algorithm=SHA-256\r\nContent-Length: 0\r\n\r\n',
    ]
    assert.equal(clean(head + written + tail), head + shown + tail)
  })
}

test('keys of SRTP are written over, each of them, with bytes before them that are no ASCII', () => {
  const line = 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4 KDR=0'
  const sdp = `s=Gespräch\r\n${line}\r\n${line}\r\n`
  assert.equal(
    clean(sdp),
    sdp.replaceAll(/inline:\S+/g, (key) => `inline:${'*'.repeat(key.length - 7)}`),
  )
})

test('a message without secrets is given back as it is', () => {
  const bytes = new TextEncoder().encode('OPTIONS sip:bob@example.com SIP/2.0\r\nSubject: response\r\n\r\n')
  assert.equal(withoutKeys(bytes), bytes)
})
