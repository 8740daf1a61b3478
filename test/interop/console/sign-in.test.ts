// Signing in and out in Chromium, what a role may see, a session that ends under way, and the audit log.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { ManualClock } from '#kernel'
import { systemClock } from '#net'
import { hashPassword } from '../../../src/control/access/password.ts'
import type { Role } from '../../../src/control/access/scopes.ts'
import { AccountSignIn } from '../../../src/control/access/sign-in.ts'
import { AuditLog } from '../../../src/control/audit/audit-log.ts'
import { createHttpServer } from '../../../src/control/http-server.ts'
import { assertAccessible, assertNoSideScroll, openPage } from '../../harness/browser.ts'
import { consoleFixture } from '../../harness/console-fixture.ts'
import { openAccess } from '../../harness/http-fixture.ts'
import { openTestProgram } from '../../harness/open-program.ts'
import { openSignInService } from '../../harness/sign-in-service.ts'

const PASSWORD = 'correct horse'
const TWO_HOURS_MS = 7_200_000

/** The console of a server where anna has to sign in; `clock` is that of her session. */
async function openConsole(t: TestContext, role: Role, place = 'live') {
  const folder = await mkdtemp(join(tmpdir(), 'audit-'))
  const clock = new ManualClock()
  const signIn = new AccountSignIn([{ name: 'anna', passwordHash: await hashPassword(PASSWORD), role }])
  const server = await createHttpServer({
    ...consoleFixture().options,
    access: openAccess(clock, { isOpen: false, signIn }),
    audit: new AuditLog({ folder, maxBytes: 1_000_000, keepFiles: 10, clock: systemClock }),
    recorders: { list: () => [{ uri: 'sip:srs@192.0.2.10', profile: 'default', state: 'up' }] },
  })
  t.after(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })
  const page = await openPage(t, `http://127.0.0.1:${server.address.port}/#/${place}`, { width: 360 })
  return { page, clock }
}

async function signIn(page: Page, password = PASSWORD): Promise<void> {
  await page.getByLabel('Name').fill('anna')
  await page.getByLabel('Password').fill(password)
  await page.keyboard.press('Enter')
}

test('who has to sign in is told what is wrong, sees what the role allows, and leaves again', async (t) => {
  const { page } = await openConsole(t, 'viewer')
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await assertAccessible(page, 'sign-in')
  await assertNoSideScroll(page, 'sign-in')
  await signIn(page, 'wrong')
  await page.getByText('Name and password do not go together').waitFor()
  await signIn(page)
  await page.getByRole('heading', { name: 'Live calls' }).waitFor()
  assert.equal(await page.getByRole('link', { name: 'Audit' }).count(), 0)
  const commands = page.locator('.card.call button', { hasText: /^(Pause|Pause for…|Resume|Stop|Start recording…)$/ })
  await commands.first().waitFor()
  for (const command of await commands.all()) assert.equal(await command.isDisabled(), true)
  await page.getByText('You may watch calls').first().waitFor()
  assert.equal(await page.getByRole('button', { name: 'Listen' }).count(), 0)
  await page.goto(`${new URL(page.url()).origin}/#/audit`)
  await page.getByText('it needs the scope audit:read').waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  assert.equal(await page.getByText('Your session has ended').count(), 0)
})

test('a session that ends under way is said, and signing in again goes on at the same place', async (t) => {
  const { page, clock } = await openConsole(t, 'viewer', 'recorders')
  await signIn(page)
  await page.getByRole('heading', { name: 'Recorders' }).waitFor()
  clock.advance(TWO_HOURS_MS)
  await page.getByText('Your session has ended').waitFor()
  await signIn(page)
  await page.getByRole('heading', { name: 'Recorders' }).waitFor()
})

test('who signs in by the sign-in service comes back to the same place, sees what the role allows, and leaves both', async (t) => {
  const service = await openSignInService(t)
  service.claims = { preferred_username: 'ben', groups: ['none of ours'] }
  const label = 'Sign in with Example'
  const roles = [{ group: 'staff', role: 'viewer' }]
  const accounts = [{ name: 'anna', passwordHash: await hashPassword(PASSWORD), role: 'admin' }]
  const oidc = { issuer: service.issuer, clientId: 'rec', label, roles }
  const { httpUrl, close } = await openTestProgram({ recorder: true, http: { accounts, oidc } })
  t.after(close)
  const page = await openPage(t, `${httpUrl}/#/recorders?test=sip:a`, { width: 360 })
  await page.getByRole('link', { name: label }).waitFor()
  await assertAccessible(page, 'sign-in with a service')
  await assertNoSideScroll(page, 'sign-in with a service')

  await page.getByRole('link', { name: label }).click()
  await page.getByRole('heading', { name: 'Your account has no role here' }).waitFor()
  await assertAccessible(page, 'no role')
  await assertNoSideScroll(page, 'no role')
  await page.getByRole('link', { name: 'Sign in with another account' }).waitFor()
  await page.getByRole('link', { name: 'Back to the sign-in page' }).click()
  await page.getByRole('link', { name: label }).waitFor()

  service.claims = { preferred_username: 'ben', groups: ['staff'] }
  await page.goto(`${httpUrl}/#/recorders`)
  await page.getByRole('link', { name: label }).click()
  await page.getByRole('heading', { name: 'Recorders', exact: true }).waitFor()
  await page.getByText('ben', { exact: true }).waitFor()
  assert.equal(await page.getByRole('link', { name: 'Audit' }).count(), 0)
  await page.goto(`${httpUrl}/#/audit`)
  await page.getByText('it needs the scope audit:read').waitFor()

  const left = page.waitForRequest((request) => request.url().startsWith(service.issuer))
  await page.getByRole('button', { name: 'Sign out' }).click()
  assert.match((await left).url(), /id_token_hint=eyJ/)
  await page.getByRole('link', { name: label }).waitFor()
})

test('the audit log shows who did what, and filters', async (t) => {
  const { page } = await openConsole(t, 'admin', 'audit')
  await signIn(page, 'wrong')
  await page.getByText('Name and password do not go together').waitFor()
  await signIn(page)
  const entries = page.getByRole('list', { name: 'Entries, newest first' }).getByRole('listitem')
  await entries.first().waitFor()
  assert.equal(await entries.count(), 2)
  assert.match((await entries.first().textContent()) ?? '', /session\.sign-in.*done/)
  assert.match((await entries.last().textContent()) ?? '', /nobody signed in.*session\.sign-in.*anna.*refused/)
  await assertAccessible(page, 'audit')
  await assertNoSideScroll(page, 'audit')
  await page.getByLabel('Action').fill('recording.*')
  await page.keyboard.press('Enter')
  await page.getByText('No entry is so').waitFor()
  await page.getByRole('button', { name: 'Show all' }).click()
  await entries.first().waitFor()
})
