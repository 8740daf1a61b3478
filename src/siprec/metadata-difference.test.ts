import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { randomMetadata } from '../../test/harness/random-metadata.ts'
import { emptyMetadata } from './metadata.ts'
import { changesOf, isEmptyMetadata } from './metadata-difference.ts'

test('a document has no changes against itself', () => {
  fc.assert(
    fc.property(randomMetadata, (random) => {
      const { participants, streams } = random
      const document = {
        ...emptyMetadata('complete'),
        participants: participants.slice(0, 1),
        streams: streams.slice(0, 1),
      }
      const changes = changesOf(document, document)
      assert.ok(changes !== undefined && isEmptyMetadata(changes))
    }),
  )
})

test('META-25: what is gone cannot be told by a partial document', () => {
  fc.assert(
    fc.property(randomMetadata, (document) => {
      fc.pre(document.streams.length > 0)
      assert.equal(changesOf(document, { ...document, streams: [] }), undefined)
      assert.equal(changesOf({ ...document, streams: [] }, document)?.streams.length, document.streams.length)
    }),
  )
})
