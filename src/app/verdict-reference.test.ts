import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusedCodes } from '#recording-server'
import { vendorReference, verdictReference } from './verdict-reference.ts'

test('the reference of verdicts has every code that can be refused, each with a section of an RFC, and the products', () => {
  const text = verdictReference()
  for (const [code, status] of Object.entries(refusedCodes)) {
    const row = new RegExp(`^\\| \`${code}\` \\| (?:error|warning) \\| RFC \\d{4} section [^|]+ \\| ${status} \\|`, 'm')
    assert.match(text, row)
  }
  assert.doesNotMatch(text, /no-sip-srs/)
  assert.match(vendorReference(), /Cisco CUBE.*AudioCodes/)
})
