// Scripts from outside: what is taken, and what is refused in words.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readChaosScript } from './chaos-script.ts'
import { presets } from './presets.ts'

const problemOf = (value: unknown): string => {
  const script = readChaosScript(value)
  return script.ok ? 'none' : script.error
}

test('every preset is a script that could stand in a file', () => {
  for (const [name, preset] of Object.entries(presets)) {
    assert.equal(problemOf(JSON.parse(JSON.stringify(preset))), 'none', name)
    assert.ok(preset.about !== '', name)
  }
})

test('a wrong script is refused with rule, action and what is known', () => {
  assert.match(problemOf('text'), /a list "rules"/)
  assert.match(problemOf({ rules: [{ on: 'nothing', do: [] }] }), /on".*invite, reinvite/)
  assert.match(
    problemOf({ rules: [{ on: 'ack', do: [{ explode: true }] }] }),
    /rule 1, action 1: unknown action explode.*delay, silent/,
  )
  assert.match(problemOf({ rules: [{ on: 'ack', do: [{ delay: -1 }] }] }), /delay has a value/)
  assert.match(problemOf({ rules: [{ on: 'ack', do: [{ delay: 1, silent: true }] }] }), /one key/)
  assert.match(problemOf({ rules: [{ on: 'invite', do: [{ answer: { linez: 'fewer' } }] }] }), /answer has a value/)
  assert.match(problemOf({ rules: [{ on: 'ack', ms: 5, do: [] }] }), /"ms" belongs/)
  assert.match(problemOf({ rules: [{ on: 'after-ms', do: [] }] }), /"ms" belongs/)
})
