// SRTP on legs and forks: every suite both ways, RTCP, rollover, new keys, forged packets, parties that move.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { LegMedia, MediaEngine, SrtpKey, SrtpKeys, SrtpSuite } from '#engine'
import { buildReceiverReport } from '#rtp'
import { assertContinuous, frameOf, type RtpParty } from './rtp-party.ts'
import { assertVoice, PCMU, type Scenario, type Scene } from './scene.ts'

const MATERIAL_BYTES: Readonly<Record<SrtpSuite, number>> = {
  AES_CM_128_HMAC_SHA1_80: 30,
  AES_CM_128_HMAC_SHA1_32: 30,
  AEAD_AES_128_GCM: 28,
  AEAD_AES_256_GCM: 44,
}
const SUITES = Object.keys(MATERIAL_BYTES) as SrtpSuite[]
const SUITE = 'AES_CM_128_HMAC_SHA1_80'

function freshKey(suite: SrtpSuite): SrtpKey {
  return { suite, material: new Uint8Array(randomBytes(MATERIAL_BYTES[suite])) }
}

function freshKeys(suite: SrtpSuite): SrtpKeys {
  return { send: freshKey(suite), receive: freshKey(suite) }
}

function mediaOf(party: RtpParty, srtp: SrtpKeys): LegMedia {
  return { remote: party.remote, codecs: [PCMU], send: true, receive: true, srtp }
}

async function securedLeg(scene: Scene, id: string, srtp: SrtpKeys): Promise<Awaited<ReturnType<Scene['leg']>>> {
  const leg = await scene.leg(id, [PCMU], { srtp })
  leg.party.secure(srtp)
  return leg
}

async function securedFork(scene: Scene, id: string, tap: string, srtp: SrtpKeys) {
  const recorder = await scene.party()
  recorder.secure(srtp)
  const local = await scene.call.addFork({ id, tap: { leg: tap, point: 'received' }, open: true })
  await scene.call.connectFork(id, { remote: recorder.remote, codecs: [PCMU], srtp })
  return { recorder, local }
}

/** Declares the tests of SRTP, for each suite that the engine claims. */
export function srtpScenarios(scenario: Scenario, engine: () => MediaEngine): void {
  for (const suite of SUITES) {
    scenario(
      `field 38, FLOW-19: ${suite}: a secured caller, a plain callee and a secured recorder hear each other`,
      async (scene) => {
        if (!engine().capabilities.srtp.includes(suite)) return
        const a = await securedLeg(scene, 'a', freshKeys(suite))
        const b = await scene.leg('b')
        const fork = await securedFork(scene, 'f', 'a', freshKeys(suite))
        await scene.call.bridge('a', 'b')
        a.party.talk(a.local.rtpPort, 1)
        b.party.talk(b.local.rtpPort, 2)
        const [atA, atB, atF] = await Promise.all([a.party.hears(20), b.party.hears(20), fork.recorder.hears(20)])
        assertVoice(atA, 2)
        assertVoice(atB, 1)
        assertVoice(atF, 1)
        assertContinuous(atF)
        assert.equal(fork.recorder.unopened + a.party.unopened, 0)
      },
    )
  }

  scenario(
    'field 23: RTCP of a secured fork is SRTCP both ways, and a plain report counts for nothing',
    async (scene) => {
      const a = await scene.leg('a')
      const { recorder, local } = await securedFork(scene, 'f', 'a', freshKeys(SUITE))
      a.party.talk(a.local.rtpPort, 1)
      await recorder.until('SR', () => recorder.rtcp.some((compound) => compound[0]?.type === 'sender-report'))
      const report = buildReceiverReport(5, [
        {
          ssrc: local.ssrc,
          fractionLost: 0,
          cumulativeLost: 0,
          highestSequence: 0,
          jitter: 0,
          lastSenderReport: 0,
          delaySinceLastSenderReport: 0,
        },
      ])
      recorder.rtcpSocket.send(report, local.rtcpPort, '127.0.0.1')
      recorder.report(local.rtcpPort, report)
      const more = recorder.rtcp.length
      await recorder.until('one more report', () => recorder.rtcp.length > more)
      assert.equal((await scene.call.removeFork('f')).receiverReports, 1)
      await recorder.until('BYE', () => recorder.rtcp.at(-1)?.at(-1)?.type === 'bye')
    },
  )

  scenario('SEC-11: the same keys again go on with their rollover counter, through a pause', async (scene) => {
    const keys = freshKeys(SUITE)
    const a = await securedLeg(scene, 'a', keys)
    const b = await scene.leg('b')
    const forkKeys = freshKeys(SUITE)
    const { recorder } = await securedFork(scene, 'f', 'a', forkKeys)
    await scene.call.bridge('a', 'b')
    a.party.talk(a.local.rtpPort, 1)
    // The talk begins six packets before the wrap.
    await b.party.hears(12)
    await scene.call.configureLeg('a', mediaOf(a.party, keys))
    assertVoice(await b.party.hears(10), 1)
    await scene.call.shutGates(['f'])
    await scene.call.connectFork('f', { remote: recorder.remote, codecs: [PCMU], srtp: forkKeys })
    await scene.call.openGates(['f'])
    await recorder.hears(10)
    assertContinuous(recorder.heard)
    assert.equal(recorder.unopened, 0)
    assert.equal((await scene.countersOf('a')).received.refused, 0)
  })

  scenario('SEC-11: with new keys nothing under the old ones counts any more', async (scene) => {
    const [old, fresh] = [freshKeys(SUITE), freshKeys('AEAD_AES_256_GCM')]
    const a = await securedLeg(scene, 'a', old)
    const b = await scene.leg('b')
    await scene.call.bridge('a', 'b')
    a.party.talk(a.local.rtpPort, 1)
    await b.party.hears(10)
    await scene.call.configureLeg('a', mediaOf(a.party, fresh))
    const refusedBefore = (await scene.countersOf('a')).received.refused
    await b.party.until('packets under the old key', () => a.party.sent > 40)
    assert.ok((await scene.countersOf('a')).received.refused > refusedBefore)
    a.party.secure(fresh)
    assertVoice(await b.party.hears(10), 1)
    b.party.talk(b.local.rtpPort, 2)
    assertVoice(await a.party.hears(10), 2)
  })

  scenario('plain and forged packets of a secured party are refused, even from its own address', async (scene) => {
    const keys = freshKeys(SUITE)
    const a = await scene.leg('a', [PCMU], { srtp: keys })
    const b = await scene.leg('b')
    await scene.call.bridge('a', 'b')
    for (let sequence = 0; sequence < 5; sequence++) {
      a.party.say(a.local.rtpPort, { sequence, timestamp: 160 * sequence }, frameOf(9, sequence))
    }
    a.party.secure(keys)
    a.party.talk(a.local.rtpPort, 1)
    assertVoice(await b.party.hears(10), 1)
    assert.equal((await scene.countersOf('a')).received.refused, 5)
  })

  scenario('RTP-27: a party that moves is heard at once when its packets authenticate', async (scene) => {
    const keys = freshKeys(SUITE)
    const a = await securedLeg(scene, 'a', keys)
    const b = await scene.leg('b')
    await scene.call.bridge('a', 'b')
    a.party.talk(a.local.rtpPort, 1)
    b.party.talk(b.local.rtpPort, 2)
    await Promise.all([a.party.hears(5), b.party.hears(5)])
    a.party.hush()
    const moved = await scene.party()
    // Its keys and its counter go with it.
    moved.secure(keys)
    moved.firstSequence = 20
    moved.talk(a.local.rtpPort, 3, 0x2000)
    const startMs = performance.now()
    assertVoice((await b.party.hears(6)).slice(-3), 3)
    assert.ok(performance.now() - startMs < 450, 'before silence would have let it in')
    assertVoice(await moved.hears(5), 2)
  })
}
