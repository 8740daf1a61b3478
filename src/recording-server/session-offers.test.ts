// Offers that the media side cannot carry out: what was agreed before goes on.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { tone } from '#audio'
import { AppError } from '#kernel'
import { parseSdp } from '#sdp'
import { RecorderBench } from '../../test/harness/recorder.ts'
import { type Line, offer } from '../../test/harness/recording-offer.ts'

const ONE: Line = { attributes: ['sendonly', 'label:1'] }
const TWO: Line = { attributes: ['sendonly', 'label:2'] }
const DATA: Line = { kind: 'application', formats: '97', attributes: ['sendonly', 'label:3'] }

/** A bench whose media side has no ports for streams with the labels of `isOut`. */
async function scarceBench(t: TestContext): Promise<{ bench: RecorderBench; isOut: Set<string> }> {
  const isOut = new Set<string>()
  const bench = await RecorderBench.open(t)
  const { ask } = bench.media
  Object.assign(bench.media, {
    ask: (command: Parameters<typeof ask>[0]) => {
      if (command.type !== 'add-stream' || !isOut.has(command.label ?? '')) return ask(command)
      const verdict = { result: 'server', reason: 'ports' } as const
      return Promise.reject(new AppError('engine.no-ports', 'no ports are left', verdict))
    },
  })
  return { bench, isOut }
}

test('an INVITE for which there are no ports gets 503, and leaves nothing open, even if there are some', async (t) => {
  const { bench, isOut } = await scarceBench(t)
  isOut.add('1')
  const refused = await bench.invite(offer([ONE, TWO]))
  assert.ok('status' in refused && refused.status === 503)
  await bench.until(() => bench.eventTypes().includes('ended'))
  assert.deepEqual(await bench.media.ask({ type: 'totals' }), {})
})

test('a re-INVITE for whose stream there are no ports gets 500; repeated, it is carried out', async (t) => {
  const { bench, isOut } = await scarceBench(t)
  const session = await bench.start(offer([ONE]))
  isOut.add('2')
  const wider = offer([ONE, TWO, DATA], 2)
  assert.equal((await bench.settled(session.dialog.reinvite({ body: wider }))).status, 500)
  isOut.clear()
  const repeated = await bench.settled(session.dialog.reinvite({ body: wider }))
  assert.equal(repeated.status, 200)
  const lines = new TextDecoder().decode(repeated.response?.body).match(/^m=\S+ \d+/gm) ?? []
  assert.deepEqual(
    lines.map((line) => line.replace(/[1-9]\d*$/, 'n')),
    ['m=audio n', 'm=audio n', 'm=application 0'],
  )
  const { manifest } = await bench.end(session)
  assert.deepEqual(
    manifest.streams.map(({ label }) => label),
    ['1', '2'],
  )
})

test('after a re-INVITE that could not be carried out the session is as before, and the recording is published', async (t) => {
  const { bench, isOut } = await scarceBench(t)
  const session = await bench.start(offer([ONE]))
  const source = await bench.source(session, 0)
  await bench.talk([source, tone(440, 200)])
  isOut.add('2')
  assert.equal((await bench.settled(session.dialog.reinvite({ body: offer([ONE, TWO, DATA], 2) }))).status, 500)
  // RFC 3261 section 14.1: what was agreed before holds.
  assert.equal((await bench.settled(session.dialog.reinvite({ body: offer([ONE], 3) }))).status, 200)
  const { manifest } = await bench.end(session)
  assert.equal(manifest.state, 'published')
  assert.equal(manifest.streams.length, 1)
})

test('an offer of ours that waits for an offer of the client has what that one brought, and no lower version', async (t) => {
  const { bench } = await scarceBench(t)
  const session = await bench.start(offer([ONE]))
  const { ask } = bench.media
  let isAsked = false
  let goOn = (): void => {}
  const held = new Promise<void>((resolve) => {
    goOn = resolve
  })
  Object.assign(bench.media, {
    ask: async (command: Parameters<typeof ask>[0]) => {
      if (command.type === 'add-stream') {
        isAsked = true
        await held
      }
      return await ask(command)
    },
  })
  const offered: Uint8Array[] = []
  session.dialog.handlers = {
    onEnd: () => {},
    onRequest: (incoming) => {
      offered.push(incoming.request.body)
      const lines = [ONE, TWO].map((line) => ({
        ...line,
        attributes: ['inactive', ...(line.attributes ?? []).slice(1)],
      }))
      incoming.respond(200, { body: offer(lines, 3) })
    },
  }
  const recordingId = (await bench.server.sessions())[0]!.recordingId
  const widened = session.dialog.reinvite({ body: offer([ONE, TWO], 2) })
  await bench.until(() => isAsked)
  const paused = bench.server.pauseHere(recordingId, { signal: true })
  let turns = 0
  await bench.until(() => ++turns > 50)
  goOn()
  const answer = parseSdp((await bench.settled(widened)).response?.body ?? new Uint8Array())
  assert.equal((await bench.settled(paused))?.clientStatus, 200)
  const ours = parseSdp(offered[0] ?? new Uint8Array())
  assert.ok(answer.ok && ours.ok)
  assert.equal(ours.value.media.length, 2)
  assert.ok(Number(ours.value.origin.sessionVersion) >= Number(answer.value.origin.sessionVersion))
  await bench.end(session)
})
