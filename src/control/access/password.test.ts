import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashPassword, passwordHashPattern, verifyPassword } from './password.ts'
import { AccountSignIn } from './sign-in.ts'

test('a hash is of its password only, and two hashes of one password differ', async () => {
  const [one, other] = await Promise.all([hashPassword('tree'), hashPassword('tree')])
  assert.notEqual(one, other)
  assert.match(one, new RegExp(passwordHashPattern))
  assert.equal(await verifyPassword(one, 'tree'), true)
  assert.equal(await verifyPassword(other, 'tree'), true)
  assert.equal(await verifyPassword(one, 'Tree'), false)
  assert.equal(await verifyPassword(one, ''), false)
})

test('what is no hash fits no password', async () => {
  const key = 'A'.repeat(43)
  for (const hash of [
    '',
    'tree',
    `scrypt$1000$8$1$${'A'.repeat(22)}$short`,
    `scrypt$1001$8$1$${'A'.repeat(22)}$${key}`,
  ]) {
    assert.equal(await verifyPassword(hash, 'tree'), false, hash)
  }
})

test('an account signs in with its own password, with the scopes of its role', async () => {
  const signIn = new AccountSignIn([{ name: 'anna', passwordHash: await hashPassword('tree'), role: 'viewer' }])
  const anna = await signIn.signIn('anna', 'tree')
  assert.equal(anna?.name, 'anna')
  assert.ok(anna?.scopes.includes('calls:read') && !anna.scopes.includes('calls:control'))
  assert.equal(await signIn.signIn('anna', 'bush'), undefined)
  assert.equal(await signIn.signIn('nobody', 'nobody'), undefined)
})
