import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { correlate, goertzelPower, tone } from '#audio'
import { type SipTrace, sipTrace } from '#kernel'
import { type KeptRecording, keptRecordings } from '../harness/kept-recording.ts'
import type { SoftCall, Softphone } from '../harness/softphone.ts'
import { CALLEE_HZ, CALLER_HZ, openPhone, openTestGateway, placeTalk, type Talk, untilIdle } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const PART_SAMPLES = 8_000
const RATE_HZ = 8_000
/** The longest silence that a change of party may bring, in samples of its recording. */
const GAP_SAMPLES = 4_000

/** Speech-like: no two stretches of it are alike, so that a match is a match. */
function sweep(fromHz: number, toHz: number, seconds: number): Int16Array {
  const samples = new Int16Array(seconds * RATE_HZ)
  let phase = 0
  for (let at = 0; at < samples.length; at++) {
    phase += (2 * Math.PI * (fromHz + ((toHz - fromHz) * at) / samples.length)) / RATE_HZ
    samples[at] = Math.round(8000 * Math.sin(phase))
  }
  return samples
}

interface Scene {
  readonly talk: Talk
  readonly bob: Softphone
  readonly carol: Softphone
}

async function recorded(t: TestContext): Promise<Scene> {
  const [alice, bob, carol] = [
    await openPhone(t, 'alice', 'udp'),
    await openPhone(t, 'bob', 'udp'),
    await openPhone(t, 'carol', 'tcp'),
  ]
  const opened = await openTestGateway(t, {
    gateway: {
      routes: [
        { match: 'bob', callee: bob.uri },
        { match: 'carol', callee: carol.uri },
      ],
    },
    recorder: true,
  })
  const talk = await placeTalk(opened, alice, bob)
  assert.equal((await talk.rest('start', opened.recorderUri('udp'), 'moved')).status, 200)
  await hearMore(talk.caller)
  return { talk, bob, carol }
}

async function hearMore(call: SoftCall): Promise<void> {
  const from = call.heard().length
  await until('more is heard', () => call.heard().length >= from + PART_SAMPLES)
}

/** Counts the requests of a method that came to the recorder. */
function countRequests(t: TestContext, { talk }: Scene, method: string): () => number {
  let count = 0
  const port = `:${talk.opened.port('recorder', 'udp')}`
  const listener = (message: unknown): void => {
    const { direction, local, bytes } = message as SipTrace
    const isHere = direction === 'in' && local.endsWith(port)
    if (isHere && new TextDecoder().decode(bytes.subarray(0, method.length + 1)) === `${method} `) count += 1
  }
  sipTrace.subscribe(listener)
  t.after(() => sipTrace.unsubscribe(listener))
  return () => count
}

async function transfer({ talk, carol }: Scene, referrer: SoftCall, voice: Int16Array): Promise<SoftCall> {
  const incoming = new Promise<SoftCall>((resolve) => {
    carol.onIncoming = resolve
  })
  const outcome = await referrer.request('REFER', { headers: [['Refer-To', `<${carol.uri}>`]] })
  assert.equal(outcome.status, 202)
  const target = await incoming
  target.say(voice)
  target.accept()
  await referrer.ended
  await hearMore(target)
  await until('the recording knows the new party', async () => (await talk.state()) === 'recording')
  return target
}

/** The largest share of a frequency in any stretch. */
function purest(samples: Int16Array, frequencyHz: number): number {
  let largest = 0
  for (let from = 0; from + 2000 <= samples.length; from += 1000) {
    largest = Math.max(largest, goertzelPower(samples.subarray(from, from + 2000), RATE_HZ, frequencyHz))
  }
  return largest
}

/** Fails unless the recording is one, whole, and holds both voices of a channel one after the other without a long hole. */
function checkChannel(kept: KeptRecording, channel: number, firstHz: number, voice: Int16Array): void {
  const samples = kept.channels[channel]!
  assert.ok(purest(samples.subarray(0, 12_000), firstHz) > 0.9, 'the first party is heard')
  const last = samples.subarray(samples.length - PART_SAMPLES)
  assert.ok(goertzelPower(last, RATE_HZ, firstHz) < 0.05, 'the first party is gone')
  const matches = [...Array(8).keys()].map((back) => {
    const end = samples.length - back * 2000
    return correlate(samples.subarray(end - 4000, end), voice, voice.length).coefficient
  })
  assert.ok(Math.max(...matches) > 0.95, `the new party is heard: ${matches}`)
  let silent = 0
  let longest = 0
  for (const sample of samples.subarray(400, samples.length - 400)) {
    silent = Math.abs(sample) < 100 ? silent + 1 : 0
    longest = Math.max(longest, silent)
  }
  assert.ok(longest < GAP_SAMPLES, `${longest} silent samples in a row`)
}

for (const side of ['callee', 'caller'] as const) {
  test(`field 40: a blind transfer by the ${side} is recorded through: one session, one BYE, packets before and after`, async (t) => {
    const scene = await recorded(t)
    const { talk } = scene
    const [invites, byes] = [countRequests(t, scene, 'INVITE'), countRequests(t, scene, 'BYE')]
    const [referrer, stays] = side === 'caller' ? [talk.caller, talk.callee] : [talk.callee, talk.caller]
    const voice = sweep(300, 3000, 20)
    const target = await transfer(scene, referrer, voice)
    await hearMore(stays)
    await hearMore(target)
    assert.equal(byes(), 0, 'the recording session goes on')
    await target.hangup()
    await stays.ended
    const all = await keptRecordings(talk.opened.store)
    assert.equal(all.length, 1)
    assert.equal(byes(), 1)
    assert.ok(
      all[0]!.manifest.streams.every(({ totals }) => totals.wrongSource === 0),
      'one source all through',
    )
    assert.ok(invites() > 0, 'the change of parties is told')
    const [kept] = all
    checkChannel(kept!, side === 'caller' ? 0 : 1, side === 'caller' ? CALLER_HZ : CALLEE_HZ, voice)
    const other = kept!.channels[side === 'caller' ? 1 : 0]!
    const otherHz = side === 'caller' ? CALLEE_HZ : CALLER_HZ
    assert.ok(purest(other.subarray(other.length - 2 * PART_SAMPLES), otherHz) > 0.9, 'who stayed is heard to the end')
    await untilIdle(talk.opened)
  })
}

/** Fails unless the one recording there is goes on over the change of the callee, and ends with the call. */
async function checkRecordedThrough(
  t: TestContext,
  scene: Scene,
  change: (voice: Int16Array) => Promise<SoftCall>,
): Promise<void> {
  const { talk } = scene
  const byes = countRequests(t, scene, 'BYE')
  const voice = sweep(300, 3000, 20)
  const target = await change(voice)
  await talk.callee.ended
  await until('the new party is told to the recorder', async () => (await talk.state()) === 'recording')
  await hearMore(target)
  await hearMore(talk.caller)
  assert.equal(byes(), 0, 'the recording session goes on')
  await target.hangup()
  await talk.caller.ended
  const all = await keptRecordings(talk.opened.store)
  assert.equal(all.length, 1, 'one recording session')
  assert.equal(byes(), 1)
  checkChannel(all[0]!, 1, CALLEE_HZ, voice)
  const [near] = all[0]!.channels
  assert.ok(purest(near!.subarray(near!.length - 2 * PART_SAMPLES), CALLER_HZ) > 0.9, 'who stayed is heard to the end')
  await untilIdle(talk.opened)
}

test('FLOW-05, SIP-23: an attended transfer is recorded through: one session, the consulted party after the referrer', async (t) => {
  const scene = await recorded(t)
  const { talk, bob, carol } = scene
  await checkRecordedThrough(t, scene, async (voice) => {
    const incoming = new Promise<SoftCall>((resolve) => {
      carol.onIncoming = resolve
    })
    const gatewayUri = `sip:carol@127.0.0.1:${talk.opened.port('gateway', 'udp')}`
    const asking = await bob.call(gatewayUri, { audio: tone(700, 10_000) })
    const target = await incoming
    target.say(voice)
    target.accept()
    assert.equal(await asking.answered, true)
    await hearMore(asking)
    const referTo = `<${gatewayUri}?Replaces=${encodeURIComponent(asking.replaces)}>`
    assert.equal((await talk.callee.request('REFER', { headers: [['Refer-To', referTo]] })).status, 202)
    await asking.ended
    return target
  })
})

test('SIP-23: a third phone that takes the place of a party by INVITE with Replaces is recorded in its stream', async (t) => {
  const scene = await recorded(t)
  const { talk, carol } = scene
  await checkRecordedThrough(t, scene, async (voice) => {
    const uri = `sip:anyone@127.0.0.1:${talk.opened.port('gateway', 'tcp')};transport=tcp`
    const headers = [['Replaces', talk.callee.replaces]] as const
    const target = await carol.call(uri, { audio: voice, headers })
    assert.equal(await target.answered, true)
    return target
  })
})

test('field 4: each re-offer to the recorder about a transfer keeps m-lines, labels and direction', async (t) => {
  const scene = await recorded(t)
  const { talk } = scene
  const offers: string[] = []
  const port = `:${talk.opened.port('recorder', 'udp')}`
  const listener = (message: unknown): void => {
    const { direction, local, bytes } = message as SipTrace
    const text = new TextDecoder().decode(bytes)
    if (direction === 'in' && local.endsWith(port) && text.startsWith('INVITE ')) offers.push(text)
  }
  sipTrace.subscribe(listener)
  t.after(() => sipTrace.unsubscribe(listener))
  const target = await transfer(scene, talk.callee, tone(600, 20_000))
  await until('the transfer is told to the recorder', () => offers.length > 0)
  for (const offer of offers) {
    assert.equal(offer.match(/^m=audio [1-9]/gm)?.length, 2)
    assert.deepEqual(offer.match(/a=label:\d/g), ['a=label:1', 'a=label:2'])
    assert.deepEqual(offer.match(/a=(sendrecv|sendonly|recvonly|inactive)/g), ['a=sendonly', 'a=sendonly'])
  }
  assert.match(offers.at(-1) ?? '', /sip:carol@127\.0\.0\.1/)
  await target.hangup()
  await talk.caller.ended
  await untilIdle(talk.opened)
})
