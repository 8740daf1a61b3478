// Our gateway records a call at a recorder that is killed and started again: call and recording both go on.

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { goertzelPower } from '#audio'
import { keptRecordings } from '../harness/kept-recording.ts'
import { MortalRecorder } from '../harness/mortal-recorder.ts'
import { CALLEE_HZ, CALLER_HZ, openPhone, openTestGateway, placeTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const SAMPLES_PER_MS = 8
const PART_MS = 1500

for (const transport of ['udp', 'tcp', 'tls'] as const) {
  const isTls = transport === 'tls'
  test(`a recorder killed under a call of the gateway, over ${transport}${isTls ? ' and SRTP' : ''}: one recording with one gap, the call undisturbed`, async (t) => {
    const recorder = await MortalRecorder.start(t, {}, { isTls })
    const [alice, bob] = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')]
    const opened = await openTestGateway(t, {
      tls: isTls,
      gateway: {
        routes: [{ match: 'bob', callee: bob.uri }],
        ...(isTls && { recording: { profiles: [{ name: 'secured', media: { srtp: ['AEAD_AES_256_GCM'] } }] } }),
      },
    })
    const talk = await placeTalk(opened, alice, bob)
    const hearMore = async (ms: number): Promise<void> => {
      const from = talk.caller.heard().length
      await until('the talk goes on', () => talk.caller.heard().length >= from + ms * SAMPLES_PER_MS, 30_000)
    }
    const uri = `sip:srs@127.0.0.1:${recorder.sipPort(transport)};transport=${transport}`
    assert.equal((await talk.rest('start', uri, isTls ? 'secured' : 'restarted')).status, 200)
    await hearMore(PART_MS)
    const states = (await readdir(recorder.store, { recursive: true })).filter((name) => name.endsWith('session.json'))
    const state = await readFile(join(recorder.store, states[0]!), 'utf8')
    assert.equal(state.includes('"RTP/SAVP"'), isTls)
    const before = talk.caller.heard().length
    await recorder.kill()
    await recorder.start()
    const awayMs = (talk.caller.heard().length - before) / SAMPLES_PER_MS
    await hearMore(PART_MS)
    await talk.assertUndisturbed()
    assert.equal((await talk.rest('stop')).status, 200)
    await talk.end()
    const kept = (await keptRecordings(recorder.store)).filter(({ manifest }) => manifest.state === 'published')
    assert.equal(kept.length, 1, 'one recording')
    const { manifest, channels } = kept[0]!
    assert.equal(manifest.recovered, true)
    for (const [channel, hz] of [CALLER_HZ, CALLEE_HZ].entries()) {
      const holes = manifest.streams[channel]!.gaps.filter(({ cause }) => cause === 'recorder-restart')
      assert.equal(holes.length, 1)
      const { fromMs, toMs } = holes[0]!
      assert.ok(toMs - fromMs <= awayMs + 1500, `the gap is ${toMs - fromMs} ms, it was away for ${awayMs} ms`)
      const power = (from: number, to: number): number =>
        goertzelPower(channels[channel]!.subarray(from * SAMPLES_PER_MS, to * SAMPLES_PER_MS), 8000, hz)
      assert.ok(power(fromMs - 800, fromMs - 20) > 0.9, 'the tone before')
      assert.ok(power(toMs + 20, toMs + 800) > 0.9, 'the tone after')
    }
  })
}
