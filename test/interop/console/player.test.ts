// The player in Chromium, over the real program and audio that tells its place: 40 s of a tone for each speaker, a pause, a hold and a loss.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { readWav } from '#audio'
import { shareOfTone } from '../../foreign/g711-tones.ts'
import { assertAccessible, assertNoSideScroll, openPage } from '../../harness/browser.ts'
import { makeRecording } from '../../harness/made-recording.ts'
import { openTestProgram } from '../../harness/open-program.ts'
import { until } from '../../harness/until.ts'

const RECORDING_ID = 'made-1'
const LENGTH_S = 40
const STARTED_MS = Date.UTC(2026, 2, 2, 10)

async function openScene(t: TestContext, atS = 0): Promise<{ page: Page; url: string }> {
  const store = mkdtempSync(join(tmpdir(), 'player-'))
  const gaps = [
    [{ fromMs: 12_000, toMs: 18_000, cause: 'paused-by-client' as const }],
    [
      { fromMs: 5_000, toMs: 5_400, cause: 'lost' as const },
      { fromMs: 12_000, toMs: 18_000, cause: 'paused-by-client' as const },
      { fromMs: 30_000, toMs: 33_000, cause: 'hold' as const },
    ],
  ]
  const documents = [
    { atMs: 100, file: 'call-complete.xml' },
    { atMs: 20_000, file: 'call-hold.xml' },
  ]
  const durationMs = 1000 * LENGTH_S
  await makeRecording(store, { recordingId: RECORDING_ID, startedAtMs: STARTED_MS, durationMs, gaps, documents })
  const recorder = await openTestProgram({ gateway: false, recorder: true, recorderStore: { folder: store } })
  t.after(async () => {
    await recorder.close()
    rmSync(store, { recursive: true })
  })
  const url = recorder.httpUrl
  const page = await openPage(t, `${url}/#/recordings/${RECORDING_ID}?at=${atS}`)
  await player(page).locator('.waves [data-mark]').first().waitFor({ state: 'attached' })
  return { page, url }
}

const player = (page: Page) => page.getByRole('region', { name: 'Player' })
const position = async (page: Page) => Number(await player(page).getByLabel('Position').inputValue())

async function isAt(page: Page, wantedS: number): Promise<void> {
  await until(`it stands at ${wantedS} s`, async () => Math.abs((await position(page)) - wantedS) < 0.15)
}

/** How loud each lane is now, as its meter shows it. */
async function levels(page: Page): Promise<number[]> {
  return await page
    .locator('.meter > span')
    .evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute('data-level'))))
}

async function heard(page: Page, expected: readonly boolean[]): Promise<void> {
  await until(`heard are ${expected.join(', ')}`, async () => {
    const now = await levels(page)
    return now.length === expected.length && now.every((level, lane) => level > 0.05 === expected[lane])
  })
}

test('a lane for each speaker is drawn from peaks of the server, over an axis of time', async (t) => {
  const asked: string[] = []
  const { page } = await openScene(t)
  page.on('request', (request) => asked.push(new URL(request.url()).pathname))
  await page.reload()
  const dock = player(page)
  await dock.locator('.waves [data-mark]').first().waitFor({ state: 'attached' })
  assert.ok(asked.includes(`/api/recordings/${RECORDING_ID}/peaks`))
  assert.deepEqual(await dock.locator('.lane-name').allTextContents(), ['Alice Jones', 'Bob'])
  await dock.locator('.waves').getByText('0:10', { exact: true }).waitFor()
  // Where the tone is the lane is full of its colour, and in the pause it is not.
  const drawn = (await page.evaluate(`(() => {
    const canvas = document.querySelector('.waves > div').shadowRoot.querySelector('canvas')
    const { width, height } = canvas
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, height)
    const filled = (share) => {
      const x = Math.floor(share * width)
      return Array.from({ length: height }, (_, y) => data[4 * (y * width + x) + 3] > 0).filter(Boolean).length / height
    }
    return [filled(0.2), filled(0.38), filled(0.6)]
  })()`)) as number[]
  assert.ok((drawn[0] ?? 0) > 0.5 && (drawn[1] ?? 1) < 0.2 && (drawn[2] ?? 0) > 0.5, drawn.join(' '))
})

test('keys alone: play, ten seconds on and back, ends, speed, mute, solo, loop, help', async (t) => {
  const { page } = await openScene(t, 1)
  const dock = player(page)
  await page.keyboard.press('l')
  await isAt(page, 11)
  await page.keyboard.press('ArrowRight')
  await isAt(page, 21)
  await page.keyboard.press('j')
  await isAt(page, 11)
  await page.keyboard.press('ArrowLeft')
  await isAt(page, 1)
  await page.keyboard.press('End')
  await isAt(page, LENGTH_S)
  await page.keyboard.press('Home')
  await isAt(page, 0)

  for (const speed of ['1.25', '1.5', '1.75', '2']) {
    await page.keyboard.press('>')
    assert.equal(await dock.getByLabel('Speed').inputValue(), speed)
  }
  await page.keyboard.press('k')
  const [fromS, fromMs] = [await position(page), Date.now()]
  await until('three seconds were played', async () => (await position(page)) > fromS + 3)
  assert.ok(Date.now() - fromMs < 10_000)
  assert.equal(await page.evaluate('document.querySelectorAll("audio").length <= 1'), true)
  await page.keyboard.press('<')
  assert.equal(await dock.getByLabel('Speed').inputValue(), '1.75')

  await page.keyboard.press('Home')
  await heard(page, [true, true])
  await page.keyboard.press('1')
  await heard(page, [false, true])
  await page.keyboard.press('1')
  await page.keyboard.press('Home')
  await heard(page, [true, true])
  await page.keyboard.press('Shift+Digit1')
  await heard(page, [true, false])
  await dock.getByRole('button', { name: 'Solo Bob' }).click()
  await page.keyboard.press('Home')
  await heard(page, [false, true])
  await dock.getByRole('button', { name: 'Solo Bob' }).click()
  await page.keyboard.press('k')
  await dock.getByRole('button', { name: 'Play', exact: true }).waitFor()

  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys of the player' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
})

test('a part is looped: its end leads back to its beginning; dragging over the lanes chooses one too, and it is saved', async (t) => {
  const { page } = await openScene(t, 20)
  const dock = player(page)
  await page.keyboard.press('[')
  await dock.getByText('Loop 0:20–0:25').waitFor()
  await dock.getByLabel('Position').fill('24')
  await dock.getByLabel('Position').blur()
  await page.keyboard.press('k')
  await until('it came to the end of the loop and goes on at its beginning', async () => {
    const atS = await position(page)
    return atS >= 20 && atS < 22
  })
  await page.keyboard.press('k')
  await page.keyboard.press('\\')
  await dock.getByText('Loop 0:20–0:25').waitFor({ state: 'detached' })

  await dock.getByRole('button', { name: 'Choose a part' }).click()
  const waves = await dock.locator('.waves').boundingBox()
  assert.ok(waves)
  await page.mouse.move(waves.x + waves.width * 0.4, waves.y + 20)
  await page.mouse.down()
  await page.mouse.move(waves.x + waves.width * 0.6, waves.y + 20, { steps: 5 })
  await page.mouse.move(waves.x + waves.width * 0.7, waves.y + 20, { steps: 5 })
  await page.mouse.up()
  // It begins within the pause.
  await dock.getByText(/Loop 0:(15|16|17)–0:(27|28|29)/).waitFor()
  const saving = page.waitForEvent('download')
  await dock.getByRole('link', { name: 'Save part' }).click()
  const clip = readWav(await readFile(await (await saving).path()))
  assert.ok(clip.ok)
  const [alice, bob] = clip.value.samples
  assert.ok(alice && bob)
  assert.ok(Math.abs(alice.length / 8000 - 12) < 1)
  assert.ok(shareOfTone(alice.subarray(40_000, 48_000), 400) > 0.95)
  assert.ok(shareOfTone(bob.subarray(40_000, 48_000), 1000) > 0.95)
})

test('pauses are hatched, gaps are told with their cause, metadata stands on the axis, and each leads to its place', async (t) => {
  const { page } = await openScene(t)
  const dock = player(page)
  const causes = await dock
    .locator('.waves [data-cause]')
    .evaluateAll((all) =>
      all.map((one) => [
        one.getAttribute('data-cause'),
        (one.getAttribute('style') ?? '').includes('repeating-linear'),
      ]),
    )
  assert.deepEqual(causes.toSorted(), [
    ['hold', true],
    ['lost', false],
    ['paused-by-client', true],
    ['paused-by-client', true],
  ])
  const lost = await dock.locator('.waves [data-cause=lost]').boundingBox()
  const waves = await dock.locator('.waves').boundingBox()
  assert.ok(lost && waves)
  assert.ok(Math.abs((lost.x - waves.x) / waves.width - 5 / LENGTH_S) < 0.02, 'a gap stands where it was')
  const head = await dock.locator('.lane-head').nth(1).boundingBox()
  assert.ok(
    head && lost.y >= head.y - 4 && lost.y + lost.height <= head.y + head.height + 4,
    'in the lane of its speaker',
  )
  const marks = dock.locator('.waves [data-mark]')
  assert.deepEqual((await marks.evaluateAll((all) => all.map((one) => one.getAttribute('data-mark')))).toSorted(), [
    'Alice Jones joined',
    'Alice Jones was put on hold',
    'Bob (agent 214) joined',
  ])
  const held = await dock.locator('.waves [data-mark*=hold]').boundingBox()
  assert.ok(
    held && Math.abs((held.x - waves.x) / waves.width - 20 / LENGTH_S) < 0.02,
    'a change stands where it was told',
  )

  await dock.getByText('3 pauses, 1 gap, 3 changes').click()
  await dock.getByRole('button', { name: '0:05 Bob: packets lost on the way, 0.40 s' }).click()
  await isAt(page, 5)
  await dock.getByRole('button', { name: '0:20 Alice Jones was put on hold' }).press('Enter')
  await isAt(page, 20)
  await dock.getByRole('button', { name: '0:30 Bob: the party was on hold, 3.00 s' }).click()
  await isAt(page, 30)
})

test('a link to this moment leads there; audio and vCon are saved', async (t) => {
  const { page, url } = await openScene(t)
  const dock = player(page)
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url })
  await page.keyboard.press('l')
  await isAt(page, 10)
  await dock.getByRole('button', { name: 'Link to this moment' }).click()
  await dock.getByText('Link copied').waitFor()
  const link = (await page.evaluate('navigator.clipboard.readText()')) as string
  assert.equal(link, `${url}/#/recordings/${RECORDING_ID}?at=10.0`)
  await page.goto('about:blank')
  await page.goto(link)
  await isAt(page, 10)

  const saved = async (name: string) => {
    const saving = page.waitForEvent('download')
    await player(page).getByRole('link', { name, exact: true }).click()
    const download = await saving
    return { name: download.suggestedFilename(), content: await readFile(await download.path()) }
  }
  const audio = await saved('Download')
  const wav = readWav(audio.content)
  assert.ok(wav.ok)
  assert.deepEqual([audio.name, wav.value.samples.length], [`${RECORDING_ID}.wav`, 2])
  assert.equal(wav.value.samples[0]?.length, 8000 * LENGTH_S)
  const vcon = await saved('vCon')
  assert.equal(vcon.name, `${RECORDING_ID}.vcon.json`)
  assert.equal((JSON.parse(String(vcon.content)) as { vcon: string }).vcon, '0.4.0')
})

test('the player is accessible with all that it can show, in both themes at two widths', async (t) => {
  const { page, url } = await openScene(t)
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme })
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 })
      await page.goto('about:blank')
      await page.goto(`${url}/#/recordings/${RECORDING_ID}?at=3`)
      const dock = player(page)
      await dock.locator('.waves [data-mark]').first().waitFor({ state: 'attached' })
      await page.keyboard.press('[')
      await page.keyboard.press('1')
      await page.keyboard.press('Shift+Digit2')
      await dock.getByText('3 pauses, 1 gap, 3 changes').click()
      await assertAccessible(page, `the player, ${theme}, ${width}`)
      await assertNoSideScroll(page, `the player, ${width}`)
    }
  }
})
