// Debian's Chromium for the tests of the console: a page that reports every error, and axe over it.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { TestContext } from 'node:test'
import { type Browser, chromium, type Page } from 'playwright-core'

const EXECUTABLE = '/usr/bin/chromium'
const SWITCHES = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
]
const DEADLINE_MS = 20_000

/** How a page is shown. */
export interface PageOptions {
  readonly width?: number
  readonly height?: number
  readonly theme?: 'light' | 'dark'
}

/** Starts the browser with a profile of its own. */
export function startBrowser(): Promise<Browser> {
  assert.ok(existsSync(EXECUTABLE), `${EXECUTABLE} not found: apt-get install -y chromium`)
  return chromium.launch({ executablePath: EXECUTABLE, args: SWITCHES, headless: true })
}

/** A page at `url`; after the test it closes, with its browser, and faults of its scripts or policy fail the test. */
export async function openPage(t: TestContext, url: string, options: PageOptions = {}): Promise<Page> {
  const browser = await startBrowser()
  const page = await showPage(browser, url, options)
  const faults = faultsOf(page)
  t.after(async () => {
    await browser.close()
    assert.deepEqual(faults, [], 'faults of the page')
  })
  return page
}

/** A further page of a browser. */
export async function showPage(browser: Browser, url: string, options: PageOptions = {}): Promise<Page> {
  const { width = 1280, height = 800, theme = 'light' } = options
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme })
  page.setDefaultTimeout(DEADLINE_MS)
  await page.goto(url)
  return page
}

/** Faults of scripts and what the content security policy refused; requests that fail are for the page to tell. */
function faultsOf(page: Page): string[] {
  const faults: string[] = []
  page.on('pageerror', (fault) => faults.push(fault.message))
  page.on('console', (message) => {
    const isFetch = /Failed to load resource|WebSocket connection/.test(message.text())
    if (message.type() === 'error' && !isFetch) faults.push(message.text())
  })
  return faults
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface AxeFinding {
  readonly id: string
  readonly help: string
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[]
}

/** Fails with what axe finds against WCAG 2.2 A and AA, and its best practices. */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  await page.evaluate(axeSource)
  // Told to preload, axe makes style elements of its own, which the policy refuses.
  const run = 'axe.run(document, { preload: false }).then(({ violations }) => violations)'
  const findings = (await page.evaluate(run)) as AxeFinding[]
  const told = findings.map(({ id, help, nodes }) => {
    const places = nodes.map(({ target, failureSummary = '' }) => `${target.join(' ')} ${failureSummary}`)
    return `${id}: ${help}\n  ${places.slice(0, 3).join('\n  ')}`
  })
  assert.deepEqual(told, [], `axe on ${what}`)
}

/** Fails when the page is wider than its window. */
export async function assertNoSideScroll(page: Page, what: string): Promise<void> {
  const [needed, there] = (await page.evaluate(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  )) as [number, number]
  assert.ok(needed <= there, `${what} needs ${needed} of ${there} pixels`)
}
