// Every view of the console, with its questions, its outcomes, where there is nothing, and where something went wrong.

import type { Page } from 'playwright-core'
import type { Photographed } from '../harness/console-views.ts'
import { account, type Stage } from './stage.ts'

const REPORT_MS = 60_000

/** The views of a stage. */
export function viewsOf(stage: Stage): readonly Photographed[] {
  return [...liveViews(stage), ...callViews(stage), ...recordingViews(stage), ...setUpViews(stage), ...troubles(stage)]
}

function at(program: { readonly httpUrl: string }, place: string): string {
  return `${program.httpUrl}/#/${place}`
}

function card(page: Page, name: string) {
  return page.getByRole('article', { name })
}

function liveViews({ busy, empty }: Stage): readonly Photographed[] {
  const url = at(busy, 'live')
  return [
    {
      name: 'live',
      url,
      ready: async (page) => {
        await page.locator('.alarm[data-severity=warning]').waitFor()
        await card(page, 'carol and dave').getByText('dB').first().waitFor()
      },
    },
    {
      name: 'live-start',
      url,
      isWindow: true,
      ready: async (page) => {
        await card(page, 'frank and grace').getByRole('button', { name: 'Start recording…' }).click()
        await page.getByRole('dialog').waitFor()
      },
    },
    {
      name: 'live-pause-for',
      url,
      isWindow: true,
      ready: async (page) => {
        await card(page, 'alice and bob').getByRole('button', { name: 'Pause for…' }).click()
        await page.getByRole('dialog').waitFor()
      },
    },
    {
      name: 'live-outcome',
      url,
      ready: async (page) => {
        const paused = card(page, 'carol and dave')
        await paused.getByRole('button', { name: 'Resume' }).click()
        await paused.getByText('Recording goes on.').waitFor()
        await paused.getByRole('button', { name: 'Pause', exact: true }).click()
        await paused.getByText('Receipts of the pause').click()
      },
    },
    {
      name: 'live-not-found',
      url,
      ready: async (page) => {
        await card(page, 'carol and dave').waitFor()
        await page.getByRole('searchbox').fill('nobody')
      },
    },
    { name: 'live-empty', url: at(empty, 'live'), ready: (page) => page.getByText('Nobody is talking').waitFor() },
  ]
}

function callViews({ busy, empty, pausedCall }: Stage): readonly Photographed[] {
  return [
    {
      name: 'call',
      url: at(busy, `calls/${pausedCall}`),
      ready: async (page) => {
        await page.locator('.chart canvas').first().waitFor()
        await page.locator('.ladder-row').first().click()
      },
    },
    { name: 'calls', url: at(busy, 'calls'), ready: (page) => page.getByText('under way').first().waitFor() },
    { name: 'calls-empty', url: at(empty, 'calls'), ready: (page) => page.getByText('no call lately').waitFor() },
    { name: 'call-gone', url: at(busy, 'calls/gone'), ready: (page) => page.getByText('This call is over').waitFor() },
  ]
}

function recordingViews({ busy, empty, recordingId, partId }: Stage): readonly Photographed[] {
  return [
    {
      name: 'recordings',
      url: at(busy, 'recordings'),
      ready: settled,
    },
    {
      name: 'recording',
      url: at(busy, `recordings/${recordingId}?at=0.1`),
      ready: (page) => page.locator('.waves [data-mark]').first().waitFor({ state: 'attached' }),
    },
    {
      name: 'recording-parts',
      url: at(busy, `recordings/${partId}`),
      ready: (page) => page.getByRole('heading', { name: 'Part 2 of 3 of this call' }).waitFor(),
    },
    { name: 'recordings-empty', url: at(empty, 'recordings'), ready: settled },
  ]
}

function setUpViews({ busy, empty, deadRecorder }: Stage): readonly Photographed[] {
  return [
    { name: 'recorders', url: at(busy, 'recorders'), ready: settled },
    {
      name: 'recorder-test',
      url: at(busy, `recorders?test=${encodeURIComponent(busy.recorderUri('tcp'))}`),
      ready: (page) => page.getByRole('article', { name: 'Report' }).waitFor({ timeout: REPORT_MS }),
    },
    {
      name: 'recorder-test-failed',
      url: at(busy, `recorders?test=${encodeURIComponent(deadRecorder)}`),
      ready: (page) => page.getByRole('article', { name: 'Report' }).waitFor({ timeout: REPORT_MS }),
    },
    { name: 'recorders-empty', url: at(empty, 'recorders'), ready: settled },
    { name: 'set-up', url: at(busy, 'set-up'), ready: settled },
    { name: 'flows', url: at(busy, 'flows'), ready: (page) => page.getByText('in force').waitFor() },
    {
      name: 'flow',
      url: at(busy, `flows/flow.yaml?node=${encodeURIComponent('nodes[2].then[0]')}`),
      ready: async (page) => {
        await page.getByLabel('What it would hear').fill('collect=1')
        await page.getByRole('button', { name: 'Run' }).click()
        await page.getByText('End: ').waitFor()
      },
    },
    {
      name: 'flow-mistakes',
      url: at(busy, 'flows/flow.yaml'),
      ready: async (page) => {
        const source = page.getByRole('textbox', { name: 'Source' })
        await source.fill((await source.inputValue()).replace('type: answer', 'type: anser'))
        await page.getByRole('button', { name: 'Validate' }).click()
        await page.getByText('expected a node').waitFor()
      },
    },
    { name: 'flows-empty', url: at(empty, 'flows'), ready: settled },
    { name: 'audit', url: at(busy, 'audit'), ready: settled },
    { name: 'audit-empty', url: at(empty, 'audit'), ready: settled },
    { name: 'first', url: at(empty, 'first'), ready: settled },
    {
      name: 'first-call',
      url: at(empty, 'first'),
      ready: async (page) => {
        await page.getByRole('button', { name: 'Place a test call' }).click()
        await page.locator('.state[data-state=recording]').waitFor()
      },
      done: async (page) => {
        await page.getByRole('button', { name: 'Hang up' }).click()
        await page.getByRole('button', { name: 'Hear the recording' }).waitFor({ timeout: REPORT_MS })
      },
    },
  ]
}

function troubles({ busy, closed }: Stage): readonly Photographed[] {
  const signIn = async (page: Page, password: string): Promise<void> => {
    await page.getByLabel('Name').fill(account.name)
    await page.getByLabel('Password').fill(password)
    await page.keyboard.press('Enter')
  }
  return [
    { name: 'sign-in', url: at(closed, ''), ready: settled },
    {
      name: 'sign-in-refused',
      url: at(closed, ''),
      ready: async (page) => {
        await signIn(page, 'wrong')
        await page.getByText('do not go together').waitFor()
      },
    },
    {
      name: 'not-allowed',
      url: at(closed, 'audit'),
      ready: async (page) => {
        await signIn(page, account.password)
        await page.getByText('may not see this').waitFor()
      },
    },
    {
      name: 'lost',
      url: at(busy, 'live'),
      ready: async (page) => {
        await card(page, 'carol and dave').waitFor()
        await page.context().setOffline(true)
        await page.locator('[data-link=lost]').waitFor()
      },
    },
    {
      name: 'does-not-answer',
      url: at(busy, 'recorders'),
      prepare: (page) => page.route('**/api/recorders', (route) => route.abort()),
      ready: (page) => page.getByText('does not answer').waitFor(),
    },
    {
      name: 'help',
      url: at(busy, 'help/no-audio'),
      ready: (page) => page.getByText('RTP between gateway').waitFor(),
    },
    { name: 'no-such-page', url: at(busy, 'nowhere'), ready: settled },
  ]
}

/** Until everything that was asked for is there. */
async function settled(page: Page): Promise<void> {
  await page.locator('main h1, main .nothing').first().waitFor()
  await page.waitForTimeout(500)
}
