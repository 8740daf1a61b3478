// The session timer of a recording session (RFC 4028), as the recorder keeps it for its next life, and without UPDATE.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import type { DialogSnapshot, HeaderList, IncomingRequest } from '#sip'
import { type ClientSession, RecorderBench } from '../../test/harness/recorder.ts'
import { offer } from '../../test/harness/recording-offer.ts'

const SECONDS = 200
/** BYE goes out 32 s before the end of the interval. */
const LIFE_MS = 168_000
const UPDATING = 'INVITE, ACK, BYE, UPDATE'

/** A session with a timer whose refresher is one of the two. */
async function opened(
  t: TestContext,
  refresher: 'uac' | 'uas',
  allow = UPDATING,
): Promise<{ readonly bench: RecorderBench; readonly session: ClientSession }> {
  const bench = await RecorderBench.open(t)
  const headers: HeaderList = [
    ['Require', 'siprec'],
    ['Supported', 'timer'],
    ['Session-Expires', `${SECONDS};refresher=${refresher}`],
    ['Allow', allow],
  ]
  return { bench, session: await bench.start(offer([{ attributes: ['sendonly', 'label:1'] }]), headers) }
}

/** The timer in the session file, once it holds what is wanted. */
async function keptTimer(
  bench: RecorderBench,
  isWanted: (timer: DialogSnapshot['timer']) => boolean,
): Promise<DialogSnapshot['timer']> {
  const [{ recordingId, startedAtMs }] = (await bench.server.sessions()) as [never] as [
    { recordingId: string; startedAtMs: number },
  ]
  const path = bench.store.pathOf(bench.store.newFolder(recordingId, startedAtMs), 'session.json')
  let timer: DialogSnapshot['timer']
  const read = async (): Promise<void> => {
    for (let tries = 0; tries < 1000; tries++) {
      const { dialog } = JSON.parse(await readFile(path!, 'utf8')) as { dialog: DialogSnapshot }
      timer = dialog.timer
      if (isWanted(timer)) return
    }
  }
  await bench.settled(read())
  return timer
}

test('the end of the timer that is kept is its end, from the first answer on and from each refresh of the client on', async (t) => {
  const { bench, session } = await opened(t, 'uac')
  const beganMs = bench.clock.wallMs()
  const first = await keptTimer(bench, (timer) => timer !== undefined)
  assert.deepEqual([first?.seconds, first?.isOurs], [SECONDS, false])
  assert.ok(Math.abs((first?.expiresAtMs ?? 0) - beganMs - LIFE_MS) < 1000, `${(first?.expiresAtMs ?? 0) - beganMs}`)
  bench.clock.advance(90_000)
  const headers: HeaderList = [
    ['Supported', 'timer'],
    ['Session-Expires', `${SECONDS};refresher=uac`],
  ]
  const { status } = await bench.settled(session.dialog.request('UPDATE', { headers }))
  assert.equal(status, 200)
  const refreshedMs = bench.clock.wallMs()
  const later = (timer: DialogSnapshot['timer']): boolean => (timer?.expiresAtMs ?? 0) > refreshedMs + 90_000
  const second = await keptTimer(bench, later)
  assert.ok(later(second) && Math.abs(second!.expiresAtMs - refreshedMs - LIFE_MS) < 1000, JSON.stringify(second))
})

test('a client that takes no UPDATE is refreshed by the same offer again, and its recording goes on', async (t) => {
  const { bench, session } = await opened(t, 'uas', 'INVITE, ACK, BYE')
  const first = new TextDecoder().decode(session.response.body)
  const offers: string[] = []
  const onRequest = (incoming: IncomingRequest): void => {
    offers.push(`${incoming.request.method} ${new TextDecoder().decode(incoming.request.body)}`)
    incoming.respond(200, { body: offer([{ attributes: ['sendonly', 'label:1'] }]) })
  }
  session.dialog.handlers = { onEnd: () => {}, onRequest }
  await bench.clock.advanceAsync((SECONDS / 2) * 1000 + 100)
  await bench.until(() => offers.length === 1)
  assert.deepEqual(offers, [`INVITE ${first}`])
  await bench.clock.advanceAsync(LIFE_MS - (SECONDS / 2) * 1000 + 1000)
  await bench.settled(bench.server.sessions())
  assert.equal(bench.eventTypes().includes('ended'), false)
})
