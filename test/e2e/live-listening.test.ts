// Hearing and seeing what our recorder receives, while it is received: by the API of a real program, with tones over loopback.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import WebSocket from 'ws'
import { goertzelPower } from '#audio'
import type { LiveSessionView } from '../../src/control/live/live-session-routes.ts'
import { ForeignClient } from '../foreign/foreign-client.ts'
import { tone } from '../foreign/g711-tones.ts'
import { openTestProgram, type TestProgram } from '../harness/open-program.ts'
import { until } from '../harness/until.ts'

const HEADER_BYTES = 8
const TONES = [400, 1000]

/** What one listener got. */
class Ear {
  readonly texts: { readonly type: string; readonly streams?: { readonly label?: string }[] }[] = []
  readonly heard = new Map<number, number[]>()
  readonly socket: WebSocket

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (!isBinary) this.texts.push(JSON.parse(data.toString()))
      else this.#take(data)
    })
  }

  static async open(t: TestContext, url: string): Promise<Ear> {
    const socket = new WebSocket(url.replace('http', 'ws'))
    t.after(() => socket.terminate())
    const ear = new Ear(socket)
    await once(socket, 'open')
    await until('the ear is told of the streams', () => ear.texts.length > 0)
    return ear
  }

  samples(channel: number): Int16Array {
    return Int16Array.from(this.heard.get(channel) ?? [])
  }

  #take(data: Buffer): void {
    assert.equal(data.readUInt32LE(4), 8000)
    const channel = data.readUInt8(0)
    const samples = this.heard.get(channel) ?? []
    this.heard.set(channel, samples)
    for (let at = HEADER_BYTES; at < data.length; at += 2) samples.push(data.readInt16LE(at))
  }
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
  await until('the ear is told of the pause', () => both.texts.some(({ type }) => type === 'paused'))
  both.heard.clear()
  await talk()
  assert.equal((await client.reinvite({ direction: 'sendonly' })).status, 200)
  await until('the ear is told of the end of the pause', () => both.texts.some(({ type }) => type === 'resumed'))
  assert.equal(both.heard.size, 0, 'nothing is heard in a pause, whatever comes')
  await talk()
  await until('it is heard again', () => both.samples(0).length > 4000)

  const closed = once(both.socket, 'close')
  assert.equal((await client.bye()).status, 200)
  await closed
  assert.equal(both.texts.at(-1)?.type, 'ended')
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
