import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ClaimRules, identityOf, isShort } from './claims.ts'

const rules: ClaimRules = {
  groupsClaim: 'groups',
  nameClaim: 'preferred_username',
  roles: [
    { group: 'staff', role: 'viewer' },
    { group: 'leads', role: 'supervisor' },
    { group: 'more leads', role: 'supervisor' },
  ],
  defaultRole: 'none',
  allowedDomains: [],
  allowedGroups: [],
}

function rolesOf(claims: Readonly<Record<string, unknown>>, change: Partial<ClaimRules> = {}) {
  const found = identityOf({ sub: 's-1', ...claims }, { ...rules, ...change })
  return found.ok ? found.value.roles : found.error
}

test('who is in several groups has all of their roles, each once, and who is in none has the default, if there is one', () => {
  assert.deepEqual(rolesOf({ groups: ['leads', 'more leads', 'staff', 7, null] }), ['viewer', 'supervisor'])
  assert.deepEqual(rolesOf({ groups: 'staff' }), ['viewer'])
  assert.equal(rolesOf({ groups: ['staffing', 'Staff'] }), 'no-role')
  assert.equal(rolesOf({ groups: { staff: true } }), 'no-role')
  assert.deepEqual(rolesOf({}, { defaultRole: 'agent' }), ['agent'])
})

test('a claim is found by its whole name, dots included, and by the path that a name is', () => {
  const [name, path] = [{ groupsClaim: 'https://example.com/groups' }, { groupsClaim: 'realm_access.roles' }]
  assert.deepEqual(rolesOf({ 'https://example.com/groups': ['staff'] }, name), ['viewer'])
  assert.deepEqual(rolesOf({ realm_access: { roles: ['staff'] } }, path), ['viewer'])
  assert.equal(rolesOf({ realm_access: 'staff' }, path), 'no-role')
  assert.equal(rolesOf({ groups: ['staff'] }, { groupsClaim: 'constructor.name' }), 'no-role')
})

test('a domain counts where the provider vouches for it, whatever its case', () => {
  const change = { defaultRole: 'viewer', allowedDomains: ['Example.com'] } as const
  const verified = (email: unknown) => rolesOf({ email, email_verified: true }, change)
  assert.deepEqual(verified('Anna@EXAMPLE.com'), ['viewer'])
  assert.deepEqual(rolesOf({ hd: 'example.com' }, change), ['viewer'])
  assert.equal(rolesOf({ email: 'anna@example.com', email_verified: 'true' }, change), 'not-allowed')
  for (const email of ['anna@sub.example.com', 'anna@notexample.com', 'example.com@', '', 7]) {
    assert.equal(verified(email), 'not-allowed', String(email))
  }
})

test('who is of no allowed group stays out, whatever role there is for the rest', () => {
  const change = { defaultRole: 'viewer', allowedGroups: ['staff'] } as const
  assert.deepEqual(rolesOf({ groups: ['staff'] }, change), ['viewer'])
  assert.equal(rolesOf({ groups: ['leads'] }, change), 'not-allowed')
})

test('somebody without the claim of the name has another, without what cannot be printed', () => {
  const nameOf = (claims: Readonly<Record<string, unknown>>) => {
    const found = identityOf(claims, { ...rules, defaultRole: 'viewer' })
    return found.ok ? found.value.name : found.error
  }
  assert.equal(nameOf({ preferred_username: 'an\u0000na\u202e', email: 'a@b' }), 'anna')
  assert.equal(nameOf({ preferred_username: ' ', email: 'a@b', sub: 's' }), 'a@b')
  assert.equal(nameOf({ sub: 's' }), 's')
  assert.equal(nameOf({ sub: 'x'.repeat(500) }).length, 128)
})

test('more is asked for where a claim that decides is missing', () => {
  const full = { preferred_username: 'anna', groups: [] }
  assert.equal(isShort(full, rules), false)
  assert.equal(isShort({ groups: [] }, rules), true)
  assert.equal(isShort({ preferred_username: 'anna' }, rules), true)
  assert.equal(isShort({ preferred_username: 'anna' }, { ...rules, roles: [] }), false)
  assert.equal(isShort(full, { ...rules, allowedDomains: ['example.com'] }), true)
})
