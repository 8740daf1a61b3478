// The pages of the flows in Chromium, over the real program: picture, mistakes with their places, dry run, changed files.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { assertAccessible, assertNoSideScroll, openPage, type PageOptions } from '../../harness/browser.ts'
import { openTestProgram, type TestProgram } from '../../harness/open-program.ts'
import { until } from '../../harness/until.ts'

const flow = `name: reception
nodes:
  - { type: answer }
  - { type: collect, maxDigits: 1, into: context.key }
  - type: switch
    value: '{{ context.key.digits }}'
    cases:
      - { when: '1', nodes: [{ type: dial, target: '{{ input.callee }}' }] }
      - { when: '2', nodes: [{ type: hangup }] }
  - { type: wait, ms: 1000 }
`

async function openFlows(
  t: TestContext,
  place = 'flows/flow.yaml',
  options: PageOptions = {},
): Promise<{ page: Page; opened: TestProgram }> {
  const opened = await openTestProgram({ flow })
  t.after(() => opened.close())
  return { opened, page: await openPage(t, `${opened.httpUrl}/#/${place}`, options) }
}

test('a flow shows its picture and its source; the dry run says node by node what it would do', async (t) => {
  const { page } = await openFlows(t, 'flows')
  const card = page.getByRole('article', { name: 'reception' })
  await card.getByText('in force').waitFor()
  await card.getByRole('link', { name: 'reception' }).click()
  const picture = page.getByRole('img', { name: /nodes\[1\] to nodes\[2\], nodes\[2\] to .* if 1/ })
  await picture.getByText('collect').waitFor()
  await page.getByLabel('What it would hear').fill('collect=1,dial=busy')
  await page.getByLabel('Input, as JSON').fill('{"callee": "sip:bob@example.com"}')
  await page.getByRole('button', { name: 'Run' }).click()
  const steps = page.getByRole('list', { name: 'What it would do' }).getByRole('listitem')
  await steps.filter({ hasText: 'nodes[2].cases[0].nodes[0] dial' }).getByText('"result":"busy"').waitFor()
  await page.getByText('End: completed').waitFor()

  await page.getByLabel('Input, as JSON').fill('{callee}')
  await page.getByRole('button', { name: 'Run' }).click()
  await page.getByText('The input is no JSON').waitFor()
  await page.getByLabel('Input, as JSON').fill('')
  await page.getByLabel('What it would hear').fill('sing=1')
  await page.getByRole('button', { name: 'Run' }).click()
  const trouble = page.getByRole('alert').filter({ hasText: 'sing' })
  await trouble.waitFor()
})

test('a mistake is told with line, column, path and what was expected, and the picture stays', async (t) => {
  const { page } = await openFlows(t)
  const source = page.getByRole('textbox', { name: 'Source' })
  await page.getByRole('button', { name: 'Validate' }).click()
  await page.getByText('The flow is valid.').waitFor()
  await source.fill(flow.replace('type: answer', 'type: anser').replace('maxDigits: 1', 'maxDigits: 0'))
  await page.getByRole('button', { name: 'Validate' }).click()
  await page.getByText('line 3, column 13: nodes[0].type expected a node with type answer').waitFor()
  await page.getByText(/line 4, column 33: nodes\[1\]\.maxDigits/).waitFor()
  assert.equal(await page.getByText('The flow is valid.').count(), 0)
  await page.getByRole('button', { name: 'As loaded' }).click()
  await page.getByRole('button', { name: 'Validate' }).click()
  await page.getByText('The flow is valid.').waitFor()
})

test('a file that gets mistakes is told while calls keep the flow as it was, and it heals', async (t) => {
  const { page, opened } = await openFlows(t, 'flows')
  await page.getByText('in force').waitFor()
  const file = join(opened.folder, 'flow.yaml')
  await writeFile(file, flow.replace('type: answer', 'type: anser'))
  await opened.program.reloadFlows()
  await page.getByText('file has mistakes').waitFor()
  await page.getByRole('link', { name: 'reception' }).click()
  await page.getByText('The file has mistakes; calls still get the flow as it was').waitFor()
  await page.getByText('nodes[0].type').waitFor()
  await writeFile(file, `${flow}  - { type: hangup }\n`)
  await opened.program.reloadFlows()
  await page.goBack()
  await page.getByText('in force').waitFor()
})

test('the flows are for keyboards and small screens, in light and dark, and axe finds nothing', async (t) => {
  const { page } = await openFlows(t, 'flows', { width: 360, height: 740 })
  await page.getByRole('link', { name: 'reception' }).waitFor()
  await assertAccessible(page, 'the list of flows')
  await assertNoSideScroll(page, 'the list of flows')
  const focused = (): Promise<unknown> => page.evaluate('document.activeElement?.textContent')
  const press = async (name: string): Promise<void> => {
    for (let n = 0; n < 60 && (await focused()) !== name; n += 1) await page.keyboard.press('Tab')
    assert.equal(await focused(), name)
    await page.keyboard.press('Enter')
  }
  await press('reception')
  await page.getByRole('heading', { name: 'reception' }).waitFor()
  await press('Validate')
  await page.getByText('The flow is valid.').waitFor()
  await press('Run')
  await page.getByText('End: ').waitFor()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await assertAccessible(page, `a flow, ${colorScheme}`)
  }
  await assertNoSideScroll(page, 'a flow')
})

test('without the program validation says so and keeps what was written, and works when it is back', async (t) => {
  const { page } = await openFlows(t)
  const source = page.getByRole('textbox', { name: 'Source' })
  await source.fill(`${flow}  - { type: hangup }\n`)
  await page.context().setOffline(true)
  await page.getByRole('button', { name: 'Validate' }).click()
  await page.getByText('The program does not answer').first().waitFor()
  await page.context().setOffline(false)
  await page.getByRole('button', { name: 'Validate' }).click()
  await page.getByText('The flow is valid.').waitFor()
  await until('nothing is told any more', async () => (await page.getByText('does not answer').count()) === 0)
  assert.match(await source.inputValue(), /hangup \}\n$/)
})
