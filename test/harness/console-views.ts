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
  /** Waits until there is something to see. */
  ready(page: Page): Promise<void>
}

const widths = [1280, 360] as const
const themes = ['light', 'dark'] as const
const HEIGHT = 800

/** Photographs each view into `folder` and returns the files. */
export async function photograph(views: readonly Photographed[], folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true })
  const files: string[] = []
  const browser = await startBrowser()
  try {
    for (const { name, url, ready } of views) {
      for (const width of widths) {
        for (const theme of themes) {
          const page = await showPage(browser, url, { width, height: HEIGHT, theme })
          await ready(page)
          const path = join(folder, `${name}-${width}-${theme}.png`)
          await page.evaluate('scrollTo(0, 0)')
          await page.screenshot({ path, fullPage: true })
          await page.close()
          files.push(path)
        }
      }
    }
  } finally {
    await browser.close()
  }
  return files
}
