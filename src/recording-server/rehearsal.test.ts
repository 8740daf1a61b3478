import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rehearse } from './rehearsal.ts'

test('the invitation that is rehearsed is one without fault, and accepted with both streams', () => {
  assert.ok(rehearse())
})
