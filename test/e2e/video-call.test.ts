// A call with video through a whole gateway: what the parties see of each other, and what a recorder gets of it.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { goertzelPower } from '#audio'
import { RtpParty } from '../engine/rtp-party.ts'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { CALLEE_HZ, CALLER_HZ, openPhone, openTestGateway, placeTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const DEADLINE_MS = 20_000
/** Half a second of speech, and of frames. */
const SAMPLES = 4_000
const FRAMES = 25
const H264 = 97
const CAMERAS = [
  { voice: 1, ssrc: 0xa1 },
  { voice: 2, ssrc: 0xb2 },
] as const

async function openScreen(t: TestContext): Promise<RtpParty> {
  const screen = await RtpParty.open()
  t.after(() => screen.close())
  return screen
}

test('FLOW-22, SRC-29, RTP-18: a video call has four m-lines at the recorder, and one that it refuses costs the others nothing', async (t) => {
  const recorder = await ForeignRecorder.open({ port0On: 3 })
  t.after(() => recorder.close())
  const [alice, bob] = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')]
  const screens = [await openScreen(t), await openScreen(t)]
  const opened = await openTestGateway(t, { gateway: { routes: [{ match: 'bob', callee: bob.uri }] } })
  for (const [index, phone] of [alice, bob].entries()) phone.video = screens[index]!.remote
  const talk = await placeTalk(opened, alice, bob)
  for (const [index, call] of [talk.caller, talk.callee].entries()) {
    await until('video was agreed', () => call.videoRemote !== undefined)
    const { voice, ssrc } = CAMERAS[index]!
    screens[index]!.talk(call.videoRemote!.rtp.port, voice, ssrc, H264)
  }
  await Promise.all(screens.map((screen) => screen.hears(FRAMES)))
  for (const { heard } of screens) assert.ok(heard.every(({ header }) => header.payloadType === H264))
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  const isRecorded = (): boolean =>
    [0, 1].every((at) => recorder.audio(at).length >= SAMPLES) && recorder.rtp(2).length >= FRAMES
  await recorder.waitFor(isRecorded, DEADLINE_MS, 'both voices and the picture that is taken')
  for (const [at, frequencyHz] of [CALLER_HZ, CALLEE_HZ].entries()) {
    assert.ok(goertzelPower(recorder.audio(at).subarray(-SAMPLES / 2), 8000, frequencyHz) > 0.9)
  }
  const invite = recorder.invites()[0]
  assert.deepEqual(
    [...(invite?.body.toString('latin1') ?? '').matchAll(/^m=(audio|video) /gm)].map(([, kind]) => kind),
    ['audio', 'audio', 'video', 'video'],
  )
  assert.equal(recorder.rtp(3).length, 0)
  assert.equal((recorder.documents()[0]?.match(/<stream /g) ?? []).length, 4)
  await talk.assertUndisturbed()
  for (const screen of screens) screen.hush()
  await talk.end()
  assert.deepEqual(recorder.violations, [])
})
