// The recordings page in Chromium, over the real program with a recorded call that was paused.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { readWav } from '#audio'
import { assertAccessible, assertNoSideScroll, openPage } from '../../harness/browser.ts'
import { openRecordedTalk } from '../../harness/recorded-talk.ts'
import { until } from '../../harness/until.ts'

interface Scene {
  readonly page: Page
  readonly url: string
  readonly recordingId: string
  readonly folder: string
}

/** The list with the one recording: alice and bob, 1.2 s of talk, 1.2 s of pause, 1.2 s of talk. */
async function openScene(t: TestContext, recorderStore: object = {}): Promise<Scene> {
  const talk = await openRecordedTalk(t, recorderStore)
  const { manifest, folder } = await talk.play('tcp')
  const url = talk.opened.httpUrl
  const { recordingId } = manifest
  await until('it is published', async () => {
    const answer = await fetch(`${url}/api/recordings/${recordingId}`)
    return ((await answer.json()) as { state: string }).state === 'published'
  })
  return { page: await openPage(t, `${url}/#/recordings`), url, recordingId, folder }
}

const player = (page: Page) => page.getByRole('region', { name: 'Player' })
const position = async (page: Page) => Number(await player(page).getByLabel('Position').inputValue())

/** How loud each lane is now, as its meter shows it. */
async function levels(page: Page): Promise<number[]> {
  return await page
    .locator('.meter > span')
    .evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute('data-level'))))
}

test('a recording is searched for, played by speaker, muted, sought, looped and saved in part', async (t) => {
  const { page } = await openScene(t)
  const row = page.getByRole('row', { name: /alice/ })
  await row.getByText('recorded').waitFor()
  await page.getByLabel('Search').fill('nobody-of-this-name')
  await page.getByText('No recording matches').waitFor()
  assert.match(page.url(), /text=nobody-of-this-name/)
  await page.getByLabel('Search').fill('alice')
  await row.getByRole('button', { name: /Play/ }).click()

  const dock = player(page)
  await dock.getByRole('button', { name: 'Pause' }).waitFor()
  await until('it plays on both lanes', async () => {
    const [alice = 0, bob = 0] = await levels(page)
    return (await position(page)) > 0.1 && alice > 0.05 && bob > 0.05
  })
  await dock.getByRole('button', { name: 'Pause' }).click()

  await dock.getByRole('button', { name: /^Mute/ }).first().click()
  await page.keyboard.press('Home')
  await page.keyboard.press('k')
  await until('one lane is silent, the other is heard', async () => {
    const [first = 1, second = 0] = await levels(page)
    return first === 0 && second > 0.05
  })
  await page.keyboard.press('k')
  await dock.getByLabel('Speed').selectOption('0.5')
  assert.equal(await dock.getByLabel('Speed').inputValue(), '0.5')

  const waves = await dock.locator('.waves').boundingBox()
  assert.ok(waves)
  await page.mouse.click(waves.x + waves.width / 2, waves.y + 20)
  await until('a click into the wave form is a place', async () => Math.abs((await position(page)) - 1.8) < 0.4)

  await page.keyboard.press('Home')
  await page.keyboard.press('[')
  const saving = page.waitForEvent('download')
  await dock.getByRole('link', { name: 'Save part' }).click()
  const clip = readWav(await readFile(await (await saving).path()))
  assert.ok(clip.ok)
  const whole = Number(await dock.getByLabel('Position').getAttribute('max'))
  assert.equal(clip.value.samples.length, 2)
  assert.ok(Math.abs((clip.value.samples[0]?.length ?? 0) / 8000 - Math.min(5, whole)) < 0.05)
})

test('filters show the values that there are with their counts, and choose one', async (t) => {
  const { page, url, recordingId } = await openScene(t)
  const row = page.getByRole('row', { name: /alice/ })
  await row.waitFor()
  const answer = await fetch(`${url}/api/recordings/${recordingId}`)
  const day = ((await answer.json()) as { startedAt: string }).startedAt.slice(0, 10)
  const chosen = async (label: string, option: string) => {
    const field = page.getByRole('combobox', { name: label, exact: true })
    await field.locator('option', { hasText: option }).waitFor({ state: 'attached' })
    await field.selectOption({ label: option })
  }
  await chosen('State', 'recorded (1)')
  await chosen('Codec', 'PCMU (1)')
  await chosen('Day (UTC)', `${day} (1)`)
  await chosen('Upload', 'not wanted (1)')
  await until('all of it stands in the address', () =>
    ['state=published', 'codec=PCMU', `day=${day}`, 'upload=none'].every((one) => page.url().includes(one)),
  )
  await row.waitFor()
  await page.getByRole('combobox', { name: 'Legal hold', exact: true }).selectOption('true')
  await page.getByText('No recording matches').waitFor()
  await page.getByRole('button', { name: 'Clear all' }).click()
  await row.waitFor()
})

test('a pause is hatched in the lane, told in words, and leads to its place', async (t) => {
  const { page, recordingId, url } = await openScene(t)
  await page.goto(`${url}/#/recordings/${recordingId}?at=0.5`)
  const dock = player(page)
  await until('the player waits at the place that the address names', async () => (await position(page)) === 0.5)
  await dock.locator('.waves [data-cause=paused-by-client]').first().waitFor()
  const hatched = await dock.locator('.waves [data-cause=paused-by-client]').first().getAttribute('style')
  assert.match(hatched ?? '', /repeating-linear-gradient/)
  await dock.locator('.waves [data-mark]').first().waitFor({ state: 'attached' })
  await dock.getByText(/\d pause/).click()
  await dock
    .getByRole('button', { name: /paused by the recording client/ })
    .first()
    .click()
  assert.ok((await position(page)) > 0.8)
  await page.getByText('no packet came while paused').first().waitFor()
})

test('a recording is tagged, put on hold, and deleted with a reason; the player says that it is gone', async (t) => {
  const { page, url, recordingId } = await openScene(t)
  await page.goto(`${url}/#/recordings/${recordingId}`)
  await page.getByLabel('New tag').fill('Complaint')
  await page.getByRole('button', { name: 'Add' }).click()
  await page.getByRole('button', { name: 'Remove the tag complaint' }).waitFor()
  await page.getByRole('button', { name: 'Put on hold …' }).click()
  await page.getByLabel(/Reason/).fill('case 5')
  await page.getByRole('dialog').getByRole('button', { name: 'Put on hold' }).click()
  await page.getByText(/On hold since .* case 5/).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Delete …' }).isDisabled(), true)
  await page.getByRole('button', { name: 'Lift the hold …' }).click()
  await page.getByLabel(/Reason/).fill('case closed')
  await page.getByRole('dialog').getByRole('button', { name: 'Lift the hold' }).click()
  await page.getByText('The recording is on hold no more.').waitFor()
  await page.getByRole('button', { name: 'Delete …' }).click()
  await page.getByLabel(/Reason/).fill('asked for')
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText(/This recording was deleted by .*: asked for/).waitFor()
})

test('verify tells what is proved and by which key; then what was altered, with what to do', async (t) => {
  const keys = mkdtempSync(join(tmpdir(), 'console-keys-'))
  t.after(() => rmSync(keys, { recursive: true }))
  const { page, url, recordingId, folder } = await openScene(t, { evidence: { keyFile: join(keys, 'key.pem') } })
  await page.goto(`${url}/#/recordings/${recordingId}?at=0.5`)
  await player(page).getByRole('button', { name: 'Verify' }).click()
  const answer = page.getByRole('dialog', { name: 'Is it as it was published?' })
  await answer.getByText('Every file is as it was when the recording was published').waitFor()
  await answer.getByText(/^[\da-f]{32}, this recorder’s$/).waitFor()
  await answer.getByText('1 line, intact').waitFor()
  await assertAccessible(page, 'the proof')
  await page.keyboard.press('Escape')
  appendFileSync(join(folder, 'recording.wav'), '\0')
  const panel = page.getByRole('region', { name: 'Evidence' })
  await panel.getByRole('button', { name: 'Verify' }).click()
  await panel.getByText('The recording is not as it was published.').waitFor()
  await panel.getByText(/put a legal hold on the recording/).waitFor()
  await panel.getByText(/file-extended/).waitFor()
})

test('a recording that nobody vouches for is told as such', async (t) => {
  const { page, url, recordingId } = await openScene(t)
  await page.goto(`${url}/#/recordings/${recordingId}`)
  const panel = page.getByRole('region', { name: 'Evidence' })
  await panel.getByRole('button', { name: 'Verify' }).click()
  await panel.getByText(/recorded before evidence was switched on/).waitFor()
  await panel.getByText(/Set recorder.store.evidence.keyFile/).waitFor()
})

test('recordings are selected and taken away in one archive, and so is all that is found', async (t) => {
  const { page, recordingId } = await openScene(t)
  await page.getByRole('row', { name: /alice/ }).waitFor()
  await page.getByRole('button', { name: 'Select', exact: true }).click()
  assert.equal(await page.getByRole('button', { name: 'Export 0 selected' }).isDisabled(), true)
  await page.getByRole('checkbox', { name: /^Select alice/ }).check()
  await assertAccessible(page, 'selecting')
  for (const name of ['Export 1 selected', 'Export all 1']) {
    const saving = page.waitForEvent('download')
    await page.getByRole('link', { name }).click()
    const download = await saving
    assert.equal(download.suggestedFilename(), 'recordings.tar')
    const { stdout } = spawnSync('tar', ['-tf', await download.path()], { encoding: 'utf8' })
    assert.match(stdout, new RegExp(`_${recordingId}/${recordingId}/recording.wav\n`))
  }
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('button', { name: /^Play alice/ }).waitFor()
})

test('list, player and recording are accessible and fit a telephone', async (t) => {
  const { page, url, recordingId } = await openScene(t)
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme })
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 })
      await page.goto(`${url}/#/recordings`)
      await page.getByRole('row', { name: /alice/ }).waitFor()
      await assertAccessible(page, `the list, ${theme}, ${width}`)
      await page.goto(`${url}/#/recordings/${recordingId}?at=1`)
      await player(page).locator('.waves [data-cause]').first().waitFor()
      await assertAccessible(page, `a recording and the player, ${theme}, ${width}`)
      await assertNoSideScroll(page, `a recording and the player, ${width}`)
      await page.goto(`${url}/#/recordings`)
      await page.getByRole('row', { name: /alice/ }).waitFor()
      await assertNoSideScroll(page, `the list, ${width}`)
    }
  }
})
