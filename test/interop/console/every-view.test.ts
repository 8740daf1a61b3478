// Every view that is photographed, over real programs with real calls: in both themes, at two widths, axe finds nothing and nothing is too wide.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { assertAccessible, assertNoSideScroll } from '../../harness/browser.ts'
import { showViews } from '../../harness/console-views.ts'
import { openStage } from '../../screens/stage.ts'
import { viewsOf } from '../../screens/views.ts'

test('axe finds nothing on any view, empty, busy or in trouble, in any theme and width, and none is wider than its window', async (t) => {
  const stage = await openStage()
  t.after(() => stage.close())
  const views = viewsOf(stage)
  const registry = await readFile('console/src/views/registry.ts', 'utf8')
  const names = [...registry.matchAll(/\bname: '([a-z-]+)'/g)].map(([, name = '']) => name)
  assert.ok(names.length >= 9, registry)
  const missing = names.filter((name) => !views.some((view) => view.name === name))
  assert.deepEqual(missing, [], 'views that nobody looks at')

  const faults: string[] = []
  const seen = new Map<string, string>()
  await showViews(views, async ({ page, name, width, colorScheme }) => {
    const what = `${name}, ${colorScheme}, ${width} pixels`
    for (const check of [assertAccessible, assertNoSideScroll]) {
      await check(page, what).catch((fault: Error) => faults.push(fault.message))
    }
    const background = String(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
    seen.set(`${name} ${width} ${colorScheme}`, background)
  })
  assert.deepEqual(faults, [])
  assert.equal(seen.size, 4 * views.length)
  for (const [key, light] of seen) {
    if (key.endsWith(' light')) assert.notEqual(seen.get(key.replace(/light$/, 'dark')), light, key)
  }
})
