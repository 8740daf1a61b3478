// Follows README.md, and nothing else, in a bare clone, from its first command to a recorded call that is heard in the player, within
// five minutes: the marked server block is run as it stands; of the list after `<!-- ci console -->` an address is opened in Chromium,
// **what is bold** is pressed, and "what is quoted" has to be seen. Then the player is listened to. Closes with `N passed, N failed`.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { decodedLoudness, playerLoudness, watchMeters } from './listening.mjs'
import { ready, shellBlocks, start, stop, within } from './shell-block.mjs'

const limitMs = 300_000
/** A reader takes so long for a step; both phones of the test call speak meanwhile. */
const readingMs = 6_000
const loudDbfs = -40
const silentDbfs = -60
/** A pause is cut between packets, and the meter of the player shows what was played some frames before. */
const edgeS = 0.3

const folder = process.argv[2] ?? '.'
const beganAt = performance.now()
let passed = 0
let failed = 0

const seconds = () => ((performance.now() - beganAt) / 1_000).toFixed(1)

async function step(what, act) {
  const from = performance.now()
  try {
    const told = await act()
    passed += 1
    const took = ((performance.now() - from) / 1_000).toFixed(1)
    console.log(`${seconds().padStart(6)} s  ${what} (${took} s)${told === undefined ? '' : `: ${told}`}`)
  } catch (fault) {
    failed += 1
    console.log(`${seconds().padStart(6)} s  FAILED ${what}: ${fault instanceof Error ? fault.message : fault}`)
    throw fault
  }
}

function check(isRight, what) {
  if (!isRight) throw new Error(what)
}

/** What the steps of the list ask for, in their order. */
function consoleSteps(text) {
  const [, list] = /<!-- ci console -->\n+((?:(?:\d+\.| ) .*\n)+)/.exec(text) ?? []
  check(list !== undefined, 'README.md has a list after <!-- ci console -->')
  return list
    .split(/^\d+\. /m)
    .slice(1)
    .map((item) => {
      const said = item.replace(/\s+/g, ' ').trim()
      const parts = [...said.matchAll(/(https?:\/\/[^\s:]+:\d+)|\*\*(.+?)\*\*|"(.+?)"/g)]
      return { said, acts: parts.map(([, open, press, see]) => ({ open, press, see })) }
    })
}

async function followConsole(page, steps) {
  const heard = []
  for (const [at, { said, acts }] of steps.entries()) {
    await step(`README step ${at + 1}: ${said}`, async () => {
      for (const { open, press, see } of acts) {
        if (open !== undefined) await page.goto(open)
        if (press !== undefined) await page.getByRole('button', { name: press, exact: true }).first().click()
        if (see !== undefined) await page.getByText(see).first().waitFor()
      }
      if (at === 0 || at === steps.length - 1) return undefined
      const loudest = await watchMeters(page, readingMs)
      heard.push(loudest)
      return loudest.map(({ name, dbfs }) => `${name} ${Math.round(dbfs)} dBFS`).join(', ')
    })
  }
  return heard
}

const loud = (dbfs) => `${Math.round(dbfs)} dBFS`

async function listen(page) {
  const { recordingId, streams } = await page.evaluate(async () => {
    const { items } = await (await fetch('/api/recordings')).json()
    return await (await fetch(`/api/recordings/${items[0].recordingId}`)).json()
  })
  const pause = streams[0]?.gaps.find(({ cause }) => cause === 'paused-by-client')
  const [fromS, toS] = [pause?.fromMs / 1_000 + edgeS, pause?.toMs / 1_000 - edgeS]
  await step('the recording has two speakers and the pause', async () => {
    check(streams.length === 2, `${streams.length} streams`)
    check(toS - fromS > 2, `a pause of ${toS - fromS} s`)
    return `${recordingId}, paused from ${fromS.toFixed(1)} to ${toS.toFixed(1)} s`
  })
  await step('the player plays it: time goes on, both lanes are heard, and none in the pause', async () => {
    const { moved, took, inside, outside } = await playerLoudness(page, fromS, toS)
    check(moved > 0.8 * took, `it moved ${moved} s in ${took} s`)
    for (const [lane, dbfs] of outside.entries())
      check(dbfs > loudDbfs, `lane ${lane + 1} is at ${loud(dbfs)} outside the pause`)
    for (const [lane, dbfs] of inside.entries())
      check(dbfs < silentDbfs, `lane ${lane + 1} is at ${loud(dbfs)} in the pause`)
    return `${moved.toFixed(1)} s in ${took.toFixed(1)} s; ${outside.map(loud)}; in the pause ${inside.map(loud)}`
  })
  await step('the audio that the player has says the same', async () => {
    const { inside, outside } = await decodedLoudness(page, fromS, toS)
    for (const dbfs of outside) check(dbfs > loudDbfs, `${loud(dbfs)} outside the pause`)
    for (const dbfs of inside) check(dbfs < silentDbfs, `${loud(dbfs)} in the pause`)
    return `${outside.map(loud)}; in the pause ${inside.map(loud)}`
  })
}

let server
let browser
try {
  const text = readFileSync(join(folder, 'README.md'), 'utf8')
  const block = shellBlocks(text).find(({ isServer }) => isServer)
  await step('README: the server is ready', async () => {
    check(block !== undefined, 'README.md has a block after <!-- ci serve -->')
    server = start(block.script, folder)
    const outcome = await within(limitMs, ready(server))
    check(outcome === 'ready', `the server: ${outcome}`)
  })
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--mute-audio'],
  })
  const page = await browser.newPage()
  page.setDefaultTimeout(30_000)
  // The player's element is in no document; it is known from when it is told to play.
  await page.addInitScript(() => {
    const play = HTMLMediaElement.prototype.play
    HTMLMediaElement.prototype.play = function keep() {
      globalThis.playerElement = this
      return play.call(this)
    }
  })
  const heard = await followConsole(page, consoleSteps(text))
  await step('both speakers were seen live', async () => {
    check(heard[0]?.length === 2, `${heard[0]?.length} meters`)
    for (const { name, dbfs } of heard[0]) check(dbfs > loudDbfs, `${name} was never above ${loudDbfs} dBFS`)
  })
  await listen(page)
  await step('all of it within five minutes', async () => {
    check(performance.now() - beganAt < limitMs, `it took ${seconds()} s`)
    return `${seconds()} s`
  })
} catch {
  // It was told where it happened.
} finally {
  await browser?.close()
  if (server !== undefined) await stop(server)
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
