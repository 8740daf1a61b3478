// What our recorder hears to be wrong shows on the call that it records, and is told with that call's id.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallView } from '../../src/control/contract.ts'
import { openTestProgram } from '../harness/open-program.ts'
import { openPhone, openTestGateway, placeTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const SILENCE_SAMPLES = 8_000 * 60

interface Told {
  readonly callId?: string
  readonly recordingId?: string
  readonly data: Readonly<Record<string, unknown>>
}

test('an alarm of our recorder stands on the call that it is of, and goes when it has healed', async (t) => {
  const [alice, bob] = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')]
  const opened = await openTestGateway(t, { recorder: true, gateway: { routes: [{ match: 'bob', callee: bob.uri }] } })
  const talk = await placeTalk(opened, alice, bob, new Int16Array(SILENCE_SAMPLES))
  assert.equal((await talk.rest('start', opened.recorderUri('tcp'))).status, 200)
  const session = (view: CallView) => view.recording?.sessions[0]
  const codes = async () => session(await talk.view())?.alarms?.map(({ code, channel }) => `${code} ${channel}`) ?? []

  await until('the silence of one side is an alarm', async () => (await codes()).length > 0)
  assert.deepEqual(await codes(), ['digital-silence 0'])
  const view = session(await talk.view())
  assert.match(view?.alarms?.[0]?.cause ?? '', /\w/)
  assert.match(view?.alarms?.[0]?.fix ?? '', /\w/)
  const events = (await (await fetch(`${opened.httpUrl}/api/events?types=session.*`)).json()) as { items: Told[] }
  for (const { callId } of events.items) assert.equal(callId, talk.callId)
  assert.equal(events.items.at(-1)?.data['alarm'], 'digital-silence')
  const sessions = (await (await fetch(`${opened.httpUrl}/api/recorder/sessions`)).json()) as {
    items: { callId: string }[]
  }
  assert.equal(sessions.items[0]?.callId, view?.sipCallId)

  assert.equal((await talk.rest('pause')).status, 200)
  await until('nothing is wrong with a pause', async () => (await codes()).length === 0)
  await talk.end()
})

test('an alarm of our recorder in another program stands on the call that it is of', async (t) => {
  const recorder = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorder.close())
  const [alice, bob] = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')]
  const routes = [{ match: 'bob', callee: bob.uri }]
  const recording = { recorderApis: [{ url: recorder.httpUrl }] }
  const opened = await openTestGateway(t, { gateway: { routes, recording } })
  const talk = await placeTalk(opened, alice, bob, new Int16Array(SILENCE_SAMPLES))
  assert.equal((await talk.rest('start', recorder.recorderUri('tcp'))).status, 200)
  const codes = async () =>
    (await talk.view()).recording?.sessions[0]?.alarms?.map(({ code, channel }) => `${code} ${channel}`) ?? []
  await until('the silence of one side is an alarm', async () => (await codes()).length > 0)
  assert.deepEqual(await codes(), ['digital-silence 0'])
  assert.equal((await talk.rest('pause')).status, 200)
  await until('nothing is wrong with a pause', async () => (await codes()).length === 0)
  await talk.end()
})

test('where two calls share a session, an alarm stands only on the call whose stream it is about', async (t) => {
  const [alice, bob] = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')]
  const [carol, dave] = [await openPhone(t, 'carol', 'udp'), await openPhone(t, 'dave', 'udp')]
  const opened = await openTestGateway(t, {
    recorder: true,
    gateway: {
      routes: [
        { match: 'bob', callee: bob.uri },
        { match: 'dave', callee: dave.uri },
      ],
      recording: { profiles: [{ name: 'shared', callsPerSession: 2 }] },
    },
  })
  const loud = await placeTalk(opened, carol, dave, undefined, 'dave')
  const silent = await placeTalk(opened, alice, bob, new Int16Array(SILENCE_SAMPLES))
  for (const talk of [loud, silent]) assert.equal((await talk.rest('start', opened.recorderUri('tcp'))).status, 200)
  const session = async (talk: typeof loud) => (await talk.view()).recording?.sessions[0]
  const isSilence = ({ code }: { readonly code: string }): boolean => code === 'digital-silence'
  await until('there is an alarm', async () => (await session(silent))?.alarms?.some(isSilence) === true)
  const [one, other] = [await session(silent), await session(loud)]
  assert.equal(one?.sipCallId, other?.sipCallId)
  assert.deepEqual([one?.alarms?.filter(isSilence).length, other?.alarms?.filter(isSilence).length], [1, 0])
  const events = (await (await fetch(`${opened.httpUrl}/api/events?types=session.alarm`)).json()) as { items: Told[] }
  const silences = events.items.filter(({ data }) => data['alarm'] === 'digital-silence')
  assert.deepEqual([...new Set(silences.map(({ callId }) => callId))], [silent.callId])
  await loud.caller.hangup()
  await silent.end()
})
