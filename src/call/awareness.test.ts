import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call, CallEvent, ToneRules } from '#call'
import type { Prompt, Tone } from '#engine'
import { CallBench } from '../../test/harness/call-bench.ts'
import { bodyText, type PhoneCall, phoneSdp } from '../../test/harness/test-phone.ts'

const tone: Tone = { frequencyHz: 1400, onMs: 200, everyMs: 15_000, levelDbm0: -24 }
const prompt: Prompt = { pcmu: new Uint8Array(160), pcma: new Uint8Array(160) }
const announced = { announcement: 'recorded.wav', tone }
const aware = [['Supported', 'record-aware']] as const

interface Scene {
  readonly bench: CallBench
  readonly alice: PhoneCall
  readonly bob: PhoneCall
  readonly call: Call
  readonly events: CallEvent[]
}

interface Phones {
  readonly isAliceAware?: boolean
  readonly isBobAware?: boolean
  readonly aliceSays?: readonly string[]
  readonly bobSays?: readonly string[]
  readonly tones?: ToneRules
  /** Announcements that can be played. */
  readonly announcements?: readonly string[]
}

async function talking(phones: Phones = {}): Promise<Scene> {
  const bench = new CallBench({
    tones: phones.tones ?? (() => tone),
    announcement: async (name) => (phones.announcements?.includes(name) ? prompt : undefined),
  })
  const events: CallEvent[] = []
  bench.service.onCall(({ type, call }) => type === 'call-started' && call.onEvent((event) => events.push(event)))
  const alice = bench.alice.call(bench.uri('bob'), {
    body: phoneSdp({ more: phones.aliceSays ?? [] }),
    headers: phones.isAliceAware === true ? aware : [],
  })
  await bench.pass()
  const bob = bench.bob.incoming[0]!
  bob.accept(phoneSdp({ more: phones.bobSays ?? [] }), phones.isBobAware === true ? aware : [])
  await bench.pass(300)
  return { bench, alice, bob, call: bench.service.calls()[0]!, events }
}

async function end({ bench, alice }: Scene): Promise<void> {
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
}

function told(sdp: string): string | undefined {
  return /^a=record:(\S+)/m.exec(sdp)?.[1]
}

function tellings(phone: PhoneCall): (string | undefined)[] {
  return phone.offers().map(told)
}

function tones({ bench }: Scene): string[] {
  return bench.engine.last.commands.flatMap((command) =>
    command.name === 'setTone' ? [`${command.leg} ${command.tone === undefined ? 'silent' : 'tone'}`] : [],
  )
}

test('UA-01, UA-02, UA-03: the aware party is told by a=record, the other hears a tone', async () => {
  const scene = await talking({ isAliceAware: true })
  scene.call.showRecording('on')
  await scene.bench.pass(300)
  assert.deepEqual(tellings(scene.alice), ['on'])
  assert.deepEqual(tellings(scene.bob), [])
  assert.deepEqual(tones(scene), ['callee-1 tone'])
  await end(scene)
})

test('UA-05: start, pause, resume and stop are each told by a new offer, and every later description says the last', async () => {
  const scene = await talking({ isAliceAware: true, isBobAware: true })
  for (const state of ['on', 'paused', 'on', 'off'] as const) {
    scene.call.showRecording(state)
    await scene.bench.pass(300)
  }
  assert.deepEqual(tellings(scene.alice), ['on', 'paused', 'on', 'off'])
  assert.deepEqual(tellings(scene.bob), ['on', 'paused', 'on', 'off'])
  const hold = scene.alice.dialog?.reinvite({ body: phoneSdp({ direction: 'sendonly' }) })
  await scene.bench.pass(300)
  assert.equal(told(bodyText((await hold)?.response)), 'off', 'AMB-10: once sent, always sent')
  assert.deepEqual(tones(scene), [])
  await end(scene)
})

test('UA-06: a call that was never recorded is told nothing', async () => {
  const scene = await talking({ isAliceAware: true, isBobAware: true })
  scene.call.showRecording('off')
  await scene.bench.pass(300)
  assert.deepEqual([...scene.alice.offers(), ...scene.bob.offers()], [])
  assert.equal(told(bodyText(scene.alice.accepted)), undefined)
  await end(scene)
})

test('UA-03: the tone is silent while paused and gone after the end', async () => {
  const scene = await talking()
  for (const state of ['on', 'paused', 'on', 'off'] as const) {
    scene.call.showRecording(state)
    await scene.bench.pass(100)
  }
  assert.deepEqual(
    tones(scene).filter((line) => line.startsWith('caller')),
    ['caller tone', 'caller silent', 'caller tone', 'caller silent'],
  )
  await end(scene)
})

test('UA-03, SEC-26: an exemption silences the tone for its party alone, and is logged with its reason', async () => {
  const scene = await talking({ tones: (aor) => (aor.includes('bob') ? { exempt: 'contract 7' } : tone) })
  scene.call.showRecording('on')
  await scene.bench.pass(100)
  assert.deepEqual(tones(scene), ['caller tone'])
  const line = scene.bench.log.lines.find(({ message }) => message === 'party is recorded without an indication')
  assert.equal(line?.fields['exemption'], 'contract 7')
  await end(scene)
})

test('UA-07, UA-14: what the callee tells of its own recording is passed on, and outlasts ours', async () => {
  const scene = await talking({ isAliceAware: true, isBobAware: true, bobSays: ['a=record:on'] })
  assert.equal(told(bodyText(scene.alice.accepted)) ?? tellings(scene.alice).at(-1), 'on')
  scene.call.showRecording('on')
  await scene.bench.pass(300)
  scene.call.showRecording('off')
  await scene.bench.pass(300)
  assert.equal(tellings(scene.alice).at(-1) ?? 'on', 'on')
  assert.equal(tellings(scene.bob).at(-1), 'off', 'the callee is told of our recording alone')
  await end(scene)
})

test('UA-14: an unaware caller hears a tone when the callee says that it records', async () => {
  const scene = await talking({ isBobAware: true, bobSays: ['a=record:on'] })
  assert.deepEqual(tones(scene), ['caller tone'])
  await end(scene)
})

test('UA-13, UA-15: a state told by a party is an event; a description without the attribute changes nothing', async () => {
  const scene = await talking({ isBobAware: true, bobSays: ['a=record:on'] })
  for (const more of [['a=record:paused'], []]) {
    void scene.bob.dialog?.reinvite({ body: phoneSdp({ more }) })
    await scene.bench.pass(300)
  }
  const states = scene.events.flatMap((event) => (event.type === 'recording-elsewhere' ? [event.state] : []))
  assert.deepEqual(states, ['on', 'paused'])
  const bob = scene.call.snapshot().parties.find(({ role }) => role === 'callee')
  assert.equal(bob?.recordingElsewhere, 'paused')
  await end(scene)
})

test('UA-08: a party that tells off about its own recording moves nothing of ours', async () => {
  const scene = await talking({ isAliceAware: true, isBobAware: true })
  scene.call.showRecording('on')
  await scene.bench.pass(300)
  void scene.bob.dialog?.reinvite({ body: phoneSdp({ more: ['a=record:off'] }) })
  await scene.bench.pass(300)
  const types = scene.events.map(({ type }) => type)
  assert.ok(types.includes('recording-elsewhere') && !types.includes('record-preference'))
  assert.deepEqual(tellings(scene.alice), ['on'], 'the other party is still told on')
  await end(scene)
})

test('UA-10: what is done about a preference is said in the answer to it', async () => {
  const scene = await talking({ isAliceAware: true })
  scene.call.showRecording('on')
  await scene.bench.pass(300)
  scene.call.onEvent((event) => {
    if (event.type === 'record-preference' && event.preference === 'off') scene.call.showRecording('off')
  })
  const asked = scene.alice.dialog?.reinvite({ body: phoneSdp({ more: ['a=recordpref:off'] }) })
  await scene.bench.pass(300)
  assert.equal(told(bodyText((await asked)?.response)), 'off')
  const kept = scene.alice.dialog?.reinvite({ body: phoneSdp({ more: ['a=recordpref:on'] }) })
  await scene.bench.pass(300)
  assert.equal(
    told(bodyText((await kept)?.response)),
    'off',
    'a preference that changes nothing is answered with what is',
  )
  await end(scene)
})

test('UA-17: a preference in the INVITE is known when the call is answered', async () => {
  const scene = await talking({ isAliceAware: true, aliceSays: ['a=recordpref:off'] })
  assert.equal(scene.call.snapshot().parties[0]?.recordPreference, 'off')
  await end(scene)
})

test('UA-09: a party that stops saying so has no preference any more', async () => {
  const scene = await talking({ aliceSays: ['a=recordpref:pause'] })
  void scene.alice.dialog?.reinvite({ body: phoneSdp() })
  await scene.bench.pass(300)
  assert.equal(scene.call.snapshot().parties[0]?.recordPreference, 'nopreference')
  await end(scene)
})

test('UA-21: a party that refuses the offer that tells it hears the tone, and the call goes on', async () => {
  const scene = await talking({ isAliceAware: true })
  scene.alice.requests.length = 0
  const { dialog } = scene.alice
  assert.ok(dialog)
  const { handlers } = dialog
  dialog.handlers = { ...handlers, onRequest: (incoming) => void incoming.respond(488) }
  scene.call.showRecording('on')
  await scene.bench.pass(500)
  assert.ok(tones(scene).includes('caller tone'))
  assert.equal(scene.call.ended, false)
  dialog.handlers = handlers
  await end(scene)
})

test('UA-22: what a party says of recording is never copied to the other', async () => {
  const scene = await talking({ aliceSays: ['a=recordpref:off', 'a=record:off'] })
  assert.doesNotMatch(bodyText(scene.bob.incoming?.request), /record/)
  await end(scene)
})

test('UA-23: parties that know nothing of recording have a call like any other', async () => {
  const scene = await talking({ tones: () => ({ exempt: 'test' }) })
  scene.call.showRecording('on')
  await scene.bench.pass(300)
  assert.deepEqual([...scene.alice.offers(), ...scene.bob.offers()], [])
  await end(scene)
})

test('UA-12, AMB-11: a gateway that is aware says so in its INVITE and its 200', async () => {
  const bench = new CallBench({ core: { supported: ['timer', 'record-aware'] } })
  const alice = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  const bob = bench.bob.incoming[0]!
  assert.ok(bob.incoming?.request.headers.list('supported').includes('record-aware'))
  bob.accept(phoneSdp())
  await bench.pass(300)
  const accepted = bench.network.passages.filter(
    ({ to, text }) => to.host === '10.0.0.2' && text.startsWith('SIP/2.0 200'),
  )
  assert.match(accepted[0]?.text ?? '', /^Supported:.*\brecord-aware\b/m)
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})

test('AMB-11: an aware party that does not say so again is aware still', async () => {
  const scene = await talking({ isAliceAware: true })
  void scene.alice.dialog?.reinvite({ body: phoneSdp() })
  await scene.bench.pass(300)
  scene.call.showRecording('on')
  await scene.bench.pass(300)
  assert.deepEqual(tellings(scene.alice), ['on'])
  await end(scene)
})

/** Prompts that play now, by leg. */
function announcing({ bench }: Scene): string[] {
  return [...bench.engine.last.legs].flatMap(([leg, { playing }]) => (playing === undefined ? [] : leg))
}

test('UA-03: an unaware party hears its announcement once in each recording, and no tone; the other its tone', async () => {
  const tones_: ToneRules = (aor) => (aor.includes('bob') ? announced : tone)
  const scene = await talking({ tones: tones_, announcements: ['recorded.wav'] })
  scene.call.showRecording('on')
  await scene.bench.pass(50)
  assert.deepEqual([announcing(scene), tones(scene)], [['callee-1'], ['caller tone']])
  scene.bench.engine.last.endPlay('callee-1')
  for (const state of ['paused', 'on'] as const) {
    scene.call.showRecording(state)
    await scene.bench.pass(50)
  }
  assert.deepEqual(announcing(scene), [], 'it is not said again after a pause')
  for (const state of ['off', 'on'] as const) {
    scene.call.showRecording(state)
    await scene.bench.pass(50)
  }
  assert.deepEqual(announcing(scene), ['callee-1'], 'another recording is said again')
  assert.equal(tones(scene).includes('callee-1 tone'), false)
  await end(scene)
})

for (const [what, announcements, isStopped] of [
  ['cannot be played', [], false],
  ['is interrupted', ['recorded.wav'], true],
] as const) {
  test(`UA-03: an announcement that ${what} is no indication: the tone sounds, and it is logged`, async () => {
    const scene = await talking({ isAliceAware: true, tones: () => announced, announcements })
    scene.call.showRecording('on')
    await scene.bench.pass(50)
    if (isStopped) scene.bench.engine.last.endPlay('callee-1', 'stopped')
    await scene.bench.pass(50)
    assert.deepEqual([announcing(scene), tones(scene)], [[], ['callee-1 tone']])
    const told = scene.bench.log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)
    assert.deepEqual(told, ['announcement was not heard, and a tone sounds instead'])
    await end(scene)
  })
}

test('UA-03: a party who leaves while the announcement is said leaves nothing', async () => {
  const scene = await talking({ tones: () => announced, announcements: ['recorded.wav'] })
  scene.call.showRecording('on')
  await scene.bench.pass(50)
  assert.deepEqual(announcing(scene), ['caller', 'callee-1'])
  await end(scene)
})
