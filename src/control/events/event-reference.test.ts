import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventReference } from './event-reference.ts'
import { eventVocabulary } from './event-vocabulary.ts'

test('the reference page has every type of event once, with the fields of its data', () => {
  const rows = eventReference().match(/^\| `[a-z-]+\.[a-z-]+` \|.*$/gm) ?? []
  const types = rows.map((row) => /`([^`]+)`/.exec(row)?.[1])
  assert.deepEqual(types.toSorted(), Object.keys(eventVocabulary).toSorted())
  assert.match(rows.find((row) => row.includes('call.ended')) ?? '', /`durationMs` \(number\).*`reason\?` \(string\)/)
})
