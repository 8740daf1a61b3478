// Softphones that people have, calling through the gateway: what they say is recorded on the right channel, and they hold and resume.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { goertzelPower } from '#audio'
import { type ForeignPhone, openBaresip, openLinphone } from '../harness/foreign-phones.ts'
import { type KeptRecording, keptRecording } from '../harness/kept-recording.ts'
import type { Section, TestProgram } from '../harness/open-program.ts'
import { CallDesk, openTestGateway } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('baresip', 'linphonec', 'sox')

const HOST = '127.0.0.1'
const CALLER_HZ = 440
const CALLEE_HZ = 1000
/** Samples of one look. */
const LOOK = 2000

/** Keys are exchanged over plain UDP here, and the recorder is asked for plain RTP. */
const srtpInTheClear = {
  media: { portMin: 28_000, portMax: 28_199, srtp: { keysWithoutTls: true } },
  recording: { profiles: [{ name: 'near', trustedNetwork: true }] },
}

/** What the recorder receives now. */
interface LiveSessions {
  readonly items: readonly { readonly streams: readonly { readonly state: string }[] }[]
}

type Opener = (folder: string) => Promise<ForeignPhone>

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'softphones-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Has `caller` call `callee` through a gateway; resolves when the recording has begun. */
async function recordedCall(
  t: TestContext,
  openers: { readonly caller: Opener; readonly callee: Opener; readonly gateway?: Section },
): Promise<{ opened: TestProgram; desk: CallDesk; caller: ForeignPhone; callee: ForeignPhone }> {
  const folder = await newFolder(t)
  const [caller, callee] = [await openers.caller(folder), await openers.callee(folder)]
  t.after(() => Promise.all([caller.close(), callee.close()]))
  const opened = await openTestGateway(t, {
    gateway: { routes: [{ match: 'bob', callee: callee.uri }], ...openers.gateway },
    recorder: true,
  })
  caller.call(`sip:bob@${HOST}:${opened.port('gateway', 'udp')}`)
  await until('the call is up', () => opened.program.gateway?.calls.list()[0]?.state === 'answered')
  const desk = new CallDesk(opened, opened.program.gateway?.calls.list()[0]?.callId ?? '')
  assert.equal((await desk.rest('start', opened.recorderUri('tcp'), 'softphones')).status, 200)
  return { opened, desk, caller, callee }
}

function assertTones(kept: KeptRecording): void {
  for (const [channel, own, other] of [
    [0, CALLER_HZ, CALLEE_HZ],
    [1, CALLEE_HZ, CALLER_HZ],
  ] as const) {
    const all = kept.channels[channel]!
    for (const from of [all.length / 4, (all.length * 3) / 5].map(Math.round)) {
      const samples = all.subarray(from, from + LOOK)
      assert.ok(goertzelPower(samples, kept.sampleRateHz, own) > 0.9, `channel ${channel} holds ${own} Hz`)
      assert.ok(goertzelPower(samples, kept.sampleRateHz, other) < 0.01, `channel ${channel} has no ${other} Hz`)
    }
  }
}

/** Waits until the recorder was sent so many packets more, of both streams together. */
async function talk(desk: CallDesk, packets = 200): Promise<void> {
  const sent = async (): Promise<number> => (await desk.view()).recording?.ledger[0]?.packetsSent ?? 0
  const from = await sent()
  await until('the talk goes on', async () => (await sent()) >= from + packets)
}

const baresip =
  (user: string, hz: number, more: { codecs?: string; isSrtp?: boolean } = {}): Opener =>
  (folder) =>
    openBaresip({ folder, user, hz, ...more })
const linphone =
  (user: string, hz: number, isRecordAware = false): Opener =>
  (folder) =>
    openLinphone({ folder, user, hz, isRecordAware })

for (const [name, caller, callee, gateway] of [
  ['baresip calls baresip', baresip('alice', CALLER_HZ), baresip('bob', CALLEE_HZ), {}],
  ['baresip calls baresip in PCMA', baresip('alice', CALLER_HZ, { codecs: 'pcma' }), baresip('bob', CALLEE_HZ), {}],
  ['linphone calls baresip', linphone('alice', CALLER_HZ), baresip('bob', CALLEE_HZ), {}],
  ['baresip calls linphone', baresip('alice', CALLER_HZ), linphone('bob', CALLEE_HZ), {}],
  [
    'baresip calls baresip over SRTP',
    baresip('alice', CALLER_HZ, { isSrtp: true }),
    baresip('bob', CALLEE_HZ, { isSrtp: true }),
    srtpInTheClear,
  ],
  ['linphone calls linphone in Opus', linphone('alice', CALLER_HZ), linphone('bob', CALLEE_HZ), {}],
] as const) {
  test(`${name}, and each is recorded on its channel`, async (t) => {
    const call = await recordedCall(t, { caller, callee, gateway })
    await talk(call.desk)
    call.caller.hangUp()
    assertTones(await keptRecording(call.opened.store))
  })
}

test('SIP-19: baresip holds and resumes, and the recording says so', async (t) => {
  const { opened, desk, caller } = await recordedCall(t, {
    caller: baresip('alice', CALLER_HZ),
    callee: baresip('bob', CALLEE_HZ),
  })
  await talk(desk)
  caller.hold()
  const ask = async (): Promise<LiveSessions> =>
    (await fetch(`${opened.httpUrl}/api/recorder/sessions`)).json() as Promise<LiveSessions>
  const quietStreams = async (): Promise<number> =>
    (await ask()).items.flatMap(({ streams }) => streams).filter(({ state }) => state === 'quiet').length
  await until('the recorder is told of the hold', async () => (await quietStreams()) > 0)
  caller.resume()
  await until('the recorder is told of its end', async () => (await quietStreams()) === 0)
  await talk(desk)
  caller.hangUp()
  const kept = await keptRecording(opened.store)
  const [, far] = kept.manifest.streams
  const hold = far?.gaps.find(({ cause }) => cause === 'hold')
  assert.ok(hold !== undefined && hold.toMs < kept.manifest.durationMs - 1000, 'the hold is in the ledger')
  assertTones(kept)
})

test('UA-05, UA-06: linphone, which is aware of recording, is told of start, pause and stop, and takes it', async (t) => {
  const { desk, caller } = await recordedCall(t, {
    caller: linphone('alice', CALLER_HZ, true),
    callee: baresip('bob', CALLEE_HZ),
  })
  /** The states that it was told in offers which it answered with 200. */
  const told = (): readonly string[] =>
    [...caller.said().matchAll(/^a=record:(on|off|paused)/gm)].map(([, state = '']) => state)
  await until('it is told that it is recorded', () => told().at(-1) === 'on')
  await talk(desk)
  assert.equal((await desk.rest('pause')).status, 200)
  await until('it is told of the pause', () => told().at(-1) === 'paused')
  assert.equal((await desk.rest('stop')).status, 200)
  await until('it is told of the end', () => told().at(-1) === 'off')
  assert.deepEqual((await desk.view()).state, 'answered')
})
