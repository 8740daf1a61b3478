// A gateway whose media ports do not suffice: the voice that has no copy is told, and recorded as soon as there is a port.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goertzelPower, tone } from '#audio'
import { cryptoIds } from '#net'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import type { SoftCall } from '../harness/softphone.ts'
import { openPhone, openTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const SECOND = 8_000
const DEADLINE_MS = 20_000
const THIRD_HZ = 1_700
/** Of a call of two, of two copies of each, and of a third party. */
const PAIRS = 2 + 2 * 2 + 1

test('a third voice that finds no media port is an event, shown and a gap, and is recorded once a port is free', async (t) => {
  const [recorder, other] = [await ForeignRecorder.open({}), await ForeignRecorder.open({})]
  t.after(async () => {
    await recorder.close()
    await other.close()
  })
  const carol = await openPhone(t, 'carol', 'udp')
  // Ports at an address that nobody else has.
  const host = `127.${1 + cryptoIds.integer(250)}.${cryptoIds.integer(250)}.${1 + cryptoIds.integer(250)}`
  const talk = await openTalk(t, { gateway: { media: { host, portMin: 30_000, portMax: 30_000 + 2 * PAIRS - 1 } } })
  const { httpUrl } = talk.opened
  const told = async (): Promise<readonly string[]> => {
    const response = await fetch(`${httpUrl}/api/events?types=recorder.streams-*`)
    const { items } = (await response.json()) as { items: readonly { type: string; recorder: string }[] }
    return items.filter((item) => item.recorder === recorder.uri()).map(({ type }) => type)
  }
  const incoming = new Promise<SoftCall>((resolve) => {
    carol.onIncoming = resolve
  })
  assert.equal((await talk.rest('start', `${recorder.uri()},${other.uri()}`)).status, 200)
  await until('both are sent the call', async () => recorder.audio(1).length > 0 && other.audio(1).length > 0)
  const joined = talk.join(carol.uri)
  const third = await incoming
  third.say(tone(THIRD_HZ, 60_000))
  third.accept()
  await joined
  await until('the third voice is missing', async () => (await told()).length > 0)
  const shown = (await talk.view()).recording
  const session = shown?.sessions.find(({ uri }) => uri === recorder.uri())
  assert.deepEqual(session?.missing, { labels: ['3'], reason: 'every media port of the range is in use' })
  const gap = shown?.ledger.find((row) => row.recorder === recorder.uri())?.gaps.at(-1)
  assert.deepEqual([gap?.streams, gap?.to], [['3'], undefined])

  const stopped = await fetch(`${httpUrl}/api/calls/${talk.callId}/recording`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ activity: 'stop', recorder: other.uri() }),
  })
  assert.equal(stopped.status, 200)
  await recorder.waitFor(() => recorder.audio(2).length > SECOND / 2, DEADLINE_MS, 'a third stream')
  assert.ok(goertzelPower(recorder.audio(2).subarray(-SECOND / 4), SECOND, THIRD_HZ) > 0.9)
  assert.deepEqual(await told(), ['recorder.streams-missing', 'recorder.streams-restored'])
  const after = (await talk.view()).recording
  assert.equal(after?.sessions.find(({ uri }) => uri === recorder.uri())?.missing, undefined)
  const ended = after?.ledger.find((row) => row.recorder === recorder.uri())?.gaps.at(-1)
  assert.deepEqual([ended?.streams, ended?.to !== undefined], [['3'], true])
  await talk.end()
})
