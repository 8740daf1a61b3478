// What the page says when the program goes away, comes back, or does not know the reader any more.

import { test } from 'node:test'
import { hashPassword } from '../../../src/control/access/password.ts'
import { createHttpServer } from '../../../src/control/http-server.ts'
import { openPage } from '../../harness/browser.ts'
import { consoleFixture } from '../../harness/console-fixture.ts'
import { openTestProgram } from '../../harness/open-program.ts'

test('a program that goes away is told of, and the page recovers by itself when it is back', async (t) => {
  const { options } = consoleFixture()
  let server = await createHttpServer(options)
  t.after(() => server.close())
  const { port } = server.address
  const page = await openPage(t, `http://127.0.0.1:${port}/#/live`)
  await page.getByRole('article').first().waitFor()
  await server.close()
  await page.getByText('The program does not answer').first().waitFor()
  server = await createHttpServer({ ...options, port })
  await page.locator('[data-link=live]').waitFor({ state: 'attached' })
  await page.getByText('The program does not answer').first().waitFor({ state: 'detached' })
})

test('a program that was started again knows no session of before: the page says so, and signing in goes on at the same place', async (t) => {
  const accounts = [{ name: 'anna', passwordHash: await hashPassword('correct horse'), role: 'viewer' }]
  const before = await openTestProgram({ recorder: true, http: { accounts } })
  t.after(() => before.close())
  const page = await openPage(t, `${before.httpUrl}/#/recordings`)
  const signIn = async (): Promise<void> => {
    await page.getByLabel('Name').fill('anna')
    await page.getByLabel('Password').fill('correct horse')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Recordings' }).waitFor()
  }
  await signIn()
  await before.close()
  await page.getByText('The program does not answer').first().waitFor()
  const after = await openTestProgram({
    recorder: true,
    http: { accounts, port: Number(new URL(before.httpUrl).port) },
  })
  t.after(() => after.close())
  await page.getByText('Your session has ended').waitFor()
  await signIn()
  await page.getByText('Nothing has been recorded yet').waitFor()
})

test('without a stream of events the page asks again and again, and says so', async (t) => {
  const { options, calls } = consoleFixture(1)
  const { events: _none, ...withoutEvents } = options
  const server = await createHttpServer(withoutEvents)
  t.after(() => server.close())
  const page = await openPage(t, `http://127.0.0.1:${server.address.port}/#/live`)
  await page.getByText('The stream of events is interrupted').waitFor()
  await page.getByRole('article').waitFor()
  calls.length = 0
  await page.getByText('Nobody is talking right now').waitFor()
})
