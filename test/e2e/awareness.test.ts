// Parties learn that they are recorded, and what they ask for counts, through a whole program with real phones and recorders.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodePcmu, goertzelPower } from '#audio'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { CALLEE_HZ, CALLER_HZ, openTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const DEADLINE_MS = 10_000

test('UA-05, UA-06, FLOW-13: an aware caller is told of start, pause, resume and stop as they happen', async (t) => {
  const recorder = await ForeignRecorder.open({})
  t.after(() => recorder.close())
  const talk = await openTalk(t, { isCallerAware: true })
  for (const [command, told] of [
    ['start', 'on'],
    ['pause', 'paused'],
    ['resume', 'on'],
    ['stop', 'off'],
  ] as const) {
    assert.equal((await talk.rest(command, command === 'start' ? recorder.uri() : '')).status, 200)
    await until(`the caller is told ${told}`, () => talk.caller.toldOfRecording.at(-1) === told)
  }
  assert.deepEqual(talk.caller.toldOfRecording, ['on', 'paused', 'on', 'off'])
  assert.deepEqual(talk.callee.toldOfRecording, [], 'a phone that does not know the attribute is not sent it')
  await talk.assertUndisturbed()
  await talk.end()
})

test('UA-12, AMB-11: every INVITE of a call says record-aware, since what the other side tells is shown or sounded', async (t) => {
  const talk = await openTalk(t)
  const supported = talk.callee.invite?.request.headers.list('Supported') ?? []
  assert.ok(supported.includes('record-aware'), supported.join(' '))
  await talk.end()
})

test('UA-06: an aware caller is told off when the only recorder is gone', async (t) => {
  const recorder = await ForeignRecorder.open({})
  t.after(() => recorder.close())
  const talk = await openTalk(t, { isCallerAware: true })
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await until('the caller is told on', () => talk.caller.toldOfRecording.at(-1) === 'on')
  recorder.script = { answer: 486 }
  await recorder.bye()
  await until('the caller is told off', () => talk.caller.toldOfRecording.at(-1) === 'off')
  await talk.assertUndisturbed()
  await talk.end()
})

test('UA-10, UA-17, FLOW-14: a party that asks not to be recorded is not, and the answer says so', async (t) => {
  const recorder = await ForeignRecorder.open({})
  t.after(() => recorder.close())
  const talk = await openTalk(t, { isCallerAware: true })
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await recorder.waitFor(() => recorder.rtp(0).length > 5, DEADLINE_MS, 'RTP')
  assert.equal(await talk.caller.prefer('off'), 'off')
  await recorder.waitFor(() => recorder.requests('BYE').length === 1, DEADLINE_MS, 'BYE')
  assert.equal(await talk.state(), 'none')
  const refused = await talk.rest('start', recorder.uri())
  assert.deepEqual(refused, { status: 400, text: 'a party of the call asked not to be recorded' })
  await talk.assertUndisturbed()
  await talk.end()
})

test('UA-10: with preferences ignored the recording goes on, and the answer says that', async (t) => {
  const recorder = await ForeignRecorder.open({})
  t.after(() => recorder.close())
  const talk = await openTalk(t, {
    isCallerAware: true,
    gateway: { awareness: { exempt: 'test', preferences: 'ignore' } },
  })
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await until('the caller is told on', () => talk.caller.toldOfRecording.at(-1) === 'on')
  assert.equal(await talk.caller.prefer('off'), 'on')
  assert.equal(await talk.state(), 'recording')
  await talk.end()
})

test('UA-20: with a notice the recording begins after it: offered inactive, then sendonly, and not one packet before', async (t) => {
  const recorder = await ForeignRecorder.open({})
  t.after(() => recorder.close())
  const talk = await openTalk(t, {
    isCallerAware: true,
    gateway: { awareness: { exempt: 'test', notice: 'prompts/notice.wav' } },
  })
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  assert.match(recorder.invites()[0]?.body.toString() ?? '', /a=inactive/)
  assert.equal(recorder.rtp(0).length, 0)
  await until('the recording is paused for the notice', async () => (await talk.state()) === 'paused')
  await until('the recording goes on after the notice', async () => (await talk.state()) === 'recording')
  await recorder.waitFor(() => recorder.rtp(0).length > 5, DEADLINE_MS, 'RTP')
  assert.deepEqual(talk.caller.toldOfRecording, ['paused', 'on'])
  await talk.end()
})

test('UA-03, UA-18, UA-19: an unaware party hears the tone of its profile while recorded, and the recording has none', async (t) => {
  const recorder = await ForeignRecorder.open({})
  t.after(() => recorder.close())
  const beep = { frequencyHz: 2100, onMs: 500, everyMs: 1000, levelDbm0: -10 }
  const talk = await openTalk(t, {
    isCallerAware: true,
    gateway: { awareness: { rules: [{ match: 'bob', ...beep }] } },
  })
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  const from = talk.callee.heard().length
  await until('the callee hears two seconds more', () => talk.callee.heard().length >= from + 16_000)
  const beeping = windows(talk.callee.heard().subarray(from, from + 16_000)).filter(hasBeep).length
  assert.ok(beeping >= 4 && beeping <= 14, `${beeping} of 20 windows have the tone`)
  const caller = windows(talk.caller.heard().subarray(-8000))
  assert.equal(caller.filter(hasBeep).length, 0, 'the aware caller is shown it and hears nothing')
  for (const slot of [0, 1]) {
    await recorder.waitFor(() => recorder.rtp(slot).length > 50, DEADLINE_MS, 'RTP')
    const bytes = Buffer.concat(recorder.rtp(slot).map(({ payload }) => payload))
    assert.equal(windows(decodePcmu(bytes)).filter(hasBeep).length, 0, 'the recording has no tone')
  }
  assert.equal((await talk.rest('pause')).status, 200)
  const paused = talk.callee.heard().length
  await until('the callee hears a second more', () => talk.callee.heard().length >= paused + 10_000)
  const after = windows(talk.callee.heard().subarray(paused + 2000, paused + 10_000))
  assert.equal(after.filter(hasBeep).length, 0, 'silent while paused')
  await talk.end()
})

/** Windows of 100 ms. */
function windows(samples: Int16Array): Int16Array[] {
  return Array.from({ length: Math.floor(samples.length / 800) }, (_, index) =>
    samples.subarray(index * 800, (index + 1) * 800),
  )
}

function hasBeep(window: Int16Array): boolean {
  return goertzelPower(window, 8000, 2100) > 0.03
}

test('UA-03: an unaware party hears an announcement and then the other again, and the other and the call notice nothing', async (t) => {
  const recorder = await ForeignRecorder.open({})
  t.after(() => recorder.close())
  const talk = await openTalk(t, {
    isCallerAware: true,
    gateway: { awareness: { rules: [{ match: 'bob', announcement: 'prompts/notice.wav' }] } },
  })
  const from = talk.callee.heard().length
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  const isTalk = (samples: Int16Array): boolean => goertzelPower(samples, 8000, CALLER_HZ) > 0.5
  const since = (): Int16Array[] => windows(talk.callee.heard().subarray(from))
  await until('something else than the caller is heard', () => since().filter((part) => !isTalk(part)).length >= 5)
  await until('the caller is heard again', () => talk.callee.heard().length > from && isTalk(since().at(-1)!))
  await talk.assertUndisturbed()
  const caller = windows(talk.caller.heard().subarray(-8000))
  assert.ok(
    caller.every((part) => goertzelPower(part, 8000, CALLEE_HZ) > 0.5),
    'the caller hears the callee',
  )
  assert.deepEqual(talk.caller.toldOfRecording, ['on'])
  await recorder.waitFor(() => recorder.rtp(0).length > 50, DEADLINE_MS, 'RTP')
  await talk.end()
  assert.deepEqual(recorder.violations, [])
})
