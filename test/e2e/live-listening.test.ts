// Hearing and seeing calls, and what our recorder receives, while they last: by the API of real programs, with tones over loopback.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import WebSocket from 'ws'
import { goertzelPower } from '#audio'
import type { LiveSessionView } from '../../src/control/live/live-session-routes.ts'
import { delay } from '../foreign/deadline.ts'
import { ForeignClient } from '../foreign/foreign-client.ts'
import { toMuLaw, tone } from '../foreign/g711-tones.ts'
import { buildRtp } from '../foreign/rtp-wire.ts'
import { Ear } from '../harness/ear.ts'
import { openTestProgram, type TestProgram } from '../harness/open-program.ts'
import { CALLEE_HZ, CALLER_HZ, openTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const TONES = [400, 1000]

async function manifestUnder(store: string): Promise<string> {
  const names = await readdir(store, { recursive: true })
  const [path] = names.filter((name) => name.endsWith('manifest.json'))
  assert.ok(path !== undefined)
  return join(store, path)
}

async function sessionOf(recorder: TestProgram): Promise<LiveSessionView> {
  const response = await fetch(`${recorder.httpUrl}/api/recorder/sessions`)
  assert.equal(response.status, 200)
  const { total, items } = (await response.json()) as { total: number; items: LiveSessionView[] }
  assert.equal(total, 1)
  return items[0]!
}

test('listeners hear each channel as it comes, and nothing while the client pauses; the session shows loudness', async (t) => {
  const recorder = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorder.close())
  const address = { host: '127.0.0.1', port: recorder.port('recorder', 'tcp') }
  const client = await ForeignClient.open({ transport: 'tcp', recorder: address, deadlineMs: 10_000 })
  t.after(() => client.close())
  assert.equal((await client.invite()).status, 200)
  const { recordingId } = await sessionOf(recorder)
  const url = `${recorder.httpUrl}/api/recorder/sessions/${recordingId}/listen`
  const both = await Ear.open(t, url)
  const second = await Ear.open(t, `${url}?channel=1`)
  assert.equal(both.texts[0]?.streams?.length, 2)

  const talk = () => Promise.all(TONES.map((hz, channel) => client.sendAudio(channel, tone(hz, 1000))))
  const sending = talk()
  let shown: LiveSessionView | undefined
  await until('the session shows loudness', async () => {
    shown = await sessionOf(recorder)
    return shown.streams.every(({ level, packetsPerSecond }) => level !== undefined && packetsPerSecond > 0)
  })
  for (const { level, state } of shown!.streams) {
    assert.equal(state, 'due')
    assert.ok(level!.peakDbfs <= 0 && level!.peakDbfs > -20 && level!.rmsDbfs < level!.peakDbfs, JSON.stringify(level))
  }
  await sending
  await until('both have heard it', () => both.samples(0).length >= 7200 && second.samples(1).length >= 7200)
  for (const [channel, hz] of TONES.entries()) {
    assert.ok(goertzelPower(both.samples(channel), 8000, hz) > 0.9, `channel ${channel}`)
  }
  assert.ok(goertzelPower(second.samples(1), 8000, TONES[1]!) > 0.9)
  assert.equal(second.samples(0).length, 0, 'one channel was asked for')

  assert.equal((await client.reinvite({ direction: 'inactive' })).status, 200)
  await until('the ear is told of the pause', () => both.has('paused'))
  both.forget()
  await talk()
  assert.equal((await client.reinvite({ direction: 'sendonly' })).status, 200)
  await until('the ear is told of the end of the pause', () => both.has('resumed'))
  assert.equal(both.samples(0).length + both.samples(1).length, 0, 'nothing is heard in a pause, whatever comes')
  assert.deepEqual([...both.rates], [8000])
  await talk()
  await until('it is heard again', () => both.samples(0).length > 4000)

  const closed = once(both.socket, 'close')
  assert.equal((await client.bye()).status, 200)
  await closed
  assert.equal(both.texts.at(-1)?.type, 'ended')
})

test('two sources that speak at once on one m-line are heard as one channel, and the one that speaks is enough for the alarms', async (t) => {
  const recorder = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorder.close())
  const address = { host: '127.0.0.1', port: recorder.port('recorder', 'tcp') }
  const client = await ForeignClient.open({ transport: 'tcp', recorder: address, deadlineMs: 10_000 })
  t.after(() => client.close())
  const { answer } = await client.invite({ streams: 1 })
  const { recordingId } = await sessionOf(recorder)
  const ear = await Ear.open(t, `${recorder.httpUrl}/api/recorder/sessions/${recordingId}/listen`)
  const { rtp } = client.streams[0]!.pair
  const voices = TONES.map((hz) => Buffer.from(Array.from(tone(hz, 1000), toMuLaw)))
  let packet = 0
  const say = async (durationMs: number, lines: readonly number[]): Promise<void> => {
    for (const end = packet + durationMs / 20; packet < end; packet++) {
      for (const line of lines) {
        const from = (packet % 50) * 160
        const payload = voices[line]!.subarray(from, from + 160)
        const about = { payloadType: 0, marker: false, sequence: packet, timestamp: packet * 160, ssrc: 0x1000 + line }
        rtp.send(buildRtp({ ...about, payload }), answer?.media[0]?.port ?? 0, '127.0.0.1')
      }
      await delay(20)
    }
  }
  await say(1500, [0, 1])
  await until('it has been heard', () => ear.samples(0).length > 8000)
  const heard = ear.samples(0)
  assert.ok(heard.length < 8 * 2500, `${heard.length / 8} ms of 1500 are one sound, not one behind the other`)
  for (const hz of TONES) {
    const power = goertzelPower(heard.subarray(heard.length - 6400), 8000, hz)
    assert.ok(power > 0.3, `${hz} Hz: ${power}`)
  }
  ear.forget()
  await say(1500, [1])
  await until('the other one has been heard', () => ear.samples(0).length > 8000)
  const alone = ear.samples(0).subarray(-6400)
  assert.ok(goertzelPower(alone, 8000, TONES[1]!) > 0.9)
  const { alarms, streams } = await sessionOf(recorder)
  assert.deepEqual(alarms, [])
  assert.ok(streams[0]?.level !== undefined && (streams[0].lastPacketAgoMs ?? 10_000) < 1000, JSON.stringify(streams))
  assert.equal((await client.bye()).status, 200)
})

test('an alarm shows in the session, as an event, in the metrics, in the log and in the manifest, and so does its end', async (t) => {
  const recorder = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorder.close())
  const address = { host: '127.0.0.1', port: recorder.port('recorder', 'tcp') }
  const client = await ForeignClient.open({ transport: 'tcp', recorder: address, deadlineMs: 10_000 })
  t.after(() => client.close())
  assert.equal((await client.invite()).status, 200)
  const eventsOf = async (type: string): Promise<{ data: { alarm: string; fix: string } }[]> => {
    const response = await fetch(`${recorder.httpUrl}/api/events?types=${type}`)
    return ((await response.json()) as { items: { data: { alarm: string; fix: string } }[] }).items
  }
  const talking = client.sendAudio(0, tone(400, 6000))
  await until('the missing side is told', async () => (await eventsOf('session.alarm')).length > 0)
  const session = await sessionOf(recorder)
  assert.deepEqual(
    session.alarms.map(({ code, channel, severity }) => [code, channel, severity]),
    [['one-side-only', 1, 'error']],
  )
  const [told] = await eventsOf('session.alarm')
  assert.equal(told?.data.alarm, 'one-side-only')
  assert.ok(told.data.fix.includes(`127.0.0.1:${session.streams[1]!.port}`), told.data.fix)
  const metrics = await (await fetch(`${recorder.httpUrl}/metrics`)).text()
  assert.match(metrics, /siprec_gateway_recorder_alarms_total\{code="one-side-only"\} 1/)
  assert.ok(recorder.log.messages().includes('alarm raised'))
  await client.sendAudio(1, tone(1000, 600))
  await until('it is cleared', async () => (await eventsOf('session.alarm-cleared')).length > 0)
  await talking
  assert.equal((await client.bye()).status, 200)
  await until('it is published', async () => (await eventsOf('session.ended')).length > 0)
  const path = await manifestUnder(recorder.store)
  const { alarms } = JSON.parse(await readFile(path, 'utf8')) as { alarms: { code: string; toMs?: number }[] }
  assert.deepEqual(
    alarms.map(({ code, toMs }) => [code, toMs !== undefined]),
    [['one-side-only', true]],
  )
})

test('who may hear is asked for the scope, and what is heard stands in the audit log', async (t) => {
  const recorder = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorder.close())
  const response = await fetch(`${recorder.httpUrl}/api/recorder/sessions/none/listen`)
  assert.equal(response.status, 426)
  const openApi = (await (await fetch(`${recorder.httpUrl}/api/openapi.json`)).json()) as {
    paths: Record<string, { get: { security: { token: string[] }[] } }>
  }
  assert.deepEqual(openApi.paths['/api/recorder/sessions/{recordingId}/listen']?.get.security[0]?.token, [
    'calls:listen',
  ])
  const socket = new WebSocket(`${recorder.httpUrl.replace('http', 'ws')}/api/recorder/sessions/none/listen`)
  await once(socket, 'close')
  const audit = (await (await fetch(`${recorder.httpUrl}/api/audit`)).json()) as { items: { action: string }[] }
  assert.ok(audit.items.some(({ action }) => action === 'recording.listen'))
})

test('a call is seen and heard without a recording; a pause of its recording silences who listens, and nobody else', async (t) => {
  const recorders = await openTestProgram({ gateway: false, recorder: true })
  t.after(() => recorders.close())
  const talk = await openTalk(t, { transport: 'tcp' })
  const call = `${talk.opened.httpUrl}/api/calls/${talk.callId}`
  type Levels = { items: { leg: string; role: string; level?: { peakDbfs: number } }[] }
  let levels: Levels = { items: [] }
  await until('the call shows loudness', async () => {
    levels = (await (await fetch(`${call}/levels`)).json()) as Levels
    return levels.items.length === 2 && levels.items.every(({ level }) => level !== undefined)
  })
  assert.deepEqual(
    levels.items.map(({ role }) => role),
    ['caller', 'callee'],
  )
  for (const { level } of levels.items) assert.ok(level!.peakDbfs > -20 && level!.peakDbfs <= 0)
  assert.equal((await fetch(`${talk.opened.httpUrl}/api/calls/none/levels`)).status, 404)

  const ear = await Ear.open(t, `${call}/listen`)
  assert.deepEqual(
    ear.texts[0]?.streams?.map(({ channel }) => channel),
    [0, 1],
  )
  await until('both are heard', () => ear.samples(0).length > 4000 && ear.samples(1).length > 4000)
  assert.ok(goertzelPower(ear.samples(0), 8000, CALLER_HZ) > 0.9)
  assert.ok(goertzelPower(ear.samples(1), 8000, CALLEE_HZ) > 0.9)
  await talk.assertUndisturbed()

  assert.equal((await talk.rest('start', recorders.recorderUri('tcp'))).status, 200)
  assert.equal((await talk.rest('pause')).status, 200)
  await until('the ear is told of the pause', () => ear.has('paused'))
  ear.forget()
  await talk.assertUndisturbed()
  assert.equal(ear.samples(0).length + ear.samples(1).length, 0, 'one pause silences all')
  assert.equal((await talk.rest('resume')).status, 200)
  await until('both are heard again', () => ear.samples(0).length > 1600 && ear.samples(1).length > 1600)
  assert.ok(ear.has('resumed'))
  const closed = once(ear.socket, 'close')
  await talk.end()
  await closed
  assert.equal(ear.texts.at(-1)?.type, 'ended')
})
