import assert from 'node:assert/strict'
import test from 'node:test'
import { parseAuthValues } from './challenge.ts'

function read(text: string): string[] {
  return parseAuthValues(text).map(({ scheme, params }) => `${scheme} ${JSON.stringify([...params])}`)
}

test('a header value may hold several challenges, with white space and commas as they come', () => {
  assert.deepEqual(read('Basic realm="x", Digest realm="a, b" ,nonce = "n\\"1",, stale=TRUE , NTLM'), [
    'basic [["realm","x"]]',
    'digest [["realm","a, b"],["nonce","n\\\\\\"1"],["stale","TRUE"]]',
    'ntlm []',
  ])
})

test('what is malformed ends the reading and never throws', () => {
  assert.deepEqual(read('Digest realm="open'), ['digest []'])
  assert.deepEqual(read('realm="x"'), [])
  assert.deepEqual(read('Digest realm="x", ;'), ['digest [["realm","x"]]'])
  assert.deepEqual(read(''), [])
  assert.equal(parseAuthValues(`Digest ${'a=1,'.repeat(1000)}`)[0]?.params.size, 1)
})
