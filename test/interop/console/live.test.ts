// The live page in Chromium, over the real program with a real call.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccessible, assertNoSideScroll, openPage } from '../../harness/browser.ts'
import { openTestProgram } from '../../harness/open-program.ts'
import { openPhone, openTalk, openTestGateway, placeTalk } from '../../harness/talk.ts'
import { until } from '../../harness/until.ts'

/** More than there are places on the page that take the focus: what comes live moves them. */
const MOST_KEYS = 120
const SILENCE_SAMPLES = 8_000 * 60
const flow = `
name: reception
nodes:
  - { type: answer }
  - { type: if, condition: 'true', then: [{ type: collect, timeoutMs: 60000, maxDigits: 1, into: context.key }] }
  - { type: wait, ms: 60000 }
`

test('a call shows as it comes, is started, paused, resumed and stopped from the page, and leaves it when it ends', async (t) => {
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const recorder = recorders.recorderUri('tcp')
  const talk = await openTalk(t, { gateway: { recording: { recorders: [recorder] } } })
  const page = await openPage(t, `${talk.opened.httpUrl}/#/live`)

  const card = page.getByRole('article', { name: 'alice and bob' })
  await card.getByText('not recorded').waitFor()
  await card.getByRole('button', { name: 'Start recording…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Start recording' })
  const where = dialog.getByLabel('Recorder')
  await until('the known recorder is proposed', async () => (await where.inputValue()) === recorder)
  await dialog.getByLabel('Recording ID').fill('order-7')
  await dialog.getByRole('button', { name: 'Start' }).click()
  await card.getByText('Recording has started.').waitFor()
  await card.locator('.state[data-state=recording]').waitFor()
  assert.equal((await talk.view()).recording?.recordingId, 'order-7')
  await card.getByText('gets the audio').waitFor()

  await card.getByRole('button', { name: 'Pause', exact: true }).click()
  await card.getByText('Recording is paused.').waitFor()
  await card.getByText('Receipts of the pause (2)').click()
  await card
    .getByText(/last packet \d+ at .*, \d+ sent, \d+ held back/)
    .first()
    .waitFor()
  assert.equal(await talk.state(), 'paused')
  await card.getByRole('button', { name: 'Resume' }).click()
  await card.getByText('Recording goes on.').waitFor()

  await card.getByRole('button', { name: 'Pause for…' }).click()
  await page.getByRole('dialog').getByLabel('At most').selectOption('30')
  await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click()
  await card.getByText(/resumes at \d/).waitFor()
  await card.getByRole('button', { name: 'Stop' }).click()
  await card.getByText('Recording has stopped.').waitFor()
  await talk.assertUndisturbed()

  await talk.end()
  await page.getByText('Nobody is talking right now').waitFor()
})

test('a start that fails says so, recorder by recorder, and the call shows the alarm with its cause', async (t) => {
  const talk = await openTalk(t)
  const page = await openPage(t, `${talk.opened.httpUrl}/#/live`)
  const card = page.getByRole('article', { name: 'alice and bob' })
  await card.getByRole('button', { name: 'Start recording…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Recorder').fill('sip:srs@127.0.0.1:9;transport=tcp')
  await dialog.getByRole('button', { name: 'Start' }).click()
  await card.getByText('Recording did not start.').waitFor()
  await card.getByText('srs@127.0.0.1:9: failed').first().waitFor()
  await card.getByText('Not recorded: no recorder took it').waitFor()
  await card.getByText('What to do: See how the recorder is').waitFor()
  await page.getByRole('link', { name: 'Audit' }).click()
  await page.getByRole('link', { name: talk.callId }).click()
  await page.getByRole('heading', { level: 1, name: 'alice and bob' }).waitFor()
  await talk.assertUndisturbed()
  await talk.end()
})

test("our recorder's alarm shows on the card of the call that it is of, with cause and fix, and goes with its cause", async (t) => {
  const [alice, bob] = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')]
  const opened = await openTestGateway(t, { recorder: true, gateway: { routes: [{ match: 'bob', callee: bob.uri }] } })
  const talk = await placeTalk(opened, alice, bob, new Int16Array(SILENCE_SAMPLES))
  const page = await openPage(t, `${opened.httpUrl}/#/live`)
  const card = page.getByRole('article', { name: 'alice and bob' })
  await card.waitFor()
  assert.equal((await talk.rest('start', opened.recorderUri('tcp'))).status, 200)
  const alarm = card.locator('.alarm[data-severity=warning]')
  await alarm.getByText('One side is recorded as silence').waitFor()
  await alarm.getByText('Cause: ').waitFor()
  await alarm.getByText('What to do: ').waitFor()
  await assertAccessible(page, 'an alarm')
  assert.equal((await talk.rest('pause')).status, 200)
  await alarm.waitFor({ state: 'detached' })
  await talk.end()
})

test('a card shows the node of the flow at which its call is, and leads to the picture of it', async (t) => {
  const alice = await openPhone(t, 'alice', 'udp')
  const opened = await openTestGateway(t, { flow })
  const call = await alice.call(`sip:flow@127.0.0.1:${opened.port('gateway', 'udp')}`)
  const page = await openPage(t, `${opened.httpUrl}/#/live`)
  const card = page.getByRole('article', { name: 'alice, with the flow' })
  await card.getByText('reception is at collect nodes[1].then[0]').waitFor()
  await card.getByRole('link', { name: 'reception' }).click()
  await page.locator('.picture [data-at=true]').getByText('collect').waitFor()
  await page.goBack()
  await call.audio.sendDigits('1')
  await card.getByText('reception is at wait nodes[2]').waitFor()
  await call.hangup()
})

test('the live page is for keyboards and small screens, in light and dark, and axe finds nothing', async (t) => {
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const talk = await openTalk(t, { gateway: { recording: { recorders: [recorders.recorderUri('tcp')] } } })
  const page = await openPage(t, `${talk.opened.httpUrl}/#/live`, { width: 360, height: 740 })
  const card = page.getByRole('article', { name: 'alice and bob' })
  await card.waitFor()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await assertAccessible(page, `live, ${colorScheme}`)
  }
  await assertNoSideScroll(page, 'the live page')
  const focused = (): Promise<unknown> => page.evaluate('document.activeElement?.textContent')
  const press = async (name: string, key = 'Tab'): Promise<void> => {
    for (let n = 0; n < MOST_KEYS && (await focused()) !== name; n += 1) await page.keyboard.press(key)
    assert.equal(await focused(), name)
    await page.keyboard.press('Enter')
  }
  await press('Start recording…')
  await page.getByRole('dialog').waitFor()
  await assertAccessible(page, 'the question')
  await assertNoSideScroll(page, 'the question')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await until('the focus comes back', async () => (await focused()) === 'Start recording…')

  await press('Start recording…')
  const where = page.getByRole('dialog').getByLabel('Recorder')
  await until('the known recorder is proposed', async () => (await where.inputValue()) !== '')
  await press('Start')
  await card.getByText('Recording has started.').waitFor()
  await press('Pause')
  await card.getByText('Recording is paused.').waitFor()
  await press('Resume')
  await card.getByText('Recording goes on.').waitFor()
  await press('Stop')
  await card.getByText('Recording has stopped.').waitFor()
  await talk.end()
})

test('the theme is chosen by a button, for this browser, whatever the system has', async (t) => {
  const { httpUrl, close } = await openTestProgram({})
  t.after(() => close())
  const page = await openPage(t, `${httpUrl}/#/live`, { theme: 'dark' })
  const colour = async (): Promise<unknown> => await page.evaluate('getComputedStyle(document.body).backgroundColor')
  const press = async (name: string): Promise<unknown> => {
    await page.getByRole('button', { name }).click()
    return await colour()
  }
  await page.getByRole('button', { name: 'Theme: system' }).waitFor()
  const dark = await colour()
  const light = await press('Theme: system')
  assert.notEqual(light, dark)
  await page.reload()
  await page.getByRole('button', { name: 'Theme: light' }).waitFor()
  assert.equal(await colour(), light)
  assert.equal(await press('Theme: light'), dark)
  await page.emulateMedia({ colorScheme: 'light' })
  assert.equal(await colour(), dark)
  assert.equal(await press('Theme: dark'), light)
})

test('what is lost of a speaker shows on the card, and only of that one', async (t) => {
  const talk = await openTalk(t)
  const page = await openPage(t, `${talk.opened.httpUrl}/#/live`)
  const speakers = page.getByRole('article', { name: 'alice and bob' }).getByRole('list', { name: 'Speakers' })
  talk.caller.audio.loseEvery(5)
  const lossOf = async (name: string): Promise<number> => {
    const told = await speakers.getByRole('listitem').filter({ hasText: name }).textContent()
    return Number(/([\d.]+) % lost/.exec(told ?? '')?.[1])
  }
  await until('every fifth packet is missing', async () => Math.abs((await lossOf('alice')) - 20) < 8)
  assert.ok((await lossOf('bob')) < 5)
  await talk.end()
})

test('each speaker has a meter and a loss, and the call is heard live; a pause silences it', async (t) => {
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const talk = await openTalk(t)
  assert.equal((await talk.rest('start', recorders.recorderUri('tcp'))).status, 200)
  const page = await openPage(t, `${talk.opened.httpUrl}/#/live`)
  const card = page.getByRole('article', { name: 'alice and bob' })
  for (const name of ['alice', 'bob']) {
    const meter = card.getByRole('meter', { name: `Loudness of ${name}` })
    await until(`${name} is loud`, async () => Number(await meter.getAttribute('aria-valuenow')) > -30)
  }
  await card.getByText('0.0 % lost').nth(1).waitFor()
  const { startedAt } = await talk.view()
  assert.equal(await card.getByText('inbound since').locator('time').getAttribute('datetime'), startedAt)
  await page.evaluate(hearTones)
  await card.getByRole('button', { name: 'Listen' }).click()
  await card.getByText('You hear the call.').waitFor()
  const isHeard = async (): Promise<boolean> => {
    const [caller, callee, other] = (await page.evaluate('globalThis.tonesHeard()')) as [number, number, number]
    return caller > other + 30 && callee > other + 30
  }
  await until('both tones are played', isHeard)
  await card.getByRole('button', { name: 'Pause', exact: true }).click()
  await card.getByText('Recording is paused, and so nobody hears the call.').waitFor()
  await card.getByRole('button', { name: 'Stop listening' }).click()
  await talk.assertUndisturbed()
  await talk.end()
})

/** Puts an analyser before the loudspeaker; `tonesHeard` are the levels at both tones and beside them, in dB. */
const hearTones = `(() => {
  const connect = AudioNode.prototype.connect
  let analyser
  AudioNode.prototype.connect = function (target, ...rest) {
    if (!(target instanceof AudioDestinationNode)) return connect.call(this, target, ...rest)
    if (analyser?.context !== this.context) {
      analyser = new AnalyserNode(this.context, { fftSize: 4096 })
      connect.call(analyser, target)
    }
    return connect.call(this, analyser)
  }
  globalThis.tonesHeard = () => {
    if (analyser === undefined) return [-200, -200, 0]
    const levels = new Float32Array(analyser.frequencyBinCount)
    analyser.getFloatFrequencyData(levels)
    const at = (hz) => levels[Math.round((hz * analyser.fftSize) / analyser.context.sampleRate)]
    return [at(440), at(1000), at(2300)].map((level) => Math.max(-200, level))
  }
})()`
