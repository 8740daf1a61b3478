// The views of the console as they are photographed: each in both themes, at two widths.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { showPage, startBrowser } from './browser.ts'

/** A view to photograph. */
export interface Photographed {
  readonly name: string
  /** Address, such as `http://127.0.0.1:8080/#/live`. */
  readonly url: string
  /** Before the page is opened: makes what it asks for fail, for example. */
  prepare?(page: Page): Promise<unknown>
  /** Waits until there is something to see, or makes it be seen. */
  ready(page: Page): Promise<unknown>
  /** Leaves things as they were. */
  done?(page: Page): Promise<unknown>
  /** Only the window is of interest, as with dialogs. */
  readonly isWindow?: boolean
}

const widths = [1280, 360] as const
const themes = ['light', 'dark'] as const
const HEIGHT = 800

/** A view as it stands in the browser. */
export interface Shown {
  readonly page: Page
  readonly name: string
  readonly width: number
  readonly colorScheme: (typeof themes)[number]
  readonly isWindow: boolean
}

/** Shows each view in both themes at two widths, one after another, to `onShown`. */
export async function showViews(
  views: readonly Photographed[],
  onShown: (shown: Shown) => Promise<unknown>,
): Promise<void> {
  const browser = await startBrowser()
  try {
    for (const { name, url, prepare, ready, done, isWindow = false } of views) {
      for (const width of widths) {
        const page = await showPage(browser, 'about:blank', { width, height: HEIGHT })
        await prepare?.(page)
        await page.goto(url)
        await ready(page)
        for (const colorScheme of themes) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
          if (!isWindow) await page.evaluate('scrollTo(0, 0)')
          await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))')
          await onShown({ page, name, width, colorScheme, isWindow })
        }
        await done?.(page)
        await page.close()
      }
    }
  } finally {
    await browser.close()
  }
}

/** Photographs each view into `folder`, and tells of each file. */
export async function photograph(
  views: readonly Photographed[],
  folder: string,
  onFile: (file: string) => void,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  await showViews(views, async ({ page, name, width, colorScheme, isWindow }) => {
    const path = join(folder, `${name}-${width}-${colorScheme}.png`)
    await page.screenshot({ path, fullPage: !isWindow })
    onFile(path)
  })
}
