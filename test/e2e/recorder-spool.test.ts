// Recordings for which no recorder can be had, over real sockets: kept encrypted, and delivered by a session of their own.

import assert from 'node:assert/strict'
import { cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { encodePcmu, goertzelPower, tone } from '#audio'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { hasKeys, toneWithKeys } from '../harness/key-tones.ts'
import type { Section, TestProgram } from '../harness/open-program.ts'
import { CALLEE_HZ, CALLER_HZ, openPhone, openTalk, openTestGateway, placeTalk, type Talk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const DEADLINE_MS = 20_000
/** Half a second of speech. */
const SAMPLES = 4_000
const SAMPLES_PER_SECOND = 8_000
const PCMU_BYTES = 160

interface SpoolPlace {
  readonly folder: string
  readonly keyFile: string
}

async function spoolPlace(t: TestContext): Promise<SpoolPlace> {
  const root = await mkdtemp(join(tmpdir(), 'spool-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  return { folder: join(root, 'spool'), keyFile: join(root, 'key', 'spool.key') }
}

function gatewayOf(place: SpoolPlace, more: Section = {}): Section {
  return { recording: { spool: { ...place, minFreeBytes: 0 }, health: { intervalMs: 0 }, ...more } }
}

/** A recorder that takes nothing until it is told to. */
async function busyRecorder(t: TestContext): Promise<ForeignRecorder> {
  const recorder = await ForeignRecorder.open({ answer: 503 })
  t.after(() => recorder.close())
  return recorder
}

/** What lies in the spool; a file may be delivered and removed while we look. */
async function filesOf({ folder }: SpoolPlace): Promise<Buffer[]> {
  const names = await readdir(folder)
  const read = await Promise.allSettled(names.map((name) => readFile(join(folder, name))))
  return read.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
}

async function spooledBytes({ folder }: SpoolPlace): Promise<number> {
  const found = await Promise.allSettled((await readdir(folder)).map((name) => stat(join(folder, name))))
  return found.reduce((sum, outcome) => sum + (outcome.status === 'fulfilled' ? outcome.value.size : 0), 0)
}

function eventsOf({ log }: TestProgram): string[] {
  return log.lines.flatMap(({ fields }) => (typeof fields['event'] === 'string' ? [fields['event']] : []))
}

async function untilEvent(opened: TestProgram, type: string): Promise<void> {
  await until(`${type} is told`, () => eventsOf(opened).includes(type), DEADLINE_MS)
}

async function untilSpooled(place: SpoolPlace, talk: Talk): Promise<void> {
  const from = await spooledBytes(place)
  await talk.assertUndisturbed()
  await until('audio is spooled', async () => (await spooledBytes(place)) > from + 2 * SAMPLES, DEADLINE_MS)
}

/** Both voices came, each on its own stream, and nothing was against the RFCs. */
async function assertDelivered(recorder: ForeignRecorder): Promise<void> {
  const streams = [
    [0, CALLER_HZ, CALLEE_HZ],
    [1, CALLEE_HZ, CALLER_HZ],
  ] as const
  await recorder.waitFor(() => recorder.requests('BYE').length > 0, DEADLINE_MS, 'the delivery is over')
  for (const [at, wanted, other] of streams) {
    const heard = recorder.audio(at, recorder.sessions.length - 1)
    assert.ok(heard.length >= SAMPLES, `stream ${at} has ${heard.length} samples`)
    const part = heard.subarray(-SAMPLES / 2)
    assert.ok(goertzelPower(part, 8000, wanted) > 0.9, `stream ${at} has ${wanted} Hz`)
    assert.ok(goertzelPower(part, 8000, other) < 0.01, `stream ${at} has not ${other} Hz`)
  }
  assert.deepEqual(recorder.violations, [])
}

/** Nothing on the disk says who spoke, or what. */
async function assertUnreadable(place: SpoolPlace): Promise<void> {
  const secrets = ['alice', 'bob', 'secret-case', 'recorder@'].map((text) => Buffer.from(text))
  const voice = encodePcmu(tone(CALLER_HZ, 1000))
  for (let at = 0; at + PCMU_BYTES <= voice.length; at += PCMU_BYTES) {
    secrets.push(Buffer.from(voice.subarray(at, at + 16)))
  }
  const files = await filesOf(place)
  assert.equal(files.length, 1)
  for (const secret of secrets) assert.equal(files[0]!.indexOf(secret), -1, `${secret} is in the file`)
  assert.equal((await stat(place.keyFile)).mode & 0o777, 0o600)
}

/** What waits is shown by the API and in the metrics, and that it was tried in vain. */
async function assertShown({ opened, callId }: Talk): Promise<void> {
  interface Shown {
    readonly items: readonly { readonly callId?: string; readonly bytes: number; readonly lastError?: string }[]
  }
  const shown = async (): Promise<Shown> => (await (await fetch(`${opened.httpUrl}/api/spool`)).json()) as Shown
  await until('a delivery has failed', async () => (await shown()).items[0]?.lastError === 'refused: 503', DEADLINE_MS)
  const [item, ...others] = (await shown()).items
  assert.deepEqual([item?.callId, others.length], [callId, 0])
  const metrics = await (await fetch(`${opened.httpUrl}/metrics`)).text()
  assert.match(metrics, /^siprec_gateway_spooled_recordings\{state="waiting"\} 1$/m)
  assert.match(metrics, new RegExp(`^siprec_gateway_spooled_bytes ${item?.bytes}$`, 'm'))
}

test('SRC-63: a recording that no recorder takes is spooled, encrypted and with its pauses, and delivered when one does', async (t) => {
  const [place, recorder] = [await spoolPlace(t), await busyRecorder(t)]
  const talk = await openTalk(t, { gateway: gatewayOf(place) })
  const start = await talk.rest('start', recorder.uri(), 'secret-case')
  assert.deepEqual(start, { status: 200, text: 'no recorder accepted the recording yet; it is spooled' })
  assert.equal(await talk.state(), 'recording')
  await untilSpooled(place, talk)
  assert.equal((await talk.rest('pause')).status, 200)
  assert.equal((await talk.rest('resume')).status, 200)
  await untilSpooled(place, talk)
  const ledger = (await talk.view()).recording?.ledger ?? []
  const row = ledger.find((each) => each.recorder === 'spool')
  assert.deepEqual(
    row?.gaps.map(({ reason }) => reason),
    ['pause'],
  )
  await talk.end()
  await untilEvent(talk.opened, 'spool.kept')
  await assertUnreadable(place)
  await assertShown(talk)

  recorder.script = {}
  talk.opened.program.gateway?.recordingClient.deliverSpooled()
  await assertDelivered(recorder)
  await untilEvent(talk.opened, 'spool.delivered')
  const documents = recorder.documents()
  assert.match(documents.at(-1) ?? '', /<[^>]*spooled[^>]* from="[^"]+" to="[^"]+"/)
  assert.match(documents.at(-1) ?? '', /<[^>]*gap[^>]* reason="pause"/)
  assert.match(documents.at(-1) ?? '', /<stop-time>/)
  await until('the spool is empty', async () => (await filesOf(place)).length === 0)
})

test('a recording that was spooled by a program that is gone is delivered by the next one', async (t) => {
  const [place, recorder] = [await spoolPlace(t), await busyRecorder(t)]
  const talk = await openTalk(t, { gateway: gatewayOf(place) })
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await untilSpooled(place, talk)
  await talk.end()
  await talk.opened.close()
  assert.equal((await filesOf(place)).length, 1)

  recorder.script = {}
  const next = await openTestGateway(t, { gateway: gatewayOf(place) })
  await assertDelivered(recorder)
  await untilEvent(next, 'spool.delivered')
  await until('the spool is empty', async () => (await filesOf(place)).length === 0)
})

test('what a program had spooled when it was killed is delivered, but for what was not on the disk yet', async (t) => {
  const [place, recorder] = [await spoolPlace(t), await busyRecorder(t)]
  const talk = await openTalk(t, { gateway: gatewayOf(place) })
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await untilSpooled(place, talk)
  // What a killed program leaves is what is on the disk in the middle of the call.
  const left = { ...place, folder: `${place.folder}-left` }
  await cp(place.folder, left.folder, { recursive: true })
  await talk.rest('stop')
  await talk.end()
  await talk.opened.close()

  recorder.script = {}
  const next = await openTestGateway(t, { gateway: gatewayOf(left) })
  await assertDelivered(recorder)
  await untilEvent(next, 'spool.delivered')
  assert.match(recorder.documents().at(-1) ?? '', /<[^>]*spooled[^>]* to="[^"]+"/)
})

test('a recorder that comes up in the middle of a call has the rest live, and what was spooled after it', async (t) => {
  const [place, recorder] = [await spoolPlace(t), await busyRecorder(t)]
  const talk = await openTalk(t, { gateway: gatewayOf(place) })
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await untilSpooled(place, talk)
  recorder.script = {}
  await untilEvent(talk.opened, 'recorder.accepted')
  await untilEvent(talk.opened, 'spool.delivered')
  await talk.assertUndisturbed()
  await talk.end()
  const sessions = recorder.documents().map((xml) => /<session session_id="([^"]+)"/.exec(xml)?.[1])
  assert.equal(new Set(sessions).size, 1)
  assert.deepEqual(recorder.violations, [])
})

for (const by of ['the profile of the recorder', 'a command'] as const) {
  test(`SEC-28, SRC-63: keys that are masked by ${by} are not in the spool: what is delivered later holds none`, async (t) => {
    const [place, recorder] = [await spoolPlace(t), await busyRecorder(t)]
    const profiles = by === 'a command' ? [] : [{ name: 'masked', media: { maskDtmf: true } }]
    const [alice, bob] = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')]
    const { recording, ...more } = gatewayOf(place)
    const opened = await openTestGateway(t, {
      gateway: {
        ...more,
        recording: { ...(recording as Section), profiles },
        routes: [{ match: 'bob', callee: bob.uri }],
      },
    })
    const talk = await placeTalk(opened, alice, bob, tone(CALLER_HZ, 100))
    assert.equal((await talk.rest('start', recorder.uri())).status, 200)
    if (by === 'a command') assert.equal((await talk.rest('mask')).status, 200)
    const from = talk.callee.heard().length
    // Not before it is masked.
    talk.caller.say(toneWithKeys(CALLER_HZ, 30))
    await talk.caller.audio.sendDigits('5')
    const heard = (): Int16Array => talk.callee.heard().subarray(from)
    await until('two seconds are heard', () => heard().length > 2 * SAMPLES_PER_SECOND, DEADLINE_MS)
    await until('the call itself hears a key', () => hasKeys(heard().subarray(-2 * SAMPLES_PER_SECOND)), DEADLINE_MS)
    await talk.end()
    await untilEvent(opened, 'spool.kept')
    recorder.script = {}
    opened.program.gateway?.recordingClient.deliverSpooled()
    await recorder.waitFor(() => recorder.requests('BYE').length > 0, DEADLINE_MS, 'the delivery is over')
    const delivery = recorder.sessions.length - 1
    const [said, packets] = [recorder.audio(0, delivery), recorder.rtp(0, delivery)]
    assert.ok(said.length > SAMPLES_PER_SECOND, `${said.length} samples came`)
    assert.equal(hasKeys(said), false, 'no key sounds')
    assert.deepEqual([...new Set(packets.map(({ payloadType }) => payloadType))], [0], 'no telephone-event came')
    assert.deepEqual(recorder.violations, [])
  })
}

test('a spool without its key is refused at start', async (t) => {
  const place = await spoolPlace(t)
  await assert.rejects(openTestGateway(t, { gateway: gatewayOf({ ...place, keyFile: '/dev/null' }) }), {
    code: 'spool.unusable',
  })
})
