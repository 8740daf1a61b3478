// Calls over SRTP through a gateway of real sockets: each side hears the other, hold and resume go on under the same keys.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goertzelPower, tone } from '#audio'
import { silentLogger } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import { type SrtpSuite, srtpSuites } from '#rtp'
import { openGateway } from '../harness/gateway.ts'
import { type SoftCall, Softphone } from '../harness/softphone.ts'
import { until } from '../harness/until.ts'

const CALLER_HZ = 440
const CALLEE_HZ = 1000
const HALF_SECOND = 4000

async function openPhone(user: string): Promise<Softphone> {
  return await Softphone.open({
    host: '127.0.0.1',
    transport: 'udp',
    user,
    clock: systemClock,
    ids: cryptoIds,
    log: silentLogger,
  })
}

/** Whether the last half second heard is this tone and nothing else. */
function hearsNow(call: SoftCall, frequencyHz: number): boolean {
  const heard = call.heard()
  return heard.length >= HALF_SECOND && goertzelPower(heard.subarray(-HALF_SECOND), 8000, frequencyHz) > 0.9
}

async function talk(suite: SrtpSuite, calleeSuites: readonly SrtpSuite[], t: { after(fn: () => Promise<void>): void }) {
  const bob = await openPhone('bob')
  const gateway = await openGateway({ routes: [{ match: 'bob', callee: bob.uri }] })
  const alice = await openPhone('alice')
  t.after(async () => {
    await Promise.all([alice.close(), bob.close()])
    await gateway.close()
  })
  bob.srtp = calleeSuites
  const incoming = new Promise<SoftCall>((resolve) => {
    bob.onIncoming = resolve
  })
  const caller = await alice.call(gateway.uri('bob', 'udp'), { audio: tone(CALLER_HZ, 20_000), srtp: [suite] })
  const callee = await incoming
  callee.say(tone(CALLEE_HZ, 20_000))
  callee.accept()
  assert.equal(await caller.answered, true)
  await until('both hear each other', () => hearsNow(caller, CALLEE_HZ) && hearsNow(callee, CALLER_HZ))
  return { gateway, caller, callee }
}

for (const suite of srtpSuites) {
  test(`field 38: ${suite}: caller and callee hear each other over SRTP, each leg under keys of its own`, async (t) => {
    const { caller, callee } = await talk(suite, srtpSuites, t)
    assert.equal(caller.keys?.theirs.suite, suite)
    const keys = [caller, callee].flatMap(({ keys: pair }) => [pair!.ours, pair!.theirs])
    assert.equal(new Set(keys.map(({ material }) => Buffer.from(material).toString('hex'))).size, 4)
  })
}

test('SEC-11: hold and resume go on under the same keys', async (t) => {
  const { caller, callee } = await talk('AES_CM_128_HMAC_SHA1_80', srtpSuites, t)
  const before = caller.keys
  assert.equal(await caller.hold(true), true)
  assert.equal(await caller.hold(false), true)
  assert.deepEqual(caller.keys, before)
  const length = callee.heard().length
  await until('both hear each other again', () => {
    return (
      callee.heard().length > length + 2 * HALF_SECOND && hearsNow(caller, CALLEE_HZ) && hearsNow(callee, CALLER_HZ)
    )
  })
})
