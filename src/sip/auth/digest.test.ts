import assert from 'node:assert/strict'
import test from 'node:test'
import { type DigestInput, digestAlgorithm, digestResponse, hashedUsername } from './digest.ts'

const MUFASA: Omit<DigestInput, 'algorithm'> = {
  username: 'Mufasa',
  realm: 'http-auth@example.org',
  password: 'Circle of Life',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  nonceCount: '00000001',
  qop: 'auth',
  method: 'GET',
  uri: '/dir/index.html',
  body: new Uint8Array(0),
}

function algorithm(name: string): DigestInput['algorithm'] {
  const found = digestAlgorithm(name)
  assert.ok(found)
  return found
}

test('SEC-17: SHA-256 and MD5 give the responses of RFC 7616 section 3.9.1', () => {
  const response = (name: string): string => digestResponse({ ...MUFASA, algorithm: algorithm(name) })
  assert.equal(response('MD5'), '8ca523f5e9506fed4657c9700eebdbec')
  assert.equal(response('SHA-256'), '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1')
})

// The values printed in section 3.9.2 were made with SHA-512 cut short; these are those of its erratum 4897.
test('SEC-17: SHA-512-256 gives the hashed name and the response of RFC 7616 section 3.9.2 as corrected', () => {
  const parts = { username: 'J\u00e4s\u00f8n Doe', realm: 'api@example.org', algorithm: algorithm('sha-512-256') }
  assert.equal(
    hashedUsername(parts.algorithm, parts.username, parts.realm),
    '793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b',
  )
  const response = digestResponse({
    ...MUFASA,
    ...parts,
    password: 'Secret, or not?',
    nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK',
    cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
    uri: '/doe.json',
  })
  assert.equal(response, '3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5')
})

test('SEC-17: a -sess algorithm and auth-int change the response, and an empty body counts as empty text', () => {
  const input = { ...MUFASA, algorithm: algorithm('SHA-256') }
  const responses = [
    digestResponse(input),
    digestResponse({ ...input, algorithm: algorithm('SHA-256-sess') }),
    digestResponse({ ...input, qop: 'auth-int' }),
    digestResponse({ ...input, qop: 'auth-int', body: Buffer.from('v=0') }),
  ]
  assert.equal(new Set(responses).size, 4)
})

test('SEC-17: no algorithm means MD5, an unknown one is none of ours', () => {
  assert.equal(digestAlgorithm(undefined)?.name, 'MD5')
  assert.equal(digestAlgorithm('AKAv1-MD5'), undefined)
})
