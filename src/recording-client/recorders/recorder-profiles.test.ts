import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSipUri } from '#sip'
import { defaultProfile } from '../recorder-profile.ts'
import { createProfileChoice } from './recorder-profiles.ts'

const rule = (name: string, ...hosts: string[]) => ({ hosts, profile: { ...defaultProfile, name } })
const RULES = [
  rule('one', 'srs.bank.example'),
  rule('domain', '.bank.example'),
  rule('network', '10.3.0.0/16', '2001:db8::/32'),
]

function chosen(text: string, rules = RULES): string {
  const uri = parseSipUri(text)
  assert.ok(uri.ok)
  return createProfileChoice(rules)(uri.value).name
}

for (const [uri, name] of [
  ['sip:srs.bank.example', 'one'],
  ['sips:any@SRS.Bank.Example:5061;transport=tls', 'one'],
  ['sip:other.bank.example', 'domain'],
  ['sip:bank.example', 'default'],
  ['sip:srs.bank.example.evil.test', 'default'],
  ['sip:10.3.255.1:5070', 'network'],
  ['sip:10.4.0.1', 'default'],
  ['sip:[2001:db8::7]', 'network'],
] as const) {
  test(`the profile of ${uri} is ${name}`, () => assert.equal(chosen(uri), name))
}

test('a rule without hosts holds for every recorder that none before it names', () => {
  const rules = [...RULES, rule('all')]
  assert.equal(chosen('sip:10.4.0.1', rules), 'all')
  assert.equal(chosen('sip:10.3.0.1', rules), 'network')
})
