// The `lint` command: files in, text or JSON and an exit code out.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lintFile } from './lint.ts'

test('a clean document is exit code 0, one with errors 1, a file that is not there 2', async () => {
  const clean = await lintFile('test/fixtures/metadata/call-complete.xml', false)
  assert.deepEqual([clean.exitCode, clean.output.includes('0 errors')], [0, true])
  const wrong = await lintFile('test/fixtures/vendors/jambonz.txt', true)
  const { errors } = JSON.parse(wrong.output) as { errors: number }
  assert.deepEqual([wrong.exitCode, errors > 0], [1, true])
  const absent = await lintFile('test/fixtures/absent.xml', false)
  assert.deepEqual([absent.exitCode, absent.output.includes('ENOENT')], [2, true])
})
