// Callers and callees of SIPp whose codecs and payload numbers change: what a recorder of SIPp is offered of them.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { recordSippCall } from '../harness/sipp-call.ts'
import { type LoggedOffer, offersIn } from '../harness/sipp-log.ts'
import { openSippRecorder } from '../harness/sipp-recorder.ts'
import { requireTools } from '../harness/tools.ts'

requireTools('sipp')

const STEP_MS = 4000

/** Encodings of a call by their payload numbers; a number without encoding is a static one. */
type Codecs = Readonly<Record<number, string>>

/** Has a call go through three sets of codecs while it is recorded; resolves with the offers at the recorder. */
async function offersDuring(t: TestContext, steps: readonly [Codecs, Codecs, Codecs]): Promise<LoggedOffer[]> {
  const recorder = await openSippRecorder(t, 'recorder-streams', { most_lines: '2' })
  const keys = steps.flatMap((codecs, index) => {
    const maps = Object.entries(codecs).map(([number, encoding]) => `a=rtpmap:${number} ${encoding}`)
    return [
      '-key',
      `formats_${index + 1}`,
      Object.keys(codecs).join(' '),
      '-key',
      `maps_${index + 1}`,
      maps.join('\r\n'),
    ]
  })
  const log = await recordSippCall(t, recorder, {
    caller: { scenario: 'call-codecs', args: ['-d', `${STEP_MS}`, ...keys] },
    callee: { scenario: 'call-any-codec' },
  })
  return offersIn(log)
}

/** What each offer lists: per m-line the encodings, in the order of preference. */
const encodingsOf = (offers: readonly LoggedOffer[]): string[][] =>
  offers.flatMap(({ sdp }) => sdp.media.map(({ codecs }) => codecs.map(({ name }) => name)))

/** The same for two m-lines in each offer. */
const twice = (lists: readonly string[][]): string[][] => lists.flatMap((list) => [list, list])

test('SRC-45: the numbers that a call gives to its codecs change hands, and each number at the recorder keeps its meaning', async (t) => {
  const offers = await offersDuring(t, [
    { 96: 'opus/48000/2', 101: 'telephone-event/8000' },
    { 0: 'PCMU/8000', 96: 'telephone-event/8000' },
    { 101: 'opus/48000/2', 96: 'telephone-event/8000' },
  ])
  const all = offers.flatMap(({ sdp }) => sdp.media.flatMap(({ codecs }) => codecs))
  const pairs = new Set(all.map(({ payloadType, name }) => `${payloadType} ${name}`))
  assert.equal(pairs.size, new Set(all.map(({ payloadType }) => payloadType)).size, [...pairs].join())
  const lists = encodingsOf(offers.slice(0, 3))
  for (const index of [0, 1, 4, 5]) assert.ok(lists[index]?.includes('opus'), 'opus came, went and came again')
  for (const index of [2, 3]) assert.ok(!lists[index]?.includes('opus'))
})

test('SRC-31: a recorder is offered what the call speaks at the time, and besides only what can be made of it', async (t) => {
  const offers = await offersDuring(t, [
    { 0: 'PCMU/8000', 101: 'telephone-event/8000' },
    { 8: 'PCMA/8000' },
    { 9: 'G722/8000' },
  ])
  assert.deepEqual(
    encodingsOf(offers.slice(0, 3)),
    twice([['PCMU', 'telephone-event'], ['PCMA'], ['G722', 'PCMU', 'PCMA']]),
  )
})
