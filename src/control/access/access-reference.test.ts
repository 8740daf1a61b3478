import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessReference } from './access-reference.ts'
import { scopeNames } from './scopes.ts'

test('the page of access says of every scope which roles have it', () => {
  const rows = accessReference().match(/^\| `[a-z:]+` \|.*$/gm) ?? []
  assert.deepEqual(
    rows.map((row) => /`([^`]+)`/.exec(row)?.[1]),
    scopeNames,
  )
  const played = rows
    .find((row) => row.includes('recordings:play'))
    ?.split('|')
    .map((cell) => cell.trim())
    .slice(3, 8)
  assert.deepEqual(played, ['', '', 'yes', 'yes', 'yes'])
})
