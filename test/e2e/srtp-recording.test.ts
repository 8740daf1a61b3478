// A call over TLS and SRTP, recorded over TLS and SRTP by our own recorder: every word is there, and no key is anywhere else.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { correlate, goertzelPower, tone } from '#audio'
import { type SipTrace, sipTrace } from '#kernel'
import { type SrtpSuite, srtpSuites } from '#rtp'
import { keptRecording } from '../harness/kept-recording.ts'
import type { TestProgram } from '../harness/open-program.ts'
import { CALLEE_HZ, CALLER_HZ, openPhone, openTestGateway, placeTalk, type Talk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const SECOND = 8000
const SAMPLES_PER_MS = 8

/** What the program says of itself beside its answers: SIP traces, log, captures. */
class Traces {
  readonly messages: string[] = []
  readonly captures: string
  #opened: TestProgram | undefined

  private constructor(captures: string) {
    this.captures = captures
  }

  static async open(t: TestContext): Promise<Traces> {
    const traces = new Traces(await mkdtemp(join(tmpdir(), 'captures-')))
    const note = (message: unknown): void => {
      traces.messages.push(Buffer.from((message as SipTrace).bytes).toString('latin1'))
    }
    sipTrace.subscribe(note)
    t.after(async () => {
      sipTrace.unsubscribe(note)
      await rm(traces.captures, { recursive: true })
    })
    return traces
  }

  watch(opened: TestProgram): void {
    this.#opened = opened
  }

  /** Fails if a key, or what looks like one, is in anything that was written. */
  async assertKeyless(keys: readonly Uint8Array[]): Promise<void> {
    const texts = [...this.messages, JSON.stringify(this.#opened?.log.lines)]
    for (const folder of [this.captures, this.#opened!.store]) {
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (entry.isFile()) texts.push(await readFile(join(entry.parentPath, entry.name), 'latin1'))
      }
    }
    for (const text of texts) {
      assert.doesNotMatch(text, /inline:(?!\*)/)
      for (const key of keys) {
        for (const form of ['base64', 'hex', 'latin1'] as const)
          assert.ok(!text.includes(Buffer.from(key).toString(form)))
      }
    }
  }
}

/** A call over TLS and SRTP through a gateway whose recorders get SRTP. */
async function securedTalk(t: TestContext, suite: SrtpSuite, traces: Traces, offered = [suite]): Promise<Talk> {
  const [alice, bob] = [await openPhone(t, 'alice', 'tls'), await openPhone(t, 'bob', 'tls')]
  for (const phone of [alice, bob]) phone.srtp = [suite]
  const opened = await openTestGateway(t, {
    tls: true,
    recorder: true,
    gateway: {
      routes: [{ match: 'bob', callee: bob.uri }],
      recording: {
        profiles: [{ name: 'secured', media: { srtp: offered } }],
        captures: { folder: traces.captures },
      },
    },
  })
  traces.watch(opened)
  return await placeTalk(opened, alice, bob)
}

async function hearOn(talk: Talk, samples = SECOND): Promise<void> {
  const from = talk.caller.heard().length
  await until('the talk goes on', () => talk.caller.heard().length >= from + samples)
}

/** Packets that the recorder has taken, and those that it has refused. */
async function received({ program }: TestProgram): Promise<{ packets: number; refused: number }> {
  const totals = (await program.recorder!.server.sessions()).flatMap(({ streams }) => streams.map((one) => one.totals))
  const sum = (values: readonly (number | undefined)[]): number =>
    values.reduce<number>((all, one) => all + (one ?? 0), 0)
  return { packets: sum(totals.map((one) => one?.packets)), refused: sum(totals.map((one) => one?.refused)) }
}

for (const suite of srtpSuites) {
  test(`FLOW-19, SEC-07, SEC-08, field 38: ${suite}: a call over TLS and SRTP is recorded so, each voice on its channel`, async (t) => {
    const traces = await Traces.open(t)
    const talk = await securedTalk(t, suite, traces)
    const { opened } = talk
    assert.equal((await talk.rest('start', opened.recorderUri('tls'), 'secured')).status, 200)
    await hearOn(talk, 2 * SECOND)
    assert.equal((await talk.rest('pause')).status, 200)
    const before = await received(opened)
    await hearOn(talk)
    assert.deepEqual(await received(opened), before)
    assert.equal((await talk.rest('resume')).status, 200)
    await hearOn(talk)
    assert.equal((await talk.rest('stop')).status, 200)
    const { manifest, channels } = await keptRecording(opened.store)
    await talk.assertUndisturbed()
    await talk.end()
    for (const [index, own, other] of [
      [0, CALLER_HZ, CALLEE_HZ],
      [1, CALLEE_HZ, CALLER_HZ],
    ] as const) {
      const heard = channels[index]!
      const voice = tone(own, 1000)
      const resumedMs = manifest.streams[index]!.totals.pauses[0]!.toMs!
      assert.ok(correlate(voice, heard.subarray(0, 2 * SECOND), SECOND).coefficient > 0.99, `channel ${index}`)
      assert.ok(goertzelPower(heard.subarray(0, SECOND), 8000, other) < 0.01)
      const afterPause = heard.subarray((resumedMs + 300) * SAMPLES_PER_MS, (resumedMs + 700) * SAMPLES_PER_MS)
      assert.ok(goertzelPower(afterPause, 8000, own) > 0.9, 'goes on after the pause')
    }
    for (const { totals } of manifest.streams) {
      const [pause] = totals.pauses
      assert.deepEqual([totals.refused, totals.wrongSource, pause?.packets], [0, 0, 0])
    }
    const secured = traces.messages.filter((text) => /^INVITE sip:srs@/.test(text) && text.includes('RTP/SAVP'))
    assert.ok(secured.length > 0, 'the recorder is offered SRTP')
    const keys = [talk.caller, talk.callee].flatMap(({ keys: pair }) => [pair!.ours.material, pair!.theirs.material])
    await traces.assertKeyless(keys)
  })
}

test('SEC-06, SEC-12: a recorder that cannot be secured gets nothing; the capture of one that refuses has no keys', async (t) => {
  const traces = await Traces.open(t)
  const talk = await securedTalk(t, 'AES_CM_128_HMAC_SHA1_80', traces)
  assert.equal((await talk.rest('start', talk.opened.recorderUri('tcp'))).status, 503)
  assert.ok(!traces.messages.some((text) => text.startsWith('INVITE sip:srs@')))
  const nobody = `sip:nobody@127.0.0.1:${talk.opened.port('gateway', 'tls')};transport=tls`
  assert.equal((await talk.rest('start', nobody)).status, 503)
  await talk.assertUndisturbed()
  await talk.end()
  let captures: string[] = []
  await until('the failures are captured', async () => {
    const names = await readdir(traces.captures)
    captures = await Promise.all(names.map((name) => readFile(join(traces.captures, name), 'utf8')))
    return captures.some((text) => text.includes('a=crypto:'))
  })
  await traces.assertKeyless([])
})
