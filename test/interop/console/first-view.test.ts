// The weight of the console: what the browser fetches before it shows the first page, by what the page names and by what Chromium asks for.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createHttpServer } from '../../../src/control/http-server.ts'
import { openPage } from '../../harness/browser.ts'
import { consoleFixture } from '../../harness/console-fixture.ts'

const MOST_BYTES = 150 * 1_024

test('the first view is at most 150 KiB in gzip', async (t) => {
  const server = await createHttpServer(consoleFixture().options)
  t.after(() => server.close())
  const url = `http://127.0.0.1:${server.address.port}`
  const page = await (await fetch(`${url}/`)).text()
  const assets = [...page.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css|svg))"/g)].map(([, path = '']) => path)
  assert.ok(assets.length >= 3, page)
  let bytes = gzipSync(page).length
  for (const path of assets) bytes += gzipSync(Buffer.from(await (await fetch(url + path)).arrayBuffer())).length
  t.diagnostic(`first view: ${Math.round(bytes / 1_024)} KiB in gzip`)
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`)
})

test('what Chromium has loaded when the live page is there is at most 150 KiB in gzip', async (t) => {
  const server = await createHttpServer(consoleFixture().options)
  t.after(() => server.close())
  const page = await openPage(t, 'about:blank')
  const parts: Promise<readonly [string, number]>[] = []
  page.on('response', (response) => {
    const { pathname } = new URL(response.url())
    const isData = pathname.startsWith('/api/')
    if (!isData) parts.push(response.body().then((body) => [pathname, gzipSync(body).length] as const))
  })
  await page.goto(`http://127.0.0.1:${server.address.port}/#/live`)
  await page.getByRole('article').first().waitFor()
  const loaded = await Promise.all(parts)
  const bytes = loaded.reduce((sum, [, size]) => sum + size, 0)
  assert.ok(loaded.length >= 3 && bytes > 10_000, JSON.stringify(loaded))
  assert.ok(bytes <= MOST_BYTES, `${bytes} bytes: ${JSON.stringify(loaded)}`)
})
