import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodePcma, encodePcmu, goertzelPower, tone } from '#audio'
import type { Call } from '#call'
import { silentLogger } from '#kernel'
import { cryptoIds, systemClock } from '#net'
import { openGateway } from '../harness/gateway.ts'
import { type SoftCall, Softphone } from '../harness/softphone.ts'

const HOST = '127.0.0.1'
const CALLER_HZ = 440
const CALLEE_HZ = 1000
const TALK_MS = 1200
const LISTEN_SAMPLES = 4000
const DEADLINE_MS = 10_000

async function openPhone(user: string, transport: 'udp' | 'tcp'): Promise<Softphone> {
  return await Softphone.open({ host: HOST, transport, user, clock: systemClock, ids: cryptoIds, log: silentLogger })
}

/** Waits until `condition` holds, looking again every few packets; fails at the deadline. */
async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = systemClock.nowMs() + DEADLINE_MS
  while (!(await condition())) {
    assert.ok(systemClock.nowMs() < endMs, `waited too long until ${what}`)
    await new Promise<void>((resolve) => void systemClock.after(20, 'test', resolve))
  }
}

/** The largest share that a frequency has in any stretch of what was heard. */
function share(heard: Int16Array, frequencyHz: number): number {
  let largest = 0
  for (let from = 0; from + LISTEN_SAMPLES <= heard.length; from += LISTEN_SAMPLES / 4) {
    largest = Math.max(largest, goertzelPower(heard.subarray(from, from + LISTEN_SAMPLES), 8000, frequencyHz))
  }
  return largest
}

function assertHears(call: SoftCall, wantedHz: number, otherHz: number): void {
  const heard = call.heard()
  assert.ok(share(heard, wantedHz) > 0.9, `${wantedHz} Hz is heard`)
  assert.ok(share(heard, otherHz) < 0.01, `${otherHz} Hz is not`)
}

for (const transport of ['udp', 'tcp'] as const) {
  test(`a call over ${transport} is relayed: each side hears the other, not itself`, async (t) => {
    const bob = await openPhone('bob', 'udp')
    const gateway = await openGateway({ routes: [{ match: 'bob', callee: bob.uri }] })
    const alice = await openPhone('alice', transport)
    t.after(async () => {
      await Promise.all([alice.close(), bob.close()])
      await gateway.close()
    })
    const incoming = new Promise<SoftCall>((resolve) => {
      bob.onIncoming = resolve
    })
    const caller = await alice.call(gateway.uri('bob', transport), { audio: tone(CALLER_HZ, TALK_MS) })
    const callee = await incoming
    callee.ring()
    await until('it rings', () => caller.progress.includes(180))
    callee.say(tone(CALLEE_HZ, TALK_MS))
    callee.accept()
    assert.equal(await caller.answered, true)
    await until('both have heard', () => [caller, callee].every((call) => call.heard().length >= (TALK_MS - 200) * 8))
    assertHears(caller, CALLEE_HZ, CALLER_HZ)
    assertHears(callee, CALLER_HZ, CALLEE_HZ)
    await caller.hangup()
    await callee.ended
    await until('nothing is left', async () => {
      const { ports } = await gateway.engine.census()
      return ports === 0 && gateway.service.census().calls === 0 && gateway.core.census().dialogs === 0
    })
  })
}

test('a flow answers, plays, hears digits and hangs up', async (t) => {
  const digits: string[] = []
  const runFlow = async (call: Call): Promise<void> => {
    call.onDigit((digit) => {
      digits.push(digit)
      if (digit === '#') call.hangup('thank you')
    })
    await call.answer()
    const samples = tone(CALLEE_HZ, TALK_MS)
    await call.play({ pcmu: encodePcmu(samples), pcma: encodePcma(samples) })
  }
  const gateway = await openGateway({ routes: [{ match: 'ivr', flow: 'ivr' }], flow: (call) => void runFlow(call) })
  const alice = await openPhone('alice', 'udp')
  t.after(async () => {
    await alice.close()
    await gateway.close()
  })
  const caller = await alice.call(gateway.uri('ivr', 'udp'), { codec: 'PCMA' })
  assert.equal(await caller.answered, true)
  await until('the prompt is heard', () => caller.heard().length >= (TALK_MS - 200) * 8)
  assertHears(caller, CALLEE_HZ, CALLER_HZ)
  await caller.sendDigits('42#')
  await caller.ended
  assert.deepEqual(digits, ['4', '2', '#'])
})

test('a party on hold hears nothing, and the talk goes on after it', async (t) => {
  const bob = await openPhone('bob', 'tcp')
  const gateway = await openGateway({ routes: [{ match: 'bob', callee: bob.uri }] })
  const alice = await openPhone('alice', 'udp')
  t.after(async () => {
    await Promise.all([alice.close(), bob.close()])
    await gateway.close()
  })
  const incoming = new Promise<SoftCall>((resolve) => {
    bob.onIncoming = resolve
  })
  const caller = await alice.call(gateway.uri('bob', 'udp'))
  const callee = await incoming
  callee.accept()
  assert.equal(await caller.answered, true)
  await until('media flows', () => caller.audio.packetsHeard > 5 && callee.audio.packetsHeard > 5)
  const call = gateway.service.calls()[0]!
  assert.equal(await caller.hold(true), true)
  await until('the caller hears nothing', async () => {
    const before = caller.audio.packetsHeard
    await new Promise<void>((resolve) => void systemClock.after(100, 'test', resolve))
    return caller.audio.packetsHeard === before
  })
  assert.equal(call.snapshot().parties[0]?.hold, 'sendonly')
  const heardBefore = caller.audio.packetsHeard
  assert.equal(await caller.hold(false), true)
  await until('media flows again', () => caller.audio.packetsHeard > heardBefore + 5)
  assert.equal(call.snapshot().parties[0]?.hold, 'none')
  await callee.hangup()
  await caller.ended
})
